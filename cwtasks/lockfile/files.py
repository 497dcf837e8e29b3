"""Lock files on disk: read with a limit and a memory, written aside and renamed."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from cwtasks.exceptions import LockfileIntegrityError, LockfileNotFoundError
from cwtasks.files import replace_file
from cwtasks.lockfile.cache import keep, recall, stamp_of

if TYPE_CHECKING:
    from pathlib import Path

    from cwtasks.lockfile.model import Lock

MAX_LOCK_BYTES = 128 * 1024 * 1024
"""Larger files are no lock files."""


#: The last ``conda.lock`` by its text, which says all there is in it: proving, priming and installing each read it.
_LAST: dict[str, Lock] = {}


def read_lock(
    path: str | Path,
    *,
    environment: str = "default",
    cache_folder: str | Path | None = None,
    keeps: bool = True,
) -> Lock:
    """Read a ``pixi.lock`` or, under any other name, a ``conda.lock``.

    Args:
        path: Of the file.
        environment: For whose sake it is read; named when there is no such file.
        cache_folder: Where the parsed lock is kept for next time; it is made when it is missing. ``None`` keeps none.
        keeps: Whether it is kept there; without, one that was kept before is still used.

    Raises:
        LockfileNotFoundError: no such file.
        LockfileIntegrityError: too large, damaged, contradictory, of an unknown version, or with credentials.
    """
    absolute = os.path.abspath(path)
    now_ns = time.time_ns()
    try:
        status = os.stat(absolute)
        stamp = stamp_of(status)
        if cache_folder is not None:
            lock = recall(os.fspath(cache_folder), absolute, stamp)
            if lock is not None:
                return lock
        with open(absolute, "rb") as file:
            content = file.read(MAX_LOCK_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise LockfileNotFoundError(environment, path) from None
    except OSError as error:
        raise LockfileIntegrityError(path, f"cannot be read: {error.strerror}") from error
    lock = parse_lock(content, path)
    if cache_folder is not None and keeps:
        from cwtasks.globs import is_settled

        if is_settled(status, now_ns) and len(content) == status.st_size:
            keep(os.fspath(cache_folder), absolute, stamp, lock)
    return lock


def parse_lock(content: bytes, path: str | Path) -> Lock:
    """Read a lock that is at hand as bytes; see :func:`read_lock`.

    Args:
        content: Of the file.
        path: Its name says the format.

    Raises:
        LockfileIntegrityError: too large, damaged, contradictory, of an unknown version, or with credentials.
    """
    if len(content) > MAX_LOCK_BYTES:
        raise LockfileIntegrityError(path, f"expected at most {MAX_LOCK_BYTES} bytes, found more")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LockfileIntegrityError(path, f"line {line}: expected UTF-8, found other bytes") from None
    # The parser is not imported where a kept lock is enough.
    if os.path.basename(path) == "pixi.lock":
        from cwtasks.lockfile.pixi_lock import parse_pixi_lock

        return parse_pixi_lock(text, path)
    lock = _LAST.get(text)
    if lock is None:
        from cwtasks.lockfile.conda_lock import parse_conda_lock

        lock = parse_conda_lock(text, path)
        _LAST.clear()
        _LAST[text] = lock
    return lock


def write_lock(path: str | Path, lock: Lock) -> bool:
    """Write a ``conda.lock``: all of it or nothing; whether the file changed.

    A file that says the same already is left as it is. A link is followed, and the file keeps its mode.

    Args:
        path: Of the file; its folder has to exist.
        lock: Conda packages only.

    Raises:
        ValueError: it holds packages of a Python index or packages to be built.
    """
    from cwtasks.lockfile.conda_lock import format_conda_lock

    content = format_conda_lock(lock).encode()
    target = os.path.realpath(path)
    with suppress(FileNotFoundError), open(target, "rb") as file:
        if file.read(len(content) + 1) == content:
            return False
    replace_file(target, content, is_durable=True)
    return True
