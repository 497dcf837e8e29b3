"""Unpacks an archive into an empty or missing folder: all of it, checked, or nothing.

The one place that joins decoding, tar, rules and staging. Times and owners are not restored: what is unpacked is new
and belongs to who unpacks it. Knows no receipts; a caller's ``verify`` sees the finished tree before its one rename.
"""

from __future__ import annotations

import errno
import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple, Self

from cwtasks.archive import decoding, errors
from cwtasks.archive.limits import MIB, ArchiveLimits
from cwtasks.archive.members import MemberRules
from cwtasks.archive.names import is_package
from cwtasks.archive.staging import StagedTree, check_room, check_target, remove_left_overs, staged
from cwtasks.archive.tarstream import FILE, FOLDER, HARD_LINK, Member, members
from cwtasks.archive.writing_pool import SMALL, WritingPool
from cwtasks.exceptions import ArchiveError, ArchiveHashMismatchError
from cwtasks.files import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from cwtasks.archive.priming import PackagesAside

_ROOM_CHECKED_EACH = 32 * MIB
_PROGRESS_MEMBERS = 256
_PROGRESS_BYTES = 8 * MIB
_PROCESSES_FROM = 20_000  # files; with fewer, starting processes costs more than they bring


class Progress(NamedTuple):
    """How far unpacking has come."""

    members: int
    """Unpacked so far; count."""
    expanded_bytes: int
    """Content written so far; bytes."""
    raw_bytes: int
    """Read of the archive so far; bytes."""
    raw_size: int
    """Of the whole archive; bytes."""


class Extracted(NamedTuple):
    """What was unpacked."""

    target: Path
    """The folder, absolute."""
    sha256: str
    """Digest of the very bytes that were read, lower-case hexadecimal."""
    members: int
    """Files, folders and links that the archive names; count."""
    expanded_bytes: int
    """Content of all files; bytes."""


def extract(
    archive: Path,
    target: Path,
    *,
    limits: ArchiveLimits | None = None,
    expected_sha256: str | None = None,
    expected_bytes: int = 0,
    expected_members: int = 0,
    verify: Callable[[Path, str], None] | None = None,
    packages: PackagesAside | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Extracted:
    """Unpack an archive.

    Args:
        archive: Path of a ``.tar.zst``, ``.tar.gz`` or ``.tar.bz2``.
        target: A folder that is empty or missing; its parent is there.
        limits: What is allowed.
        expected_sha256: What the archive's digest must be, in any case of letters.
        expected_bytes: How much content an index announces, for the check of free space; a hint.
        expected_members: Likewise how many members.
        verify: Called with the folder that holds what was unpacked, not yet in its place, and the digest of the
            archive; whatever it raises leaves this function, and nothing is put in place.
        packages: Takes the package files that the archive carries, which then do not come into the workspace.
        progress: Called now and then.

    Returns:
        What was unpacked.

    Raises:
        ArchiveHashMismatchError: If the digest is not the expected one.
        ArchiveError: Whatever else is wrong, in its subclass.
    """
    limits = limits or ArchiveLimits()
    # Only the parent is resolved: a link in place of the target itself must be seen.
    target = target.absolute()
    inside = target.parent if target.name not in {"", ".."} else target
    resolved = type(target)(os.path.realpath(inside))  # unlike Path.resolve it bears links in a circle
    target = resolved if inside is target else resolved / target.name
    if os.open not in os.supports_dir_fd:
        raise errors.TargetError(target, "this system cannot make files relative to an open folder")
    check_target(target)
    try:
        remove_left_overs(target)
        with decoding.opened(archive, limits=limits, is_compared=expected_sha256 is not None) as opened:
            entries = expected_members
            wanted = max(opened.size, expected_bytes) + entries * limits.entry_bytes + limits.staging_reserve_bytes
            check_room(target, wanted_bytes=wanted, wanted_entries=entries)

            def told() -> None:
                if progress is not None:
                    progress(Progress(writer.members, writer.bytes, opened.raw_bytes, opened.size))

            writer = _Writer(target, limits, packages, told)
            return _extract(
                opened, writer, expected_sha256=expected_sha256, expected_members=expected_members, verify=verify
            )
    except ArchiveError as error:
        # A wrong digest is the cause; whatever else was found is only what it led to.
        if expected_sha256 is not None and not isinstance(error, ArchiveHashMismatchError | errors.TargetError):
            _check_digest_of_file(archive, expected_sha256)
        raise
    except OSError as error:
        raise _translated(error, target) from error


def _extract(
    opened: decoding.DecodedArchive,
    writer: _Writer,
    *,
    expected_sha256: str | None,
    expected_members: int,
    verify: Callable[[Path, str], None] | None,
) -> Extracted:
    target = writer.target
    with staged(target) as (tree, filled):
        with decoding.in_thread(opened.blocks()) as blocks:
            writer.write_all(members(blocks, limits=writer.limits), filled, expected=expected_members)
        writer.write_links(filled)
        digest = opened.sha256
        if expected_sha256 is not None and digest != expected_sha256.lower():
            raise ArchiveHashMismatchError(opened.path.name, expected=expected_sha256.lower(), actual=digest)
        if verify is not None:
            verify(tree, digest)
        _put_in_place(tree, target)
    return Extracted(target, digest, writer.members, writer.bytes)


def _put_in_place(tree: Path, target: Path) -> None:
    # rename replaces nothing but an empty folder: whatever came to be there meanwhile makes it fail.
    try:
        tree.rename(target)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EBUSY}:
            raise errors.TargetError(target, f"it changed or is in use: {error.strerror}") from error
        raise


