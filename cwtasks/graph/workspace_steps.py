"""The steps every workspace has beside its tasks: what they are called, what they need.

``lock`` makes the lock answer the manifest, ``install:<env>`` makes one environment hold what is locked, ``install``
stands for all of these; ``bundle`` gets the packages of the lock together, ``archive`` packs the workspace, ``verify``
restores it from there. A task of the same name wins the short name; with ``workspace:`` in front the step is always
meant. Pure: knows names, not what the steps do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import EnvironmentNotFoundError
from cwtasks.graph.step import Step

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cwtasks.graph.step import StepKind

PREFIX = "workspace:"
"""In front of a name it means a step of the workspace, whatever tasks are called."""

DESCRIPTIONS: Mapping[StepKind, str] = {
    "lock": "Choose the packages of all environments",
    "install": "Install the environments",
    "bundle": "Get the packages of the lock together",
    "archive": "Pack the workspace",
    "verify": "Restore the archive and check it",
}
"""Short name, which is the kind, to one line for people."""


class WorkspaceName(NamedTuple):
    """What a word names that is no task."""

    kind: StepKind
    environment: str | None = None
    """``None`` for all, and where there is no choice."""


class WorkspaceSteps(NamedTuple):
    """The steps of one workspace."""

    tasks: Collection[str] = ()
    """Names of its tasks, which win."""
    environments: Collection[str] = ()
    """Names of its environments."""
    installable: tuple[str, ...] = ()
    """Those that ask for packages."""
    installed: tuple[str, ...] = ()
    """Those that are installed before a task runs in them."""
    is_workspace: bool = False
    """Whether there is something to pack: the manifest declares a workspace."""
    archives: bool = False
    """Whether the manifest says something of archives."""
    bundles: bool = False
    """Whether the packages go into the archive without being asked for."""
    locks: bool = True
    """Whether the lock is made to answer the manifest before the archive is packed."""

    def read(self, word: str) -> WorkspaceName | None:
        """Return which step a word names, ``None`` for none.

        Raises:
            EnvironmentNotFoundError: ``install:…`` names no environment.
        """
        name = word.removeprefix(PREFIX)
        kind, _, environment = name.partition(":")
        is_plain = name == word
        if is_plain and (kind in self.tasks or word in self.tasks):
            return None
        if name in {"archive", "verify"} and self.is_workspace:
            return WorkspaceName("archive" if name == "archive" else "verify")
        if not self.installable:
            return None
        if name in {"lock", "bundle"}:
            return WorkspaceName("lock" if name == "lock" else "bundle")
        if kind != "install":
            return None
        if environment and environment not in self.environments:
            raise EnvironmentNotFoundError(environment, self.environments)
        return WorkspaceName("install", environment or None)

    def name(self, kind: StepKind, environment: str | None = None) -> str:
        """Return what a step is called."""
        short = kind if environment is None else f"{kind}:{environment}"
        return PREFIX + short if kind in self.tasks or short in self.tasks else short

    def names(self, *, variants: bool) -> list[WorkspaceName]:
        """Return the steps there are to list; all that can be named are more.

        Those for packages are left out where somebody else installs, those for archives where nothing hints at them.

        Args:
            variants: Also those for a single environment.
        """
        found: list[WorkspaceName] = []
        if self.installed:
            each = [WorkspaceName("install", name) for name in self.installable] if variants else []
            found += [WorkspaceName("lock"), WorkspaceName("install"), *each]
        if self.is_workspace and (self.archives or (variants and self.installed)):
            bundle = [WorkspaceName("bundle")] if self.installable else []
            found += [*bundle, WorkspaceName("archive"), WorkspaceName("verify")]
        return found

    def steps(
        self, kind: StepKind, environment: str | None = None, arguments: Mapping[str, str] | None = None
    ) -> list[Step]:
        """Return a step, last, after all it needs.

        Args:
            kind: What it does.
            environment: For which environment; ``None`` for all.
            arguments: What was asked for beside it, by name.
        """
        lock = self._step("lock", None, arguments if kind == "lock" else None)
        if kind == "lock":
            return [lock]
        if kind in {"bundle", "archive", "verify"}:
            return self._packing_steps(kind, lock, arguments or {})
        if environment is not None and environment not in self.installable:
            # Nothing to install there: the step stands for nothing.
            return [Step(id=self.name(kind, environment), task=kind, environment=environment)]
        names = self.installable if environment is None else (environment,)
        each = [self._step("install", name, None, needs=(lock.id,)) for name in names]
        if environment is not None:
            return [lock, *each]
        every = Step(
            id=self.name("install"),
            task="install",
            environment=None,
            needs=tuple(step.id for step in each),
            description=DESCRIPTIONS["install"],
        )
        return [lock, *each, every]

    def _packing_steps(self, kind: StepKind, lock: Step, arguments: Mapping[str, str]) -> list[Step]:
        """Return the steps from the lock to what is asked for, as far as they are needed."""
        has_lock = bool(self.installable) and self.locks
        found = [lock] if has_lock else []
        if kind == "bundle":
            return [*found, self._step("bundle", None, arguments, needs=tuple(step.id for step in found))]
        if "list" in arguments or "dry-run" in arguments:
            return [self._step("archive", None, arguments)]
        given = arguments if kind == "archive" else {}
        if self.installable and (self.bundles or "bundle" in given):
            chosen = {name: given[name] for name in ("environment", "platform") if name in given}
            found.append(self._step("bundle", None, chosen, needs=tuple(step.id for step in found)))
        needs = tuple(step.id for step in found[-1:])
        found.append(self._step("archive", None, given, needs=needs))
        if kind == "verify":
            found.append(self._step("verify", None, arguments, needs=(found[-1].id,)))
        return found

    def _step(
        self,
        kind: StepKind,
        environment: str | None,
        arguments: Mapping[str, str] | None,
        needs: tuple[str, ...] = (),
    ) -> Step:
        given = tuple((arguments or {}).items())
        words = [f"--{name} {value}".rstrip() for name, value in given]
        step_id = self.name(kind, environment) + (f"({' '.join(words)})" if words else "")
        return Step(
            id=step_id,
            task=kind,
            environment=environment,
            arguments=given,
            needs=needs,
            description=DESCRIPTIONS[kind],
            kind=kind,
        )


NO_WORKSPACE_STEPS = WorkspaceSteps()
"""Of a manifest without a workspace, or whose environments ask for no packages."""
