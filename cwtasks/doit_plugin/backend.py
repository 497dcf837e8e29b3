"""doit's questions about the past, answered by our state.

Stands where doit has its ``Dependency`` object; doit's own database is never opened.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.doit_plugin.tasks import make_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cwtasks.doit_plugin.tasks import StepTask
    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.compiler import Graph
    from cwtasks.graph.step import Step
    from cwtasks.state import Reason, Verdict


class Status(NamedTuple):
    """Whether a doit task has to run."""

    status: str
    """``run`` or ``up-to-date``, doit's words."""
    reasons: Sequence[Reason]


UP_TO_DATE = Status("up-to-date", ())
ALWAYS = Status("run", ())


class StepBackend:
    """Answers doit from :class:`cwtasks.state.StateStore`."""

    def __init__(self, workspace: Workspace, *, restores: bool = False) -> None:
        """Answer for a workspace.

        Args:
            workspace: The open workspace.
            restores: Put kept outputs back when doit is about to run a task. Others only ask.
        """
        self._restores = restores
        self._workspace = workspace
        self._store = workspace.store
        self._tree = workspace.tree
        self._verdicts: dict[str, Verdict] = {}
        self._present: dict[str, dict[str, str]] = {}
        self._shown: set[str] = set()
        self._warnings: list[str] = []
        self._ignored: frozenset[str] | None = None

    def get_status(self, task: StepTask, tasks_dict: Mapping[str, Any] | None = None, get_log: bool = False) -> Status:  # noqa: ARG002, FBT001, FBT002 - doit's signature
        """Say whether a task has to run, and keep what it would read as it is now."""
        if task.step.is_alias:
            return ALWAYS
        verdict = self._workspace.check(task.step)
        self._verdicts[task.name] = verdict
        if verdict.up_to_date:
            return UP_TO_DATE
        if self._restores and self._store.restore(self._workspace.seen(task.step), self._tree, verdict):
            task.was_restored = True
            return UP_TO_DATE
        return Status("run", verdict.reasons)

    def up_to_date_prefix(self, steps: Iterable[Step]) -> list[Step]:
        """Return the steps before the first that has to run or is ignored.

        Nothing before that one can change a file, so what holds for it now holds when its turn comes.
        """
        done: list[Step] = []
        for step in steps:
            if not step.is_alias and (self._is_ignored(step.id) or not self._workspace.check(step).up_to_date):
                # What was seen so far may have changed until the turn of the next step comes.
                self._tree.changed()
                break
            done.append(step)
        return done

    def _is_ignored(self, step_id: str) -> bool:
        if self._ignored is None:
            # Once per run: a mark that is set meanwhile counts from the next run on.
            self._ignored = self._store.ignored()
        return step_id in self._ignored

    def status_of(self, graph: Graph, step_id: str, workspace: Workspace) -> Status:
        """Say whether a step would run; an alias would when anything it stands for would.

        Args:
            graph: Holds the step and, for an alias, what it needs.
            step_id: The step asked about.
            workspace: Where it runs.
        """
        step = graph.steps[step_id]
        if not step.is_alias:
            return self.get_status(make_task(step, workspace))
        for needed in step.needs:
            if (status := self.status_of(graph, needed, workspace)).status == "run":
                return status._replace(reasons=())
        return UP_TO_DATE

    def about_to_run(self, task: StepTask) -> None:
        """Remember what stands where a task is going to write."""
        step = self._workspace.seen(task.step)
        if step.outputs:
            self._present[task.name] = self._store.present_outputs(step, self._tree)

    def save_success(self, task: StepTask, result_hash: Any = None) -> None:  # noqa: ARG002 - doit's signature
        """Record a success together with what the task read before it ran."""
        action = task.action
        if action is None:
            return
        self._tree.changed()
        self._warnings += self._store.succeeded(
            self._workspace.seen(task.step),
            self._tree,
            self._verdicts[task.name].state,
            started_ns=action.started_ns,
            duration_ns=action.duration_ns,
            present=self._present.pop(task.name, None),
            written=action.written,
        )

    def remove_success(self, task: StepTask) -> None:
        """Record a failure."""
        if task.action is not None and task.executed:
            self._tree.changed()
            self._store.failed(task.step)

    def status_is_ignore(self, task: StepTask) -> bool:
        """Say whether the user asked to leave a task out."""
        return self._is_ignored(task.name)

    def get_values(self, task_name: str) -> dict[str, Any]:  # noqa: ARG002 - doit's signature
        """Return nothing: commands hand no Python values on."""
        return {}

    def close(self) -> None:
        """Show what there is to say of patterns and of the records. Everything is written already."""
        self._store.tidy()
        for warning in [*self._warnings, *self._store.warnings]:
            if warning not in self._shown:
                sys.stderr.write(f"warning: {warning}\n")
                self._shown.add(warning)
