"""``doit [run] TASK …``: run tasks and what they need, as far as they are out of date."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_run
from doit.control import TaskControl
from doit.task import Stream

from cwtasks.doit_plugin import words
from cwtasks.doit_plugin.backend import StepBackend
from cwtasks.doit_plugin.commands.base import WorkspaceCommand
from cwtasks.doit_plugin.reporter import REPORTERS, StepReporter
from cwtasks.doit_plugin.runner import StepRunner
from cwtasks.doit_plugin.tasks import make_tasks
from cwtasks.exceptions import CwtasksError, suggestion
from cwtasks.graph.compiler import Request

if TYPE_CHECKING:
    from cwtasks.doit_plugin.tasks import StepTask
    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.compiler import Graph

opt_output = {
    "section": "workspace",
    "name": "output",
    "short": "",
    "long": "output",
    "type": str,
    "default": "whole",
    "choices": (
        ("whole", "each task's output at its end"),
        ("prefix", "each line as it comes, with the task's name"),
    ),
    "help": "how the output of several tasks at a time is shown [default: %(default)s]",
}


class Run(WorkspaceCommand, doit.cmd_run.Run):
    """doit's ``run`` over the steps of a workspace."""

    doc_usage = "[TASK [ARG ...] [-- WORD ...]] ..."
    cmd_options = (*doit.cmd_run.Run.cmd_options, opt_output)

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Run what is asked for; without a task, the task ``default``, or show the list."""
        arguments = words.restore_assignments(args, sys.argv[1:])
        if arguments and (other := self._other_command(arguments[0], workspace)) is not None:
            return int(other.parse_execute(_loader_options(params) + arguments[1:]))
        if not arguments:
            if not workspace.catalog.offers("default"):
                return int(self._command("list").parse_execute(_loader_options(params)))
            requests = [Request("default", workspace.wish)]
        else:
            requests = words.parse(arguments, workspace)
        graph = workspace.compile(requests, alone=params["single"])
        for warning in graph.warnings:
            sys.stderr.write(f"warning: {warning}\n")
        return self._run(workspace, graph, params)

    def _other_command(self, word: str, workspace: Workspace) -> Any:
        """Return the command a first word means that is no task: ``doit -e dev list`` reaches us as a run."""
        if workspace.catalog.offers(word) or not self.commands or word not in self.commands or word == "run":
            return None
        return self._command(word)

    def _command(self, name: str) -> Any:
        """Return another command of this program, over the same loader."""
        return self.commands.get_plugin(name)(**{**self._untouched, "task_loader": self.workspace_loader})

    def _run(self, workspace: Workspace, graph: Graph, params: Any) -> int:
        from cwtasks.steps.process import Interrupted, signals

        workers = max(1, params["num_process"])
        if workers > 1:
            from cwtasks.graph.order import keep_file_order

            graph = keep_file_order(graph)
        tasks = make_tasks(graph, workspace)
        control = TaskControl(tasks)
        # In this order every task stands after what it needs, siblings as written, which is more than doit promises.
        control.selected_tasks = list(graph.steps)
        outstream, reporter = self._reporter(params)
        _connect(tasks, reporter, params, workers=workers)
        runner = StepRunner(
            StepBackend(workspace),
            reporter,
            params["continue"],
            params["always"],
            Stream(_verbosity(params), force_global=True),
            workers=workers,
        )
        try:
            with signals():
                result: int = runner.run_all(control.task_dispatcher())
        except Interrupted as stop:
            outstream.flush()
            sys.stderr.write(f"interrupted by {signal.Signals(stop.signum).name}; what had finished is recorded\n")
            return 128 + stop.signum
        finally:
            if outstream is not sys.stdout and isinstance(params["outfile"], str):
                outstream.close()
        return runner.exit_statuses[0] if len(runner.exit_statuses) == 1 else result

    def _reporter(self, params: Any) -> tuple[Any, Any]:
        """Return where results are written, and the reporter that writes them."""
        chosen, outfile = params["reporter"], params["outfile"]
        known = {**self.reporters, **REPORTERS}
        if isinstance(chosen, str) and chosen not in known:
            raise CwtasksError(
                f"reporter '{chosen}' is not known", hints=[suggestion(chosen, known, label="Reporters")]
            )
        outstream = open(outfile, "w", encoding="utf-8") if isinstance(outfile, str) else sys.stdout  # noqa: SIM115
        kind = known[chosen] if isinstance(chosen, str) else chosen
        options = {"failure_verbosity": params["failure_verbosity"], "verbosity": _verbosity(params)}
        return outstream, kind(outstream, options)


def _loader_options(params: Any) -> list[str]:
    return ["-e", params["environment"]] if params.get("environment") else []


def _verbosity(params: Any) -> int:
    return 2 if params["verbosity"] is None else int(params["verbosity"])


def _connect(tasks: list[StepTask], reporter: Any, params: Any, *, workers: int) -> None:
    """Decide how commands are connected to us: to the terminal itself, or through us."""
    from cwtasks.steps.process import Output

    ours = isinstance(reporter, StepReporter)
    if _verbosity(params) < 2 or not _has_descriptor(sys.stdout) or (workers > 1 and not ours):
        output = Output.CAPTURE
    elif workers == 1:
        output = Output.INHERIT
    else:
        output = Output.PREFIX if params["output"] == "prefix" else Output.GROUP
    for task in tasks:
        if task.action is not None:
            task.action.output = output


def _has_descriptor(stream: Any) -> bool:
    try:
        stream.fileno()
    except OSError:
        return False
    return True
