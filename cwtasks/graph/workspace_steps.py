"""The steps every workspace has beside its tasks: what they are called, what they need.

``lock`` makes the lock answer the manifest, ``install:<env>`` makes one environment hold what is locked, ``install``
stands for all of these. A task of the same name wins the short name; with ``workspace:`` in front the step is always
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

    def read(self, word: str) -> WorkspaceName | None:
        """Return which step a word names, ``None`` for none.

        Raises:
            EnvironmentNotFoundError: ``install:…`` names no environment.
        """
        name = word.removeprefix(PREFIX)
        kind, _, environment = name.partition(":")
        is_plain = name == word
        if not self.installable or (is_plain and (kind in self.tasks or word in self.tasks)):
            return None
        if name == "lock":
            return WorkspaceName("lock")
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
        """Return the steps there are to list; none where somebody else installs, though they can be named.

        Args:
            variants: Also those for a single environment.
        """
        if not self.installed:
            return []
        each = [WorkspaceName("install", name) for name in self.installable] if variants else []
        return [WorkspaceName("lock"), WorkspaceName("install"), *each]

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
