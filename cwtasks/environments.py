"""Features x platforms -> what each environment offers, and which environment runs a task.

The few rules in which pixi and conda-workspaces differ stand here as two values of :class:`Dialect`, and nowhere else.
Knows no file and no process; the machine it is for comes in as arguments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import (
    AmbiguousTaskError,
    EnvironmentNotFoundError,
    TaskNotAvailableError,
    TaskNotFoundError,
)
from cwtasks.models import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cwtasks.host import Host
    from cwtasks.models import DialectName, Environment, Feature, Manifest, Task, WorkspaceConfig


class Dialect(NamedTuple):
    """How one family of manifests is understood where the two differ."""

    name: DialectName
    first_feature_wins: bool
    """Of two features with a task of one name, whether the one listed first wins, and any beats ``default``."""
    target_replaces_task: bool
    """Whether a ``[target]`` task replaces the whole definition, or only the fields it gives."""
    selects_families: bool
    """Whether selectors may be families (``unix``) and globs over platform names."""
    passes_environment_on: bool
    """Whether a dependency runs where its parent runs, or is looked up afresh."""
    list_is_shell_text: bool
    """Whether a ``cmd`` list is joined into shell text, or is the words of a command without a shell."""
    quotes_arguments: bool
    """Whether argument values are quoted for the shell when rendered into a ``cmd`` string."""
    env_expands: bool
    """Whether the shell expands ``$NAME`` in a task's ``env``."""
    runs_cycles_once: bool
    """Whether tasks that need each other run once each, or are an error."""
    keeps_all_specs: bool
    """Whether all features' specs of a package must hold together, or the last one replaces the others."""
    shares_solves: bool
    """Whether environments of one ``solve-group`` share their versions."""


DIALECTS: Mapping[DialectName, Dialect] = {
    "pixi": Dialect(
        name="pixi",
        first_feature_wins=True,
        target_replaces_task=True,
        selects_families=True,
        passes_environment_on=False,
        list_is_shell_text=True,
        quotes_arguments=False,
        env_expands=True,
        runs_cycles_once=True,
        keeps_all_specs=True,
        shares_solves=True,
    ),
    "conda": Dialect(
        name="conda",
        first_feature_wins=False,
        target_replaces_task=False,
        selects_families=False,
        passes_environment_on=True,
        list_is_shell_text=False,
        quotes_arguments=True,
        env_expands=False,
        runs_cycles_once=False,
        keeps_all_specs=False,
        shares_solves=False,
    ),
}


#: Subdirs a host can also run, in order of preference.
_COMPATIBLE = {"osx-arm64": ("osx-64",), "win-arm64": ("win-64", "win-32"), "win-64": ("win-32",)}

_FAMILIES = {
    "linux": ("linux",),
    "osx": ("osx",),
    "macos": ("osx",),
    "win": ("win",),
    "unix": ("linux", "osx"),
}


def selector_matches(selector: str, platform: str, subdir: str, *, dialect: Dialect) -> bool:
    """Say whether a ``[target.<selector>]`` table applies.

    Args:
        selector: Platform name or subdir; in the pixi dialect also a family or a glob over platform names.
        platform: Declared platform name.
        subdir: The conda subdir behind it.
        dialect: Whose rules apply.
    """
    if selector in {platform, subdir}:
        return True
    if not dialect.selects_families:
        return False
    if "*" in selector:
        return re.fullmatch(".*".join(map(re.escape, selector.split("*"))), platform) is not None
    return subdir.partition("-")[0] in _FAMILIES.get(selector, ())


def platforms_of(workspace: WorkspaceConfig, environment: Environment) -> list[str]:
    """Return the platform names an environment can exist on, in the order the workspace declares them.

    Those of the workspace that every feature with a platform list of its own allows. A subdir in such a list also
    stands for the rich platforms of that subdir.
    """
    lists = [feature.platforms for feature in features_of(workspace, environment) if feature.platforms]
    names = list(workspace.platforms)
    for allowed in lists:
        names = [name for name in names if name in allowed or workspace.platform_subdir(name) in allowed]
    # Conda-workspaces falls back to the whole list when nothing is left; so does this, rather than refuse to load.
    return names or list(workspace.platforms)


