"""What a file holds, and how to know without reading it again.

Knows single files; nothing of patterns, steps or records.
"""

from __future__ import annotations

import os
from stat import S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.globs import is_settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cwtasks.globs import Tree

__all__ = ["Contents", "FileState", "read_state", "signature", "state_of_written"]

_BLOCK_BYTES = 1 << 20
_LARGE_BYTES = 4 << 20
# A named pipe would otherwise wait for somebody to write into it.
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_EXECUTABLE_BIT = 0o100 if os.name == "posix" else 0


class FileState(NamedTuple):
    """Content of a file at one moment."""

    digest: str
    """SHA-256 in hexadecimal; ``+x`` follows when its owner may execute it."""
    signature: str
    """While the file has this :func:`signature` it has this content. Empty: only reading it can tell."""


def signature(status: os.stat_result) -> str:
    """Return size, both times (nanoseconds) and inode of a file as one text."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def read_state(path: str, clock: Callable[[], int]) -> FileState | None:
    """Read a file, through symlinks.

    Args:
        path: For the system, absolute.
        clock: Gives nanoseconds since the epoch.

    Returns:
        ``None`` when there is no regular file that can be read.
    """
    from hashlib import sha256  # loads OpenSSL: 4 ms that a null build does not need

    now_ns = clock()
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    try:
        before = os.fstat(descriptor)
        if not S_ISREG(before.st_mode):
            return None
        content = sha256(usedforsecurity=False)
        while block := os.read(descriptor, min(before.st_size + 1, _BLOCK_BYTES)):
            content.update(block)
        after = os.fstat(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    is_proof = is_settled(before, now_ns) and signature(after) == signature(before)
    return _state(content.hexdigest(), before, is_proof=is_proof)


def state_of_written(path: str, digest: str, clock: Callable[[], int]) -> FileState | None:
    """Return the state of a file whose digest was taken while it was written.

    Args:
        path: For the system, absolute.
        digest: SHA-256 in hexadecimal.
        clock: Gives nanoseconds since the epoch.

    Returns:
        ``None`` when there is no regular file.
    """
    now_ns = clock()
    try:
        status = os.stat(path)
    except OSError:
        return None
    return _state(digest, status, is_proof=is_settled(status, now_ns)) if S_ISREG(status.st_mode) else None


def _state(digest: str, status: os.stat_result, *, is_proof: bool) -> FileState:
    mark = "+x" if status.st_mode & _EXECUTABLE_BIT else ""
    return FileState(digest + mark, signature(status) if is_proof else "")


class Contents:
    """States of the files of one tree, each read at most once as long as its signature proves it unchanged."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._read: dict[str, FileState] = {}

    def states(self, tree: Tree, paths: Iterable[str], known: Mapping[str, FileState]) -> dict[str, FileState]:
        """Return the state of each path that is a readable file now.

        Args:
            tree: Where the paths are.
            paths: As :meth:`cwtasks.globs.Tree.expand` gives them.
            known: States of an earlier time; used where the signature is still the same.
        """
        states: dict[str, FileState] = {}
        unread: dict[str, int] = {}
        stat = tree.stat
        for path in paths:
            status = stat(path)
            if status is None:
                continue
            name = signature(status)
            state: FileState | None = known.get(path)
            if state is None or state.signature != name:
                state = self._read.get(path)
                if state is None or state.signature != name:
                    unread[path] = status.st_size
                    continue
            states[path] = state
        if unread:
            self._read_all(tree, unread)
            states.update((path, self._read[path]) for path in unread if path in self._read)
        return states

    def _read_all(self, tree: Tree, sizes: Mapping[str, int]) -> None:
        """Read files, several at a time when they are large: hashing a large block leaves Python to other threads."""

        def read(path: str) -> FileState | None:
            return read_state(tree.path(path), self._clock)

        large = [path for path, size in sizes.items() if size >= _LARGE_BYTES]
        found = {path: read(path) for path in sizes if len(large) < 2 or path not in large}
        if len(large) > 1:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(min(len(large), os.cpu_count() or 1)) as pool:
                found.update(zip(large, pool.map(read, large), strict=True))
        for path, state in found.items():
            self._read.pop(path, None)
            if state is not None:
                self._read[path] = state
