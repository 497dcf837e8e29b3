"""A compressed file as a checked stream of the bytes in it.

The kind is told by content and compared with the suffix. Frames are walked one by one, so that a frame is judged
before its decoder sees it. Knows nothing of tar.
"""

from __future__ import annotations

import bz2
import hashlib
import os
import queue
import stat
import threading
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from cwtasks.archive import errors, zstd
from cwtasks.archive.frames import LONGEST_HEADER, ZSTD_MAGIC, FrameHeader, StoredBlocks
from cwtasks.archive.limits import KIB, MIB, ArchiveLimits, Budget
from cwtasks.archive.names import compression_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b\x08"
BZIP2_MAGIC = b"BZh"

_RAW_BLOCK = 512 * KIB
_FIRST_FEED = 4 * KIB  # what a decoder gives back when its frame ends is copied: so tiny frames are fed little
_DECODED_BLOCK = 1 * MIB
_BLOCKS_AHEAD = 4
_CHECKSUM = 4  # of a frame's content, behind its last block
_MOST_STORED = 8 * MIB  # of a frame whose content is taken without a decoder: it is kept in case one is needed


class Decoder(Protocol):
    """What decoders of the standard library have in common."""

    @property
    def eof(self) -> bool:
        """Whether the frame is complete."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out before something goes in."""

    @property
    def unused_data(self) -> bytes:
        """What was fed beyond the end of the frame."""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """Feed, and take out at most so much."""


