"""Steps -> doit tasks. A doit task here is a thin wrapper: what it runs and when it is out of date, the step knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.task import Task

from cwtasks.doit_plugin.actions import Action, CommandAction, ProvisionAction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.step import Step


class StepTask(Task):
    """A doit task made from a step."""

    step: Step
    was_restored = False
    """Whether its outputs were put back from an earlier success."""

    def init_options(self, args: Sequence[str] | None = None) -> Sequence[str] | None:
        """Take no arguments from the command line: they are part of the step. Unlike doit's, may be called again."""
        self.options: dict[str, Any] = {}
        return args

    @property
    def action(self) -> Action | None:
        """What it runs; ``None`` for an alias."""
        return self.actions[0] if self.actions else None

    def __reduce__(self) -> Any:
        """Travel to a worker process as plain data."""
        return _rebuild, (self.__dict__.copy(),)


def _rebuild(attributes: dict[str, Any]) -> StepTask:
    task = StepTask.__new__(StepTask)
    task.__dict__.update(attributes)
    return task


#: What every doit task has. Copying it costs a tenth of `Task.__init__`, which checks nineteen attributes we set
#: ourselves; a test compares the result with a task made the long way.
_TEMPLATE = dict(vars(Task("template", None)))
_LISTS = [name for name, value in _TEMPLATE.items() if isinstance(value, list)]
_SETS = [name for name, value in _TEMPLATE.items() if isinstance(value, set)]


def make_task(step: Step, workspace: Workspace, task_dep: Iterable[str] = ()) -> StepTask:
    """Return the doit task of one step.

    Args:
        step: What it runs.
        workspace: Where.
        task_dep: Names of the doit tasks that must be done before.
    """
    task = StepTask.__new__(StepTask)
    attributes = task.__dict__
    attributes.update(_TEMPLATE)
    for name in _LISTS:
        attributes[name] = []
    for name in _SETS:
        attributes[name] = set()
    attributes["values"] = {}
    attributes["getargs"] = {}
    attributes["name"] = step.id
    attributes["doc"] = step.description
    attributes["task_dep"] = list(task_dep)
    attributes["step"] = step
    attributes["_action_instances"] = [] if step.is_alias else [_action(step, workspace)]
    return task


def _action(step: Step, workspace: Workspace) -> Action:
    if step.kind == "task":
        return CommandAction(step, workspace)
    if step.kind not in {"archive", "verify"}:
        return ProvisionAction(step, workspace)
    from cwtasks.doit_plugin import archive_actions

    kind = archive_actions.ArchiveAction if step.kind == "archive" else archive_actions.VerifyAction
    return kind(step, workspace)


def make_tasks(steps: Iterable[Step], workspace: Workspace) -> list[StepTask]:
    """Return the doit tasks of some steps, in their order. What they need beside each other counts as done."""
    by_id = {step.id: step for step in steps}
    return [
        make_task(step, workspace, [name for name in (*step.needs, *step.after) if name in by_id])
        for step in by_id.values()
    ]


def with_targets(tasks: Iterable[StepTask]) -> None:
    """Tell doit the outputs known literally, for commands of doit that work by target.

    Only those with one producer: doit refuses a file that two tasks write, real manifests have them.
    """
    from cwtasks.globs import is_literal, normalise

    producers: dict[str, list[StepTask]] = {}
    for task in tasks:
        for output in task.step.outputs:
            if is_literal(output) and not output.endswith("/"):
                producers.setdefault(normalise(output), []).append(task)
    for path, (first, *others) in producers.items():
        if not others:
            first.targets.append(path)
            first.__dict__["_remove_targets"] = True  # what `clean = True` means to doit
