"""Headers of a tar stream as we write them: ustar, with a PAX header only where a name or a size needs one.

Packed by hand from constant pieces, about 1 us each; the standard library needs 25-40 us. Owners, times and most of the
mode are constants, so that the same files give the same bytes everywhere. Knows no file and no compression.
"""

from __future__ import annotations

from typing import NamedTuple
from zlib import adler32

from cwtasks.archive.tarstream import BLOCK, FILE, FOLDER, SYMLINK

DEFAULT_MTIME = 315_532_800
"""1980-01-01, the first day that every archive format can say; seconds since the epoch."""
END = bytes(2 * BLOCK)
"""What stands behind the last member."""

_KINDS = {FILE: b"0", SYMLINK: b"2", FOLDER: b"5"}
_NAME_BYTES = 100
_LARGEST_SIZE = 8**11 - 1
_OWNER = b"0000000\0" * 2  # uid and gid
_CHECKSUM_AS_SPACES = 8 * ord(" ")


class _Frame(NamedTuple):
    """The parts of a header that do not depend on name and size."""

    mode_and_owner: bytes
    rest: bytes
    """What stands behind the checksum."""
    total: int
    """Sum of all bytes, with the time and a checksum of spaces."""


class HeaderPacker:
    """Packs the headers of one archive."""

    def __init__(self, mtime: int = DEFAULT_MTIME) -> None:
        """Fix what is the same in all of them.

        Args:
            mtime: Seconds since the epoch, at least 0.
        """
        self._mtime = b"%011o\0" % min(mtime, _LARGEST_SIZE)
        self._plain = self._frame(0o644, b"0")
        self._executable = self._frame(0o755, b"0")

    def file(self, name: str, size: int, *, is_executable: bool) -> bytes:
        """Return the header of a file.

        Args:
            name: Of the member.
            size: Of its content; bytes.
            is_executable: Whether its owner may execute it.
        """
        if size <= _LARGEST_SIZE and len(name) <= _NAME_BYTES and name.isascii():
            return self._packed(name.encode(), size, self._executable if is_executable else self._plain)
        return self.member(name, FILE, size=size, mode=0o755 if is_executable else 0o644)

    def member(self, name: str, kind: str, *, size: int = 0, mode: int = 0o755, linkname: str = "") -> bytes:
        """Return the header of any member, after a PAX header where one is needed.

        Args:
            name: Of the member, a folder's without a slash at its end.
            kind: ``file``, ``symlink`` or ``folder``, as :mod:`cwtasks.archive.tarstream` has them.
            size: Of its content; bytes.
            mode: Permission bits.
            linkname: Target of a link.
        """
        shown = f"{name}/" if kind == FOLDER else name
        records = {"path": shown, "linkpath": linkname, "size": str(size)}
        if _fits(shown):
            del records["path"]
        if _fits(linkname):
            del records["linkpath"]
        if size <= _LARGEST_SIZE:
            del records["size"]
        frame = self._frame(mode, _KINDS[kind], _field(linkname))
        return self._pax(records) + self._packed(_field(shown), 0 if "size" in records else size, frame)

    def _pax(self, records: dict[str, str]) -> bytes:
        if not records:
            return b""
        body = b"".join(_record(keyword, value) for keyword, value in records.items())
        header = self._packed(b"././@PaxHeader", len(body), self._frame(0o644, b"x"))
        return header + body + bytes(-len(body) % BLOCK)

    def _frame(self, mode: int, kind: bytes, linkname: bytes = b"") -> _Frame:
        before = b"%07o\0" % mode + _OWNER
        rest = (kind + linkname.ljust(_NAME_BYTES, b"\0") + b"ustar\x0000").ljust(BLOCK - 156, b"\0")
        return _Frame(before, rest, sum(before) + sum(self._mtime) + sum(rest) + _CHECKSUM_AS_SPACES)

    def _packed(self, name: bytes, size: int, frame: _Frame) -> bytes:
        octal = b"%011o\0" % size
        # The low half of Adler-32 is the sum of the bytes, far below the 65,521 where it would wrap.
        total = frame.total + (adler32(name, 0) & 0xFFFF) + (adler32(octal, 0) & 0xFFFF)
        checksum = b"%06o\0 " % total
        return name.ljust(_NAME_BYTES, b"\0") + frame.mode_and_owner + octal + self._mtime + checksum + frame.rest


def _fits(text: str) -> bool:
    return text.isascii() and len(text) <= _NAME_BYTES


def _field(text: str) -> bytes:
    """Return what stands in a header for a text: itself where it fits, else something readable beside the record."""
    return text.encode("ascii", "replace")[:_NAME_BYTES]


def _record(keyword: str, value: str) -> bytes:
    """Return a PAX record, whose length counts itself."""
    # What is not UTF-8 is written as it is: whoever judges the whole tree refuses it by its name.
    rest = f" {keyword}={value}\n".encode("utf-8", "surrogateescape")
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest
