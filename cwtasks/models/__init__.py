"""The vocabulary: what a manifest says, as records.

Knows no file format, no rule of composition, no conda: those are ``manifests`` and ``environments``. Field names and
shapes are the public interface of this package; constructors trust, the parsers in ``manifests`` check.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cwtasks.models.packages import KNOWN_SUBDIRS, Channel, MatchSpec, PyPIDependency, without_credentials
    from cwtasks.models.tasks import Task, TaskArg, TaskDependency, TaskOverride
    from cwtasks.models.workspace import (
        DEFAULT,
        ArchiveConfig,
        DialectName,
        Environment,
        Feature,
        Manifest,
        TargetTable,
        WorkspaceConfig,
    )

__all__ = [
    "DEFAULT",
    "KNOWN_SUBDIRS",
    "ArchiveConfig",
    "Channel",
    "DialectName",
    "Environment",
    "Feature",
    "Manifest",
    "MatchSpec",
    "PyPIDependency",
    "TargetTable",
    "Task",
    "TaskArg",
    "TaskDependency",
    "TaskOverride",
    "WorkspaceConfig",
    "without_credentials",
]


def __getattr__(name: str) -> object:
    # Who only wants to know what a channel is, such as an engine that starts, need not load what a task is.
    for room in ("packages", "tasks", "workspace") if name in __all__ else ():
        found = vars(import_module(f"{__name__}.{room}"))
        if name in found:
            return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
