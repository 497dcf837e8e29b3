"""A file that remembers values by key, whatever happens to the process or to the disk.

The file is text, one entry a line: ``crc32 key value``, both as JSON, the key without spaces. The last entry of a key
wins, and the value ``null`` removes it. Entries are only ever appended, each with one write under a lock, so a killed
process loses at most the entry it was writing, and two processes lose none. When most lines are superseded, the file is
written anew beside itself and renamed.

Knows JSON values, and nothing of steps or files of the workspace.
"""

from __future__ import annotations

import os
from contextlib import suppress
from json import JSONDecoder, JSONEncoder
from typing import TYPE_CHECKING
from zlib import crc32

from cwtasks.locking import locked

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Journal"]

# Made once: json.loads and json.dumps choose and check anew at each call, which takes as long as the work itself.
_ENCODER = JSONEncoder(separators=(",", ":"))
_DECODER = JSONDecoder()
_BINARY = getattr(os, "O_BINARY", 0)
_REMOVED = b"null"
_MIN_LINES_TO_COMPACT = 200


class Journal:
    """Values by key in one file, shared with other processes.

    Nothing is opened or created before it is needed: reading never creates a file, writing creates its folder too.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._refusal: OSError | None = None
        """Why the open file can only be read."""
        self._forget_file()
        self.readings = 0
        """How often there was something to read; grows when another process has written."""
        self.warnings: list[str] = []
        """What was found damaged, one sentence each."""

    def _forget_file(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._offset = 0
        """Bytes of the file that have been read; always the end of a line."""
        self._lines = 0
        self._damaged = 0

    def get(self, key: str) -> object:
        """Return the value last written for a key, or ``None``. Looks at no file; see :meth:`refresh`."""
        value = self._values.get(_encoded_key(key))
        return None if value is None else _decoded(value)

    def known_keys(self) -> list[str]:
        """Return every key that has a value, in the order of first writing."""
        return [str(_decoded(key)) for key in self._values]

    def refresh(self) -> None:
        """Read what any process appended since the last time; one ``fstat`` when that is nothing.

        Raises:
            OSError: the file is there and cannot be read.
        """
        if self._descriptor is None:
            with suppress(FileNotFoundError, NotADirectoryError):
                self._open(create=False)
            return
        status = os.fstat(self._descriptor)
        if status.st_nlink == 0:  # another process put a compacted file in its place, or somebody removed it
            self.close()
            self.refresh()
        elif status.st_size != self._offset:
            self._read(self._descriptor, status.st_size)

    def write(self, values: Mapping[str, object]) -> None:
        """Append entries in one write; a value of ``None`` removes its key.

        Either all are in the file when this returns, or none is.

        Raises:
            OSError: nothing could be written, for example because the disk is full or the folder read-only.
        """
        if self._refusal is not None:
            raise OSError(self._refusal.errno, self._refusal.strerror, self._path)
        entries = {_encoded_key(key): _encoded(value) for key, value in values.items()}
        text = b"".join(_line(key, value) for key, value in entries.items())
        while True:
            descriptor = self._open(create=True) if self._descriptor is None else self._descriptor
            replaced = False
            with locked(descriptor):
                is_current = self._is_current(descriptor)
                if is_current:
                    self._append(descriptor, text, entries)
                    replaced = self._is_worth_compacting() and self._compact()
            if replaced:
                self.close()
                self.refresh()
            if is_current:
                return
            self.close()  # it was compacted or removed while we waited for the lock

    def close(self) -> None:
        """Give the file back to the system and forget its values; the next use opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._forget_file()

    def _open(self, *, create: bool) -> int:
        flags = os.O_APPEND | _BINARY
        self._refusal = None
        if create:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self.close()
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | flags, 0o666)
        else:
            try:
                descriptor = os.open(self._path, os.O_RDWR | flags)
            except FileNotFoundError:
                raise
            except OSError as error:
                descriptor = os.open(self._path, os.O_RDONLY | _BINARY)
                self._refusal = error
        self._descriptor = descriptor
        self._read(descriptor, os.fstat(descriptor).st_size)
        if self._damaged:
            self._warn_about_damage()
        return descriptor

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def _read(self, descriptor: int, size: int) -> bytes:
        """Take in the whole lines that follow what was read before; return the unfinished line behind them."""
        if size < self._offset:  # somebody cut the file
            self._forget_file()
        os.lseek(descriptor, self._offset, os.SEEK_SET)
        blocks = []
        while block := os.read(descriptor, max(size - self._offset, 1 << 16)):
            blocks.append(block)
        *lines, rest = b"".join(blocks).split(b"\n")
        for line in lines:
            check, _, entry = line.partition(b" ")
            key, _, value = entry.partition(b" ")
            if b"%08x" % crc32(entry) != check:
                self._damaged += 1
            elif value == _REMOVED:
                self._values.pop(key, None)
            else:
                self._values[key] = value
            self._offset += len(line) + 1
        self._lines += len(lines)
        self.readings += bool(lines)
        return rest

    def _append(self, descriptor: int, text: bytes, entries: Mapping[bytes, bytes]) -> None:
        """Write entries behind all others; the lock is held."""
        size = os.fstat(descriptor).st_size
        if size != self._offset and self._read(descriptor, size):
            # Whoever wrote the last line was killed within the write, or it would still hold the lock.
            text = b"\n" + text
            self._damaged += 1
            self._warn_about_damage()
        try:
            written = os.write(descriptor, text)
            if written < len(text):
                written += os.write(descriptor, text[written:])  # now the system says what is wrong
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
        self._offset = size + len(text)
        self._lines += len(entries)
        self._values.update(entries)
        for key, value in entries.items():
            if value == _REMOVED:
                del self._values[key]

    def _is_worth_compacting(self) -> bool:
        most_is_superseded = self._lines > _MIN_LINES_TO_COMPACT and self._lines > 2 * len(self._values)
        return bool(self._damaged) or most_is_superseded

    def _compact(self) -> bool:
        """Replace the file by one with the living entries only, and return whether that worked; the lock is held.

        Whoever waits for the lock of the old file sees that the path names another one, and takes that. A failure
        leaves the old file, which is complete.
        """
        staged = f"{self._path}.{os.getpid()}.new"
        content = b"".join(_line(key, value) for key, value in self._values.items())
        try:
            descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o666)
            try:
                written = 0
                while written < len(content):
                    written += os.write(descriptor, content[written:])
                # A rename may reach the disk before the content does: after a power cut the file would be empty.
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(staged, self._path)
        except OSError:
            with suppress(OSError):
                os.unlink(staged)
            return False
        return True

    def _warn_about_damage(self) -> None:
        if not self.warnings:
            self.warnings.append(
                f"{self._path}: {self._damaged} damaged record(s) left out; what they stood for runs again"
            )


def _encoded_key(key: str) -> bytes:
    return _encoded(key).replace(b" ", b"\\u0020")


def _encoded(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


def _decoded(text: bytes) -> object:
    return _DECODER.raw_decode(text.decode())[0]


def _line(key: bytes, value: bytes) -> bytes:
    entry = key + b" " + value
    return b"%08x %s\n" % (crc32(entry), entry)
