"""Frames of zstd: what one demands of its decoder, and one decoded by itself.

The format is RFC 8878. Knows nothing of what is in them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cwtasks.archive import errors, zstd
from cwtasks.archive.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cwtasks.archive.index import Frame
    from cwtasks.archive.limits import ArchiveLimits

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
LONGEST_HEADER = 18
"""Of a frame, with its magic; bytes."""

_READ = 256 * 1024
_MOST_CONTENT = 64 * MIB  # of a frame that is decoded by itself, whatever a seek table says


def frame_demands(header: bytes) -> tuple[int | None, int]:
    """Read what a zstd frame demands of its decoder (RFC 8878, section 3.1.1.1).

    Args:
        header: The beginning of the frame, its magic included.

    Returns:
        The window in bytes, ``None`` if the header is cut off, and the number of the dictionary, 0 for none.
    """
    descriptor = header[4] if len(header) > 4 else 0
    single = bool(descriptor & 0x20)
    dictionary_size = (0, 1, 2, 4)[descriptor & 3]
    content_size = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    at = 5 if single else 6
    if len(header) < at + dictionary_size + content_size:
        return None, 0
    dictionary = int.from_bytes(header[at : at + dictionary_size], "little")
    if single:
        content = int.from_bytes(header[at + dictionary_size : at + dictionary_size + content_size], "little")
        return content + (256 if content_size == 2 else 0), dictionary
    base = 1 << (10 + (header[5] >> 3))
    return base + (base >> 3) * (header[5] & 7), dictionary


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
    header = os.pread(descriptor, min(LONGEST_HEADER, frame.compressed), at)
    window, dictionary = frame_demands(header)
    if not header.startswith(ZSTD_MAGIC) or window is None or dictionary:
        raise errors.CorruptArchiveError(path, "its seek table leads to no frame")
    if window > limits.window_bytes:
        raise errors.WindowTooLargeError(path, f"{window:,} bytes, at most {limits.window_bytes:,} are allowed")
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
