"""The workspace of a manifest: from the root table to :class:`WorkspaceConfig`.

Knows every table of both dialects and which keys each may have. Knows no file: where the root table stands in one is
for the parsers to say.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import suggestion
from cwtasks.manifests.features import ENVIRONMENT_CONTENT_KEYS, FEATURE_KEYS, TARGET_KEYS, FeatureReader
from cwtasks.manifests.project import Project, normalised, read_project
from cwtasks.manifests.tables import Report, TomlTable, dotted
from cwtasks.models import (
    DEFAULT,
    ArchiveConfig,
    Environment,
    Feature,
    MatchSpec,
    WorkspaceConfig,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cwtasks.models import DialectName

ENVIRONMENT_OWN_KEYS = frozenset(("features", "no-default-feature", "solve-group"))
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
        self.root = root = os.path.dirname(report.path)
        self.dialect = section.dialect
        self.project = (
            Project() if section.pyproject is None else read_project(section.pyproject, section.dialect, report)
        )
        self.features = FeatureReader(report, dialect=section.dialect, root=root)

    def read(self) -> WorkspaceConfig:
        """Read everything; what has mistakes is left out, and the report knows of them."""
        content, at, dialect, _ = self.section
        known = ROOT_KEYS | {"project"} if dialect == "pixi" else ROOT_KEYS
        self.report.check_keys(content, known, at)
        own, own_at = self._workspace_table()
        # The old [project] spelling is older than the pool: a table of that name there means nothing.
        pool = own.get("dependencies") if "workspace" in content else None
        workspace_dependencies = self.features.dependencies.read_pool(pool, dotted(own_at, "dependencies"))
        platforms = self.features.platforms.platforms(own.get("platforms"), dotted(own_at, "platforms"))
        self._check_requirements_once(platforms.requirements)
        features = self._features()
        environments = self._environments(features)
        self.features.check_selectors(platforms.names)

        def text(key: str) -> str | None:
            return self.report.text(own.get(key), dotted(own_at, key))

        return WorkspaceConfig(
            name=text("name") or self.project.name or self._fallback_name(),
            version=text("version") or self.project.version,
            description=text("description") or self.project.description,
            channels=self.features.dependencies.channels(own.get("channels"), dotted(own_at, "channels")),
            platforms=platforms.names,
            platform_subdirs=platforms.subdirs,
            platform_system_requirements=platforms.requirements,
            workspace_dependencies=workspace_dependencies,
            features=features,
            environments=environments,
            root=self.root,
            manifest_path=str(self.report.path),
            envs_dir=text("envs-dir") or ".conda/envs",
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

    def _fallback_name(self) -> str | None:
        """Pixi takes the name of the package, or else of the directory."""
        if self.dialect == "conda":
            return None
        package = self.section.content.get("package")
        name = package.get("name") if isinstance(package, dict) else None
        return name if isinstance(name, str) and name else self.root.replace("\\", "/").rpartition("/")[2] or None

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
        features = {DEFAULT: self.features.feature(DEFAULT, content, at)}
        for name, table, place in self.report.tables(content.get("feature"), dotted(at, "feature")):
            if name == DEFAULT:
                self.report.mistake(place, "'default' is the feature of the top-level tables", "move its content there")
                continue
            self.report.check_keys(table, FEATURE_KEYS, place)
            features[name] = self.features.feature(name, table, place)
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
            self.features.feature(f"environments.{name}", content, at) if content else None,
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


def _as_directory(name: str) -> str:
    """Return a name as a file system compares it that knows neither case nor two spellings of one letter."""
    if name.isascii():
        return name.lower()
    import unicodedata

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
