"""The private folder beside a target in which an archive is unpacked before one rename puts it in place.

Knows nothing of archives. Everything is written relative to open folders and never through a link.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cwtasks.archive import private_folders
from cwtasks.archive.errors import NoSpaceError, TargetError
from cwtasks.archive.private_folders import FOLDER_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = ".cwtasks-unpacking-"
TREE = "tree"

_NAME_KEPT = 40  # characters of the target's name, at most 160 bytes
_OPEN_FOLDERS = 64
_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class StagedTree:
    """A folder that is being filled, addressed by open folders and names, never by whole paths."""

    def __init__(self, root: int) -> None:
        """Fill a tree.

        Args:
            root: Its open folder.
        """
        self.root = root
        self._open: OrderedDict[str, int] = OrderedDict()
        self._made: set[str] = set()
        self._last = ""
        self._last_descriptor = root

    def folder(self, name: str) -> int:
        """Return an open folder, made first if need be with all above it."""
        if name == self._last:
            return self._last_descriptor
        if not name:
            return self.root
        descriptor = self._open.get(name)
        if descriptor is None:
            descriptor = self._opened(name)
        else:
            self._open.move_to_end(name)
        self._last, self._last_descriptor = name, descriptor
        return descriptor

    def _opened(self, name: str) -> int:
        # The walk starts at the nearest folder that is open: never deeper into Python's stack than this frame.
        parts = name.split("/")
        known = next((count for count in range(len(parts), 0, -1) if "/".join(parts[:count]) in self._open), 0)
        descriptor = self._open["/".join(parts[:known])] if known else self.root
        for count in range(known, len(parts)):
            path = "/".join(parts[: count + 1])
            if path not in self._made:
                # Another process may fill the same tree; that it is a folder, and no link, the next call makes sure.
                with suppress(FileExistsError):
                    os.mkdir(parts[count], 0o755, dir_fd=descriptor)
                self._made.add(path)
            descriptor = os.open(parts[count], FOLDER_FLAGS, dir_fd=descriptor)
            self._open[path] = descriptor
        while len(self._open) > _OPEN_FOLDERS and next(iter(self._open)) != name:
            os.close(self._open.popitem(last=False)[1])
        return descriptor

    def create(self, name: str, mode: int) -> int:
        """Make a file that was not there and return it, open for writing."""
        folder, _, leaf = name.rpartition("/")
        return os.open(leaf, _FILE_FLAGS, mode, dir_fd=self.folder(folder))

    def symlink(self, target: str, name: str) -> None:
        """Make a symlink."""
        folder, _, leaf = name.rpartition("/")
        os.symlink(target, leaf, dir_fd=self.folder(folder))

    def link(self, source: str, name: str) -> None:
        """Give a file that is there a second name."""
        folder, _, leaf = source.rpartition("/")
        # The folder of the source may be closed again while the other is opened: keep it by a descriptor of our own.
        origin = os.dup(self.folder(folder))
        try:
            new_folder, _, new_leaf = name.rpartition("/")
            into = self.folder(new_folder)
            os.link(leaf, new_leaf, src_dir_fd=origin, dst_dir_fd=into, follow_symlinks=False)
        finally:
            os.close(origin)

    def close(self) -> None:
        """Close all folders but the root, which is its opener's."""
        while self._open:
            os.close(self._open.popitem()[1])
        self._last, self._last_descriptor = "", self.root


@contextmanager
def staged(target: Path) -> Iterator[tuple[Path, StagedTree]]:
    """Make a private folder beside a target, and remove it in the end with what is still in it.

    Args:
        target: Absolute; its parent is there.

    Returns:
        The path of the tree to fill, and what fills it.
    """
    with private_folders.private_folder(target.parent, _beginning(target)) as (outer, descriptor):
        os.mkdir(TREE, 0o755, dir_fd=descriptor)
        root = os.open(TREE, FOLDER_FLAGS, dir_fd=descriptor)
        filled = StagedTree(root)
        try:
            yield outer / TREE, filled
        finally:
            filled.close()
            os.close(root)


def remove_left_overs(target: Path) -> None:
    """Remove what killed runs left beside a target, and nothing that a living run still fills."""
    private_folders.remove_left_overs(target.parent, _beginning(target))


def _beginning(target: Path) -> str:
    return f".{target.name[:_NAME_KEPT]}{MARK}"


def check_target(target: Path) -> None:
    """Demand that a target is an empty folder or missing.

    Args:
        target: Where to unpack.

    Raises:
        TargetError: If it is anything else, or lies in no folder.
    """
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise TargetError(target, f"there is no folder {target.parent}") from None
        return
    except OSError as error:
        raise TargetError(target, error.strerror or str(error)) from error
    if stat.S_ISLNK(mode):
        raise TargetError(target, "it is a link")
    if not stat.S_ISDIR(mode):
        raise TargetError(target, "it is no folder")
    if any(True for _ in target.iterdir()):
        raise TargetError(target, "it is not empty")


def check_room(target: Path, *, wanted_bytes: int, wanted_entries: int) -> None:
    """Demand free space and inodes where a target is to be.

    Args:
        target: Whose parent's file system is asked.
        wanted_bytes: That must be free.
        wanted_entries: Files and folders that must be possible.

    Raises:
        NoSpaceError: If there is less.
    """
    found = os.statvfs(target.parent)
    free = found.f_bavail * found.f_frsize
    if free < wanted_bytes:
        raise NoSpaceError(target, f"{wanted_bytes:,} bytes are needed, {free:,} are free")
    # Some file systems make inodes as they need them and say 0.
    if found.f_files and found.f_favail < wanted_entries:
        raise NoSpaceError(target, f"{wanted_entries:,} inodes are needed, {found.f_favail:,} are free")
