"""Folders kept out of version control, files that are written whole or not at all, and values kept in such files.

Knows nothing of what is kept in them.
"""

from __future__ import annotations

import errno
import marshal
import os
import stat
import threading
import zlib
from contextlib import suppress
from typing import Any

_CHECK_BYTES = 4


def make_folder(directory: str) -> None:
    """Make the folder when it is not there, and keep it out of version control.

    Raises:
        OSError: it cannot be made.
    """
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, ".gitignore")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write("*\n")
    except FileExistsError:
        return
    except OSError:
        # On a full disk the file is there and empty, and would stay so.
        with suppress(OSError):
            os.unlink(path)
        raise


def replace_file(path: str, content: bytes, *, mode: int = 0o666, is_durable: bool = False) -> None:
    """Write a file aside and give it its name: whoever reads it sees all of the old or all of the new.

    Args:
        path: Its folder must exist; a link is replaced, not followed.
        content: All of it.
        mode: Of a new file, before the umask; one that is replaced keeps its own.
        is_durable: Whether it must survive a loss of power, too.

    Raises:
        OSError: it cannot be written; the old file is as it was and nothing is left beside it.
    """
    # Two threads of one process, and two processes, may be at the same file.
    aside = f"{path}.{os.getpid()}.{threading.get_ident()}.tmp"
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            os.chmod(aside, stat.S_IMODE(os.lstat(path).st_mode))
        os.replace(aside, path)
        if is_durable and os.name == "posix":
            sync_folder(os.path.dirname(path) or os.curdir)
    except BaseException:
        with suppress(OSError):
            os.remove(aside)
        raise


def create_file(path: str, content: bytes) -> None:
    """Write a new file, all of it or nothing, and never over another one.

    Args:
        path: Its folder must exist.
        content: All of it.

    Raises:
        FileExistsError: something has that name, if only a link that leads nowhere.
        OSError: it cannot be written; nothing is left.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    aside = f"{path}.{os.getpid()}.{threading.get_ident()}.tmp"
    try:
        with open(aside, "xb") as file:
            file.write(content)
        try:
            # A second name is never given over an existing one, as renaming would.
            os.link(aside, path)
        except FileExistsError:
            raise
        except OSError:
            # A file system without second names: between looking and renaming somebody could make the file.
            os.rename(aside, path)
    finally:
        with suppress(OSError):
            os.remove(aside)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of it, however little the system takes at a time.

    Args:
        descriptor: Open for writing.
        data: What is written.

    Raises:
        OSError: it cannot be written; a part of it may have been.
    """
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def keep_value(path: str, value: Any) -> None:  # noqa: ANN401 - whatever marshal can write
    """Keep a value for :func:`kept_value`, which is for this Python only and never the only copy of anything.

    Args:
        path: Its folder must exist.
        value: Made of text, bytes, numbers, tuples, lists and tables.

    Raises:
        OSError: it cannot be written.
    """
    content = marshal.dumps(value)
    replace_file(path, _checksum(content) + content)


def kept_value(path: str) -> Any:  # noqa: ANN401 - whatever was kept
    """Return what was kept, ``None`` when nothing was or when it is damaged.

    Args:
        path: As for :func:`keep_value`.
    """
    try:
        with open(path, "rb") as file:
            check, content = file.read(_CHECK_BYTES), file.read()
        return marshal.loads(content) if check == _checksum(content) else None  # noqa: S302 - ours, and checked for damage
    except (OSError, ValueError, EOFError, TypeError):
        return None


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_CHECK_BYTES, "little")


def sync_folder(folder: str) -> None:
    """Make the new name of a file survive a loss of power; where folders cannot be synced, nothing is lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
