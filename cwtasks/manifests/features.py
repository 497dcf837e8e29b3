"""Features: one reader for the root, for ``[feature.<name>]`` and for what stands straight on an environment.

Knows which tables a feature and its targets may have. Knows no environment: who uses a feature is not its business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.exceptions import nearest
from cwtasks.manifests.dependencies import DependencyReader
from cwtasks.manifests.normalize import TaskReader
from cwtasks.manifests.platforms import FAMILIES, PlatformReader
from cwtasks.manifests.tables import Report, TomlTable, dotted
from cwtasks.models import DEFAULT, KNOWN_SUBDIRS, Feature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cwtasks.models import Channel, DialectName, MatchSpec, TargetTable

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
FEATURE_KEYS = ENVIRONMENT_CONTENT_KEYS | {"exclude-newer", "pypi-exclude-newer", "system-requirements"}
NOT_IN_TARGETS = ("channels", "system-requirements")
ACTIVATION_KEYS = ("scripts", "env")


class FeatureReader:
    """Reads the features of one manifest."""

    def __init__(self, report: Report, *, dialect: DialectName, root: str) -> None:
        """Read into ``report``.

        Args:
            report: Where mistakes and warnings go.
            dialect: Whose rules the manifest follows.
            root: Directory of the manifest.
        """
        self.report = report
        self.tasks = TaskReader(report.for_tasks(), dialect=dialect)
        self.platforms = PlatformReader(report, dialect=dialect)
        self.dependencies = DependencyReader(report, dialect=dialect, root=root)
        self.selectors: list[tuple[str, str]] = []

    def feature(self, name: str, table: TomlTable, at: str) -> Feature:
        """Read a feature: the root, a ``[feature]`` table, or the content of an environment."""
        scripts, env = self._activation(table, at)
        channels, platforms = self._limits(name, table, at)
        return Feature(
            name,
            conda_dependencies=self._conda_dependencies(table, at),
            pypi_dependencies=self.dependencies.pypi(table.get("pypi-dependencies"), dotted(at, "pypi-dependencies")),
            channels=channels,
            platforms=platforms,
            system_requirements=self.platforms.requirements(
                table.get("system-requirements"), dotted(at, "system-requirements")
            ),
            activation_scripts=scripts or [],
            activation_env=env,
            tasks=self.tasks.tasks(table.get("tasks"), dotted(at, "tasks")),
            targets={
                selector: self.target(selector, target, place)
                for selector, target, place in self.report.tables(table.get("target"), dotted(at, "target"))
            },
        )

    def _limits(self, name: str, table: TomlTable, at: str) -> tuple[list[Channel], list[str]]:
        if name == DEFAULT:
            # At the root, channels and platforms are the workspace's.
            return [], []
        channels = self.dependencies.channels(table.get("channels"), dotted(at, "channels"))
        return channels, self.report.texts(table.get("platforms"), dotted(at, "platforms")) or []

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

    def target(self, selector: str, table: TomlTable, at: str) -> TargetTable:
        """Read one ``[target.<selector>]`` table."""
        self.selectors.append((selector, at))
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

    def check_selectors(self, platforms: Iterable[str]) -> None:
        """Warn of every target read so far that can never match.

        Args:
            platforms: Names the workspace declares.
        """
        known = {*FAMILIES, *KNOWN_SUBDIRS, *platforms}
        for selector, at in self.selectors:
            if selector not in known and "*" not in selector:
                likely = nearest(selector, sorted(known))
                self.report.warn(at, "matches no platform" + (f"; did you mean '{likely}'?" if likely else ""))
