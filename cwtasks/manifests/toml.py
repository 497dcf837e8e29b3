"""``conda.toml``: conda's own manifest. Knows only where in the file the tables are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cwtasks.manifests.base import ManifestParser
from cwtasks.manifests.scopes import mentions_tasks
from cwtasks.manifests.workspace import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cwtasks.manifests.tables import TomlTable
    from cwtasks.models import DialectName, Task


class CondaTomlParser(ManifestParser):
    """Reads ``conda.toml``, and the user-level ``tasks.toml``."""

    format_alias = "conda"
    filenames = ("conda.toml",)
    exporter_format = "conda-toml"
    dialect: ClassVar[DialectName] = "conda"
    """Whose rules the file follows."""
    workspace_keys: ClassVar[tuple[str, ...]] = ("workspace",)
    """Tables that make it a workspace."""

    def workspace_section(self, data: TomlTable) -> Section | None:
        """Return the whole file when it has a workspace."""
        return self.bare_section(data) if any(key in data for key in self.workspace_keys) else None

    def task_section(self, data: TomlTable) -> Section | None:
        """Return the whole file when it has tasks."""
        return self.bare_section(data) if mentions_tasks(data) else None

    def bare_section(self, data: TomlTable) -> Section:
        """Return the whole file."""
        return Section(data, "", self.dialect)

    def lists_tasks(self, data: TomlTable) -> bool:
        """Tell whether ``[tasks]`` has any."""
        return bool(data.get("tasks"))


def tasks_to_toml(tasks: Mapping[str, Task]) -> str:
    """Return tasks as a manifest: ``[tasks]``, then a ``[target.<platform>.tasks]`` for each platform.

    Args:
        tasks: Name to task, in the order they are written.
    """
    from cwtasks.manifests import task_values

    return task_values.tasks_to_toml(tasks)
