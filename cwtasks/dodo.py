"""For people who mix Python tasks with manifest tasks: ``from cwtasks.dodo import *`` in a ``dodo.py``.

Defines what doit looks for in a dodo file: a task creator that yields every task of the workspace, and the settings
that let its commands be seen. Whether a task is up to date is our state's business here as well.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cwtasks.doit_plugin.backend import StepBackend
from cwtasks.doit_plugin.tasks import make_tasks, with_targets
from cwtasks.doit_plugin.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.doit_plugin.tasks import StepTask

__all__ = ["DOIT_CONFIG", "task_workspace"]

DOIT_CONFIG = {"verbosity": 2}
"""doit hides the output of commands unless told otherwise."""


def task_workspace() -> Iterator[StepTask]:
    """Yield the doit tasks of the workspace that governs the current folder.

    Raises:
        NoTaskFileError: there is none.
        ManifestError: it is broken.
    """
    workspace = Workspace(environ=os.environ)
    workspace.warn(workspace.manifest.warnings)
    backend = StepBackend(workspace)
    tasks = make_tasks(workspace.compile_all().steps.values(), workspace)
    with_targets(tasks)
    for task in tasks:
        if not task.step.is_alias:
            task.uptodate = [(_Check(backend), [], {})]
            task.value_savers = [_Record(backend, task)]
        yield task


class _Check:
    """doit's ``uptodate`` question, answered by our state."""

    def __init__(self, backend: StepBackend) -> None:
        self.backend = backend

    def __call__(self, task: StepTask, values: dict[str, Any]) -> bool:
        """Say whether the task is up to date; ``values`` are doit's own and not used."""
        del values
        return self.backend.get_status(task).status == "up-to-date"


class _Record:
    """Called by doit after a success."""

    def __init__(self, backend: StepBackend, task: StepTask) -> None:
        self.backend = backend
        self.task = task

    def __call__(self) -> dict[str, Any]:
        """Record the success; nothing is handed on to doit's database."""
        self.backend.save_success(self.task)
        self.backend.close()
        return {}
