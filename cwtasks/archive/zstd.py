"""The library for zstd: the standard library's from Python 3.14 on, before that its backport. Its only door."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import ReadableBuffer

    from cwtasks.archive.decoding import Decoder

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


_PIECE = 256 * 1024


def decoder() -> Decoder:
    """Return a decoder of one frame, with a window of at most 128 MiB."""
    made: Decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27})
    return made


def pieces(raw: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Decode one frame in pieces: memory of their size is used again, larger comes from the system page by page.

    Args:
        raw: The frame, all of it and no more, in pieces of any size.
        most: What may be in it; bytes.

    Raises:
        ValueError: it is damaged, cut off, goes on, or holds more.
    """
    decoding, fed, content = decoder(), iter(raw), 0
    while not decoding.eof:
        data = next(fed, b"") if decoding.needs_input else b""
        if decoding.needs_input and not data:
            raise ValueError("the frame is cut off")
        try:
            piece = decoding.decompress(data, _PIECE)
        except zstd.ZstdError as error:
            raise ValueError(str(error)) from error
        content += len(piece)
        if content > most:
            raise ValueError("the frame holds too much")
        yield piece
    if decoding.unused_data or next(fed, b""):
        raise ValueError("the frame ends early")


def compressor() -> Callable[[ReadableBuffer, int], bytes]:
    """Return what makes one frame of content and a level; its size and a checksum are in it. Any thread may call it."""
    from threading import get_ident  # who only reads needs none

    parameter = zstd.CompressionParameter
    kept: dict[tuple[int, int], Any] = {}

    def compress(content: ReadableBuffer, level: int) -> bytes:
        # A new one for each frame would get its memory from the system again, page by page: eight times the time of
        # copying a frame. What it writes does not depend on what it wrote before.
        made = kept.get((get_ident(), level))
        if made is None:
            options: dict[int, int] = {parameter.compression_level: level, parameter.checksum_flag: 1}
            made = kept[get_ident(), level] = zstd.ZstdCompressor(options=options)
        frame: bytes = made.compress(content, made.FLUSH_FRAME)
        return frame

    return compress


def version() -> str:
    """Return the version of the library, on which compressed bytes depend."""
    return str(zstd.zstd_version)
