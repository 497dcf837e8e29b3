"""The workspace of a manifest: from the root table to :class:`WorkspaceConfig`.

Knows every table of both dialects and which keys each may have. Knows no file: where the root table stands in one is
for the parsers to say.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import nearest, suggestion
from cwtasks.manifests.dependencies import DependencyReader
from cwtasks.manifests.normalize import TaskReader
from cwtasks.manifests.platforms import FAMILIES, PlatformReader
from cwtasks.manifests.project import Project, normalised, read_project
from cwtasks.manifests.tables import Report, TomlTable, dotted
from cwtasks.models import (
    DEFAULT,
    KNOWN_SUBDIRS,
    ArchiveConfig,
    Environment,
    Feature,
    MatchSpec,
    TargetTable,
    WorkspaceConfig,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cwtasks.models import DialectName

TARGET_KEYS = frozenset(
    (
        "activation",
        "build-dependencies",
        "constraints",
        "dependencies",
        "dev",
        "host-dependencies",
        "pypi-dependencies",
        "pypi-options",
        "tasks",
    )
)
ENVIRONMENT_CONTENT_KEYS = TARGET_KEYS | {"channel-priority", "channels", "platforms", "solve-strategy", "target"}
ENVIRONMENT_OWN_KEYS = frozenset(("features", "no-default-feature", "solve-group"))
FEATURE_KEYS = ENVIRONMENT_CONTENT_KEYS | {"exclude-newer", "pypi-exclude-newer", "system-requirements"}
ROOT_KEYS = TARGET_KEYS | {
    "$schema",
    "environments",
    "exclude-newer",
    "feature",
    "package",
    "pypi-exclude-newer",
    "system-requirements",
    "target",
    "tool",
    "workspace",
}
WORKSPACE_KEYS = frozenset(
    (
        "archive",
        "authors",
        "build-variants",
        "build-variants-files",
        "channel-priority",
        "channels",
        "conda-pypi-map",
        "dependencies",
        "description",
        "documentation",
        "envs-dir",
        "exclude-newer",
        "homepage",
        "license",
        "license-file",
        "name",
        "platforms",
        "preview",
        "pypi-exclude-newer",
        "pypi-options",
        "readme",
        "repository",
        "requires-pixi",
        "s3-options",
        "solve-strategy",
        "target",
        "version",
    )
)
NOT_IN_TARGETS = ("channels", "system-requirements")
ACTIVATION_KEYS = ("scripts", "env")
ARCHIVE_KEYS = ("include", "exclude", "compression", "compression-level")
CHANNEL_PRIORITIES = ("strict", "flexible", "disabled")
COMPRESSIONS = ("zst", "gz", "bz2")
RESERVED_ON_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class Section(NamedTuple):
    """The table that holds a workspace or tasks: a whole file, or one sub-table of ``[tool]``."""

    content: TomlTable
    at: str
    """Its dotted key; empty for a whole file."""
    dialect: DialectName
    pyproject: TomlTable | None = None
    """The document around it when that is a ``pyproject.toml``."""


class WorkspaceReader:
    """Reads one section."""

    def __init__(self, section: Section, report: Report) -> None:
        """Read into ``report``.

        Args:
            section: What to read.
            report: Where mistakes and warnings go; its path is the manifest, whose directory is the root.
        """
        self.section = section
        self.report = report
        self.root = root = os.path.dirname(report.path)  # noqa: PTH120 - on the path every start of doit takes
        self.dialect = section.dialect
        self.project = (
            Project() if section.pyproject is None else read_project(section.pyproject, section.dialect, report)
        )
        self.tasks = TaskReader(report.for_tasks(), dialect=section.dialect)
        self.platforms = PlatformReader(report, dialect=section.dialect)
        self.dependencies = DependencyReader(report, dialect=section.dialect, root=root)
        self._selectors: list[tuple[str, str]] = []

    def read(self) -> WorkspaceConfig:
        """Read everything; what has mistakes is left out, and the report knows of them."""
        content, at, dialect, _ = self.section
        known = ROOT_KEYS | {"project"} if dialect == "pixi" else ROOT_KEYS
        self.report.check_keys(content, known, at)
        own, own_at = self._workspace_table()
        pool_at = dotted(own_at, "dependencies")
        # The old [project] spelling is older than the pool: a table of that name there means nothing.
        pool = self.dependencies.read_pool(own.get("dependencies"), pool_at) if "workspace" in content else {}
        platforms = self.platforms.platforms(own.get("platforms"), dotted(own_at, "platforms"))
        self._check_requirements_once(platforms.requirements)
        features = self._features()
        environments = self._environments(features)
        self._check_selectors(platforms.names)
        package = content.get("package")
        names = (own.get("name"), self.project.name, package.get("name") if isinstance(package, dict) else None)
        return WorkspaceConfig(
            name=self._first_text("name", *names) or self._directory_name(),
            version=self._first_text("version", own.get("version"), self.project.version),
            description=self._first_text("description", own.get("description"), self.project.description),
            channels=self.dependencies.channels(own.get("channels"), dotted(own_at, "channels")),
            platforms=platforms.names,
            platform_subdirs=platforms.subdirs,
            platform_system_requirements=platforms.requirements,
            workspace_dependencies=pool,
            features=features,
            environments=environments,
            root=self.root,
            manifest_path=str(self.report.path),
            envs_dir=self.report.text(own.get("envs-dir"), dotted(own_at, "envs-dir")) or ".conda/envs",
            channel_priority=self.report.choice(
                own.get("channel-priority"), CHANNEL_PRIORITIES, dotted(own_at, "channel-priority")
            ),
            archive=self._archive(own.get("archive"), dotted(own_at, "archive")),
            dialect=dialect,
        )

    def _workspace_table(self) -> tuple[TomlTable, str]:
        content, at = self.section.content, self.section.at
        key = "workspace"
        if self.dialect == "pixi" and "project" in content:
            place = dotted(at, "project")
            if "workspace" in content:
                self.report.mistake(place, "is the old spelling of [workspace], which is also there", "keep one")
            else:
                self.report.warn(place, "old spelling; write 'workspace'")
                key = "project"
        place = dotted(at, key)
        own = self.report.table(content.get(key), place)
        if own is not None:
            self.report.check_keys(own, WORKSPACE_KEYS, place)
            if not own:
                self.report.mistake(place, "the table is empty", 'add channels = ["conda-forge"]')
        return own or {}, place

    def _first_text(self, key: str, own: object, *others: object) -> str | None:
        text = self.report.text(own, dotted(self._workspace_place(), key))
        return text or next((other for other in others if isinstance(other, str) and other), None)

    def _workspace_place(self) -> str:
        return dotted(self.section.at, "workspace" if "workspace" in self.section.content else "project")

    def _directory_name(self) -> str | None:
        return (self.root.replace("\\", "/").rpartition("/")[2] or None) if self.dialect == "pixi" else None

    def _check_requirements_once(self, rich: Mapping[str, object]) -> None:
        place = dotted(self.section.at, "system-requirements")
        if self.dialect == "pixi" and rich and "system-requirements" in self.section.content:
            fact = "cannot stand beside platforms that have requirements of their own"
            self.report.mistake(place, fact, "move them into workspace.platforms")

    def _archive(self, raw: object, at: str) -> ArchiveConfig:
        table = self.report.table(raw, at) or {}
        self.report.check_keys(table, ARCHIVE_KEYS, at)
        return ArchiveConfig(
            tuple(self.report.texts(table.get("include"), f"{at}.include") or ()),
            tuple(self.report.texts(table.get("exclude"), f"{at}.exclude") or ()),
            self.report.choice(table.get("compression"), COMPRESSIONS, f"{at}.compression") or "zst",
            self.report.integer(table.get("compression-level"), f"{at}.compression-level"),
        )

    def _features(self) -> dict[str, Feature]:
        content, at = self.section.content, self.section.at
        features = {DEFAULT: self._feature(DEFAULT, content, at)}
        for name, table, place in self.report.tables(content.get("feature"), dotted(at, "feature")):
            if name == DEFAULT:
                self.report.mistake(place, "'default' is the feature of the top-level tables", "move its content there")
                continue
            self.report.check_keys(table, FEATURE_KEYS, place)
            features[name] = self._feature(name, table, place)
        self._add_project(features)
        return features

    def _add_project(self, features: dict[str, Feature]) -> None:
        """Give features what ``[project]`` says; what the manifest itself says of a package wins."""
        project = self.project
        for name, requirements in project.pypi.items():
            feature = features.get(name) or Feature(name)
            given = {normalised(package) for package in feature.pypi_dependencies}
            new = {package: spec for package, spec in requirements.items() if normalised(package) not in given}
            features[name] = replace(feature, pypi_dependencies={**new, **feature.pypi_dependencies})
        default = features[DEFAULT].conda_dependencies
        if project.requires_python is not None and "python" not in default:
            default["python"] = MatchSpec(name="python", version=project.requires_python.replace(" ", "") or "*")

    def _feature(self, name: str, table: TomlTable, at: str) -> Feature:
        scripts, env = self._activation(table, at)
        return Feature(
            name,
            conda_dependencies=self._conda_dependencies(table, at),
            pypi_dependencies=self.dependencies.pypi(table.get("pypi-dependencies"), dotted(at, "pypi-dependencies")),
            # At the root, channels and platforms are the workspace's.
            channels=self.dependencies.channels(table.get("channels"), dotted(at, "channels"))
            if name != DEFAULT
            else [],
            platforms=self.report.texts(table.get("platforms"), dotted(at, "platforms")) or []
            if name != DEFAULT
            else [],
            system_requirements=self.platforms.requirements(
                table.get("system-requirements"), dotted(at, "system-requirements")
            ),
            activation_scripts=scripts or [],
            activation_env=env,
            tasks=self.tasks.tasks(table.get("tasks"), dotted(at, "tasks")),
            targets={
                selector: self._target(selector, target, place)
                for selector, target, place in self.report.tables(table.get("target"), dotted(at, "target"))
            },
        )

    def _conda_dependencies(self, table: TomlTable, at: str) -> dict[str, MatchSpec]:
        # Pixi installs all three kinds into an environment; a package of two kinds is taken from the last one here.
        specs: dict[str, MatchSpec] = {}
        for key in ("build-dependencies", "host-dependencies", "dependencies"):
            specs.update(self.dependencies.conda(table.get(key), dotted(at, key)))
        return specs

    def _activation(self, table: TomlTable, at: str) -> tuple[list[str] | None, dict[str, str]]:
        place = dotted(at, "activation")
        activation = self.report.table(table.get("activation"), place) or {}
        self.report.check_keys(activation, ACTIVATION_KEYS, place)
        scripts = self.report.texts(activation.get("scripts"), f"{place}.scripts")
        return scripts, self.report.text_table(activation.get("env"), f"{place}.env") or {}

    def _target(self, selector: str, table: TomlTable, at: str) -> TargetTable:
        self._selectors.append((selector, at))
        for key in NOT_IN_TARGETS:
            if key in table:
                self.report.mistake(dotted(at, key), "cannot differ between targets", "move it out of the target")
        self.report.check_keys(table, TARGET_KEYS.union(NOT_IN_TARGETS), at)
        scripts, env = self._activation(table, at)
        return self.tasks.target(selector, table.get("tasks"), f"{at}.tasks")._replace(
            conda_dependencies=self._conda_dependencies(table, at),
            pypi_dependencies=self.dependencies.pypi(table.get("pypi-dependencies"), f"{at}.pypi-dependencies"),
            activation_scripts=scripts,
            activation_env=env,
        )

    def _environments(self, features: Mapping[str, Feature]) -> dict[str, Environment]:
        at = dotted(self.section.at, "environments")
        table = self.report.table(self.section.content.get("environments"), at) or {}
        seen: dict[str, str] = {}
        environments: dict[str, Environment] = {}
        for name, raw in table.items():
            place = dotted(at, name)
            self._check_name(name, seen, place)
            if isinstance(raw, dict):
                environments[name] = self._environment(name, raw, features, place)
            elif (listed := self.report.array(raw, place, "an array of features or a table")) is not None:
                environments[name] = Environment(name, self._listed(listed, features, place))
        return environments

    def _environment(self, name: str, raw: TomlTable, features: Mapping[str, Feature], at: str) -> Environment:
        self.report.check_keys(raw, ENVIRONMENT_OWN_KEYS | ENVIRONMENT_CONTENT_KEYS, at)
        content = {key: value for key, value in raw.items() if key in ENVIRONMENT_CONTENT_KEYS}
        return Environment(
            name,
            self._listed(raw.get("features", []), features, f"{at}.features"),
            self.report.boolean(raw.get("no-default-feature"), f"{at}.no-default-feature") or False,
            self.report.text(raw.get("solve-group"), f"{at}.solve-group"),
            self._feature(f"environments.{name}", content, at) if content else None,
        )

    def _listed(self, raw: object, features: Mapping[str, Feature], at: str) -> list[str]:
        names = self.report.texts(raw, at) or []
        for index, name in enumerate(names):
            # Conda-workspaces asks only when the environment is used, and so do we for its manifests.
            if name not in features and self.dialect == "pixi":
                hint = suggestion(name, features, label="Defined features")
                self.report.mistake(f"{at}[{index}]", f"feature '{name}' is not defined", hint)
        return [name for name in names if name != DEFAULT]

    def _check_name(self, name: str, seen: dict[str, str], at: str) -> None:
        """An environment is a directory: its name must be one on every system, and no other's."""
        hint = "use letters, digits and '-'"
        folded = _as_directory(name)
        if not is_portable(name):
            self.report.mistake(at, f"'{name}' cannot name a directory on every system", hint)
        elif folded in seen:
            fact = f"'{name}' and '{seen[folded]}' are one directory on some systems"
            self.report.mistake(at, fact, "rename one of them")
        seen[folded] = name

    def _check_selectors(self, platforms: list[str]) -> None:
        known = {*FAMILIES, *KNOWN_SUBDIRS, *platforms}
        for selector, at in self._selectors:
            if selector not in known and "*" not in selector:
                likely = nearest(selector, sorted(known))
                self.report.warn(at, "matches no platform" + (f"; did you mean '{likely}'?" if likely else ""))


