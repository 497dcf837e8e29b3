"""What stands behind the frames of an archive of ours, so that one member is found without unpacking the rest.

Two skippable zstd frames, which every decoder passes over: the index, and after it the seek table of zstd's seekable
format (``contrib/seekable_format`` in zstd's documentation), which tells where frames begin. The index holds notes in
JSON, which are small, and the members in columns, which are only read when somebody asks for them.

Both are hints. Who extracts does not look at them, and who takes out one member compares it with its own header.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from array import array
from itertools import accumulate, repeat
from operator import and_, neg
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.archive.limits import MIB
from cwtasks.archive.tarstream import BLOCK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cwtasks.archive.compressing import HashedFile
    from cwtasks.archive.gathering import Contents

INDEX_MAGIC = b"\x5a\x2a\x4d\x18"
"""Of the skippable frame that holds the index."""
SEEK_TABLE_MAGIC = b"\x5e\x2a\x4d\x18"
"""Of the skippable frame that holds the seek table, as the seekable format says."""
SEEKABLE_MAGIC = b"\xb1\xea\x92\x8f"
"""Its last four bytes, and so those of the archive."""
OWN_MAGIC = b"cwtasks1"
"""The first bytes of the index's content."""

_FOOTER = struct.Struct("<IB4s")
_SKIPPABLE = struct.Struct("<4sI")
_ENTRY = struct.Struct("<II")
_HEAD = struct.Struct("<8sIII")
_MOST_INDEX_BYTES = 64 * MIB
_LEVEL = 9


class Frame(NamedTuple):
    """One frame of an archive."""

    compressed: int
    """Its size in the file; bytes."""
    content: int
    """Of what is in it; bytes."""


class Place(NamedTuple):
    """Where a member stands."""

    name: str
    kind: str
    """``f``, ``x``, ``l`` or ``d``."""
    size: int
    """Of its content; bytes."""
    start: int
    """Of its first header in the tar stream; bytes."""
    header: int
    """Bytes from there to its content."""


class Index(NamedTuple):
    """The index of an archive, as it was read."""

    notes: Mapping[str, Any]
    """What was noted when it was made, ``members`` and ``content_bytes``."""
    frames: Sequence[Frame]
    """The frames that hold content, in order."""
    columns: bytes
    """The members, still compressed."""

    def places(self) -> list[Place]:
        """Return where every member stands.

        Raises:
            ValueError: The columns are damaged.
        """
        names, kinds, sizes, headers = _read_columns(self.columns)
        steps = (header + size + -size % BLOCK for header, size in zip(headers, sizes, strict=True))
        listed = names.split("\n") if names else []
        return list(map(Place, listed, kinds, sizes, accumulate(steps, initial=0), headers))

    def find(self, name: str) -> Place | None:
        """Return where a member stands, ``None`` when there is none of that name.

        Raises:
            ValueError: The columns are damaged.
        """
        names, kinds, sizes, headers = _read_columns(self.columns)
        lines = f"\n{names}\n"
        found = lines.find(f"\n{name}\n") if name and "\n" not in name else -1
        if found < 0:
            return None
        at = lines.count("\n", 0, found)
        before = sizes[:at]
        # Padding fills up whole blocks; a hundred thousand members want it said without a loop of our own.
        padding = sum(map(and_, map(neg, before), repeat(BLOCK - 1)))
        return Place(name, kinds[at], sizes[at], sum(headers[:at]) + sum(before) + padding, headers[at])


