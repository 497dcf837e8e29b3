"""Frames of zstd: what one says of itself, what stands in one as it is, and one decoded by itself.

The format is RFC 8878. Knows nothing of what is in them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.archive import errors, zstd
from cwtasks.archive.limits import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cwtasks.archive.index import Frame
    from cwtasks.archive.limits import ArchiveLimits

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
LONGEST_HEADER = 18
"""Of a frame, with its magic; bytes."""

_BLOCK_HEADER = 3
_LEAST_IN_BLOCK, _MOST_IN_BLOCK = 1 * KIB, 128 * KIB
_READ = 256 * KIB
_MOST_CONTENT = 64 * MIB  # of a frame that is decoded by itself, whatever a seek table says


class FrameHeader(NamedTuple):
    """What a frame says of itself before its first block (RFC 8878, section 3.1.1.1)."""

    size: int
    """Of this header, its magic included; bytes."""
    window: int
    """Memory it demands of its decoder; bytes."""
    content: int | None
    """What is in it; bytes. ``None`` where it does not say."""
    dictionary: int
    """Number of the dictionary it needs; 0 for none."""
    has_checksum: bool
    """Whether four bytes of a checksum stand behind its last block."""

    @classmethod
    def read(cls, beginning: bytes) -> FrameHeader | None:
        """Read the header of a frame.

        Args:
            beginning: Of the frame, its magic included; as many bytes as the longest has, or all there are.

        Returns:
            The header; ``None`` if it is cut off.
        """
        descriptor = beginning[4] if len(beginning) > 4 else 0
        single = bool(descriptor & 0x20)
        dictionary_size = (0, 1, 2, 4)[descriptor & 3]
        content_size = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
        at = 5 if single else 6
        size = at + dictionary_size + content_size
        if len(beginning) < size:
            return None
        dictionary = int.from_bytes(beginning[at : at + dictionary_size], "little")
        content = int.from_bytes(beginning[at + dictionary_size : size], "little") + (256 if content_size == 2 else 0)
        if single:
            window = content
        else:
            base = 1 << (10 + (beginning[5] >> 3))
            window = base + (base >> 3) * (beginning[5] & 7)
        return cls(size, window, content if content_size else None, dictionary, bool(descriptor & 4))


class StoredBlocks:
    """Takes the blocks of one frame that stand in it as they are (RFC 8878, section 3.1.1.2), up to one that does not.

    Attributes:
        needs_decoder: Whether the next block is of another kind, or none at all, or so small that a decoder is faster.
    """

    def __init__(self, header: FrameHeader) -> None:
        self.needs_decoder = False
        self._most = min(header.window, _MOST_IN_BLOCK)
        self._left = 0  # of the current block
        self._is_last = False

    @property
    def is_complete(self) -> bool:
        """Whether the last block was taken."""
        return self._is_last and not self._left

    def take(self, raw: bytes, at: int) -> tuple[bytes, int]:
        """Take what there is.

        Args:
            raw: A piece of the file.
            at: Where the frame goes on in it.

        Returns:
            Content, and where what was not taken begins.
        """
        view, pieces = memoryview(raw), []
        while True:
            piece = view[at : at + self._left]
            pieces.append(piece)
            at += len(piece)
            self._left -= len(piece)
            if self._left or self._is_last or len(raw) - at < _BLOCK_HEADER:
                break
            mark = int.from_bytes(raw[at : at + _BLOCK_HEADER], "little")
            is_last, size = bool(mark & 1), mark >> 3
            if mark & 0b110 or size > self._most or (size < _LEAST_IN_BLOCK and not is_last):
                self.needs_decoder = True
                break
            self._is_last, self._left = is_last, size
            at += _BLOCK_HEADER
        return b"".join(pieces), at


def decode_frame(path: Path, descriptor: int, frame: Frame, at: int, *, limits: ArchiveLimits) -> Iterator[bytes]:
    """Decode one frame by itself.

    Args:
        path: Of the archive, for errors.
        descriptor: Of the archive, open for reading; its position does not matter.
        frame: How large it is said to be.
        at: Where it begins; bytes.
        limits: What is allowed.

    Returns:
        Its content in pieces. Whoever takes them all knows that they are what was packed: a checksum is behind them.

    Raises:
        CompressedFileError: It is damaged, is not there, or demands too much.
    """
    beginning = os.pread(descriptor, min(LONGEST_HEADER, frame.compressed), at)
    header = FrameHeader.read(beginning)
    if not beginning.startswith(ZSTD_MAGIC) or header is None or header.dictionary:
        raise errors.CorruptArchiveError(path, "its seek table leads to no frame")
    if header.window > limits.window_bytes:
        raise errors.WindowTooLargeError(path, f"{header.window:,} bytes, at most {limits.window_bytes:,} are allowed")
    raw = (
        os.pread(descriptor, min(_READ, frame.compressed - done), at + done)
        for done in range(0, frame.compressed, _READ)
    )
    content = 0
    try:
        for piece in zstd.pieces(raw, min(frame.content, _MOST_CONTENT)):
            content += len(piece)
            yield piece
    except ValueError as error:
        raise errors.CorruptArchiveError(path, str(error)) from error
    if content != frame.content:
        raise errors.CorruptArchiveError(path, "its seek table does not fit its frames")