def features_of(workspace: WorkspaceConfig, environment: Environment) -> list[Feature]:
    """Return the features of an environment from the weakest to the strongest.

    Raises:
        FeatureNotFoundError: it lists a feature that is not defined.
    """
    default_first = workspace.resolve_features(environment)
    if DIALECTS[workspace.dialect].first_feature_wins:
        start = 0 if environment.no_default_feature else 1
        default_first = [*default_first[:start], *reversed(default_first[start:])]
    return [*default_first, *([environment.inline] if environment.inline else [])]


class Definition(NamedTuple):
    """A task as one environment sees it."""

    task: Task
    origin: tuple[str, ...]
    """Where it is written. Equal origins are the same definition, equal text is not."""


class EnvironmentTasks(NamedTuple):
    """What one environment offers on the platform it would be used for."""

    name: str
    platform: str
    """Platform name: of this machine when the environment supports it, else the first it declares."""
    runnable: bool
    """Whether the environment can exist on this machine."""
    tasks: Mapping[str, Definition]


def _on_platform(task: Task, subdir: str, platform: str) -> Task:
    """Return a task with what its own ``target`` tables say of the subdir and then, more exactly, of the platform."""
    task = task.resolve_for_platform(subdir)
    return task if platform == subdir else task.resolve_for_platform(platform)


class Choice(NamedTuple):
    """The answer to "which environment runs this task"."""

    environment: EnvironmentTasks
    task: Task