def _as_directory(name: str) -> str:
    """Return a name as a file system compares it that knows neither case nor two spellings of one letter."""
    if name.isascii():
        return name.lower()
    import unicodedata  # noqa: PLC0415 - of no use to nearly every manifest

    return unicodedata.normalize("NFC", name).casefold()


def is_portable(name: str) -> bool:
    """Tell whether a name can be a directory on Linux, macOS and Windows."""
    return (
        bool(name)
        and name.isprintable()
        and not re.search(r'[<>:"/\\|?*]', name)
        and name[-1] not in ". "
        and not RESERVED_ON_WINDOWS.fullmatch(name)
    )


def with_tasks_of(workspace: WorkspaceConfig, tasks: WorkspaceConfig) -> WorkspaceConfig:
    """Return a workspace that offers the tasks of another manifest, and only those.

    Args:
        workspace: Gives environments, dependencies, everything but tasks.
        tasks: Gives tasks; they stay in the features and targets they are written in.
    """
    names = dict.fromkeys(
        [*workspace.features, *(name for name, feature in tasks.features.items() if has_tasks(feature))]
    )
    environments = {
        name: replace(environment, inline=_with_tasks(environment.inline, Feature(environment.inline.name)))
        if environment.inline
        else environment
        for name, environment in workspace.environments.items()
    }
    features = {
        name: _with_tasks(workspace.features.get(name, Feature(name)), tasks.features.get(name, Feature(name)))
        for name in names
    }
    return replace(workspace, features=features, environments=environments)


