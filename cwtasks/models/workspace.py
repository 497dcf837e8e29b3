"""What a manifest says of its workspace: features, environments, platforms.

Holds, does not compose: which specs an environment gets is for ``environments`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from cwtasks.exceptions import EnvironmentNotFoundError, FeatureNotFoundError, PlatformError
from cwtasks.models.packages import KNOWN_SUBDIRS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cwtasks.models.packages import Channel, MatchSpec, PyPIDependency
    from cwtasks.models.tasks import Task, TaskOverride

DialectName = Literal["pixi", "conda"]
"""Whose rules a manifest follows: ``pixi.toml`` and ``[tool.pixi]``, or ``conda.toml`` and ``[tool.conda]``."""

DEFAULT = "default"
"""Name of the feature and of the environment that always exist."""


class TargetTable(NamedTuple):
    """One ``[target.<selector>]`` table of a feature."""

    selector: str
    """Platform name, conda subdir, family such as ``linux`` or ``unix``, or a glob over platform names."""
    tasks: dict[str, Task] = {}  # noqa: RUF012 - read only, as every record here
    """Its tasks as whole definitions: the pixi dialect replaces a task by name."""
    overrides: dict[str, TaskOverride] = {}  # noqa: RUF012
    """The same tables as changes: the conda dialect merges field by field."""
    conda_dependencies: dict[str, MatchSpec] = {}  # noqa: RUF012
    pypi_dependencies: dict[str, PyPIDependency] = {}  # noqa: RUF012
    activation_scripts: list[str] | None = None
    """``None`` when the table says nothing of scripts."""
    activation_env: dict[str, str] = {}  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class Feature:
    """A reusable part of environments: dependencies, tasks, activation."""

    name: str
    conda_dependencies: dict[str, MatchSpec] = field(default_factory=dict)
    pypi_dependencies: dict[str, PyPIDependency] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    """Platform names it is limited to; empty for no limit."""
    system_requirements: dict[str, str] = field(default_factory=dict)
    activation_scripts: list[str] = field(default_factory=list)
    activation_env: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    """Tasks written in this feature itself, without its targets."""
    targets: dict[str, TargetTable] = field(default_factory=dict)
    """Selector to table, in the order of the file."""

    DEFAULT_NAME: ClassVar[str] = DEFAULT

    @property
    def is_default(self) -> bool:
        """Whether it is the feature made of the top-level tables."""
        return self.name == DEFAULT

    @property
    def target_conda_dependencies(self) -> dict[str, dict[str, MatchSpec]]:
        """Selector to conda dependencies, for the selectors that have any."""
        return {name: table.conda_dependencies for name, table in self.targets.items() if table.conda_dependencies}

    @property
    def target_pypi_dependencies(self) -> dict[str, dict[str, PyPIDependency]]:
        """Selector to PyPI dependencies, for the selectors that have any."""
        return {name: table.pypi_dependencies for name, table in self.targets.items() if table.pypi_dependencies}


@dataclass(frozen=True, slots=True)
class Environment:
    """A named combination of features."""

    name: str
    features: list[str] = field(default_factory=list)
    """Feature names as listed, without ``default``."""
    no_default_feature: bool = False
    solve_group: str | None = None
    inline: Feature | None = None
    """Content written straight on the environment: a private feature placed before the listed ones."""

    DEFAULT_NAME: ClassVar[str] = DEFAULT

    @property
    def is_default(self) -> bool:
        """Whether it is the environment that is used when none is named."""
        return self.name == DEFAULT


class ArchiveConfig(NamedTuple):
    """``[workspace.archive]``: what goes into an archive and how it is compressed."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    compression: str = "zst"
    """``zst``, ``gz`` or ``bz2``."""
    compression_level: int | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceConfig:
    """Everything a manifest says of its workspace."""

    name: str | None = None
    version: str | None = None
    description: str | None = None
    channels: list[Channel] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    """Declared platform names, in order; rich platforms by their given or generated name."""
    platform_subdirs: dict[str, str] = field(default_factory=dict)
    """Platform name to conda subdir."""
    platform_system_requirements: dict[str, dict[str, str]] = field(default_factory=dict)
    """Platform name to what a rich platform requires, for example ``{"cuda": "12.0"}``."""
    workspace_dependencies: dict[str, MatchSpec] = field(default_factory=dict)
    """The pool that ``{ workspace = true }`` takes from."""
    features: dict[str, Feature] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    root: str = ""
    """Directory of the manifest."""
    manifest_path: str = ""
    envs_dir: str = ".conda/envs"
    channel_priority: str | None = None
    archive: ArchiveConfig = field(default_factory=ArchiveConfig)
    dialect: DialectName = "conda"

    def __post_init__(self) -> None:
        """Add what always exists: feature ``default``, environment ``default`` (first), a subdir per platform.

        Raises:
            PlatformError: a subdir nobody knows.
        """
        self.features.setdefault(DEFAULT, Feature(DEFAULT))
        default = self.environments.pop(DEFAULT, None) or Environment(DEFAULT)
        others = dict(self.environments)
        self.environments.clear()
        self.environments.update({DEFAULT: default, **others})
        for platform in self.platforms:
            subdir = self.platform_subdirs.setdefault(platform, platform)
            if subdir not in KNOWN_SUBDIRS:
                raise PlatformError(subdir, known_platforms=KNOWN_SUBDIRS)

    def platform_subdir(self, platform: str) -> str:
        """Return the conda subdir of a platform name; an unknown name is returned as it is."""
        return self.platform_subdirs.get(platform, platform)

    def platform_names_for_subdir(self, subdir: str, platforms: Iterable[str] | None = None) -> list[str]:
        """Return the declared platform names (or those of ``platforms``) that are backed by ``subdir``."""
        names = self.platforms if platforms is None else platforms
        return [name for name in names if self.platform_subdir(name) == subdir]

    def resolve_platform_name(self, requested: str, platforms: Iterable[str] | None = None) -> str:
        """Return the declared platform that ``requested``, a name or a subdir, means.

        Raises:
            PlatformError: neither a declared name nor a subdir of one.
        """
        names = list(self.platforms if platforms is None else platforms)
        if requested in names:
            return requested
        backed = self.platform_names_for_subdir(requested, names)
        if not backed:
            raise PlatformError(requested, names)
        return backed[0]

    def get_environment(self, name: str) -> Environment:
        """Return a declared environment.

        Raises:
            EnvironmentNotFoundError: no environment has that name.
        """
        try:
            return self.environments[name]
        except KeyError:
            raise EnvironmentNotFoundError(name, self.environments) from None

    def resolve_features(self, environment: Environment | str) -> list[Feature]:
        """Return the features of an environment: ``default`` first unless opted out, then as listed, each once.

        Raises:
            EnvironmentNotFoundError: no environment has that name.
            FeatureNotFoundError: it lists a feature that is not defined.
        """
        found = self.get_environment(environment) if isinstance(environment, str) else environment
        names = [*([] if found.no_default_feature else [DEFAULT]), *found.features]
        for name in names:
            if name not in self.features:
                raise FeatureNotFoundError(name, found.name, self.features)
        return [self.features[name] for name in dict.fromkeys(names)]


class Manifest(NamedTuple):
    """One manifest, read: the root of everything else."""

    path: Path
    workspace: WorkspaceConfig
    """Always there; without a ``[workspace]`` table it holds the tasks and a bare ``default`` environment."""
    has_workspace: bool
    """Whether the file declares a workspace, hence environments to run tasks in."""
    warnings: tuple[str, ...] = ()
    """One sentence each, with file and dotted key."""
    user_tasks: Mapping[str, Task] = {}
    """Tasks of the user-level file that no task of the manifest hides."""
    user_path: Path | None = None
    settings: Mapping[str, object] = {}
    """The ``[tool.cwtasks]`` table as it stands; ``settings`` reads it."""
