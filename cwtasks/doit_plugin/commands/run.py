"""``doit [run] TASK …``: run tasks and what they need, as far as they are out of date."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_run
from doit.control import TaskControl
from doit.task import Stream

from cwtasks.doit_plugin import planning
from cwtasks.doit_plugin.backend import StepBackend
from cwtasks.doit_plugin.commands.base import WorkspaceCommand
from cwtasks.doit_plugin.reporter import REPORTERS, StepReporter
from cwtasks.doit_plugin.tasks import make_tasks
from cwtasks.exceptions import CwtasksError, suggestion

if TYPE_CHECKING:
    from cwtasks.doit_plugin.tasks import StepTask
    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.step import Step

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


#: What doit says of options that mean something else in a workspace.
_HELP = {
    "verbosity": """0 show the output of failed commands only.
1 also what others write to stderr.
2 show everything.
[default: 2]""",
    "num_process": "how many commands run at a time [default: 1]",
    "par_type": "without meaning here: commands are processes of their own",
}


class Run(WorkspaceCommand, doit.cmd_run.Run):
    """doit's ``run`` over the steps of a workspace."""

    doc_usage = "[TASK [ARG ...] [-- WORD ...]] ..."
    remembers = True
    cmd_options = (
        *({**option, "help": _HELP.get(option["name"], option["help"])} for option in doit.cmd_run.Run.cmd_options),
        opt_output,
    )

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Run what is asked for; without a task, the task ``default``, or show the list."""
        asked = tuple(args)
        if asked and (other := self._other_command(asked[0], workspace)) is not None:
            return int(other.parse_execute(_loader_options(params) + list(asked[1:])))
        alone = params["single"]
        plan = workspace.remembered(("run", asked, alone), lambda: planning.plan(asked, workspace, alone=alone))
        if plan == planning.SHOW_LIST:
            return int(self._command("list").parse_execute(_loader_options(params)))
        steps, warnings = planning.steps_of(plan, workspace)
        sys.stderr.writelines(f"warning: {warning}\n" for warning in warnings)
        return self._run(workspace, steps, params)

    def _other_command(self, word: str, workspace: Workspace) -> Any:
        """Return the command a first word means that is no task: ``doit -e dev list`` reaches us as a run."""
        if not self.commands or word not in self.commands or word == "run" or workspace.catalog.offers(word):
            return None
        return self._command(word)

    def _command(self, name: str) -> Any:
        """Return another command of this program, over the same loader."""
        return self.commands.get_plugin(name)(**{**self._untouched, "task_loader": self.workspace_loader})

    def _run(self, workspace: Workspace, steps: list[Step], params: Any) -> int:
        backend = StepBackend(workspace, restores=not params["always"])
        outstream, reporter = self._reporter(params)
        try:
            if isinstance(reporter, StepReporter) and not params["always"]:
                # doit comes in at the first step that has something to do; often that is none.
                done = backend.up_to_date_prefix(steps)
                for step in done:
                    if not step.is_alias and not step.is_implied:
                        reporter.skip(step.id)
                steps = steps[len(done) :]
                if steps and steps[0].kind in {"lock", "install"}:
                    # The engine starts while doit gets ready.
                    workspace.provision.engine.get_ready()
            if steps:
                return _run_steps(steps, workspace, backend, reporter, params)
            backend.close()
            return 0
        finally:
            if isinstance(params["outfile"], str):
                outstream.close()

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


def _run_steps(steps: list[Step], workspace: Workspace, backend: StepBackend, reporter: Any, params: Any) -> int:
    """Let doit run steps that stand in an order that respects what they need.

    Returns:
        The exit status of the one command that failed, else doit's: 0 done, 1 failed, 2 could not run; 128 + n after
        signal n.
    """
    from cwtasks.doit_plugin.runner import StepRunner
    from cwtasks.graph.order import keep_file_order
    from cwtasks.steps.signals import Interrupted, signals

    workers = max(1, params["num_process"])
    tasks = make_tasks(keep_file_order(steps) if workers > 1 else steps, workspace)
    _connect(tasks, reporter, params, workers=workers)
    control = TaskControl(tasks)
    # In this order siblings run as written, which is more than doit promises.
    control.selected_tasks = [step.id for step in steps]
    stream = Stream(_verbosity(params), force_global=True)
    runner = StepRunner(backend, reporter, params["continue"], params["always"], stream, workers=workers)
    try:
        with signals():
            result: int = runner.run_all(control.task_dispatcher())
    except Interrupted as stop:
        sys.stdout.flush()
        sys.stderr.write(f"interrupted by {signal.Signals(stop.signum).name}; what had finished is recorded\n")
        return 128 + stop.signum
    return runner.exit_statuses[0] if len(runner.exit_statuses) == 1 else result


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
            task.action.is_quiet = _verbosity(params) == 0


def _has_descriptor(stream: Any) -> bool:
    try:
        stream.fileno()
    except OSError:
        return False
    return True