def mentions_tasks(content: TomlTable) -> bool:
    """Tell whether a section has tasks anywhere: at its top, in a target, a feature or an environment."""
    scopes = [content, *_tables_in(content.get("feature")), *_tables_in(content.get("environments"))]
    return any(
        scope.get("tasks") or any(target.get("tasks") for target in _tables_in(scope.get("target"))) for scope in scopes
    )


def _tables_in(raw: object) -> list[TomlTable]:
    return [table for table in raw.values() if isinstance(table, dict)] if isinstance(raw, dict) else []


def has_any_tasks(workspace: WorkspaceConfig) -> bool:
    """Tell whether a workspace has a task in any feature or environment."""
    inline = [environment.inline for environment in workspace.environments.values() if environment.inline]
    return any(map(has_tasks, [*workspace.features.values(), *inline]))


def has_tasks(feature: Feature) -> bool:
    """Tell whether a feature has tasks, itself or in a target."""
    return bool(feature.tasks) or any(target.tasks for target in feature.targets.values())


def _with_tasks(feature: Feature, other: Feature) -> Feature:
    targets = {name: target._replace(tasks={}, overrides={}) for name, target in feature.targets.items()}
    for name, target in other.targets.items():
        targets[name] = targets.get(name, TargetTable(name))._replace(tasks=target.tasks, overrides=target.overrides)
    return replace(feature, tasks=other.tasks, targets=targets)
