"""Locks: ``conda.lock``, read and written, and ``pixi.lock``, read.

:func:`read_lock` and :func:`write_lock` are the only functions here that touch the disk. A :class:`Lock` holds
environments, these hold packages for each platform; :func:`why_stale` says whether it still answers a manifest. The
room knows text, records and matching; no engine, no network, no doit.

Names are imported when they are used: a start that only reads a lock it has read before needs neither the parser nor
the rules of versions.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cwtasks.lockfile.conda_lock import format_conda_lock, parse_conda_lock
    from cwtasks.lockfile.files import MAX_LOCK_BYTES, read_lock, write_lock
    from cwtasks.lockfile.matching import Requirement, parse_requirement, requirement_of
    from cwtasks.lockfile.model import Lock, LockedEnvironment, LockPlatform, digest_of
    from cwtasks.lockfile.pixi_lock import parse_pixi_lock
    from cwtasks.lockfile.records import LockedPackage, LockedPyPI, public_url
    from cwtasks.lockfile.satisfaction import (
        WantedEnvironment,
        WantedPlatform,
        stale_slices,
        wanted_of,
        why_stale,
    )
    from cwtasks.lockfile.version import Version, parse_constraint, parse_version, version_matches

_HOMES = {
    "MAX_LOCK_BYTES": "files",
    "Lock": "model",
    "LockPlatform": "model",
    "LockedEnvironment": "model",
    "LockedPackage": "records",
    "LockedPyPI": "records",
    "Requirement": "matching",
    "Version": "version",
    "WantedEnvironment": "satisfaction",
    "WantedPlatform": "satisfaction",
    "digest_of": "model",
    "format_conda_lock": "conda_lock",
    "parse_conda_lock": "conda_lock",
    "parse_constraint": "version",
    "parse_pixi_lock": "pixi_lock",
    "parse_requirement": "matching",
    "parse_version": "version",
    "public_url": "records",
    "read_lock": "files",
    "requirement_of": "matching",
    "stale_slices": "satisfaction",
    "version_matches": "version",
    "wanted_of": "satisfaction",
    "why_stale": "satisfaction",
    "write_lock": "files",
}

__all__ = [
    "MAX_LOCK_BYTES",
    "Lock",
    "LockPlatform",
    "LockedEnvironment",
    "LockedPackage",
    "LockedPyPI",
    "Requirement",
    "Version",
    "WantedEnvironment",
    "WantedPlatform",
    "digest_of",
    "format_conda_lock",
    "parse_conda_lock",
    "parse_constraint",
    "parse_pixi_lock",
    "parse_requirement",
    "parse_version",
    "public_url",
    "read_lock",
    "requirement_of",
    "stale_slices",
    "version_matches",
    "wanted_of",
    "why_stale",
    "write_lock",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
