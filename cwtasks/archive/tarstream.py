"""A tar stream as strictly checked headers and bodies: ustar, GNU long names, PAX.

Written by hand, for the standard library needs 25-40 us for each member. Whatever two readers of tar could understand
differently is refused. Knows neither what compressed the stream nor which names are safe.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zlib import adler32

from cwtasks.archive import errors
from cwtasks.archive.limits import ArchiveLimits, Budget

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 512
FILE, HARD_LINK, SYMLINK, FOLDER = "file", "hard link", "symlink", "folder"

_ZEROS = bytes(BLOCK)
_NO_LINK = bytes(100)
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
_KINDS = {b"0": FILE, b"\0": FILE, b"1": HARD_LINK, b"2": SYMLINK, b"5": FOLDER}
_REFUSED = {
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a FIFO",
    b"7": "a contiguous file",
    b"D": "a folder with a list of files",
    b"M": "a part of another volume",
    b"V": "a volume label",
    b"s": "a socket",
}
_POSIX, _GNU, _OLD = b"ustar\x0000", b"ustar  \0", bytes(8)
_PAX_RECORD = re.compile(rb"([1-9][0-9]{0,9}) ")
_OCTAL_SIZE_END = 8**11  # what eleven octal digits cannot say


class Header(NamedTuple):
    """What a tar stream says of one member, extension headers applied."""

    name: str
    """As it stands there; a folder's without its final slash."""
    kind: str
    """``file``, ``hard link``, ``symlink`` or ``folder``."""
    mode: int
    """Permission bits, unchecked."""
    size: int
    """Of the body; bytes."""
    mtime: int
    """Seconds since the epoch; 0 where the header's number is of an extended kind."""
    linkname: str
    """Target of a link; empty otherwise."""


class Member:
    """One member, whose body can be taken until the next member is asked for; what is not taken is skipped."""

    __slots__ = ("_stream", "header")

    def __init__(self, header: Header, stream: _Blocks) -> None:
        self.header = header
        self._stream = stream

    def chunks(self) -> Iterator[memoryview]:
        """Take the body.

        Returns:
            Its pieces in order, none of them empty. Each is valid until the next is asked for.

        Raises:
            TruncatedTarError: If the stream ends first.
        """
        stream = self._stream
        while stream.body:
            piece = stream.piece(stream.body)
            if not piece:
                raise errors.TruncatedTarError(self.header.name)
            stream.body -= len(piece)
            yield piece

    def read(self) -> bytes:
        """Take the whole body at once, which is for small ones."""
        return b"".join(self.chunks())


