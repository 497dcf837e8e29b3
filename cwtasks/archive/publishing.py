"""Files that appear whole or not at all: written aside, made durable, then given their names one right after the other.

What a killed run left aside is known by its name, and by nobody holding it any more, and is removed by the next. Knows
nothing of what is in the files.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from stat import S_ISDIR
from typing import TYPE_CHECKING, BinaryIO

from cwtasks.archive.errors import OutputError
from cwtasks.files import sync_folder
from cwtasks.locking import is_held, locked

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = ".cwtasks-packing-"

_NAME_KEPT = 40  # characters of the output's name, at most 160 bytes


@contextmanager
def aside(output: str) -> Iterator[tuple[BinaryIO, str]]:
    """Open a new file beside an output, and remove it in the end unless it has got another name.

    Args:
        output: Absolute path; its folder is made when it is missing.

    Returns:
        The file, open for writing, and its path.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        os.makedirs(os.path.dirname(output), exist_ok=True)
        remove_left_overs(output)
        with _made(output) as (file, path):
            try:
                yield file, path
            finally:
                with suppress(OSError):
                    os.unlink(path)
    except OSError as error:
        raise OutputError(output, error.strerror or str(error)) from error


@contextmanager
def _made(output: str) -> Iterator[tuple[BinaryIO, str]]:
    """Make the file and hold it, so that nobody takes it for left over."""
    folder, name = os.path.split(output)
    while True:
        path = os.path.join(folder, f".{name[:_NAME_KEPT]}{MARK}{os.urandom(8).hex()}")
        with open(path, "xb") as file, locked(file.fileno()):
            # Before it was held, another run may have taken it for left over: then make a new one.
            if os.path.exists(path):
                yield file, path
                return


def publish(files: list[tuple[BinaryIO, str, str]]) -> None:
    """Give finished files their names, in order.

    Args:
        files: Each file, still open, with the path it has and the path it gets.

    Raises:
        OutputError: one of the names cannot be had, or a folder has it; nothing is renamed.
        OSError: one cannot be made durable or renamed; those before have their names.
    """
    for _, _, output in files:
        _check_name(output)
    for file, _, _ in files:
        file.flush()
        os.fsync(file.fileno())
    for _, path, output in files:
        os.replace(path, output)
    for folder in {os.path.dirname(output) for _, _, output in files}:
        sync_folder(folder)


def _check_name(output: str) -> None:
    """Refuse what would be noticed too late: when the files before it have their names."""
    try:
        is_folder = S_ISDIR(os.lstat(output).st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(output, error.strerror or str(error)) from error
    if is_folder:
        raise OutputError(output, os.strerror(errno.EISDIR))


def remove_left_overs(output: str) -> None:
    """Remove what killed runs left beside an output, and nothing that a living run still writes."""
    folder, name = os.path.split(output)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(f".{name[:_NAME_KEPT]}{MARK}") and not is_held(entry.path):
                with suppress(OSError):
                    os.unlink(entry.path)