class Catalog:
    """Every task of a manifest, per environment, for one machine.

    Pure: made from a manifest and a description of the machine, answers from memory.
    """

    def __init__(self, manifest: Manifest, host: Host) -> None:
        """Resolve the tasks of every environment.

        Raises:
            FeatureNotFoundError: an environment lists a feature that is not defined.
        """
        self.manifest = manifest
        self.host = host
        self.dialect = DIALECTS[manifest.workspace.dialect]
        self.environments = {
            name: self._resolve(environment) for name, environment in manifest.workspace.environments.items()
        }
        self._offers: dict[str, list[EnvironmentTasks]] = {}
        for environment in self.environments.values():
            for name in environment.tasks:
                self._offers.setdefault(name, []).append(environment)
        self._usual: dict[str, str | None] = {}

    def _resolve(self, environment: Environment) -> EnvironmentTasks:
        workspace = self.manifest.workspace
        declared = platforms_of(workspace, environment)
        mine = self._platform_of_host(declared)
        platform = mine or (declared[0] if declared else self.host.subdir)
        tasks: dict[str, Definition] = {}
        if environment.is_default:
            tasks.update((name, Definition(task, ("user", name))) for name, task in self.manifest.user_tasks.items())
        for feature in features_of(workspace, environment):
            private = feature is environment.inline
            place = ("environment", environment.name) if private else ("feature", feature.name)
            tasks.update(self._tasks_of(feature, place, platform, known=tasks))
        return EnvironmentTasks(environment.name, platform, mine is not None or not declared, tasks)

    def _platform_of_host(self, declared: Sequence[str]) -> str | None:
        """Return the first declared platform this machine can run, its own subdir before compatible ones."""
        workspace = self.manifest.workspace
        for subdir in (self.host.subdir, *_COMPATIBLE.get(self.host.subdir, ())):
            for name in workspace.platform_names_for_subdir(subdir, declared):
                if self.host.has_cuda or "cuda" not in workspace.platform_system_requirements.get(name, {}):
                    return name
        return None

    def _tasks_of(
        self, feature: Feature, place: tuple[str, ...], platform: str, *, known: Mapping[str, Definition]
    ) -> dict[str, Definition]:
        """Return the tasks one feature contributes: its own, then each matching target in the order of the file."""
        subdir = self.manifest.workspace.platform_subdir(platform)
        found = {
            name: Definition(_on_platform(task, subdir, platform) if task.platforms else task, (*place, name))
            for name, task in feature.tasks.items()
        }
        for selector, target in feature.targets.items():
            if not selector_matches(selector, platform, subdir, dialect=self.dialect):
                continue
            for name, task in target.tasks.items():
                base = found.get(name) or known.get(name)
                if base is not None and not self.dialect.target_replaces_task:
                    task = base.task.overridden(target.overrides[name])  # noqa: PLW2901 - the definition it becomes
                found[name] = Definition(task, (*place, selector, name))
        return found

    def names(self) -> list[str]:
        """Return every task name some environment offers, in the order of the manifest."""
        return list(self._offers)

    def offers(self, name: str) -> Sequence[EnvironmentTasks]:
        """Return the environments that offer a task, in the order of the manifest; empty for an unknown name."""
        return self._offers.get(name, ())

    def is_user_task(self, name: str) -> bool:
        """Say whether a task comes from the user-level file."""
        offers = self.offers(name)
        return bool(offers) and offers[0].tasks[name].origin[0] == "user"

    def usual(self, name: str) -> str | None:
        """Return the environment a task runs in when nobody names one; ``None`` when that is not decided."""
        if name not in self._usual:
            try:
                self._usual[name] = self.choose(name).environment.name
            except (AmbiguousTaskError, TaskNotFoundError, TaskNotAvailableError, EnvironmentNotFoundError):
                self._usual[name] = None
        return self._usual[name]

    def environment(self, name: str) -> EnvironmentTasks:
        """Return one environment.

        Raises:
            EnvironmentNotFoundError: none has that name.
        """
        try:
            return self.environments[name]
        except KeyError:
            raise EnvironmentNotFoundError(name, self.environments) from None

    def choose(
        self, name: str, wish: str | None = None, *, edge: str | None = None, needed_by: Sequence[str] = ()
    ) -> Choice:
        """Find the environment that runs a task.

        Args:
            name: Task name.
            wish: Environment asked for on the command line, or (conda dialect) that of the parent.
            edge: Environment the ``depends-on`` entry names. Beats ``wish``.
            needed_by: Names of the tasks that led here, outermost first, for errors.

        Raises:
            TaskNotFoundError: no environment on any platform has the task.
            TaskNotAvailableError: it exists, but not in the environment asked for.
            AmbiguousTaskError: several environments have it and nothing decides.
            EnvironmentNotFoundError: ``wish`` or ``edge`` names no environment.
        """
        for asked in (wish, edge):
            if asked is not None:
                self.environment(asked)
        if not self.offers(name):
            raise self._missing(name, needed_by)
        pick = self._pick_as_pixi if self.dialect.name == "pixi" else self._pick_as_conda
        chosen = pick(name, edge or wish, needed_by)
        definition = chosen.tasks.get(name) or self.offers(name)[0].tasks[name]
        return Choice(chosen, definition.task)

    def _pick_as_pixi(self, name: str, asked: str | None, needed_by: Sequence[str]) -> EnvironmentTasks:
        offers = self.offers(name)
        if asked is not None:
            if name not in self.environments[asked].tasks:
                raise TaskNotAvailableError(
                    name, f"in environment '{asked}'", [offer.name for offer in offers], needed_by=needed_by
                )
            return self.environments[asked]
        usual = self.environments[DEFAULT]
        if name in usual.tasks:
            named = self.environments.get(usual.tasks[name].task.default_environment or "")
            if named is not None and named.runnable and name in named.tasks:
                return named
            origin = usual.tasks[name].origin
            if all(offer.tasks[name].origin == origin for offer in offers if offer.runnable):
                return usual
        if len(offers) == 1:
            return offers[0]
        for offer in offers:
            if offer.tasks[name].task.default_environment == offer.name:
                return offer
        raise AmbiguousTaskError(name, [offer.name for offer in offers], needed_by=needed_by)

    def _pick_as_conda(self, name: str, asked: str | None, needed_by: Sequence[str]) -> EnvironmentTasks:
        del needed_by  # nothing is ambiguous in this dialect
        if asked is not None:
            return self.environments[asked]
        offers = self.offers(name)
        named = offers[0].tasks[name].task.default_environment
        if named is not None:
            return self.environment(named)
        # Upstream runs everything in `default`. A task that only one environment offers would not find its own
        # dependencies there, so it runs where it is defined.
        if len(offers) == 1:
            return offers[0]
        return self.environments[DEFAULT]

    def _missing(self, name: str, needed_by: Sequence[str]) -> TaskNotFoundError | TaskNotAvailableError:
        elsewhere = [selector for selector, tasks in self._all_targets() if name in tasks]
        if elsewhere:
            where = f"on {self.host.subdir}"
            return TaskNotAvailableError(name, where, [f"target.{item}" for item in elsewhere], needed_by=needed_by)
        return TaskNotFoundError(name, self.names(), needed_by=needed_by)

    def _all_targets(self) -> Iterator[tuple[str, Mapping[str, Task]]]:
        workspace = self.manifest.workspace
        inline = [environment.inline for environment in workspace.environments.values() if environment.inline]
        for feature in [*workspace.features.values(), *inline]:
            for selector, target in feature.targets.items():
                yield selector, target.tasks
