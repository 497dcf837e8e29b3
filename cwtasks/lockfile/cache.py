"""Parsed locks, kept beside the state: most starts need not parse the file again.

A kept lock stands for a file of one stamp (place, size, inode, times), and it is kept only when that stamp was old
enough to prove that nobody writes the file at the same moment. What is kept is checked for damage and is never trusted
across versions of this program or of Python. Locks in, locks out; parses nothing.
"""

from __future__ import annotations

import os
import sys
import zlib
from contextlib import suppress
from typing import Any

from cwtasks.files import keep_value, kept_value
from cwtasks.lockfile.model import Lock, LockedEnvironment, LockPlatform
from cwtasks.lockfile.records import LockedPackage, LockedPyPI

_FIELDS = tuple(LockedPackage.__dataclass_fields__)
_NAME = "lock-"
_MAX_KEPT = 4


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """Return what tells one state of a file from another."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def recall(folder: str, path: str, stamp: tuple[int, ...]) -> Lock | None:
    """Return the lock that was kept for this state of a file, or ``None``.

    Args:
        folder: Where locks are kept.
        path: Of the lock file, absolute.
        stamp: Of the file now.
    """
    try:
        match kept_value(_place(folder, path)):
            case (source, payload) if source == (_program(), path, stamp):
                return _thaw(payload)
    except (ValueError, TypeError, LookupError):
        pass  # kept in another form than ours
    return None


def keep(folder: str, path: str, stamp: tuple[int, ...], lock: Lock) -> None:
    """Keep a lock; where that is not possible, nothing is lost but time.

    Args:
        folder: Made when it is missing.
        path: Of the lock file, absolute.
        stamp: Of the file before it was read.
        lock: What was read.
    """
    with suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        keep_value(_place(folder, path), ((_program(), path, stamp), _freeze(lock)))
        with os.scandir(folder) as entries:
            kept = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries if entry.name.startswith(_NAME))
        for _, old in kept[:-_MAX_KEPT]:
            os.remove(old)


def _place(folder: str, path: str) -> str:
    return os.path.join(folder, f"{_NAME}{zlib.crc32(path.encode(errors='surrogateescape')):08x}")


def _program() -> tuple[int, int]:
    """Return what tells one state of this program from another; a version number would not, while it is worked on."""
    with os.scandir(os.path.dirname(__file__)) as entries:
        stamps = sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries if entry.name.endswith(".py"))
    return sys.hexversion, zlib.crc32(repr(stamps).encode())


def _freeze(lock: Lock) -> tuple[Any, ...]:
    """Return a lock as what marshal can write, each package once."""
    packages = lock.packages()
    numbers = {package.url: number for number, package in enumerate(packages)}
    environments = [
        (
            name,
            environment.channels,
            [(platform, [numbers[one.url] for one in ones]) for platform, ones in environment.packages.items()],
            [(platform, [tuple(one) for one in ones]) for platform, ones in environment.pypi.items()],
            list(environment.sources.items()),
        )
        for name, environment in lock.environments.items()
    ]
    return (
        [tuple([getattr(package, name) for name in _FIELDS]) for package in packages],
        environments,
        lock.version,
        lock.format,
        [(name, tuple(platform)) for name, platform in lock.platforms.items()],
        list(lock.unrecorded),
    )


def _thaw(payload: tuple[Any, ...]) -> Lock:
    rows, frozen, version, lock_format, platforms, unrecorded = payload
    packages = [LockedPackage(*row) for row in rows]
    environments = {
        name: LockedEnvironment(
            channels=channels,
            packages={platform: tuple([packages[number] for number in numbers]) for platform, numbers in slices},
            pypi={platform: tuple([LockedPyPI(*one) for one in ones]) for platform, ones in pypi},
            sources=dict(sources),
        )
        for name, channels, slices, pypi, sources in frozen
    }
    return Lock(
        environments=environments,
        version=version,
        format=lock_format,
        platforms={name: LockPlatform(subdir, virtual) for name, (subdir, virtual) in platforms},
        unrecorded=frozenset(unrecorded),
    )
