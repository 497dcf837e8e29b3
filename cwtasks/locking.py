"""Exclusive access to an open file, on every system.

Knows nothing of what the file holds.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if sys.platform == "win32":
    import msvcrt
    import os

    # Windows locks bytes, and locked bytes cannot be read by others: lock one that no file has.
    _BEYOND_EVERY_FILE = 0x7FFF_0000

    def _lock(descriptor: int, *, waits: bool) -> None:
        os.lseek(descriptor, _BEYOND_EVERY_FILE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if waits else msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _BEYOND_EVERY_FILE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int, *, waits: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(descriptor: int, *, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold an open file for this process alone; others that use this function wait.

    A file system without locks is no error: then nothing is held, which is right as long as one process works there.

    Args:
        descriptor: Open for writing, which network file systems require of who locks.
        waiting: Called when another process holds the file, before waiting for it.
    """
    with suppress(OSError):
        try:
            _lock(descriptor, waits=waiting is None)
        except OSError:
            if waiting is None:
                raise
            waiting()
            _lock(descriptor, waits=True)
    try:
        yield
    finally:
        with suppress(OSError):
            _unlock(descriptor)


def is_held(path: str) -> bool:
    """Whether another process holds a file with :func:`locked`; a file that is not there is held by nobody."""
    try:
        with open(path, "r+b") as file:
            _lock(file.fileno(), waits=False)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
