"""Installs the environments of an unpacked workspace as its lock says, wherever they are wanted.

Unpacking and proving came before. Imports what it will need at once: that is done while the engine starts.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

from cwtasks.exceptions import CwtasksError, EnvironmentNotFoundError
from cwtasks.manifests import load
from cwtasks.provision.opening import open_provision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cwtasks.archive.prefixes import Prefixes
    from cwtasks.archive.receipts import ArchiveReceipt
    from cwtasks.engines import Engine, Report

_MOST_FOUND = 11


def is_restored(folder: Path, archive: Path, receipt: ArchiveReceipt) -> bool:
    """Say whether a folder is the workspace of an archive, as an earlier call that did not end has left it."""
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
