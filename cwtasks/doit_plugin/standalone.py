"""Our doit tasks in the hands of doit's own commands: what they need to be cached there as well.

doit asks a task whether it is up to date and tells it of a success; both go to our state. doit's database holds nothing
of these tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cwtasks.doit_plugin.backend import StepBackend
from cwtasks.doit_plugin.tasks import make_tasks, with_targets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cwtasks.doit_plugin.tasks import StepTask
    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.step import Step


def make_standalone_tasks(steps: Iterable[Step], workspace: Workspace) -> list[StepTask]:
    """Return the doit tasks of some steps, complete with targets and the question whether they are up to date."""
    backend = StepBackend(workspace)
    tasks = make_tasks(steps, workspace)
    with_targets(tasks)
    for task in tasks:
        if not task.step.is_alias:
            task.uptodate = [(_Check(backend), [], {})]
            task.value_savers = [_Record(backend, task)]
    return tasks


class _Check:
    """doit's ``uptodate`` question, answered by our state."""

    def __init__(self, backend: StepBackend) -> None:
        self.backend = backend

    def __call__(self, task: StepTask, values: dict[str, Any]) -> bool:
        """Say whether the task is up to date; ``values`` are doit's own and not used."""
        del values
        if self.backend.get_status(task).status == "up-to-date":
            return True
        self.backend.about_to_run(task)
        return False


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
