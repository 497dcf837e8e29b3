"""``pyproject.toml``: a workspace in ``[tool.conda]`` or ``[tool.pixi]``, in a file that belongs to Python.

Knows which of the two tables is meant, and when the file is none of our business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cwtasks.exceptions import ManifestExistsError
from cwtasks.manifests.base import ManifestParser
from cwtasks.manifests.scopes import mentions_tasks
from cwtasks.manifests.tables import parse_toml
from cwtasks.manifests.workspace import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

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
    exported_at = ("tool", "conda")

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

    def sections(self, data: TomlTable) -> Sequence[Section]:
        """Return the two sub-tables of ``[tool]``: where there are tasks first, then what is not empty."""
        tools = data.get("tool")
        names = self._for_tasks(tools if isinstance(tools, dict) else {})
        contents = {name: tools.get(name) if isinstance(tools, dict) else None for name in names}
        return [
            Section(content if isinstance(content, dict) else {}, f"tool.{name}", name, data)
            for name, content in contents.items()
        ]

    @staticmethod
    def _for_tasks(tools: Mapping[str, Any]) -> list[DialectName]:
        """Return the names of the two sub-tables, the one that a new task belongs into first."""

        def rank(name: DialectName) -> int:
            content = tools.get(name)
            return 2 if not isinstance(content, dict) or not content else 0 if mentions_tasks(content) else 1

        return sorted(WORKSPACE_KEYS, key=rank)

    def tool_section_for_tasks(self, doc: TOMLDocument) -> Table:
        """Return the live table that tasks are to be written to.

        The one that :meth:`parse_tasks` reads, so that a task added to a file never hides those it already has; then
        the first that is not empty; then ``[tool.conda]``, which is created.

        Args:
            doc: Changed when a table has to be created.
        """
        import tomlkit

        tools = doc.setdefault("tool", tomlkit.table(is_super_table=True))
        name = self._for_tasks(tools)[0]
        if not tools.get(name):
            tools[name] = tomlkit.table()
        table: Table = tools[name]
        return table

    def write_workspace_stub(
        self, base_dir: Path, name: str, channels: list[str], platforms: list[str]
    ) -> tuple[Path, str]:
        """Put a workspace with nothing in it into a ``pyproject.toml``, which is made when there is none.

        Args:
            base_dir: Existing directory.
            name: Of the workspace.
            channels: As they are to be written.
            platforms: Conda platforms.

        Returns:
            The file, and ``"Created"`` or ``"Updated"``.

        Raises:
            ManifestExistsError: it has a ``[tool.conda]`` or ``[tool.pixi]`` already.
            ManifestChangedError: another program wrote the file at the same time.
            ManifestNotEditableError: it cannot be put in without changing something else.
            ManifestNotWritableError: the system refuses.
            WorkspaceParseError: the file is no TOML.
        """
        from cwtasks.manifests.drafts import Draft
        from cwtasks.manifests.writer import stub_text

        path = self.manifest_path(base_dir)
        draft = Draft.read(path, may_be_missing=True)
        tools = draft.data.get("tool")
        for tool in WORKSPACE_KEYS:
            if isinstance(tools, dict) and tool in tools:
                raise ManifestExistsError(f"[tool.{tool}] in {self.manifest_filename}")
        stub = stub_text(self.exported_at, name, channels, platforms)
        draft.with_tables(stub, ()).write()
        return path, "Created" if draft.before is None else "Updated"

    def merge_export(self, existing_path: Path, exported: str) -> str:
        """Return the existing file with the ``[tool.conda]`` of an export in place of its own.

        Everything else stays byte for byte, ``[tool.pixi]`` included.

        Args:
            existing_path: Read, not written.
            exported: What :meth:`export` returned; returned as it is when it has no ``[tool.conda]``.

        Raises:
            FileNotFoundError: there is no file.
            ManifestNotEditableError: the table cannot be replaced without changing something else.
            WorkspaceParseError: one of the two is no TOML.
        """
        from cwtasks.manifests.drafts import Draft
        from cwtasks.manifests.writing import table_at

        ours = table_at(parse_toml(exported.encode(), existing_path), self.exported_at)
        if not ours:
            return exported
        draft = Draft.read(existing_path)
        if table_at(draft.data, self.exported_at) != ours:
            draft = draft.without(self.exported_at).with_tables(exported, self.exported_at)
        return draft.after.decode()
