"""Installs the environments of an unpacked workspace as its lock says, wherever they are wanted.

Knows prefixes and where they are staged; unpacking and proving came before.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.archive.errors import PrefixError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.archive.receipts import ArchiveReceipt
    from cwtasks.engines import Engine, Report

_MOST_FOUND = 11


class Prefixes(NamedTuple):
    """Where an environment goes."""

    physical: Path | None
    """Where its files are put; ``None`` for the workspace's own place."""
    runtime: str | None
    """The path written into them, where it is another one."""


def check_prefixes(environment: str | None, prefix: str | Path | None, dest: str | Path | None) -> Prefixes:
    """Settle where an environment goes.

    Args:
        environment: Needed for a prefix.
        prefix: Absolute, of this system; with ``dest`` of any.
        dest: Folder that stands for the root of the file system.

    Raises:
        PrefixError: They cannot be.
    """
    if prefix is None:
        if dest is not None:
            raise PrefixError("dest", os.fspath(dest), "it needs a prefix", hint="say where it will run with --prefix")
        return Prefixes(None, None)
    told = os.path.expanduser(os.fspath(prefix))
    if environment is None:
        raise PrefixError("prefix", told, "it needs an environment", hint="say which one with --environment")
    is_windows = PureWindowsPath(told).is_absolute() and not told.startswith("/")
    if not (PurePosixPath(told).is_absolute() or is_windows):
        raise PrefixError("prefix", told, "it is relative", hint="write it from the root on")
    parts = (PureWindowsPath(told) if is_windows else PurePosixPath(told)).parts
    if ".." in parts:
        raise PrefixError("prefix", told, "it contains '..'", hint="write it without")
    if dest is None:
        if is_windows != (os.name == "nt"):
            raise PrefixError("prefix", told, "it is of another system", hint="stage it below a folder with --dest")
        return Prefixes(Path(told), None)
    place = Path(os.path.abspath(os.path.expanduser(dest)))
    if place.is_symlink():
        raise PrefixError("dest", str(place), "it is a link", hint="name the folder itself")
    return Prefixes(place.joinpath(*parts[1:]), told)


def is_restored(folder: Path, archive: Path, receipt: ArchiveReceipt) -> bool:
    """Say whether a folder is the workspace of an archive, as an earlier call that did not end has left it."""
    from cwtasks.exceptions import CwtasksError

    if not folder.is_dir() or folder.is_symlink() or not archive.exists():
        return False
    try:
        receipt.verify_extracted(folder)
    except CwtasksError:
        return False
    return True


def install_locked(
    workspace: Path,
    environment: str | None,
    prefixes: Prefixes,
    *,
    is_offline: bool,
    engine: Engine,
    report: Report | None,
) -> tuple[str, ...]:
    """Install environments of a workspace from its lock.

    Args:
        workspace: Its folder.
        environment: Which; all that have packages by default.
        prefixes: Where, for a single one.
        is_offline: Whether only caches may be used.
        engine: What installs.
        report: Told how far it is.

    Returns:
        What there is to say of each.

    Raises:
        EnvironmentNotFoundError: There is no such environment.
        CwtasksError: One cannot be installed.
    """
    from cwtasks.exceptions import EnvironmentNotFoundError
    from cwtasks.manifests import load
    from cwtasks.provision.opening import open_provision

    provision = open_provision(
        load(workspace, user_level=False),
        engine=engine,
        # The lock is part of what was proven: it is taken as it is.
        change=lambda settings: settings._replace(frozen=True, offline=settings.offline or is_offline),
    )
    environments = provision.plan.environments
    if environment is not None and environment not in environments:
        raise EnvironmentNotFoundError(environment, environments)
    names = (environment,) if environment is not None else provision.plan.installed
    said: list[str] = []
    for name in names:
        if environment is None and not environments[name].is_runnable:
            said.append(f"{name}: not for this machine, left out")
            continue
        lines = provision.install(
            name,
            report or (lambda _: None),
            waiting=lambda: None,
            prefix=None if prefixes.physical is None else str(prefixes.physical),
            runtime_prefix=prefixes.runtime,
        )
        said += [f"{name}: {line}" for line in lines or ("up to date",)]
    return tuple(said)


def scan(prefix: Path) -> list[str]:
    """Return files below a prefix that hold its path, sorted, relative to it; eleven at most."""
    wanted = os.fsencode(prefix)
    found: list[str] = []
    for path in _files(prefix):
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size < len(wanted):
                continue
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                if content.find(wanted) >= 0:
                    found.append(os.path.relpath(path, prefix))
        if len(found) == _MOST_FOUND:
            break
    return sorted(found)


def _files(prefix: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(prefix):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                yield path
