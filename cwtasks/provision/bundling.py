"""The package files of a lock, got together for machines without a network.

Knows locks and an engine that fetches; not how they travel.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import DigestMissingError, EnvironmentNotFoundError, PlatformNotLockedError
from cwtasks.files import keep_value, kept_value, make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cwtasks.engines import Engine, Report
    from cwtasks.lockfile import Lock, LockedPackage

_NOTE = "bundle"


class BundleWish(NamedTuple):
    """Which packages are wanted."""

    environments: tuple[str, ...] = ()
    """Names; empty for all."""
    platforms: tuple[str, ...] = ()
    """Names in the lock, or conda platforms; empty for all."""


class Bundled(NamedTuple):
    """One package file, verified."""

    package: LockedPackage
    path: str
    """Where it lies, absolute."""


def packages_of(lock: Lock, wish: BundleWish, *, environments: Sequence[str]) -> tuple[LockedPackage, ...]:
    """Return the packages that are wanted, each once, in the order of the lock.

    Args:
        lock: Of the workspace.
        wish: Which.
        environments: Names of the manifest's.

    Raises:
        EnvironmentNotFoundError: an environment is wanted that is not there.
        PlatformNotLockedError: a platform is wanted that the lock lacks.
    """
    for name in wish.environments:
        if name not in environments:
            raise EnvironmentNotFoundError(name, environments)
    found: dict[str, LockedPackage] = {}
    seen: dict[str, str] = {}
    for name, environment in lock.environments.items():
        for platform, packages in environment.packages.items():
            known = lock.platforms.get(platform)
            seen[platform] = known.subdir if known else platform
            is_wanted = not wish.platforms or platform in wish.platforms or seen[platform] in wish.platforms
            if is_wanted and (not wish.environments or name in wish.environments):
                found.update((package.url, package) for package in packages)
    for platform in wish.platforms:
        if platform not in seen and platform not in seen.values():
            raise PlatformNotLockedError(platform, seen)
    return tuple(found.values())


def bundle(
    packages: Sequence[LockedPackage],
    *,
    engine: Engine,
    channels: Callable[[], Sequence[str]],
    offline: bool,
    report: Report,
    state_folder: str,
) -> tuple[Bundled, ...]:
    """Find or fetch package files, verify every one, and note where they are.

    Args:
        packages: Of a lock, each with SHA-256.
        engine: Fetches and keeps them.
        channels: Gives URLs that may hold the credentials the packages' URLs lack.
        offline: Use only what is kept, or on this machine.
        report: Is told of progress.
        state_folder: Where the note is kept, absolute.

    Raises:
        DigestMissingError: the lock has no SHA-256 for one.
        DigestMismatchError: one is another.
        PackageUnavailableError: one cannot be had.
    """
    for package in packages:
        if not package.sha256:
            raise DigestMissingError(package.url)
    paths = engine.fetch(
        [package.to_record() for package in packages],  # type: ignore[misc]  # JSON, said more loosely
        report=report,
        channels=channels,
        offline=offline,
    )
    made = tuple(Bundled(package, paths[package.url]) for package in packages)
    make_folder(state_folder)
    stamps = {one.package.url: (one.path, *_stamp(one.path)) for one in made}
    keep_value(os.path.join(state_folder, _NOTE), (_digest(packages), stamps))
    return made


def kept_bundle(packages: Sequence[LockedPackage], *, state_folder: str) -> tuple[Bundled, ...] | None:
    """Return the package files as they were got together last, ``None`` when any of them is not there as it was.

    Args:
        packages: The same ones.
        state_folder: Where the note is kept, absolute.
    """
    kept = kept_value(os.path.join(state_folder, _NOTE))
    if not kept or kept[0] != _digest(packages):
        return None
    stamps: Mapping[str, tuple[object, ...]] = kept[1]
    found = []
    for package in packages:
        path, *stamp = stamps[package.url]
        if list(_stamp(str(path))) != stamp:
            return None
        found.append(Bundled(package, str(path)))
    return tuple(found)


def _digest(packages: Sequence[LockedPackage]) -> str:
    text = "\n".join(f"{package.url} {package.sha256}" for package in packages)
    return sha256(text.encode(), usedforsecurity=False).hexdigest()


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