class _Blocks:
    """Blocks of any size, taken in pieces of the size wanted."""

    __slots__ = ("_at", "_block", "_blocks", "_view", "body", "padding")

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = b""
        self._view = memoryview(b"")
        self._at = 0
        self.body = 0
        self.padding = 0

    def piece(self, most: int) -> memoryview:
        """Return the next bytes, at most so many; empty at the end."""
        if self._at == len(self._block):
            self._block = next(self._blocks, b"")
            self._view = memoryview(self._block)
            self._at = 0
        piece = self._view[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def take(self, amount: int) -> bytes:
        """Return so many bytes, or fewer at the end."""
        at = self._at
        taken = self._block[at : at + amount]
        self._at = at + len(taken)
        if len(taken) == amount:
            return taken
        parts = [taken]
        missing = amount - len(taken)
        while missing and (piece := self.piece(missing)):
            parts.append(bytes(piece))
            missing -= len(piece)
        return b"".join(parts)

    def finish_member(self) -> bool:
        """Skip what is left of a body and its padding; return whether all of it was there, with zeros as padding."""
        while self.body:
            piece = self.piece(self.body)
            if not piece:
                return False
            self.body -= len(piece)
        padding, self.padding = self.padding, 0
        return not padding or len(self.take(padding)) == padding


class _Extensions:
    """The extension headers collected for the next member."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.bytes = Budget("bytes of extension headers", limits.metadata_bytes)
        self.values: dict[str, str] = {}
        self.in_a_row = 0

    def add(self, kind: bytes, size: int, stream: _Blocks, last: str) -> None:
        """Read one extension header."""
        self.in_a_row += 1
        if self.in_a_row > self.limits.extension_headers:
            raise errors.LimitExceededError("extension headers in a row", self.limits.extension_headers, member=last)
        if size > self.limits.extension_bytes:
            raise errors.LimitExceededError("bytes in one extension header", self.limits.extension_bytes, member=last)
        self.bytes.spend(size, member=last)
        body = stream.take(size)
        padding = -size % BLOCK
        if len(body) < size or len(stream.take(padding)) < padding:
            raise errors.TruncatedTarError(last)
        if kind in b"LK":
            self._put("path" if kind == b"L" else "linkpath", _text(body, last), last)
            return
        for keyword, value in _pax_records(body, last):
            self._judge(keyword, value, last, everywhere=kind == b"g")

    def _judge(self, keyword: str, value: bytes, last: str, *, everywhere: bool) -> None:
        if keyword.startswith("GNU.sparse.") or keyword == "SCHILY.realsize":
            raise errors.SparseMemberError(last)
        if keyword == "hdrcharset" and value not in {b"ISO-IR 10646 2000 UTF-8", b""}:
            raise errors.ExtensionHeaderError(last, f"character set {value[:40]!r}")
        if keyword in {"path", "linkpath", "size"}:
            if everywhere:
                raise errors.ExtensionHeaderError(last, f"a global header sets {keyword}")
            if b"\0" in value:
                raise errors.ControlCharacterError(value.decode("utf-8", "backslashreplace"))
            self._put(keyword, _text(value, last), last)

    def _put(self, keyword: str, value: str, last: str) -> None:
        if keyword in self.values:
            raise errors.ExtensionHeaderError(last, f"{keyword} is set twice")
        if not value:
            raise errors.ExtensionHeaderError(last, f"{keyword} is empty")
        self.values[keyword] = value

    def applied(self, header: Header) -> Header:
        """Return the header as the extensions want it, and forget them."""
        values, self.values, self.in_a_row = self.values, {}, 0
        if not values:
            return header
        name = values.get("path", header.name)
        if "linkpath" in values and header.kind not in {HARD_LINK, SYMLINK}:
            raise errors.ExtensionHeaderError(name, "linkpath of what is no link")
        size = header.size
        if (said := values.get("size")) is not None:
            if not re.fullmatch(r"[0-9]{1,20}", said):
                raise errors.ExtensionHeaderError(name, f"size {said[:40]!r} is no number")
            size = int(said)
            # Readers differ in whom they believe; only a size that the header cannot hold is allowed to differ.
            if size != header.size and (header.size or size < _OCTAL_SIZE_END):
                raise errors.ExtensionHeaderError(name, f"size {size} contradicts the header, which says {header.size}")
        return header._replace(name=name, size=size, linkname=values.get("linkpath", header.linkname))


def members(blocks: Iterator[bytes], *, limits: ArchiveLimits | None = None) -> Iterator[Member]:
    """Read a tar stream to its very end.

    Args:
        blocks: The stream, in blocks of any size.
        limits: What is allowed.

    Returns:
        The members in order. The body of each is to be taken, if at all, before the next is asked for.

    Raises:
        TarStreamError: Whatever breaks the format, in one of its subclasses.
        LimitExceededError: If there is more of something than allowed.
    """
    limits = limits or ArchiveLimits()
    stream = _Blocks(blocks)
    extensions = _Extensions(limits)
    budget = Budget("members", limits.members)
    last = ""
    while (block := stream.take(BLOCK)) != _ZEROS:
        if len(block) < BLOCK:
            raise errors.TruncatedTarError(last)
        header = None if extensions.in_a_row else _plain_header(block)
        if header is None:
            kind = block[156:157]
            _check_sum(block, last)
            size = _octal(block[124:136], "size", last)
            if kind in b"xgLK" and kind:
                extensions.add(kind, size, stream, last)
                continue
            header = _finished(extensions.applied(_header(block, kind, size, last)))
        last = header.name
        budget.spend(member=last)
        stream.body = header.size
        stream.padding = -header.size % BLOCK
        yield Member(header, stream)
        if not stream.finish_member():
            raise errors.TruncatedTarError(last)
    if extensions.in_a_row and extensions.values:
        raise errors.ExtensionHeaderError(last, "no member follows it")
    _check_end(stream, last)


def _check_end(stream: _Blocks, last: str) -> None:
    """Demand the second block of zeros, and nothing but zeros behind it."""
    second = stream.take(BLOCK)
    if len(second) < BLOCK:
        raise errors.TruncatedTarError(last)
    piece: bytes | memoryview = second
    while piece:
        if bytes(piece).strip(b"\0"):
            raise errors.DataAfterEndError(last)
        piece = stream.piece(1 << 20)


class _Rest(NamedTuple):
    """What the headers of plain files have in common: everything but name, size and checksum."""

    mode: int
    mtime: int
    total: int
    """Sum of its bytes."""


def _plain_header(block: bytes) -> Header | None:
    """Read the header of a plain file at once; ``None`` for whatever is not one, or not in order.

    In most archives nearly all headers are such, and differ in name, size and checksum alone.
    """
    rest = _plain_rest(block[100:124] + block[136:148] + block[156:])
    size, name = _number(block[124:136]), block[:100].rstrip(b"\0")
    if rest is None or size is None or b"\0" in name or not name.isascii():
        return None
    # The checksum counts itself as eight spaces.
    total = rest.total + 256 + (adler32(block[:100], 0) & 0xFFFF) + (adler32(block[124:136], 0) & 0xFFFF)
    if total != _number(block[148:156]):
        return None
    return Header(name.decode("ascii"), FILE, rest.mode, size, rest.mtime, "")


@lru_cache(maxsize=256)
def _plain_rest(rest: bytes) -> _Rest | None:
    mode, mtime = _number(rest[:8]), _number(rest[24:36])
    kind, linkname, magic, prefix = rest[36:37], rest[37:137], rest[137:145], rest[225:226]
    if mode is None or mtime is None or kind != b"0" or linkname != _NO_LINK or magic != _POSIX or prefix != b"\0":
        return None
    return _Rest(mode, mtime, (adler32(rest[:200], 0) & 0xFFFF) + (adler32(rest[200:], 0) & 0xFFFF))


def _header(block: bytes, kind: bytes, size: int, last: str) -> Header:
    magic = block[257:265]
    if magic not in {_POSIX, _GNU, _OLD}:
        raise errors.HeaderFieldError(last, f"magic {magic!r}")
    name = _field(block[:100], last)
    if magic == _POSIX and block[345] and (prefix := _field(block[345:500], last)):
        name = f"{prefix}/{name}"
    if kind not in _KINDS:
        if kind == b"S":
            raise errors.SparseMemberError(name)
        raise errors.UnsupportedMemberError(name, _REFUSED.get(kind, f"type {kind!r}"))
    linkname = "" if block[157:257] == _NO_LINK else _field(block[157:257], name)
    mtime = block[136:148]
    seconds = _octal(mtime, "mtime", name) if mtime[0] < 0x80 else 0
    return Header(name, _KINDS[kind], _octal(block[100:108], "mode", name), size, seconds, linkname)


def _finished(header: Header) -> Header:
    """Check what only the whole header tells."""
    kind, name = header.kind, header.name
    if kind == FILE:
        if header.linkname:
            raise errors.HeaderFieldError(name, "a file with the target of a link")
        return header
    if header.size:
        raise errors.HeaderFieldError(name, f"a {kind} with {header.size} bytes of content")
    if kind == FOLDER:
        if header.linkname:
            raise errors.HeaderFieldError(name, "a folder with the target of a link")
        return header._replace(name=name.removesuffix("/")) if len(name) > 1 else header
    return header


def _check_sum(block: bytes, last: str) -> None:
    # The low half of Adler-32 is the sum of the bytes modulo 65,521, which 256 bytes cannot reach: exact, and at the
    # speed of C. The field of the checksum itself counts as eight spaces.
    total = (adler32(block[:256], 0) & 0xFFFF) + (adler32(block[256:], 0) & 0xFFFF)
    field = block[148:156]
    if total - sum(field) + 256 != _octal(field, "checksum", last):
        raise errors.HeaderChecksumError(last)


def _octal(field: bytes, what: str, member: str) -> int:
    number = _number(field)
    if number is None:
        raise errors.HeaderFieldError(member, f"{what} {field!r} is no octal number")
    return number


@lru_cache(maxsize=1024)  # modes, times and many sizes are the same in all headers
def _number(field: bytes) -> int | None:
    found = _OCTAL.fullmatch(field)
    return int(found[1] or b"0", 8) if found else None


def _field(field: bytes, member: str) -> str:
    text = field.rstrip(b"\0")
    if b"\0" in text:
        raise errors.HeaderFieldError(member, "there are bytes after the end of a name")
    return _decoded(text)


def _text(body: bytes, last: str) -> str:
    text, _, rest = body.partition(b"\0")
    if rest.strip(b"\0"):
        raise errors.ExtensionHeaderError(last, "there are bytes after the end of a name")
    return _decoded(text)


def _decoded(text: bytes) -> str:
    try:
        return text.decode("ascii" if text.isascii() else "utf-8")
    except UnicodeDecodeError as error:
        raise errors.NotUnicodeNameError(text.decode("utf-8", "backslashreplace")) from error


def _pax_records(body: bytes, last: str) -> Iterator[tuple[str, bytes]]:
    """Split records of length, keyword and value, which must fill the body exactly."""
    at = 0
    while at < len(body):
        found = _PAX_RECORD.match(body, at)
        end = at + int(found[1]) if found else 0
        if found is None or end > len(body) or end <= found.end() or body[end - 1 : end] != b"\n":
            raise errors.ExtensionHeaderError(last, "a PAX record of a wrong length")
        keyword, equals, value = body[found.end() : end - 1].partition(b"=")
        if not equals or not keyword:
            raise errors.ExtensionHeaderError(last, "a PAX record without a keyword")
        yield keyword.decode("utf-8", "backslashreplace"), value
        at = end
