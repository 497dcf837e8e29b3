"""Looks into an archive: what it holds, and one member of it, without unpacking the rest where it has an index.

An archive without one, from GNU tar or conda-workspaces, is read from its beginning. Writes nothing.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.archive import errors
from cwtasks.archive.index import read_index
from cwtasks.archive.limits import MIB, ArchiveLimits
from cwtasks.archive.names import LOCKS, is_package
from cwtasks.archive.tarstream import FILE, FOLDER, HARD_LINK, SYMLINK, members
from cwtasks.places import MANIFESTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cwtasks.archive.index import Index, Place
    from cwtasks.lockfile.model import Lock
    from cwtasks.models import Manifest

_MOST_READ = 64 * MIB
_END_OF_COUNTS = 1 << 63
_KINDS = {"f": FILE, "x": FILE, "l": SYMLINK, "d": FOLDER}


class MemberEntry(NamedTuple):
    """One member."""

    name: str
    kind: str
    """``file``, ``symlink``, ``folder`` or ``hard link``."""
    size: int
    """Of its content; bytes."""
    is_executable: bool


class ArchiveReader:
    """One archive file, which is opened when it is asked something."""

    def __init__(self, path: Path, *, limits: ArchiveLimits | None = None) -> None:
        self.path = path
        self._limits = limits or ArchiveLimits()

    def inspect(self) -> dict[str, Any]:
        """Return what there is to say of the archive without unpacking it.

        Returns:
            ``has_manifest``, ``has_lockfile``, ``has_packages`` (bool), ``package_count``, ``members``,
            ``content_bytes``, ``archive_bytes`` (int), ``manifest``, ``lockfile`` (name or ``None``),
            ``environments`` (name -> platforms), ``is_indexed`` (bool).

        Raises:
            ArchiveError: it cannot be read.
        """
        with self._opened() as descriptor:
            index = read_index(descriptor)
            size = os.fstat(descriptor).st_size
        told = _told_by(index) if index is not None else None
        if told is None:
            told = self._told_by_stream()
        return {**told, "archive_bytes": size, "is_indexed": index is not None}

    def members(self) -> list[MemberEntry]:
        """Return every member, in the order of the archive.

        Raises:
            ArchiveError: it cannot be read.
        """
        places = self._places()
        if places is None:
            return [entry for entry, _ in self._stream()]
        return [MemberEntry(one.name, _KINDS[one.kind], one.size, one.kind == "x") for one in places]

    def read(self, name: str) -> bytes:
        """Return the content of one member.

        Args:
            name: Of a file.

        Raises:
            MemberNotFoundError: there is no file of that name.
            LimitExceededError: it is too large to be read at once.
            ArchiveError: the archive cannot be read.
        """
        with self._opened() as descriptor:
            index = read_index(descriptor)
            if index is not None:
                place = self._found(index, name)
                return self._read_at(descriptor, index, place)
        for entry, content in self._stream(wanted={name}):
            if entry.name == name and content is not None:
                return content
        raise errors.MemberNotFoundError(self.path, name)

    def _found(self, index: Index, name: str) -> Place:
        try:
            place = index.find(name)
        except ValueError as error:
            raise errors.CorruptArchiveError(self.path, f"its index: {error}") from error
        if place is None or _KINDS.get(place.kind) != FILE:
            raise errors.MemberNotFoundError(self.path, name)
        return place

    def _read_at(self, descriptor: int, index: Index, place: Place) -> bytes:
        """Take a member out of its frames; the index only says where to look."""
        if place.size > _MOST_READ:
            raise errors.LimitExceededError("bytes read at once", _MOST_READ, member=place.name)
        blocks = self._blocks_of(descriptor, index, place)
        found = next(iter(members(blocks, limits=self._limits)), None)
        if found is None or (*found.header[:2], found.header.size) != (place.name, FILE, place.size):
            raise errors.CorruptArchiveError(self.path, "its index is not that of its content")
        content = found.read()
        for _ in blocks:
            pass  # the checksum is at the end of the frame
        return content

    def _blocks_of(self, descriptor: int, index: Index, place: Place) -> Iterator[bytes]:
        """Decode the tar stream from where a member begins to the end of the frame in which it ends."""
        from cwtasks.archive.frames import decode_frame

        raw_starts = accumulate((frame.compressed for frame in index.frames), initial=0)
        starts = accumulate((frame.content for frame in index.frames), initial=0)
        end = place.start + place.header + place.size
        for frame, raw_start, at in zip(index.frames, raw_starts, starts, strict=False):
            if not (at + frame.content > place.start and at < end):
                continue
            for piece in decode_frame(self.path, descriptor, frame, raw_start, limits=self._limits):
                skipped = max(0, place.start - at)
                at += len(piece)  # noqa: PLW2901 - a walk through this frame
                if skipped < len(piece):
                    yield piece[skipped:]

    def _places(self) -> list[Place] | None:
        with self._opened() as descriptor:
            index = read_index(descriptor)
        if index is None:
            return None
        try:
            return index.places()
        except (ValueError, KeyError) as error:
            raise errors.CorruptArchiveError(self.path, f"its index: {error}") from error

    def _stream(self, *, wanted: set[str] | None = None) -> Iterator[tuple[MemberEntry, bytes | None]]:
        """Read all members, with the content of those wanted; what extraction would refuse is refused."""
        from cwtasks.archive import decoding
        from cwtasks.archive.members import MemberRules

        rules = MemberRules(self._limits)
        with decoding.opened(self.path, limits=self._limits) as opened, decoding.in_thread(opened.blocks()) as blocks:
            for member in members(blocks, limits=self._limits):
                header = rules.admit(member.header)
                if header is None:
                    continue
                content = None
                if wanted and header.name in wanted and header.kind == FILE and header.size <= _MOST_READ:
                    content = member.read()
                is_executable = header.kind in {FILE, HARD_LINK} and bool(header.mode & 0o100)
                yield MemberEntry(header.name, header.kind, header.size, is_executable), content
        rules.check_links()

    def _told_by_stream(self) -> dict[str, Any]:
        contents: dict[str, bytes] = {}
        count = packages = size = 0
        for entry, content in self._stream(wanted={*MANIFESTS, *LOCKS}):
            count += 1
            size += entry.size
            packages += entry.kind in {FILE, HARD_LINK} and is_package(entry.name)
            if content is not None:
                contents[entry.name] = content
        manifest = main_manifest(contents)
        # One that cannot be read is a manifest all the same.
        name = manifest.path.name if manifest else next((name for name in MANIFESTS if name in contents), None)
        lock = next((name for name in LOCKS if name in contents), None)
        environments = environments_of(manifest) if manifest else {}
        return _told(name, lock, packages, members=count, content_bytes=size, environments=environments)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            # A FIFO must not make us wait for whoever writes to it.
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise errors.UnreadableArchiveError(self.path, error.strerror or str(error)) from error
        try:
            yield descriptor
        except OSError as error:
            raise errors.UnreadableArchiveError(self.path, error.strerror or str(error)) from error
        finally:
            os.close(descriptor)


def read_lock_of(archive: str | Path, /) -> Lock:
    """Return the lock that lies in an archive.

    Raises:
        MemberNotFoundError: there is none.
        LockfileIntegrityError: it cannot be used.
        ArchiveError: the archive cannot be read.
    """
    from pathlib import Path

    from cwtasks.lockfile.files import parse_lock

    reader = ArchiveReader(Path(archive))
    name = reader.inspect()["lockfile"] or LOCKS[0]
    return parse_lock(reader.read(name), name)


def main_manifest(contents: Mapping[str, bytes]) -> Manifest | None:
    """Return the manifest that governs a workspace, as far as one can be read.

    Args:
        contents: Files of the root of the workspace, by name.
    """
    from pathlib import Path

    from cwtasks.exceptions import ManifestError
    from cwtasks.manifests import parse_text

    found = []
    for name in MANIFESTS:
        if name in contents:
            with suppress(ManifestError):
                found.append(parse_text(contents[name], Path(name)))
    return next((manifest for manifest in found if manifest.has_workspace), found[0] if found else None)


def environments_of(manifest: Manifest) -> dict[str, list[str]]:
    """Return the platforms of each environment of a manifest, in its order."""
    from cwtasks.environments import platforms_of

    workspace = manifest.workspace
    return {name: list(platforms_of(workspace, environment)) for name, environment in workspace.environments.items()}


def _told(
    manifest: str | None,
    lock: str | None,
    packages: int,
    *,
    members: int,
    content_bytes: int,
    environments: dict[str, list[str]],
) -> dict[str, Any]:
    return {
        "has_manifest": manifest is not None,
        "has_lockfile": lock is not None,
        "has_packages": packages > 0,
        "package_count": packages,
        "members": members,
        "content_bytes": content_bytes,
        "manifest": manifest,
        "lockfile": lock,
        "environments": environments,
    }


def _told_by(index: Index) -> dict[str, Any] | None:
    """Return what the notes of an index say, ``None`` when they are not as we write them."""
    notes = index.notes
    manifest, lock = notes.get("manifest"), notes.get("lockfile")
    environments: Any = notes.get("environments")
    if not _is_table_of_platforms(environments) or not all(isinstance(name, str | None) for name in (manifest, lock)):
        return None
    counts: list[Any] = [notes.get(name) for name in ("packages", "members", "content_bytes")]
    if not all(type(count) is int and 0 <= count < _END_OF_COUNTS for count in counts):
        return None
    return _told(manifest, lock, counts[0], members=counts[1], content_bytes=counts[2], environments=environments)


def _is_table_of_platforms(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(platforms, list) and all(isinstance(platform, str) for platform in platforms)
        for platforms in value.values()
    )
