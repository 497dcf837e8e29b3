"""What a run shows. Output of commands comes whole or live, never mixed; errors are two lines, never a traceback."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from doit.exceptions import UnmetDependency
from doit.reporter import ConsoleReporter

if TYPE_CHECKING:
    from doit.exceptions import BaseFail

    from cwtasks.doit_plugin.tasks import StepTask


class StepReporter(ConsoleReporter):
    """doit's console lines (``.`` runs, ``--`` is up to date, ``!!`` is ignored) with our errors."""

    desc = "console output"

    def __init__(self, outstream: Any, options: dict[str, Any]) -> None:
        """Take doit's arguments.

        Args:
            outstream: Where results go.
            options: ``verbosity``: 0 shows the output of failed commands only, 1 also what others write to stderr,
                2 everything.
        """
        super().__init__(outstream, options)
        self.verbosity: int = options["verbosity"]

    def execute_task(self, task: StepTask) -> None:
        """Announce a command; flushed, because its own output goes to the same terminal or file."""
        super().execute_task(task)
        self.outstream.flush()

    def skip_uptodate(self, task: StepTask) -> None:
        """Say that a task is up to date, or that it is now, without running it."""
        if task.step.is_implied:
            return
        if task.was_restored:
            self.outstream.write(f"-- {task.name} (restored)\n")
        else:
            self.skip(task.name)

    def skip(self, name: str) -> None:
        """Say that a step is up to date; hidden ones stay hidden."""
        if not name.startswith("_"):
            self.outstream.write(f"-- {name}\n")

    def add_success(self, task: StepTask) -> None:
        """Show output that was kept until the command ended."""
        self._show_output(task, self.verbosity)

    def add_failure(self, task: StepTask, fail: BaseFail) -> None:
        """Show what the command said and that it failed, at once."""
        self._show_output(task, 2)
        self.outstream.flush()
        self.failures.append({"task": task, "exception": fail})
        if isinstance(fail, UnmetDependency):
            sys.stderr.write(f"error: task '{task.name}' not run: {fail.message.strip()} failed\n")
        else:
            sys.stderr.write(f"error: {fail.message}\n")

    def _show_output(self, task: StepTask, verbosity: int) -> None:
        action = task.action
        if action is None or not action.shows_output_late:
            return
        if action.out and verbosity > 1:
            self.outstream.write(f":: {task.name}\n{action.out}")
            if not action.out.endswith("\n"):
                self.outstream.write("\n")
        if action.err and verbosity > 0:
            self.outstream.flush()
            sys.stderr.write(action.err)

    def complete_run(self) -> None:
        """Sum up a run that went on after failures."""
        if len(self.failures) > 1:
            names = ", ".join(entry["task"].name for entry in self.failures)
            sys.stderr.write(f"error: {len(self.failures)} tasks failed or could not run: {names}\n")
        for message in self.runtime_errors:
            sys.stderr.write(f"error: {message}\n")
        self.outstream.flush()


class ExecutedOnlyReporter(StepReporter):
    """Says nothing of what did not run."""

    desc = "console, nothing about tasks that are up to date or ignored"

    def skip(self, name: str) -> None:
        """Say nothing."""

    def skip_ignore(self, task: StepTask) -> None:
        """Say nothing."""


REPORTERS = {"console": StepReporter, "executed-only": ExecutedOnlyReporter}
"""doit's reporter names that are ours in a workspace."""