def write_index(output: HashedFile, frames: Sequence[Frame], contents: Contents, notes: Mapping[str, object]) -> None:
    """Write index and seek table behind the frames of an archive."""
    from cwtasks.archive import zstd

    compress = zstd.compressor()
    told = {**notes, "members": len(contents.names), "content_bytes": contents.content_bytes}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    columns = "\n".join(contents.names).encode(), "".join(contents.kinds).encode(), _little(contents.sizes)
    raw = b"".join([*(len(column).to_bytes(4, "little") + column for column in columns), _little(contents.headers)])
    packed = compress(raw, _LEVEL)
    content = _HEAD.pack(OWN_MAGIC, len(text), len(packed), 0) + text + packed
    output.write(_SKIPPABLE.pack(INDEX_MAGIC, len(content)) + content)
    # The table lists every frame of the file before itself, hence the index too, as a frame without content.
    listed = [*frames, Frame(_SKIPPABLE.size + len(content), 0)]
    table = b"".join(_ENTRY.pack(*frame) for frame in listed) + _FOOTER.pack(len(listed), 0, SEEKABLE_MAGIC)
    output.write(_SKIPPABLE.pack(SEEK_TABLE_MAGIC, len(table)) + table)


def read_index(descriptor: int) -> Index | None:
    """Read the index of an archive.

    Args:
        descriptor: Of the archive, open for reading; its position does not matter.

    Returns:
        The index without its columns read; ``None`` for an archive that has none, or a damaged one.

    Raises:
        OSError: it cannot be read.
    """
    size = os.fstat(descriptor).st_size
    listed = _read_seek_table(descriptor, size)
    if not listed or listed[-1].content:
        return None
    table_size = _SKIPPABLE.size + len(listed) * _ENTRY.size + _FOOTER.size
    start = size - table_size - listed[-1].compressed
    if sum(frame.compressed for frame in listed) != size - table_size or listed[-1].compressed > _MOST_INDEX_BYTES:
        return None
    raw = os.pread(descriptor, listed[-1].compressed, start)
    at = _SKIPPABLE.size + _HEAD.size
    if len(raw) < at or raw[:4] != INDEX_MAGIC:
        return None
    magic, notes_size, columns_size, _ = _HEAD.unpack_from(raw, _SKIPPABLE.size)
    if magic != OWN_MAGIC or at + notes_size + columns_size != len(raw):
        return None
    notes = _parsed(raw[at : at + notes_size])
    return None if notes is None else Index(notes, listed[:-1], raw[at + notes_size :])


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        notes = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return notes if isinstance(notes, dict) else None


def _read_seek_table(descriptor: int, size: int) -> list[Frame]:
    footer_at = size - _FOOTER.size
    if footer_at < 0:
        return []
    count, flags, magic = _FOOTER.unpack(os.pread(descriptor, _FOOTER.size, footer_at))
    entries_at = footer_at - count * _ENTRY.size
    if magic != SEEKABLE_MAGIC or flags or entries_at < _SKIPPABLE.size:
        return []
    table = os.pread(descriptor, count * _ENTRY.size, entries_at)
    return [Frame(*entry) for entry in _ENTRY.iter_unpack(table)]


class _Columns(NamedTuple):
    """The members of an archive."""

    names: str
    """With a line break between any two."""
    kinds: str
    sizes: array[int]
    headers: array[int]


def _read_columns(packed: bytes) -> _Columns:
    from cwtasks.archive import zstd

    raw = b"".join(zstd.pieces([packed], _MOST_INDEX_BYTES))
    columns: list[bytes] = []
    at = 0
    for _ in range(3):
        length = int.from_bytes(raw[at : at + 4], "little")
        columns.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    names, kinds = columns[0].decode(), columns[1].decode("ascii")
    sizes, headers = array("Q"), array("I")
    sizes.frombytes(columns[2])
    headers.frombytes(raw[at:])
    if sys.byteorder == "big":
        sizes.byteswap()
        headers.byteswap()
    count = names.count("\n") + 1 if names else 0
    if not count == len(kinds) == len(sizes) == len(headers):
        raise ValueError("its columns differ in length")
    if not set(kinds) <= set("fxld"):
        raise ValueError("a kind of member that there is not")
    return _Columns(names, kinds, sizes, headers)


def _little(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return column.tobytes()
