"""The package files of a lock, got together for machines without a network.

Knows locks and an engine that fetches; not how they travel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import DigestMissingError, EnvironmentNotFoundError, PlatformNotLockedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cwtasks.engines import Engine, Report
    from cwtasks.lockfile import Lock, LockedPackage


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
) -> tuple[Bundled, ...]:
    """Find or fetch package files, and verify every one.

    Args:
        packages: Of a lock, each with SHA-256.
        engine: Fetches and keeps them.
        channels: Gives URLs that may hold the credentials the packages' URLs lack.
        offline: Use only what is kept, or on this machine.
        report: Is told of progress.

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
    return tuple(Bundled(package, paths[package.url]) for package in packages)


def is_bundled(packages: Sequence[LockedPackage], *, engine: Engine) -> bool:
    """Say whether the engine keeps all package files and knows each as proven.

    Args:
        packages: Of a lock.
        engine: Keeps them.
    """
    if not all(package.sha256 for package in packages):
        return False
    proven = engine.proven([package.to_record() for package in packages])  # type: ignore[misc]  # JSON, said more loosely
    return all(package.url in proven for package in packages)
