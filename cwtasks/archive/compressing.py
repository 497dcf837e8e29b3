"""Compressed files as we write them: independent zstd frames, or one stream of gzip or bzip2.

A writer takes pieces and is told where a frame may end; what it writes depends on the pieces and these places alone,
never on the number of threads. Knows nothing of tar.
"""

from __future__ import annotations

from hashlib import sha256
from mmap import mmap
from typing import TYPE_CHECKING, BinaryIO, Protocol

from cwtasks.archive import zstd
from cwtasks.archive.crew import Crew, Job
from cwtasks.archive.index import Frame
from cwtasks.archive.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash
    from io import FileIO

    from _typeshed import ReadableBuffer

LEVELS = {"zstd": (1, 22), "gzip": (1, 9), "bzip2": (1, 9)}
"""Least and greatest level of each kind."""
DEFAULT_LEVELS = {"zstd": 3, "gzip": 6, "bzip2": 9}
COPY_LEVEL = -10
"""Of zstd, for content that is compressed already: as fast as a copy, and frames keep their checksum."""

_THREADS = 2
_AHEAD = _THREADS + 1
_ROOM = 5 * MIB + 64 * 1024
"""What a frame that ends when it should needs at most; bytes."""


class Sink(Protocol):
    """Takes content, and is told where a frame may end."""

    def add(self, piece: bytes) -> None:
        """Take more content."""

    def read(self, file: FileIO, size: int, digest: _Hash | None) -> int:
        """Take more content from a file.

        Args:
            file: Open for reading.
            size: Of what is read, less only at the end of the file; bytes.
            digest: Is told of what was read.

        Returns:
            How many bytes that were.
        """

    def end_frame(self, *, is_compressed: bool = False) -> None:
        """Let a frame end here, where there are frames.

        Args:
            is_compressed: Whether its content is compressed already.
        """


class Compressor(Sink, Protocol):
    """Writes a compressed file."""

    def finish(self) -> list[Frame]:
        """Write all that is left.

        Returns:
            The frames in order; none where there are no frames.
        """

    def abandon(self) -> None:
        """Stop working for a file that nobody wants any more."""


class HashedFile:
    """A file whose digest is taken while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = sha256()
        self.size = 0

    def write(self, block: ReadableBuffer) -> None:
        """Write and remember."""
        self._digest.update(block)
        self.size += self._file.write(block)

    @property
    def sha256(self) -> str:
        """Of all that was written, in lower-case hexadecimal."""
        return self._digest.hexdigest()


def compressor(kind: str, output: HashedFile, level: int) -> Compressor:
    """Return what writes a file of one kind: ``zstd``, ``gzip`` or ``bzip2``."""
    if kind == "zstd":
        return Frames(output, level)
    return _Stream(output, *(_gzip(level) if kind == "gzip" else _bzip2(level)))


class _Content:
    """What one frame holds, gathered in memory that is used again: new memory costs more than filling it."""

    def __init__(self) -> None:
        # The system gives each page of it when it is first written to.
        self._memory = mmap(-1, _ROOM)
        self._room = _ROOM
        self.size = 0

    def add(self, piece: bytes) -> None:
        end = self.size + len(piece)
        if end > self._room:
            self._grow(end)
        self._memory[self.size : end] = piece
        self.size = end

    def read(self, file: FileIO, size: int, digest: _Hash | None) -> int:
        if self.size + size > self._room:
            self._grow(self.size + size)
        with memoryview(self._memory) as memory, memory[self.size : self.size + size] as room:
            count = _read_into(file, room)
            if digest is not None:
                digest.update(room[:count])
        self.size += count
        return count

    def compressed(self, compress: Callable[[ReadableBuffer, int], bytes], level: int) -> bytes:
        """Return the frame, and hold nothing from now on."""
        with memoryview(self._memory) as memory, memory[: self.size] as content:
            frame = compress(content, level)
        self.size = 0
        return frame

    def _grow(self, least: int) -> None:
        self._room = 2 * least
        memory = mmap(-1, self._room)
        memory[: self.size] = self._memory[: self.size]
        self._memory.close()
        self._memory = memory


def _read_into(file: FileIO, room: memoryview) -> int:
    """Fill memory from a file; how many bytes that were, fewer only at the end of the file.

    Some file systems give less than they are asked for, and where a frame ends must not depend on that.
    """
    count = 0
    while count < len(room) and (more := file.readinto(room[count:])):
        count += more
    return count


class _Gathering:
    """Takes the content of a frame."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._content = _Content()
        self._compress = zstd.compressor()

    def add(self, piece: bytes) -> None:
        """Take more content."""
        self._content.add(piece)

    def read(self, file: FileIO, size: int, digest: _Hash | None) -> int:
        """Take more content from a file; see :class:`Sink`."""
        return self._content.read(file, size, digest)