class DecodedArchive:
    """An open archive: its decoded blocks, and what is known of its raw bytes once they are all consumed."""

    def __init__(self, path: Path, descriptor: int, limits: ArchiveLimits, *, is_compared: bool) -> None:
        self.path = path
        self.raw_bytes = 0
        self._limits = limits
        self._is_compared = is_compared
        self._file = descriptor
        self._before = os.fstat(descriptor)
        self._digest = hashlib.sha256()
        self._buffer = b""
        self._at = 0
        self._frames = Budget("compressed frames", limits.frames)
        self._raw = Budget("bytes of the archive itself", limits.raw_bytes)
        self._decoded = 0
        if not stat.S_ISREG(self._before.st_mode):
            raise errors.UnreadableArchiveError(path, "it is not a file")
        self._raw.spend(self._before.st_size)

    @property
    def sha256(self) -> str:
        """The digest of all raw bytes consumed so far, in lower-case hexadecimal."""
        return self._digest.hexdigest()

    @property
    def size(self) -> int:
        """The size of the file when it was opened, in bytes."""
        return self._before.st_size

    def blocks(self) -> Iterator[bytes]:
        """Decode to the end of the file.

        Returns:
            Blocks of decoded bytes, none of them empty.

        Raises:
            CompressedFileError: Whatever is wrong with the file, in one of its subclasses.
            LimitExceededError: If it is larger than allowed.
            UnknownCompressionError: If it is of no known kind.
        """
        self._fill(LONGEST_HEADER)
        kind = kind_of(self._ahead())
        if kind is None:
            raise errors.UnknownCompressionError(self.path)
        named = compression_of(self.path.name)
        if named not in {None, kind}:
            raise errors.WrongSuffixError(self.path, f"named like {named}, but it is {kind}")
        frame = {"zstd": self._zstd_frame, "gzip": self._gzip_stream, "bzip2": self._bzip2_stream}[kind]
        while self._fill(LONGEST_HEADER):
            self._frames.spend()
            yield from frame()
        self._check_unchanged()

    def _decoded_by(self, decoder: Decoder) -> Iterator[bytes]:
        feed = _FIRST_FEED
        while True:
            data = b""
            if decoder.needs_input:
                self._need(1)
                data = self._buffer[self._at : self._at + feed]
                self._at += len(data)
                feed = _RAW_BLOCK
            block = self._step(decoder, data)
            if block:
                self._account(len(block))
                yield block
            if decoder.eof:
                # What was fed too much is still in the buffer: step back instead of copying it.
                self._at -= len(decoder.unused_data)
                return

    def _step(self, decoder: Decoder, data: bytes | memoryview) -> bytes:
        try:
            return decoder.decompress(data, _DECODED_BLOCK)
        except Exception as error:  # each library has an error class of its own
            raise errors.CorruptArchiveError(self.path, str(error)) from error

    def _account(self, amount: int) -> None:
        self._decoded += amount
        if self._decoded > self._limits.expanded_bytes:
            raise errors.LimitExceededError("decoded bytes", self._limits.expanded_bytes)
        free = self._decoded <= self._limits.ratio_free_bytes
        if not free and self._decoded > self.raw_bytes * self._limits.ratio:
            raise errors.LimitExceededError("decoded bytes for each compressed one", self._limits.ratio)

    def _fill(self, amount: int) -> bool:
        """Hold at least so many raw bytes if the file has them; return whether there are any."""
        while len(self._buffer) - self._at < amount:
            try:
                block = os.read(self._file, _RAW_BLOCK)
            except OSError as error:
                raise errors.UnreadableArchiveError(self.path, error.strerror or str(error)) from error
            if not block:
                break
            self.raw_bytes += len(block)
            if self.raw_bytes > self._before.st_size:
                raise errors.ArchiveChangedError(self.path)
            self._digest.update(block)
            self._buffer = self._buffer[self._at :] + block
            self._at = 0
        return len(self._buffer) > self._at

    def _need(self, amount: int) -> None:
        """Hold at least so many raw bytes."""
        self._fill(amount)
        if len(self._buffer) - self._at < amount:
            raise errors.TruncatedArchiveError(self.path)

    def _ahead(self) -> bytes:
        return self._buffer[self._at : self._at + LONGEST_HEADER]

    def _check_unchanged(self) -> None:
        before, after = self._before, os.fstat(self._file)
        same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if not same or self.raw_bytes != before.st_size:
            raise errors.ArchiveChangedError(self.path)

    def _zstd_frame(self) -> Iterator[bytes]:
        magic = self._ahead()[:4]
        if magic[1:4] == b"\x2a\x4d\x18" and magic[0] & 0xF0 == 0x50:
            self._skip()
            return
        if len(magic) < 4 and ZSTD_MAGIC.startswith(magic):
            raise errors.TruncatedArchiveError(self.path)
        self._demand(ZSTD_MAGIC)
        header = FrameHeader.read(self._ahead())
        if header is None:
            raise errors.TruncatedArchiveError(self.path)
        if header.dictionary:
            raise errors.DictionaryFrameError(self.path)
        most = min(self._limits.window_bytes, 128 * MIB)
        if header.window > most:
            raise errors.WindowTooLargeError(self.path, f"{header.window:,} bytes, at most {most:,} are allowed")
        beginning: list[memoryview] = []
        # Whoever compares the digest of the file needs no checksum of its content.
        if self._is_compared and header.content is not None and header.content <= _MOST_STORED:
            passed = yield from self._stored(header, header.content)
            if passed is None:
                return
            beginning = passed
        decoder = zstd.decoder()
        for piece in beginning:
            self._step(decoder, piece)
            while not (decoder.needs_input or decoder.eof):
                self._step(decoder, b"")
        yield from self._decoded_by(decoder)

    def _stored(self, header: FrameHeader, announced: int) -> Generator[bytes, None, list[memoryview] | None]:
        """Take the content of a frame that stands in it as it is, as far as it does.

        A decoder would copy it twice and take its checksum: a quarter of what reading and hashing cost.

        Args:
            header: Of the frame.
            announced: What the frame says is in it; bytes.

        Returns:
            ``None`` if that was all there is in the frame, else its beginning, which a decoder of the rest must see.
        """
        stored, content = StoredBlocks(header), 0
        passed = [memoryview(self._buffer)[self._at : self._at + header.size]]
        self._at += header.size
        while True:
            start = self._at
            block, self._at = stored.take(self._buffer, start)
            passed.append(memoryview(self._buffer)[start : self._at])
            content += len(block)
            if content > announced:
                raise errors.CorruptArchiveError(self.path, f"a frame of {announced:,} bytes does not end there")
            if block:
                self._account(len(block))
                yield block
            if stored.needs_decoder:
                return passed
            if stored.is_complete:
                break
            self._need(len(self._buffer) - self._at + 1)
        if content != announced:
            raise errors.CorruptArchiveError(self.path, f"a frame of {announced:,} bytes ends after {content:,}")
        if header.has_checksum:
            self._need(_CHECKSUM)
            self._at += _CHECKSUM
        return None

    def _skip(self) -> None:
        self._need(8)
        size = int.from_bytes(self._ahead()[4:8], "little")
        if size > self._limits.skippable_bytes:
            most = self._limits.skippable_bytes
            raise errors.SkippableFrameError(self.path, f"{size:,} bytes, at most {most:,} are allowed")
        self._at += 8
        while size:
            self._need(1)
            taken = min(size, len(self._buffer) - self._at)
            self._at += taken
            size -= taken

    def _gzip_stream(self) -> Iterator[bytes]:
        self._demand(GZIP_MAGIC)
        return self._decoded_by(_Gzip())

    def _bzip2_stream(self) -> Iterator[bytes]:
        self._demand(BZIP2_MAGIC)
        return self._decoded_by(bz2.BZ2Decompressor())

    def _demand(self, magic: bytes) -> None:
        if not self._ahead().startswith(magic):
            raise errors.TrailingDataError(self.path)


