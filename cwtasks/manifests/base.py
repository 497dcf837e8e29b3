"""What every manifest format offers: is there a workspace, are there tasks, and what do they say.

What it offers for writing is in :mod:`cwtasks.manifests.writer`.

Knows files and how a section of one becomes a :class:`Manifest`. Knows no format: which table of a file is the section
is each parser's only own knowledge.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from cwtasks.exceptions import ManifestExistsError, UnknownFormatError, WorkspaceParseError
from cwtasks.manifests.scopes import flat_tasks, has_any_tasks, with_tasks_of
from cwtasks.manifests.tables import Report, TomlTable, parse_toml, read_bytes
from cwtasks.manifests.workspace import WorkspaceReader
from cwtasks.manifests.writer import ManifestWriter
from cwtasks.models import Manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cwtasks.manifests.workspace import Section
    from cwtasks.models import Task, WorkspaceConfig


class ManifestParser(ManifestWriter):
    """One manifest format; serves workspaces and tasks of the same file."""

    format_alias: ClassVar[str] = ""
    """Short name: ``conda``, ``pixi`` or ``pyproject``."""
    filenames: ClassVar[tuple[str, ...]] = ()
    """File names it is for, the canonical one first."""
    exporter_aliases: ClassVar[tuple[str, ...]] = ()
    """Other names among conda's environment exporters."""

    @property
    def manifest_filename(self) -> str:
        """File name it reads and writes."""
        return self.filenames[0]

    def manifest_path(self, root: Path) -> Path:
        """Return where its manifest is, or would be, in a directory."""
        return root / self.manifest_filename

    def can_handle(self, path: Path) -> bool:
        """Tell whether a file has a name this parser is for."""
        return path.name in self.filenames

    @classmethod
    def for_format_alias(cls, alias: str) -> ManifestParser:
        """Return the registered parser with a short name.

        Raises:
            UnknownFormatError: no parser has it; it is a ``ValueError``, too.
        """
        for parser in _registered():
            if parser.format_alias == alias:
                return parser
        raise UnknownFormatError(alias, (parser.format_alias for parser in _registered()))

    @classmethod
    def for_exporter_format(cls, name: str) -> ManifestParser | None:
        """Return the registered parser with an exporter name, or ``None`` when that exporter writes no manifest."""
        return next((parser for parser in _registered() if name and parser.exporter_format == name), None)

    @classmethod
    def resolve_source(cls, source: Path) -> Path:
        """Return the manifest meant by a directory, itself or above it, or by a file, which is not looked into.

        Raises:
            FileNotFoundError: nothing is there.
            WorkspaceNotFoundError: no manifest in the directory or above.
        """
        from cwtasks import manifests

        if not source.exists():
            raise FileNotFoundError(source)
        return manifests.detect_workspace_file(source) if source.is_dir() else source

    @classmethod
    def copy_manifest(cls, source: Path, dest_dir: Path) -> Path:
        """Copy a manifest, byte for byte, under its own name.

        Args:
            source: A manifest, or a directory to look for one as :meth:`resolve_source` does.
            dest_dir: Existing directory.

        Returns:
            The copy.

        Raises:
            FileNotFoundError: ``source`` is not there.
            WorkspaceNotFoundError: no manifest in or above ``source``.
            ManifestExistsError: ``dest_dir`` has a file of that name.
        """
        from cwtasks.files import create_file

        manifest = cls.resolve_source(source)
        target = dest_dir / manifest.name
        try:
            create_file(str(target), manifest.read_bytes())
        except FileExistsError:
            raise ManifestExistsError(target) from None
        return target

    def has_workspace(self, path: Path) -> bool:
        """Tell whether a file declares a workspace.

        Raises:
            FileNotFoundError: there is no file.
            WorkspaceParseError: the file is ours and no TOML.
        """
        data = self.candidate(path)
        return data is not None and self.workspace_section(data) is not None

    def has_tasks(self, path: Path) -> bool:
        """Tell whether a file has top-level tasks.

        Raises:
            FileNotFoundError: there is no file.
            WorkspaceParseError: the file is ours and no TOML.
        """
        data = self.candidate(path)
        return data is not None and self.lists_tasks(data)

    def parse(self, path: Path) -> WorkspaceConfig:
        """Read the workspace of a file.

        Raises:
            FileNotFoundError: there is no file.
            WorkspaceParseError: no TOML, no workspace, or mistakes in one.
            TaskParseError: mistakes, but only in tasks.
        """
        manifest = self.read(path)
        if not manifest.has_workspace:
            raise WorkspaceParseError(path, f"no {self.workspace_tables} table")
        return manifest.workspace

    def parse_tasks(self, path: Path) -> dict[str, Task]:
        """Read the tasks of a file into one flat table.

        Of tasks with one name that of the last feature stays; what targets say is in :attr:`Task.platforms`.

        Raises:
            FileNotFoundError: there is no file.
            WorkspaceParseError: no TOML, or mistakes outside tasks.
            TaskParseError: mistakes, but only in tasks.
        """
        return flat_tasks(self.read(path).workspace)

    def read(self, path: Path) -> Manifest:
        """Read a file, whatever it has of a workspace and tasks.

        Raises:
            FileNotFoundError: there is no file.
            WorkspaceParseError: no TOML, or mistakes outside tasks.
            TaskParseError: mistakes, but only in tasks.
        """
        return self.read_data(parse_toml(read_bytes(path), path), path)

    def read_data(self, data: TomlTable, path: Path) -> Manifest:
        """Read the content of a file: :meth:`read` without the file.

        Args:
            data: As the TOML parser gives it.
            path: Named in errors; its directory is the root of the workspace.

        Raises:
            WorkspaceParseError: mistakes outside tasks.
            TaskParseError: mistakes, but only in tasks.
        """
        report = Report(path)
        own = self.workspace_section(data)
        tasks = self.task_section(data)
        section = own or tasks or self.bare_section(data)
        workspace = WorkspaceReader(section, report).read()
        if tasks is not None and tasks.at != section.at:
            if has_any_tasks(workspace):
                report.warn(f"{section.at}.tasks", f"hidden by the tasks in {tasks.at}")
            workspace = with_tasks_of(workspace, WorkspaceReader(tasks, report).read())
        report.raise_collected()
        settings = Report(path).table(_own_table(data), "tool.cwtasks") or {}
        return Manifest(
            path, workspace, has_workspace=own is not None, warnings=tuple(report.warnings), settings=settings
        )

    def sections(self, data: TomlTable) -> Sequence[Section]:
        """Return the tables that may hold tasks, the one that a new task belongs into first."""
        return [self.bare_section(data)]

    def candidate(self, path: str | Path) -> TomlTable | None:
        """Read a file that was found, not named by anyone; ``None`` when it is somebody else's.

        Raises:
            FileNotFoundError: there is no file.
            WorkspaceParseError: the file is ours and no TOML.
        """
        raw = read_bytes(path)
        if not self.may_concern(raw):
            return None
        try:
            return parse_toml(raw, path)
        except WorkspaceParseError:
            if self.concerns(raw):
                raise
            return None

    def may_concern(self, raw: bytes) -> bool:  # noqa: ARG002 - for formats that share their file
        """Tell whether it is worth parsing a file."""
        return True

    def concerns(self, raw: bytes) -> bool:  # noqa: ARG002 - for formats that share their file
        """Tell whether a file that cannot be parsed is ours to complain of."""
        return True

    @property
    def workspace_tables(self) -> str:
        """How the table that makes a file a workspace is written, for people."""
        return "[workspace]"

    @abstractmethod
    def task_section(self, data: TomlTable) -> Section | None:
        """Return the table that holds tasks, at its top or in features and targets, or ``None``."""

    @abstractmethod
    def bare_section(self, data: TomlTable) -> Section:
        """Return the table that would hold a workspace or tasks, for a file that has neither."""

    @abstractmethod
    def lists_tasks(self, data: TomlTable) -> bool:
        """Tell whether there are top-level tasks, which is what makes a file without a workspace a task file."""


def _own_table(data: TomlTable) -> object:
    tool = data.get("tool")
    return tool.get("cwtasks", {}) if isinstance(tool, dict) else {}


def _registered() -> list[ManifestParser]:
    from cwtasks.manifests import _PARSERS

    return _PARSERS
