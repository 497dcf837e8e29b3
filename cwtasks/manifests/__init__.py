"""Manifests: which file says what a workspace is and which tasks there are, and what it says.

The main path enters by :func:`load`. Directories are searched upwards from where one stands; in each, ``conda.toml``
comes before ``pixi.toml`` before ``pyproject.toml``. Knows no doit, no conda, and no files but manifests.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import NoTaskFileError, WorkspaceNotFoundError, WorkspaceParseError
from cwtasks.manifests.base import ManifestParser
from cwtasks.manifests.pixi_toml import PixiTomlParser
from cwtasks.manifests.pyproject_toml import PyprojectTomlParser
from cwtasks.manifests.scopes import flat_tasks, has_any_tasks, with_tasks_of
from cwtasks.manifests.tables import parse_toml
from cwtasks.manifests.toml import CondaTomlParser
from cwtasks.models import Manifest, Task, WorkspaceConfig
from cwtasks.places import MANIFESTS, user_task_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cwtasks.manifests.tables import TomlTable

__all__ = [
    "CondaTomlParser",
    "ManifestParser",
    "PixiTomlParser",
    "PyprojectTomlParser",
    "TaskTable",
    "detect_and_parse",
    "detect_and_parse_tasks",
    "detect_task_file",
    "detect_workspace_file",
    "find_parser",
    "find_task_manifest",
    "load",
    "load_file",
    "user_task_file",
]

_PARSERS: list[ManifestParser] = [CondaTomlParser(), PixiTomlParser(), PyprojectTomlParser()]
_SEARCH_FILES = list(MANIFESTS)


class TaskTable(dict[str, Task]):
    """Name to task, as :func:`detect_and_parse_tasks` returns it.

    Attributes:
        user_only: Names that only the user-level file has.
    """

    def __init__(self, tasks: Mapping[str, Task], *, user_only: Iterable[str] = ()) -> None:
        super().__init__(tasks)
        self.user_only = frozenset(user_only)


class _Candidate(NamedTuple):
    """A file that was found and parsed, but not yet understood."""

    path: Path
    parser: ManifestParser
    data: TomlTable

    @property
    def has_workspace(self) -> bool:
        return self.parser.workspace_section(self.data) is not None

    @property
    def lists_tasks(self) -> bool:
        return self.parser.lists_tasks(self.data)

    @property
    def offers_tasks(self) -> bool:
        """Top-level tasks, or, beside a workspace, tasks in features and targets."""
        return self.lists_tasks or (self.has_workspace and self.parser.task_section(self.data) is not None)

    def read(self) -> Manifest:
        return self.parser.read_data(self.data, self.path)


def load(start: str | Path | None = None, *, user_level: bool = True) -> Manifest:
    """Read the manifest that holds where one stands: the nearest with a workspace or tasks.

    Two files of one directory may share the work, for example a ``conda.toml`` with tasks only beside a
    ``pyproject.toml`` with a workspace. Then the first that has tasks gives all tasks, in the features and targets they
    are written in, and the first that has a workspace gives everything else, the dialect and the path included.

    Args:
        start: Directory to search from, upwards; a file is read itself; ``None`` is the current directory.
        user_level: Also read the user's own task file.

    Returns:
        Its manifest. Where there is only the user's own file: one with that path, no workspace and no tasks of its own.

    Raises:
        FileNotFoundError: ``start`` does not exist.
        NoTaskFileError: neither a manifest nor, if asked for, a user-level file.
        WorkspaceParseError: no TOML, or mistakes outside tasks.
        TaskParseError: mistakes, but only in tasks.
    """
    place = _resolved(start)
    found = load_file(place) if place.is_file() else _nearest(place)
    user_path = user_task_file() if user_level else None
    if user_path is None:
        if found is None:
            raise NoTaskFileError(place)
        return found
    user = CondaTomlParser().read(user_path)
    if found is None:
        bare = WorkspaceConfig(root=str(user_path.parent), manifest_path=str(user_path))
        found = Manifest(user_path, bare, has_workspace=False)
    hidden = flat_tasks(found.workspace)
    shown = {name: task for name, task in flat_tasks(user.workspace).items() if name not in hidden}
    return found._replace(warnings=(*found.warnings, *user.warnings), user_tasks=shown, user_path=user_path)


def load_file(path: str | Path) -> Manifest:
    """Read one manifest, whatever it has of a workspace and tasks.

    Raises:
        FileNotFoundError: there is no file.
        WorkspaceParseError: a name no parser is for, no TOML, or mistakes outside tasks.
        TaskParseError: mistakes, but only in tasks.
    """
    place = Path(os.path.realpath(path))
    return find_parser(place).read(place)


def parse_text(content: bytes, path: Path) -> Manifest:
    """Read a manifest that is at hand as bytes.

    Args:
        content: Of the file.
        path: Its name says the format; its folder counts as the root of the workspace.

    Raises:
        WorkspaceParseError: a name no parser is for, no TOML, or mistakes outside tasks.
        TaskParseError: mistakes, but only in tasks.
    """
    return find_parser(path).read_data(parse_toml(content, path), path)


def user_task_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the user's own task file, or ``None`` when there is none.

    Args:
        environ: Variables that say where to look: ``XDG_CONFIG_HOME``, and ``HOME`` or ``USERPROFILE``.
    """
    return next((Path(path) for path in user_task_files(environ) if os.path.isfile(path)), None)


