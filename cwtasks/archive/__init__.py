"""Archives of workspaces: made, looked into, proven, unpacked, installed from. The door is :class:`WorkspaceArchive`.

:mod:`.creating` settles what goes in (:mod:`.selection`, :mod:`.tracked`) and has it written: :mod:`.packing` reads
files (:mod:`.gathering`) under :mod:`.headers` into frames (:mod:`.compressing`, side by side in a :mod:`.crew` or a
:mod:`.packing_pool`) with an :mod:`.index` behind them, and :mod:`.publishing` lets it appear. :mod:`.reading` looks
into one.

:mod:`.names` says what things are called, :mod:`.limits` how much an archive may ask for. :mod:`.decoding` turns a
compressed file into a stream, :mod:`.frames` one frame of it into its content, :mod:`.tarstream` a stream into members,
:mod:`.members` tells which of them are safe, and :mod:`.extraction` unpacks them through :mod:`.staging`, in one of the
:mod:`.private_folders`. :mod:`.bundle` names the packages it carries, :mod:`.priming` takes them into a cache, and
:mod:`.installing` installs from its lock, at a place that :mod:`.prefixes` has settled.

:mod:`.receipts` proves what is in one, by way of :mod:`.documents` (JSON with limits), :mod:`.inventory` (the packages)
and :mod:`.signing`; :mod:`.sbom` lists the packages for other tools. Knows nothing of steps or doit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cwtasks.archive.workspace_archive import (
        WorkspaceArchive,
        WorkspaceArchiveExtractResult,
        WorkspaceArchiveInstallResult,
    )

__all__ = ["WorkspaceArchive", "WorkspaceArchiveExtractResult", "WorkspaceArchiveInstallResult"]


def __getattr__(name: str) -> object:
    # Who needs a single room of this one need not load the door to all of them.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cwtasks.archive import workspace_archive

    return getattr(workspace_archive, name)