class _Gzip:
    """One gzip stream, with the interface of the other decoders."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def kind_of(beginning: bytes) -> str | None:
    """Tell by the first bytes how a file is compressed: ``zstd``, ``gzip``, ``bzip2`` or ``None``."""
    magics = {ZSTD_MAGIC: "zstd", GZIP_MAGIC: "gzip", BZIP2_MAGIC: "bzip2"}
    skippable = beginning[1:4] == b"\x2a\x4d\x18" and beginning[0] & 0xF0 == 0x50
    return "zstd" if skippable else next((kind for magic, kind in magics.items() if beginning.startswith(magic)), None)


@contextmanager
def opened(path: Path, *, limits: ArchiveLimits | None = None, is_compared: bool = False) -> Iterator[DecodedArchive]:
    """Open an archive for decoding.

    Args:
        path: Of the archive; a link to it is followed.
        limits: What is allowed.
        is_compared: Whether the caller compares the digest of the whole file with one it knows, before it believes
            anything: checksums of content are then left out where that is faster.

    Returns:
        The archive, open during the block.

    Raises:
        UnreadableArchiveError: If it cannot be opened.
    """
    try:
        # A FIFO must not make us wait for whoever writes to it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise errors.UnreadableArchiveError(path, error.strerror or str(error)) from error
    try:
        yield DecodedArchive(path, descriptor, limits or ArchiveLimits(), is_compared=is_compared)
    finally:
        os.close(descriptor)


@contextmanager
def in_thread(blocks: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    """Let a thread fetch the blocks a little ahead of who takes them, so that decoding overlaps with writing.

    Args:
        blocks: What the thread runs through; its error is raised where the blocks are taken.

    Returns:
        The same blocks. The thread has ended when the block is left, whether they were all taken or not.
    """
    ahead: queue.Queue[bytes | BaseException | None] = queue.Queue(_BLOCKS_AHEAD)
    stop = threading.Event()
    thread = threading.Thread(target=_fetch, args=(blocks, ahead.put, stop), name="cwtasks-decode", daemon=True)
    thread.start()
    try:
        yield _taken(ahead)
    finally:
        stop.set()
        while thread.is_alive():
            # The thread may wait for room: make some until it notices.
            while not ahead.empty():
                ahead.get_nowait()
            thread.join(0.01)


def _fetch(blocks: Iterator[bytes], put: Callable[[bytes | BaseException | None], None], stop: threading.Event) -> None:
    try:
        for block in blocks:
            if stop.is_set():
                return
            put(block)
        put(None)
    except BaseException as error:  # noqa: BLE001 - it is raised again where the blocks are taken
        put(error)


def _taken(ahead: queue.Queue[bytes | BaseException | None]) -> Iterator[bytes]:
    while (item := ahead.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item