class _Writer:
    """Puts members into a staged tree and counts them."""

    def __init__(
        self, target: Path, limits: ArchiveLimits, packages: PackagesAside | None, told: Callable[[], None]
    ) -> None:
        self.target = target
        self.limits = limits
        self.members = 0
        self.bytes = 0
        self._packages = packages
        self._rules = MemberRules(limits)
        self._unchecked = 0
        self._untold = 0
        self._told = told

    def write_all(self, found: Iterator[Member], tree: StagedTree, *, expected: int = 0) -> None:
        """Write all but the symlinks.

        Args:
            found: The members.
            tree: To be filled.
            expected: How many members an index announces; a hint.
        """
        # Making a file takes the system longer than everything else: with many of them, processes do it side by side.
        with _Files(tree, is_large=expected >= _PROCESSES_FROM, written=self._count) as files:
            self._write_all(found, tree, files)
            files.finish()
        self._told()

    def _write_all(self, found: Iterator[Member], tree: StagedTree, files: _Files) -> None:
        for member in found:
            header = self._rules.admit(member.header)
            self.members += 1
            if header is None:
                continue
            if header.kind == FILE:
                if self._packages is not None and is_package(header.name):
                    self._packages.take(header.name, self._counted(member.chunks()))
                else:
                    files.write(header.name, safe_mode(header.mode), member)
            elif header.kind == FOLDER:
                tree.folder(header.name)
            elif header.kind == HARD_LINK:
                files.finish()
                tree.link(header.linkname, header.name)
            # Symlinks wait until there is nothing left that could be written through them.
            if self.members % _PROGRESS_MEMBERS == 0:
                self._told()

    def write_links(self, tree: StagedTree) -> None:
        """Write the symlinks, when everything else is there and all of them together are known to stay inside."""
        self._rules.check_links()
        for name, target in self._rules.links.items():
            tree.symlink(target, name)

    def _counted(self, chunks: Iterator[memoryview]) -> Iterator[memoryview]:
        for chunk in chunks:
            yield chunk
            self._count(len(chunk))

    def _count(self, amount: int) -> None:
        self.bytes += amount
        self._untold += amount
        if self._untold >= _PROGRESS_BYTES:
            self._untold = 0
            self._told()
        self._unchecked += amount
        if self._unchecked >= _ROOM_CHECKED_EACH:
            self._unchecked = 0
            check_room(self.target, wanted_bytes=self.limits.staging_reserve_bytes, wanted_entries=0)


class _Files:
    """Writes files, by itself or, from many on, through processes."""

    def __init__(self, tree: StagedTree, *, is_large: bool, written: Callable[[int], None]) -> None:
        self._tree = tree
        self._tell = written
        self._pool = WritingPool(tree.root) if is_large else None
        self._written = 0

    def write(self, name: str, mode: int, member: Member) -> None:
        """Write a file now or before :meth:`finish` returns."""
        self._written += 1
        if self._pool is None and self._written == _PROCESSES_FROM:
            self._pool = WritingPool(self._tree.root)
        if self._pool is not None and member.header.size <= SMALL:
            self._pool.write(name, mode, member.read())
            self._tell(member.header.size)
        else:
            self._write(self._tree.create(name, mode), member)

    def _write(self, descriptor: int, member: Member) -> None:
        try:
            for chunk in member.chunks():
                write_all(descriptor, chunk)
                self._tell(len(chunk))
        finally:
            os.close(descriptor)

    def finish(self) -> None:
        """Wait until all that was handed over is written."""
        if self._pool is not None:
            self._pool.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.__exit__(kind, error, trace)


def safe_mode(mode: int) -> int:
    """Return the permission bits a file gets, of which the umask still takes its share.

    The owner reads and writes, nobody else writes, and nobody executes what the owner does not.
    """
    allowed = mode & 0o755 | 0o600
    return allowed if mode & 0o100 else allowed & ~0o111


def _check_digest_of_file(archive: Path, expected: str) -> None:
    try:
        with archive.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return
    if actual != expected.lower():
        raise ArchiveHashMismatchError(archive.name, expected=expected.lower(), actual=actual)


def _translated(error: OSError, target: Path) -> ArchiveError:
    reason = error.strerror or str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return errors.NoSpaceError(target, reason)
    return errors.StagingError(target, reason)
