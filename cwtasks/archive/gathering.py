"""Reads the files of a workspace into a tar stream, each as it was at one moment, and lists what went in.

Knows files and headers; what becomes of the stream is its sink's business.
"""

from __future__ import annotations

import errno
import os
import time
from array import array
from hashlib import sha256
from io import FileIO
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.archive import errors
from cwtasks.archive.headers import DEFAULT_MTIME, HeaderPacker
from cwtasks.archive.limits import MIB
from cwtasks.archive.tarstream import BLOCK, FOLDER, SYMLINK
from cwtasks.exceptions import ArchiveHashMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from hashlib import _Hash

    from cwtasks.archive.compressing import Sink

FRAME_BYTES = 4 * MIB
"""A frame ends with the first piece that brings its content to this; bytes."""

_CHUNK = 1 * MIB
_SMALL = 64 * 1024
_REPORT_MEMBERS = 256
_REPORT_BYTES = 8 * MIB
_TICK_NS = 20_000_000  # kernels stamp files with a clock that ticks every 1 to 16 ms
# A FIFO in the place of a file must not make us wait for whoever writes to it.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_PADDING = [bytes(-size % BLOCK) for size in range(BLOCK)]


class Package(NamedTuple):
    """A package file that is carried along."""

    name: str
    """Of the member."""
    path: str
    """Where it lies, absolute."""
    sha256: str
    """What its content must be, lower-case hexadecimal."""


class Contents:
    """The members of an archive, in columns and in the order of the stream."""

    __slots__ = ("content_bytes", "headers", "kinds", "links", "names", "sizes")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.kinds: list[str] = []
        """``f``, ``x`` (executable), ``l`` or ``d``."""
        self.sizes = array("Q")
        """Of the content; bytes."""
        self.headers = array("I")
        """Bytes from a member's beginning to its content."""
        self.links: dict[str, str] = {}
        """Target of each symlink."""
        self.content_bytes = 0

    def add(self, name: str, letter: str, size: int, header: int) -> None:
        """Add a member."""
        self.names.append(name)
        self.kinds.append(letter)
        self.sizes.append(size)
        self.headers.append(header)
        self.content_bytes += size

    def to_plain(self) -> tuple[object, ...]:
        """Return it as what marshal can write."""
        return self.names, self.kinds, self.sizes.tobytes(), self.headers.tobytes(), self.links, self.content_bytes

    def extend(self, plain: Sequence[Any]) -> None:
        """Add the members another process has listed with :meth:`to_plain`."""
        names, kinds, sizes, headers, links, content_bytes = plain
        self.names += names
        self.kinds += kinds
        self.sizes.frombytes(sizes)
        self.headers.frombytes(headers)
        self.links.update(links)
        self.content_bytes += content_bytes


class Gathered(NamedTuple):
    """What another process made of some names."""

    frames: Sequence[tuple[bytes, int]]
    """Each frame as it stands in the file, and how many bytes are in it."""
    contents: Sequence[Any]
    """As :meth:`Contents.to_plain` gives it."""


