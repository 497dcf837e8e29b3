"""What a lock holds: for each environment and platform the packages that were chosen. Knows no file format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cwtasks.lockfile.records import LockedPackage, LockedPyPI

LockFormat = Literal["conda.lock", "pixi.lock"]


class LockPlatform(NamedTuple):
    """A platform as a ``pixi.lock`` of version 7 describes it."""

    subdir: str
    virtual_packages: tuple[tuple[str, str, str], ...] = ()
    """Name, version and build of each."""


#: Virtual packages that pixi adds to the ones declared; their absence on one side is no difference.
_IMPLIED = frozenset({"__unix", "__linux", "__glibc", "__osx", "__win", "__archspec"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedEnvironment:
    """One environment of a lock."""

    channels: tuple[str, ...]
    """URLs as written, without credentials."""
    packages: Mapping[str, tuple[LockedPackage, ...]]
    """By platform name, in the order of the lock."""
    pypi: Mapping[str, tuple[LockedPyPI, ...]] = field(default_factory=dict)
    """What comes from a Python package index, by platform name; platforms without are left out."""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of packages that would have to be built, by platform name; platforms without are left out."""

    def left_out(self, platform: str) -> tuple[str, ...]:
        """Return the names of what is locked and nobody installs here: from indexes, to be built.

        Args:
            platform: Name in the lock.
        """
        return (*(str(one) for one in self.pypi.get(platform, ())), *self.sources.get(platform, ()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """A whole lock."""

    environments: Mapping[str, LockedEnvironment]
    """By name, in the order of the lock."""
    version: int | None = 1
    """Of the format; ``None`` when the file says something that is no version. Another one than ours is empty."""
    format: LockFormat = "conda.lock"
    platforms: Mapping[str, LockPlatform] = field(default_factory=dict)
    """What platform names stand for, where the file says so."""
    unrecorded: frozenset[str] = frozenset()
    """URLs that an environment refers to without a record for them."""

    def packages(self) -> tuple[LockedPackage, ...]:
        """Return every package once, in the order in which environments first refer to it."""
        found: dict[str, LockedPackage] = {}
        for environment in self.environments.values():
            for packages in environment.packages.values():
                for package in packages:
                    found.setdefault(package.url, package)
        return tuple(found.values())

    def slice_digest(self, environment: str, platform: str) -> str:
        """Return what changes whenever the content of an installed environment would: 64 hexadecimal digits.

        Args:
            environment: Name in this lock.
            platform: Name in this lock.

        Raises:
            KeyError: not in this lock.
        """
        return digest_of(self.environments[environment].packages[platform])

    def platform_name(
        self, platform: str, subdir: str, virtual_packages: Iterable[tuple[str, str, str]] = ()
    ) -> str | None:
        """Return the name under which this lock has a platform of the manifest; ``None`` where it has none.

        Pixi calls platforms with virtual packages of their own ``p1``, ``p2``, …: they are found by what they are.

        Args:
            platform: Name in the manifest.
            subdir: Conda platform it stands for.
            virtual_packages: Name, version and build of each.
        """
        if not self.platforms:
            return platform
        exact = self.platforms.get(platform)
        if exact and exact.subdir == subdir:
            return platform
        wanted = {name: (version, build) for name, version, build in virtual_packages}
        for name, candidate in self.platforms.items():
            if candidate.subdir == subdir and _is_same_machine(candidate, wanted):
                return name
        return None


def digest_of(packages: Iterable[LockedPackage]) -> str:
    """Return one SHA-256 over the digests of packages, whatever their order."""
    import hashlib  # not every start that reads a lock asks for a digest

    return hashlib.sha256("\n".join(sorted(package.digest for package in packages)).encode()).hexdigest()


def _is_same_machine(candidate: LockPlatform, wanted: Mapping[str, tuple[str, str]]) -> bool:
    offered = {name: (version, build) for name, version, build in candidate.virtual_packages}
    if any(name not in _IMPLIED for name in offered.keys() ^ wanted.keys()):
        return False
    return all(_is_same(offered[name], wanted[name]) for name in offered.keys() & wanted.keys())


def _is_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    # "0" or nothing says nothing: pixi has 0 for the version of __archspec, where others have 1.
    return all(
        mine == theirs or not {mine, theirs}.isdisjoint(("", "0")) for mine, theirs in zip(one, other, strict=True)
    )
