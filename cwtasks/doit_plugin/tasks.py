"""Steps -> doit tasks. A doit task here is a thin wrapper: what it runs and when it is out of date, the step knows."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from doit.exceptions import TaskFailed
from doit.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.step import Step
    from cwtasks.steps.process import Outcome, Output


class StepFailed(TaskFailed):
    """A command that ended with another status than 0."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class StepAction:
    """What a doit task runs: the command of one step."""

    def __init__(self, step: Step, workspace: Workspace) -> None:
        self.step = step
        self.workspace = workspace
        self.output: Output | None = None
        """How the command is connected to us; ``None`` derives it from the streams doit hands over."""
        self.out = ""
        self.err = ""
        self.result = None
        self.values: dict[str, Any] = {}
        self.started_ns = 0
        self.duration_ns = 0
        self.shows_output_late = False
        """Whether the reporter has to show ``out`` and ``err`` when the command has ended."""

    def execute(self, out: Any = None, err: Any = None) -> TaskFailed | None:
        """Run the command.

        Args:
            out: Where its output goes, or ``None`` to keep it; as doit hands it over.
            err: Likewise.

        Returns:
            ``None`` on success.

        Raises:
            Interrupted: the user stopped it.
        """
        from cwtasks.exceptions import CwtasksError
        from cwtasks.steps import command, process
        from cwtasks.steps.signals import Interrupted, stopping

        self.started_ns = time.time_ns()
        begun = time.monotonic_ns()
        workspace = self.workspace
        try:
            invocation = command.prepare(
                self.step, root=workspace.root, variables=workspace.variables(self.step), outside=workspace.environ
            )
        except CwtasksError as error:
            return StepFailed(str(error), 1)
        output = self.output or (process.Output.CAPTURE if out is None else process.Output.INHERIT)
        self.shows_output_late = self.output in {process.Output.CAPTURE, process.Output.GROUP}
        outcome = process.run(invocation, output=output, name=self.step.id)
        self.duration_ns = time.monotonic_ns() - begun
        self._keep(outcome, out, err)
        if outcome.interrupted:
            # A command may answer a signal with any status. Without a signal of ours it was Ctrl-C at its terminal.
            raise Interrupted(stopping() or signal.SIGINT)
        if outcome.exit_status == 0:
            return None
        message = f"task '{self.step.id}' failed with exit status {outcome.exit_status}"
        if outcome.not_started is not None:
            message += f": {outcome.not_started}"
        return StepFailed(message, outcome.exit_status)

    def _keep(self, outcome: Outcome, out: Any, err: Any) -> None:
        # Undecodable bytes must not cost the rest of what a command said.
        self.out, self.err = outcome.stdout.decode(errors="replace"), outcome.stderr.decode(errors="replace")
        for stream, text in ((out, self.out), (err, self.err)):
            if self.output is None and stream is not None and text:
                stream.write(text)

    def __str__(self) -> str:
        return f"Cmd: {self.step.command}"


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
    def action(self) -> StepAction | None:
        """The action that runs the command; ``None`` for an alias."""
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
    attributes["_action_instances"] = [] if step.is_alias else [StepAction(step, workspace)]
    return task


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
