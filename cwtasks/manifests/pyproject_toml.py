"""``pyproject.toml``: a workspace in ``[tool.conda]`` or ``[tool.pixi]``, in a file that belongs to Python.

Knows which of the two tables is meant, and when the file is none of our business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.manifests.base import ManifestParser
from cwtasks.manifests.scopes import mentions_tasks
from cwtasks.manifests.workspace import Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from cwtasks.manifests.tables import TomlTable
    from cwtasks.models import DialectName

WORKSPACE_KEYS: dict[DialectName, tuple[str, ...]] = {"conda": ("workspace",), "pixi": ("workspace", "project")}
"""Sub-table of ``[tool]``, the preferred one first, to the tables in it that make it a workspace."""


class PyprojectTomlParser(ManifestParser):
    """Reads the workspace or tasks embedded in a ``pyproject.toml``."""

    format_alias = "pyproject"
    filenames = ("pyproject.toml",)
    exporter_format = "pyproject-toml"

    @property
    def workspace_tables(self) -> str:
        """How the table that makes a file a workspace is written, for people."""
        return "[tool.conda.workspace] or [tool.pixi.workspace]"

    def may_concern(self, raw: bytes) -> bool:
        """Tell whether it is worth parsing a file: most have nothing for us, and parsing takes longer than looking."""
        return b"conda" in raw or b"pixi" in raw

    def concerns(self, raw: bytes) -> bool:
        """Tell whether a file that cannot be parsed names one of our tables."""
        return b"tool.conda" in raw or b"tool.pixi" in raw

    def workspace_section(self, data: TomlTable) -> Section | None:
        """Return the first sub-table of ``[tool]`` with a workspace that is not empty."""
        return self._first(data, lambda content, name: any(content.get(key) for key in WORKSPACE_KEYS[name]))

    def task_section(self, data: TomlTable) -> Section | None:
        """Return the first sub-table of ``[tool]`` that really has tasks."""
        return self._first(data, lambda content, _: mentions_tasks(content))

    def bare_section(self, data: TomlTable) -> Section:
        """Return the first sub-table of ``[tool]`` that is there."""
        return self._first(data, lambda *_: True) or Section({}, "tool.conda", "conda", data)

    def lists_tasks(self, data: TomlTable) -> bool:
        """Tell whether one of the two sub-tables of ``[tool]`` has top-level tasks."""
        return self._first(data, lambda content, _: bool(content.get("tasks"))) is not None

    def _first(self, data: TomlTable, wanted: Callable[[TomlTable, DialectName], bool]) -> Section | None:
        tools = data.get("tool")
        for name in WORKSPACE_KEYS:
            content = tools.get(name) if isinstance(tools, dict) else None
            if isinstance(content, dict) and wanted(content, name):
                return Section(content, f"tool.{name}", name, data)
        return None

    def tool_section_for_tasks(self, doc: TOMLDocument) -> Table:
        """Return the live table that tasks are to be written to.

        The one that :meth:`parse_tasks` reads, so that a task added to a file never hides those it already has; then
        the first that is not empty; then ``[tool.conda]``, which is created.

        Args:
            doc: Changed when a table has to be created.
        """
        import tomlkit

        tools = doc.setdefault("tool", tomlkit.table(is_super_table=True))
        tables: list[Table] = [tools[name] for name in WORKSPACE_KEYS if tools.get(name)]
        for table in [*filter(mentions_tasks, tables), *tables]:
            return table
        tools["conda"] = created = tomlkit.table()
        return created