class Gatherer:
    """Adds members to a sink."""

    def __init__(
        self, root: str, sink: Sink, *, mtime: int = DEFAULT_MTIME, report: Callable[[], None] | None = None
    ) -> None:
        """Begin an archive, or a part of one.

        Args:
            root: Of the workspace, absolute.
            sink: Takes the stream.
            mtime: Of all members; seconds since the epoch.
            report: Called now and then.
        """
        self.root = root
        self.mtime = mtime
        self.contents = Contents()
        self.digests: dict[str, str] = {}
        """SHA-256 by name, where it was asked for."""
        self._sink = sink
        self._packer = HeaderPacker(mtime)
        self._report = report or (lambda: None)
        self._unread = 0
        self._in_frame = 0
        # What is stamped from now on may change between being read and being looked at again within one tick.
        self._settled_ns = time.time_ns() - _TICK_NS

    @property
    def read_bytes(self) -> int:
        """How much content was read so far; bytes."""
        return self.contents.content_bytes - self._unread

    def end_frame(self, *, stored: bool = False) -> None:
        """Let a frame end here.

        Args:
            stored: Whether its content is compressed already.
        """
        self._sink.end_frame(is_compressed=stored)
        self._in_frame = 0

    def add_folders(self, names: Iterable[str]) -> None:
        """Add empty folders."""
        for name in names:
            self._add_header(name, "d", self._packer.member(name, FOLDER))

    def add_all(self, names: Sequence[str], *, keeps_digests: bool = False, stored: bool = False) -> None:
        """Add files and symlinks.

        Args:
            names: Below the root, in POSIX form.
            keeps_digests: Whether the digest of each is wanted.
            stored: Whether their content is compressed already.

        Raises:
            FileChangedError: one is not there, is of another kind, or changes while it is read.
        """
        beginning = os.path.join(self.root, "")
        for count, name in enumerate(names, 1):
            try:
                descriptor = os.open(beginning + name, _FLAGS)
            except OSError as error:
                self._add_link(name, beginning + name, error)
                continue
            try:
                if keeps_digests:
                    digest = sha256()
                    self._add_file(name, descriptor, digest=digest, stored=stored)
                    self.digests[name] = digest.hexdigest()
                elif not self._add_small(name, descriptor, stored=stored):
                    self._add_file(name, descriptor, stored=stored)
            except IsADirectoryError as error:
                raise errors.FileMissingError(name, error.strerror or str(error)) from error
            except OSError as error:
                raise errors.FileChangedError(name, error.strerror or str(error)) from error
            finally:
                os.close(descriptor)
            if not count % _REPORT_MEMBERS:
                self._report()
        self._report()

    def add_packages(self, packages: Iterable[Package]) -> None:
        """Add package files, each of which must be the one it should be.

        Raises:
            FileChangedError: one is not there, or changes while it is read.
            ArchiveHashMismatchError: one is another.
        """
        for package in packages:
            digest = sha256()
            try:
                descriptor = os.open(package.path, _FLAGS)
                try:
                    self._add_file(package.name, descriptor, digest=digest, stored=True)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise errors.FileChangedError(package.path, error.strerror or str(error)) from error
            if digest.hexdigest() != package.sha256:
                raise ArchiveHashMismatchError(package.path, expected=package.sha256, actual=digest.hexdigest())
            self._report()
        self.end_frame(stored=True)

    def take_over(self, done: Gathered) -> None:
        """Add to the list what another process has gathered."""
        self.contents.extend(done.contents)
        self._report()

    def _add_small(self, name: str, descriptor: int, *, stored: bool) -> bool:
        """Add a file that one call reads and nobody has written to for a while; whether it was one."""
        content = os.read(descriptor, _SMALL)
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            return False
        size = len(content)
        if size == _SMALL or size != status.st_size or status.st_mtime_ns >= self._settled_ns:
            os.lseek(descriptor, 0, os.SEEK_SET)
            return False
        is_executable = bool(status.st_mode & 0o100)
        header = self._packer.file(name, size, is_executable=is_executable)
        self.contents.add(name, "x" if is_executable else "f", size, len(header))
        self._add_piece(header + content + _PADDING[size % BLOCK], stored=stored)
        return True

    def _add_file(self, name: str, descriptor: int, *, digest: _Hash | None = None, stored: bool) -> None:
        """Add any file, looked at before and after it is read."""
        before = os.fstat(descriptor)
        if not S_ISREG(before.st_mode):
            raise errors.FileChangedError(name, "it is no file")
        size = before.st_size
        is_executable = bool(before.st_mode & 0o100)
        header = self._packer.file(name, size, is_executable=is_executable)
        self._add_header(name, "x" if is_executable else "f", header, size)
        left = size
        with FileIO(descriptor, closefd=False) as file:
            while left:
                count = self._sink.read(file, min(left, _CHUNK), digest)
                if not count:
                    raise errors.FileChangedError(name, "it grew shorter while it was read")
                left -= count
                self._in_frame += count
                if left:
                    self._end_full_frame(stored=stored)
                    if (size - left) % _REPORT_BYTES < count:
                        self._unread = left
                        self._report()
        self._unread = 0
        # Padding comes with the last piece, as with small files: a frame must end in the same place for both.
        self._add_piece(_PADDING[size % BLOCK], stored=stored)
        after = os.fstat(descriptor)
        if (after.st_size, after.st_mtime_ns) != (size, before.st_mtime_ns):
            raise errors.FileChangedError(name, "it changed while it was read")

    def _add_link(self, name: str, path: str, error: OSError) -> None:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            raise errors.FileMissingError(name, error.strerror or str(error)) from error
        if error.errno not in {errno.ELOOP, errno.EMLINK}:
            raise errors.FileChangedError(name, error.strerror or str(error)) from error
        try:
            target = os.readlink(path)
        except OSError as cause:
            raise errors.FileChangedError(name, cause.strerror or str(cause)) from cause
        self.contents.links[name] = target
        self._add_header(name, "l", self._packer.member(name, SYMLINK, mode=0o777, linkname=target))

    def _add_header(self, name: str, letter: str, header: bytes, size: int = 0) -> None:
        self.contents.add(name, letter, size, len(header))
        self._sink.add(header)
        self._in_frame += len(header)

    def _add_piece(self, piece: bytes, *, stored: bool) -> None:
        self._sink.add(piece)
        self._in_frame += len(piece)
        self._end_full_frame(stored=stored)

    def _end_full_frame(self, *, stored: bool) -> None:
        if self._in_frame >= FRAME_BYTES:
            self.end_frame(stored=stored)
