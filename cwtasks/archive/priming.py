"""Packages that an archive carries -> a package cache, which takes in nothing but what the lock names and proves.

Packages are either taken aside while the archive is unpacked, beside the cache so that a rename is enough, or copied
from the unpacked workspace. Knows caches as folders; who uses them is not its business.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cwtasks.archive import errors, private_folders
from cwtasks.archive.names import PACKAGES
from cwtasks.archive.private_folders import private_folder
from cwtasks.exceptions import ArchiveHashMismatchError
from cwtasks.files import write_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cwtasks.lockfile import LockedPackage

_MARK = ".cwtasks-priming-"
_CHUNK = 1024 * 1024


class PackagePlaces(Protocol):
    """Says where a cache keeps a package."""

    def __call__(self, package: LockedPackage, /) -> str:
        """Return the absolute path, whether it is there or not."""


class Aside(NamedTuple):
    """A package taken out of an archive."""

    path: str
    sha256: str
    """Of what was written, lower-case hexadecimal."""


class PackagesAside:
    """Packages while they are nowhere yet: in a folder of their own, by their names in the archive."""

    def __init__(self, folder: str) -> None:
        self.found: dict[str, Aside] = {}
        self._folder = folder

    def take(self, name: str, chunks: Iterable[memoryview]) -> None:
        """Write a package and take its digest.

        Args:
            name: Of the member.
            chunks: Its content.
        """
        path = os.path.join(self._folder, str(len(self.found)))
        digest = hashlib.sha256()
        with open(path, "xb", buffering=0) as file:
            for chunk in chunks:
                digest.update(chunk)
                write_all(file.fileno(), chunk)
        self.found[name] = Aside(path, digest.hexdigest())


@contextmanager
def packages_aside(cache_folder: str) -> Iterator[PackagesAside]:
    """Make a private folder in a cache, and remove it in the end with what is still in it.

    Args:
        cache_folder: Absolute; made when it is missing.

    Raises:
        CacheWriteError: it cannot be made.
    """
    with ExitStack() as stack:
        try:
            os.makedirs(cache_folder, exist_ok=True)
            folder, _ = stack.enter_context(private_folder(Path(cache_folder), _MARK))
        except OSError as error:
            raise errors.CacheWriteError(cache_folder, error.strerror or str(error)) from error
        yield PackagesAside(str(folder))


def remove_left_overs(cache_folder: str) -> None:
    """Remove what killed runs left in a cache, and nothing that a living run still fills."""
    private_folders.remove_left_overs(Path(cache_folder), _MARK)


def by_member_name(packages: Iterable[LockedPackage], names: Iterable[str]) -> dict[str, LockedPackage]:
    """Return which package of a lock each package file of an archive must be.

    Args:
        packages: Of the lock.
        names: Of members in ``packages/``; the name of a file alone, or below the name of its subdir.
    """
    listed = set(names)
    found: dict[str, LockedPackage] = {}
    for package in packages:
        for name in (f"{PACKAGES}{package.subdir}/{package.fn}", f"{PACKAGES}{package.fn}"):
            if name in listed and name not in found:
                found[name] = package
                break
    return found


def check_packages(wanted: Mapping[str, LockedPackage], digests: Mapping[str, str]) -> None:
    """Demand that package files are those of the lock.

    Args:
        wanted: What each has to be, by its name in the archive.
        digests: SHA-256 of each, by the same name.

    Raises:
        ArchiveHashMismatchError: one is another.
        UnprovenPackageError: the lock has no SHA-256 for it.
    """
    for name, package in wanted.items():
        if not package.sha256:
            raise errors.UnprovenPackageError(name)
        if digests[name] != package.sha256:
            raise ArchiveHashMismatchError(name, expected=package.sha256, actual=digests[name])


def prime(wanted: Mapping[str, LockedPackage], found: Mapping[str, Aside], place_of: PackagePlaces) -> int:
    """Put packages where a cache keeps them; how many were not there yet.

    Args:
        wanted: By name in the archive.
        found: Where each lies now, proven; on the file system of the cache they are moved, else copied.
        place_of: Says where each goes.

    Raises:
        CacheWriteError: the cache cannot be written.
        ArchiveHashMismatchError: another file lies in the place of one.
    """
    primed = 0
    for name, package in wanted.items():
        place = place_of(package)
        try:
            if os.path.exists(place):
                if (actual := _digest_of(place)) == package.sha256:
                    continue
                raise ArchiveHashMismatchError(place, expected=str(package.sha256), actual=actual)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.replace(found[name].path, place)
        except OSError as error:
            raise errors.CacheWriteError(place, error.strerror or str(error)) from error
        primed += 1
    return primed


def copy_aside(target: str, names: Iterable[str], aside: PackagesAside) -> None:
    """Take copies of package files that lie in an unpacked workspace.

    Args:
        target: Root of the workspace.
        names: Of the package files.
        aside: Gets the copies.

    Raises:
        CacheWriteError: they cannot be copied.
    """
    for name in names:
        try:
            with open(os.path.join(target, name), "rb", buffering=0) as file:
                aside.take(name, map(memoryview, iter(lambda: file.read(_CHUNK), b"")))
        except OSError as error:
            raise errors.CacheWriteError(name, error.strerror or str(error)) from error


def _digest_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
