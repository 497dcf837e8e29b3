"""The vocabulary: what a manifest says, as records.

Knows no file format, no rule of composition, no conda: those are ``manifests`` and ``environments``. Field names and
shapes are the public interface of this package; constructors trust, the parsers in ``manifests`` check.
"""

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