def find_task_manifest(start: str | Path | None = None) -> Path:
    """Return the manifest that a new task belongs into: where :func:`load` takes tasks from, or would.

    Args:
        start: Directory to search from, upwards; ``None`` is the current directory.

    Raises:
        FileNotFoundError: ``start`` does not exist.
        NoTaskFileError: no manifest.
        WorkspaceParseError: a manifest on the way is no TOML.
    """
    place = _resolved(start)
    workspace, tasks = _nearest_pair(place)
    found = tasks or workspace
    if found is None:
        raise NoTaskFileError(place)
    return found.path


def find_parser(path: Path) -> ManifestParser:
    """Return the parser for a file by its name; the file need not exist.

    Raises:
        WorkspaceParseError: no parser is for that name.
    """
    for parser in _PARSERS:
        if parser.can_handle(path):
            return parser
    raise WorkspaceParseError(path, f"No parser for this file name; there are {', '.join(_SEARCH_FILES)}")


def detect_workspace_file(start_dir: str | Path | None = None) -> Path:
    """Return the nearest manifest with a workspace, in a directory or above it.

    Raises:
        FileNotFoundError: ``start_dir`` does not exist.
        WorkspaceNotFoundError: there is none.
        WorkspaceParseError: a manifest on the way is no TOML.
    """
    return _nearest_workspace(_resolved(start_dir)).path


def detect_and_parse(start_dir: str | Path | None = None) -> tuple[Path, WorkspaceConfig]:
    """Return the nearest manifest with a workspace, and what it says; a file is read itself.

    Raises:
        FileNotFoundError: ``start_dir`` does not exist.
        WorkspaceNotFoundError: there is none.
        WorkspaceParseError: no TOML, no workspace in the file named, or mistakes outside tasks.
        TaskParseError: mistakes, but only in tasks.
    """
    place = _resolved(start_dir)
    if place.is_file():
        return place, find_parser(place).parse(place)
    candidate = _nearest_workspace(place)
    return candidate.path, candidate.read().workspace


def detect_task_file(start_dir: Path | None = None) -> Path | None:
    """Return the nearest file with top-level tasks, in a directory or above it, or ``None``.

    Raises:
        FileNotFoundError: ``start_dir`` does not exist.
        WorkspaceParseError: a manifest on the way is no TOML.
    """
    candidate = _nearest_tasks(_resolved(start_dir))
    return None if candidate is None else candidate.path


