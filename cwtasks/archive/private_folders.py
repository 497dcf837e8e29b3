"""Folders in which one run works before it is done, and which the next run removes when it was killed.

The name says what it is for, a lock on it whether its maker still lives: a number of a process would say so only on
this machine, and not for long. Knows nothing of archives.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ATTEMPTS = 10
FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
"""To open a folder, and nothing that only leads to one."""


@contextmanager
def private_folder(parent: Path, beginning: str) -> Iterator[tuple[Path, int]]:
    """Make a folder that only its owner may enter, and remove it in the end with what is still in it.

    Args:
        parent: Where it is made; it is there.
        beginning: Of its name.

    Returns:
        Its path, and the folder, open.

    Raises:
        OSError: it cannot be made.
    """
    folder, descriptor = _made(parent, beginning)
    try:
        yield folder, descriptor
    finally:
        _remove(folder)
        os.close(descriptor)


def remove_left_overs(parent: Path, beginning: str) -> None:
    """Remove what killed runs left, and nothing that a living run still uses.

    Args:
        parent: As for :func:`private_folder`; it need not be there.
        beginning: Likewise.
    """
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in list(entries):
            if entry.name.startswith(beginning) and entry.is_dir(follow_symlinks=False):
                folder = parent / entry.name
                descriptor = _held(folder)
                if descriptor is not None:
                    _remove(folder)
                    os.close(descriptor)


def _made(parent: Path, beginning: str) -> tuple[Path, int]:
    for _ in range(_ATTEMPTS):
        folder = parent / f"{beginning}{os.urandom(8).hex()}"
        folder.mkdir(0o700)
        # Between the two calls another run may take the folder for a left-over and remove it: then make a new one.
        descriptor = _held(folder)
        if descriptor is not None:
            return folder, descriptor
        with suppress(OSError):
            folder.rmdir()
    # There are no locks on this file system, so no other run can take a folder for a left-over either.
    folder.mkdir(0o700)
    return folder, os.open(folder, FOLDER_FLAGS)


def _held(folder: Path) -> int | None:
    """Open a folder and hold it for this process; ``None`` if another holds it or it is gone."""
    import fcntl  # not on every system, and who unpacks needs such a one anyway

    try:
        descriptor = os.open(folder, FOLDER_FLAGS)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), folder.lstat()):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _remove(folder: Path) -> None:
    # What cannot be removed is the next run's business.
    shutil.rmtree(folder, ignore_errors=True)
