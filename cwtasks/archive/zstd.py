"""The library for zstd: the standard library's from Python 3.14 on, before that its backport. Its only door."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from cwtasks.archive.decoding import Decoder

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def decoder() -> Decoder:
    """Return a decoder of one frame, with a window of at most 128 MiB."""
    made: Decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27})
    return made


def compressor() -> Callable[[ReadableBuffer, int], bytes]:
    """Return what makes one frame of content and a level; its size and a checksum are in it. Any thread may call it."""
    parameter = zstd.CompressionParameter
    kept = threading.local()

    def compress(content: ReadableBuffer, level: int) -> bytes:
        # A new one for each frame would get its memory from the system again, page by page: eight times the time of
        # copying a frame. What it writes does not depend on what it wrote before.
        made = getattr(kept, str(level), None)
        if made is None:
            options: dict[int, int] = {parameter.compression_level: level, parameter.checksum_flag: 1}
            made = zstd.ZstdCompressor(options=options)
            setattr(kept, str(level), made)
        frame: bytes = made.compress(content, made.FLUSH_FRAME)
        return frame

    return compress


def version() -> str:
    """Return the version of the library, on which compressed bytes depend."""
    return str(zstd.zstd_version)