class Frames(_Gathering):
    """Compresses frames side by side and writes them in order."""

    def __init__(self, output: HashedFile, level: int) -> None:
        super().__init__(level)
        self._output = output
        self._free: list[_Content] = []
        self._waiting: list[Job[Frame]] = []
        self._done: list[Frame] = []
        self._compressing = Crew(_THREADS, "cwtasks-compress")
        self._writing = Crew(1, "cwtasks-write")

    def end_frame(self, *, is_compressed: bool = False) -> None:
        """Have compressed and written what there is."""
        if not self._content.size:
            return
        content = self._content
        size = content.size
        frame = self._compressing.submit(self._compressed, content, COPY_LEVEL if is_compressed else self._level)
        # One thread writes, so frames keep their order, and digests are taken beside all other work.
        self._waiting.append(self._writing.submit(self._write, frame, size))
        while len(self._waiting) > _AHEAD:
            self._done.append(self._waiting.pop(0).result())
        self._content = self._free.pop() if self._free else _Content()

    def _compressed(self, content: _Content, level: int) -> bytes:
        frame = content.compressed(self._compress, level)
        self._free.append(content)
        return frame

    def _write(self, frame: Job[bytes], content: int) -> Frame:
        compressed = frame.result()
        self._output.write(compressed)
        return Frame(len(compressed), content)

    def finish(self) -> list[Frame]:
        """Write all that is left; the frames in order."""
        self.end_frame()
        self._drain()
        self._compressing.close()
        self._writing.close()
        return self._done

    def _drain(self) -> None:
        while self._waiting:
            self._done.append(self._waiting.pop(0).result())

    def put(self, frame: bytes, content: int) -> None:
        """Write a frame that is compressed already, after all that was added before.

        Args:
            frame: As it stands in the file.
            content: Bytes that are in it.
        """
        self.end_frame()
        self._drain()
        self._output.write(frame)
        self._done.append(Frame(len(frame), content))

    def abandon(self) -> None:
        """Stop the threads."""
        self._compressing.close(abandons=True)
        self._writing.close(abandons=True)


class CollectedFrames(_Gathering):
    """Compresses frames one after the other and keeps them."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.frames: list[tuple[bytes, int]] = []
        """Each frame, and how many bytes are in it."""

    def end_frame(self, *, is_compressed: bool = False) -> None:
        """Compress what there is."""
        if size := self._content.size:
            frame = self._content.compressed(self._compress, COPY_LEVEL if is_compressed else self._level)
            self.frames.append((frame, size))


class _Stream:
    """Writes one stream, in which frames mean nothing."""

    def __init__(self, output: HashedFile, compress: Callable[[bytes], bytes], finish: Callable[[], bytes]) -> None:
        self._output = output
        self._compress = compress
        self._finish = finish

    def add(self, piece: bytes) -> None:
        if block := self._compress(piece):
            self._output.write(block)

    def read(self, file: FileIO, size: int, digest: _Hash | None) -> int:
        piece = bytearray(size)
        with memoryview(piece) as room:
            count = _read_into(file, room)
        content = bytes(piece[:count])
        if digest is not None:
            digest.update(content)
        self.add(content)
        return count

    def end_frame(self, *, is_compressed: bool = False) -> None:
        pass

    def finish(self) -> list[Frame]:
        self._output.write(self._finish())
        return []

    def abandon(self) -> None:
        pass


def _gzip(level: int) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """Compress as RFC 1952 says, without name and time, and with "unknown" as the system."""
    import zlib

    stream = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    begun = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    checksum, size = 0, 0

    def compress(piece: bytes) -> bytes:
        nonlocal checksum, size
        checksum = zlib.crc32(piece, checksum)
        size += len(piece)
        return (begun.pop() if begun else b"") + stream.compress(piece)

    def finish() -> bytes:
        trailer = checksum.to_bytes(4, "little") + (size & 0xFFFF_FFFF).to_bytes(4, "little")
        return (begun.pop() if begun else b"") + stream.flush() + trailer

    return compress, finish


def _bzip2(level: int) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    import bz2

    stream = bz2.BZ2Compressor(level)
    return stream.compress, stream.flush