def detect_and_parse_tasks(file_path: Path | None = None, start_dir: Path | None = None) -> tuple[Path, TaskTable]:
    """Return the nearest file with tasks, and its tasks in one flat table, over those of the user-level file.

    Args:
        file_path: Read this file instead of searching.
        start_dir: Where to search from; ``None`` is the current directory.

    Returns:
        The file (the user-level one when there is no other) and the tasks.

    Raises:
        FileNotFoundError: ``file_path`` or ``start_dir`` does not exist.
        NoTaskFileError: neither a task file nor a user-level one.
        WorkspaceParseError: no TOML, or mistakes outside tasks.
        TaskParseError: mistakes, but only in tasks.
    """
    path, own = _own_tasks(file_path, start_dir)
    user_path = user_task_file()
    user = {} if user_path is None else CondaTomlParser().parse_tasks(user_path)
    path = path or user_path
    if path is None:
        raise NoTaskFileError(_resolved(start_dir))
    return path, TaskTable({**user, **own}, user_only=user.keys() - own.keys())


def _own_tasks(file_path: Path | None, start_dir: Path | None) -> tuple[Path | None, dict[str, Task]]:
    if file_path is not None:
        path = _resolved(file_path)
        return path, find_parser(path).parse_tasks(path)
    candidate = _nearest_tasks(_resolved(start_dir))
    return (None, {}) if candidate is None else (candidate.path, flat_tasks(candidate.read().workspace))


def _nearest(start: Path) -> Manifest | None:
    workspace, tasks = _nearest_pair(start)
    if workspace and tasks and workspace is not tasks:
        return _combined(workspace, tasks)
    found = workspace or tasks
    return found.read() if found else None


def _nearest_pair(start: Path) -> tuple[_Candidate | None, _Candidate | None]:
    """Return what gives the workspace and what gives the tasks, in the nearest directory that has either."""
    for directory in _upwards(start):
        workspace = tasks = None
        for candidate in _candidates(directory):
            workspace = workspace or (candidate if candidate.has_workspace else None)
            tasks = tasks or (candidate if candidate.offers_tasks else None)
            if workspace and tasks:
                break
        if workspace or tasks:
            return workspace, tasks
    return None, None


def _combined(workspace: _Candidate, tasks: _Candidate) -> Manifest:
    manifest, other = workspace.read(), tasks.read()
    hidden = f"{workspace.path.name}: tasks: hidden by those of {tasks.path.name}"
    warnings = [*manifest.warnings, *other.warnings, *([hidden] if has_any_tasks(manifest.workspace) else [])]
    both = with_tasks_of(manifest.workspace, other.workspace)
    return manifest._replace(workspace=both, warnings=tuple(warnings))


def _nearest_workspace(start: Path) -> _Candidate:
    for directory in _upwards(start):
        for candidate in _candidates(directory):
            if candidate.has_workspace:
                return candidate
    raise WorkspaceNotFoundError(start)


def _nearest_tasks(start: Path) -> _Candidate | None:
    for directory in _upwards(start):
        for candidate in _candidates(directory):
            if candidate.lists_tasks:
                return candidate
    return None


def _candidates(directory: str) -> Iterator[_Candidate]:
    """Parse the manifests of one directory, in order, each when it is asked for."""
    for name, parser in zip(_SEARCH_FILES, _PARSERS, strict=True):
        path = os.path.join(directory, name)
        if os.path.isfile(path):
            data = parser.candidate(path)
            if data is not None:
                yield _Candidate(Path(path), parser, data)


def _upwards(start: Path) -> Iterator[str]:
    directory, above = os.path.split(start)[0] if start.is_file() else str(start), ""
    while directory != above:
        yield directory
        above, directory = directory, os.path.dirname(directory)


def _resolved(start: str | Path | None) -> Path:
    """Return an existing place, absolute and without links.

    Raises:
        FileNotFoundError: it does not exist.
    """
    return Path(os.path.realpath("." if start is None else start, strict=True))
