"""What every manifest format offers for writing: stubs, exports, and edits of what a person wrote.

Knows what is the same for all formats. Where in a file the tables are, each parser says. What writing needs is imported
when something is written: most runs only read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from cwtasks.exceptions import (
    ManifestExistsError,
    ManifestNotWritableError,
    Mistake,
    PlatformError,
    WorkspaceParseError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence
    from pathlib import Path

    from tomlkit.items import InlineTable

    from cwtasks.manifests.dependency_edits import Dependency
    from cwtasks.manifests.drafts import Draft, Edit
    from cwtasks.manifests.exporting import EnvironmentLike
    from cwtasks.manifests.layout import KeyPath
    from cwtasks.manifests.tables import TomlTable
    from cwtasks.manifests.workspace import Section
    from cwtasks.models import DialectName, Task


class ManifestWriter(ABC):
    """The writing half of a manifest format."""

    exporter_format: ClassVar[str] = ""
    """Name of the format among conda's environment exporters; empty when there is none."""
    exported_dialect: ClassVar[DialectName] = "conda"
    """Whose rules an exported manifest follows."""
    exported_at: ClassVar[KeyPath] = ()
    """Address of the table that an exported manifest fills."""

    @property
    @abstractmethod
    def workspace_tables(self) -> str:
        """How the table that makes a file a workspace is written, for people."""

    @abstractmethod
    def manifest_path(self, root: Path) -> Path:
        """Return where its manifest is, or would be, in a directory."""

    @abstractmethod
    def workspace_section(self, data: TomlTable) -> Section | None:
        """Return the table that holds the workspace, or ``None`` when there is none."""

    @abstractmethod
    def sections(self, data: TomlTable) -> Sequence[Section]:
        """Return the tables that may hold tasks, the one that a new task belongs into first."""

    def write_workspace_stub(
        self, base_dir: Path, name: str, channels: list[str], platforms: list[str]
    ) -> tuple[Path, str]:
        """Write a manifest with a workspace, and nothing in it yet.

        Args:
            base_dir: Existing directory.
            name: Of the workspace.
            channels: As they are to be written.
            platforms: Conda platforms.

        Returns:
            The manifest, and ``"Created"``.

        Raises:
            ManifestExistsError: there is one.
            ManifestNotWritableError: the system refuses.
        """
        from cwtasks.files import create_file

        path = self.manifest_path(base_dir)
        try:
            create_file(str(path), stub_text(self.exported_at, name, channels, platforms).encode())
        except FileExistsError:
            raise ManifestExistsError(path) from None
        except OSError as error:
            raise ManifestNotWritableError(path, error.strerror or str(error)) from error
        return path, "Created"

    @classmethod
    def manifest_data(cls, envs: Iterable[EnvironmentLike], *, allow_loss: bool = False) -> dict[str, Any]:
        """Fold environments, one for each platform, into what a manifest says.

        Args:
            envs: Conda's own, or any object with the same attributes.
            allow_loss: Leave out what the manifest cannot say.

        Returns:
            See :func:`cwtasks.manifests.exporting.manifest_data`.

        Raises:
            ValueError: no environment.
            LossyConversionError: the manifest cannot say everything, and ``allow_loss`` is not given.
        """
        from cwtasks.manifests.exporting import manifest_data

        return manifest_data(
            envs, dialect=cls.exported_dialect, format_name=cls.exporter_format or "a manifest", allow_loss=allow_loss
        )

    @staticmethod
    def _intersect_rows(rows: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Return what all platforms have with the same value."""
        from cwtasks.manifests.exporting import shared_row

        return shared_row(rows)

    def export(self, envs: Iterable[EnvironmentLike], *, allow_loss: bool = False) -> str:
        """Return a manifest that asks for what environments ask for.

        Args:
            envs: One for each platform; conda's own, or any object with the same attributes.
            allow_loss: Leave out what the manifest cannot say.

        Raises:
            ValueError: no environment.
            LossyConversionError: the manifest cannot say everything, and ``allow_loss`` is not given.
        """
        from cwtasks.manifests.exporting import manifest_text

        return manifest_text(self.manifest_data(envs, allow_loss=allow_loss), self.exported_at)

    def merge_export(self, existing_path: Path, exported: str) -> str:  # noqa: ARG002 - for formats that share their file
        """Return an export ready to be written over a file: as it is, for the file is all ours.

        Args:
            existing_path: Not read.
            exported: What :meth:`export` returned.
        """
        return exported

    def add_task(
        self,
        path: Path,
        name: str,
        task: Task,
        *,
        feature: str | None = None,
        platform: str | None = None,
        is_dry_run: bool = False,
    ) -> Edit:
        """Put a task into a manifest, which is made when there is none.

        Args:
            path: The manifest.
            name: What the task is called there.
            task: What it says; :attr:`Task.platforms` goes into targets.
            feature: Put it there instead of the top-level tables.
            platform: Put it into this target.
            is_dry_run: Write nothing.

        Returns:
            What was put in, or was there already and says the same.

        Raises:
            EntryExistsError: a task of that name is there and says something else.
            PlatformError: nobody knows the platform.
            ManifestNotEditableError: it cannot be put in without changing something else.
            ManifestChangedError: another program wrote the file at the same time.
            ManifestNotWritableError: the system refuses.
            TaskParseError: it cannot be a task.
            WorkspaceParseError: the file is no TOML.
        """
        from dataclasses import replace

        from cwtasks.manifests.drafts import Draft, Scope
        from cwtasks.manifests.task_edits import with_task

        draft = Draft.read(path, may_be_missing=True)
        section = self.sections(draft.data)[0]
        scope = Scope(feature, platform)
        _check_platform(scope, section)
        edit = with_task(draft, _path_of(section), replace(task, name=name), scope)
        return edit if is_dry_run else edit.written()

    def remove_task(self, path: Path, name: str) -> Edit:
        """Take a task out of the top-level tables of a manifest, with what targets change of it.

        Args:
            path: The manifest.
            name: Of the task.

        Returns:
            What was taken out.

        Raises:
            FileNotFoundError: there is no file.
            CwtasksError: see :meth:`remove_tasks`.
        """
        return self.remove_tasks(path, [name])

    def remove_tasks(
        self,
        path: Path,
        names: Iterable[str],
        *,
        feature: str | None = None,
        platform: str | None = None,
        is_dry_run: bool = False,
    ) -> Edit:
        """Take tasks out of a manifest, with what targets change of them: all of them, or none.

        Args:
            path: The manifest.
            names: Of the tasks.
            feature: Take them out of there instead of the top-level tables.
            platform: Take them only out of this target.
            is_dry_run: Write nothing.

        Returns:
            What was taken out.

        Raises:
            FileNotFoundError: there is no file.
            TaskNotFoundError: no such task.
            TaskNotAvailableError: none there, but elsewhere in the manifest.
            ManifestNotEditableError: it cannot be taken out without changing something else.
            ManifestChangedError: another program wrote the file at the same time.
            ManifestNotWritableError: the system refuses.
            WorkspaceParseError: the file is no TOML.
        """
        from cwtasks.manifests.drafts import Draft, Edit, Scope
        from cwtasks.manifests.task_edits import without_task

        edit = Edit(Draft.read(path))
        for name in names:
            sections = [_path_of(section) for section in self.sections(edit.draft.data)]
            one = without_task(edit.draft, sections, name, Scope(feature, platform))
            edit = Edit(one.draft, (*edit.changed, *one.changed))
        return edit if is_dry_run else edit.written()

    def add_dependencies(
        self,
        path: Path,
        specs: Iterable[Dependency],
        *,
        feature: str | None = None,
        platform: str | None = None,
        is_dry_run: bool = False,
    ) -> Edit:
        """Put dependencies into the workspace of a manifest.

        Args:
            path: The manifest.
            specs: Match specs and PyPI dependencies; a bare name is content with whatever is there.
            feature: Put them there instead of the top-level tables.
            platform: Put them into this target.
            is_dry_run: Write nothing.

        Returns:
            What was put in, and what was there already and says the same.

        Raises:
            FileNotFoundError: there is no file.
            BadSpecError: a manifest of this dialect cannot say it.
            EntryExistsError: a package is there, asked for in another way.
            PlatformError: nobody knows the platform.
            ManifestNotEditableError: it cannot be put in without changing something else.
            ManifestChangedError: another program wrote the file at the same time.
            ManifestNotWritableError: the system refuses.
            WorkspaceParseError: the file is no TOML, or has no workspace.
        """
        from cwtasks.manifests.dependency_edits import with_dependencies
        from cwtasks.manifests.drafts import Draft, Scope

        draft = Draft.read(path)
        section = self._workspace_of(draft)
        scope = Scope(feature, platform)
        _check_platform(scope, section)
        edit = with_dependencies(draft, _path_of(section), specs, scope=scope, dialect=section.dialect)
        return edit if is_dry_run else edit.written()

    def remove_dependencies(
        self,
        path: Path,
        names: Iterable[str],
        *,
        feature: str | None = None,
        platform: str | None = None,
        is_pypi: bool = False,
        is_dry_run: bool = False,
    ) -> Edit:
        """Take dependencies out of the workspace of a manifest.

        Args:
            path: The manifest.
            names: Of packages.
            feature: Take them out of there instead of the top-level tables.
            platform: Take them out of this target.
            is_pypi: Whether they are from a Python index.
            is_dry_run: Write nothing.

        Returns:
            What was taken out.

        Raises:
            FileNotFoundError: there is no file.
            DependencyNotFoundError: one is not there.
            ManifestNotEditableError: it cannot be taken out without changing something else.
            ManifestChangedError: another program wrote the file at the same time.
            ManifestNotWritableError: the system refuses.
            WorkspaceParseError: the file is no TOML, or has no workspace.
        """
        from cwtasks.manifests.dependency_edits import without_dependencies
        from cwtasks.manifests.drafts import Draft, Scope

        draft = Draft.read(path)
        section = _path_of(self._workspace_of(draft))
        edit = without_dependencies(draft, section, names, scope=Scope(feature, platform), is_pypi=is_pypi)
        return edit if is_dry_run else edit.written()

    def _workspace_of(self, draft: Draft) -> Section:
        section = self.workspace_section(draft.data)
        if section is None:
            fact = f"no {self.workspace_tables} table"
            raise WorkspaceParseError(draft.path, [Mistake("", fact, "'cwt init' writes one")])
        return section

    def task_to_toml_inline(self, task: Task) -> str | InlineTable:
        """Return a task as tomlkit holds it: a command, or an inline table; without what platforms change of it.

        Args:
            task: What it says.
        """
        import tomlkit

        from cwtasks.manifests.task_values import task_value
        from cwtasks.manifests.writing import written

        value = task_value(task)
        if isinstance(value, str):
            return value
        table: InlineTable = tomlkit.parse(f"task = {written(value)}")["task"]
        return table

    def remove_target_overrides(self, container: MutableMapping[str, Any], name: str) -> None:
        """Take a task out of every ``[target.<platform>.tasks]``; tables that become empty stay.

        Args:
            container: The document, or the table that holds the workspace; changed in place.
            name: Of the task.
        """
        targets = container.get("target")
        for target in targets.values() if isinstance(targets, dict) else ():
            tasks = target.get("tasks") if isinstance(target, dict) else None
            if isinstance(tasks, dict):
                tasks.pop(name, None)


def stub_text(at: KeyPath, name: str, channels: Sequence[str], platforms: Sequence[str]) -> str:
    """Return the text of a workspace with nothing in it.

    Args:
        at: Address of the table that holds it.
        name: Of the workspace.
        channels: As they are to be written.
        platforms: Conda platforms.
    """
    from cwtasks.manifests.writing import written_tables

    workspace = {"name": name, "channels": list(channels), "platforms": list(platforms)}
    return written_tables({(*at, "workspace"): workspace, (*at, "dependencies"): {}})


def _path_of(section: Section) -> KeyPath:
    return tuple(section.at.split(".")) if section.at else ()


def _check_platform(scope: Any, section: Section) -> None:  # noqa: ANN401 - a scope, which is imported later
    """Refuse a selector that can match nothing.

    Raises:
        PlatformError: it is no family, no conda platform and none that the workspace declares.
    """
    from cwtasks.manifests.platforms import FAMILIES, PlatformReader
    from cwtasks.manifests.tables import Report
    from cwtasks.manifests.writing import table_at
    from cwtasks.models import KNOWN_SUBDIRS

    if scope.platform is None:
        return
    raw = table_at(section.content, ("workspace",)).get("platforms")
    declared = PlatformReader(Report(""), dialect=section.dialect).platforms(raw, "").names
    known = {*FAMILIES, *KNOWN_SUBDIRS, *declared}
    if scope.platform not in known and "*" not in scope.platform:
        raise PlatformError(scope.platform, known)
