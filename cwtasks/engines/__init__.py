"""Engines choose packages, get their archives and put them into prefixes, all behind one protocol.

Nothing heavy is imported before an engine works. Knows no workspace, no lock and no step.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cwtasks.exceptions import EngineNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cwtasks.engines.protocol import Engine, InstallRequest, Progress, Record, Report, SolveRequest

__all__ = [
    "ENGINES",
    "UNFINISHED",
    "Engine",
    "InstallRequest",
    "Progress",
    "Record",
    "Report",
    "SolveRequest",
    "choose",
    "is_unfinished",
]

UNFINISHED = "conda-meta/cwtasks-unfinished"
"""File in a prefix from before an install changes it until the install is complete.

Where it exists, the prefix is not up to date, whatever the records in ``conda-meta`` say.
"""

ENGINES = ("rattler",)
"""Names of the engines there are."""


def choose(
    name: str,
    *,
    cache_folder: str,
    environ: Mapping[str, str],
    start_worker: Callable[[int], None] | None = None,
    end_worker: Callable[[int], None] | None = None,
) -> Engine:
    """Return an engine; it starts nothing before it is used.

    Args:
        name: One of :data:`ENGINES`.
        cache_folder: Absolute path of a folder for indexes and packages; made when needed, shared by all workspaces.
        environ: Variables of this process.
        start_worker: Told the process group of each process the engine starts, so that signals can reach it.
        end_worker: Told when it has ended.

    Raises:
        EngineNotFoundError: there is no such engine.
    """
    if name != "rattler":
        raise EngineNotFoundError(name, ENGINES)
    from cwtasks.engines.rattler import RattlerEngine

    return RattlerEngine(cache_folder=cache_folder, environ=environ, start_worker=start_worker, end_worker=end_worker)


def is_unfinished(prefix: str) -> bool:
    """Say whether an install of a prefix was begun and did not end; its records then say nothing."""
    return os.path.exists(os.path.join(prefix, UNFINISHED))


def __getattr__(name: str) -> object:
    # Asking whether a prefix is finished needs none of the protocol, and every start asks.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cwtasks.engines import protocol

    return getattr(protocol, name)
