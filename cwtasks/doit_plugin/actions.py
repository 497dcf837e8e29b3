"""What doit tasks of ours run: the command of a step, or what the workspace does itself."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from doit.exceptions import TaskFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.step import Step
    from cwtasks.provision.progress import Display
    from cwtasks.provision.wish import Wish
    from cwtasks.steps.process import Outcome, Output


class StepFailed(TaskFailed):
    """A step that did not succeed; a command ended with another status than 0."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class Action:
    """One run of a step, as doit wants it."""

    def __init__(self, step: Step, workspace: Workspace) -> None:
        self.step = step
        self.workspace = workspace
        self.output: Output | None = None
        """How a command is connected to us; ``None`` derives it from the streams doit hands over."""
        self.is_quiet = False
        """Whether progress is kept to ourselves."""
        self.out = ""
        self.err = ""
        self.result = None
        self.values: dict[str, Any] = {}
        self.started_ns = 0
        self.duration_ns = 0
        self.written: dict[str, str] = {}
        """SHA-256 by path, of outputs whose digest was taken while they were written."""
        self.shows_output_late = False
        """Whether the reporter has to show ``out`` and ``err`` when the step has ended."""

    def execute(self, out: Any = None, err: Any = None) -> TaskFailed | None:
        """Run the step.

        Args:
            out: Where its output goes, or ``None`` to keep it; as doit hands it over.
            err: Likewise.

        Returns:
            ``None`` on success.

        Raises:
            Interrupted: the user stopped it.
        """
        from cwtasks.exceptions import CwtasksError

        self.started_ns = time.time_ns()
        begun = time.monotonic_ns()
        try:
            return self.run(out, err)
        except CwtasksError as error:
            return StepFailed(str(error), 1)
        finally:
            self.duration_ns = time.monotonic_ns() - begun

    def run(self, out: Any, err: Any) -> TaskFailed | None:
        """Do the work; see :meth:`execute`.

        Raises:
            CwtasksError: it cannot be done.
            Interrupted: the user stopped it.
        """
        raise NotImplementedError

    def __str__(self) -> str:
        return f"Workspace: {self.step.id}"

    @contextmanager
    def shown(self) -> Iterator[Display]:
        """Give what shows on stderr how far the work is, and nothing where we are to be quiet."""
        import io
        import shutil

        from cwtasks.provision.progress import Display

        if self.is_quiet:
            display = Display(self.step.id, io.StringIO(), is_terminal=False)
        else:
            width = shutil.get_terminal_size().columns
            display = Display(self.step.id, sys.stderr, is_terminal=sys.stderr.isatty(), width=width)
        try:
            yield display
        finally:
            display.close()


class CommandAction(Action):
    """Runs the command of a step."""

    def run(self, out: Any, err: Any) -> TaskFailed | None:
        """Run the command.

        Raises:
            CwtasksError: it cannot be started.
            Interrupted: the user stopped it.
        """
        from cwtasks.steps import command, process
        from cwtasks.steps.signals import Interrupted, stopping

        workspace = self.workspace
        invocation = command.prepare(self.step, root=workspace.root, variables=workspace.variables(self.step))
        output = self.output or (process.Output.CAPTURE if out is None else process.Output.INHERIT)
        self.shows_output_late = output in {process.Output.CAPTURE, process.Output.GROUP}
        outcome = process.run(invocation, output=output, name=self.step.id)
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


class ProvisionAction(Action):
    """Locks the workspace, or installs one of its environments; tells on stderr how far it is."""

    def run(self, out: Any, err: Any) -> TaskFailed | None:
        """Do it.

        Raises:
            CwtasksError: it cannot be done.
            Interrupted: the user stopped it.
        """
        del out, err
        from cwtasks.exceptions import CwtasksError
        from cwtasks.steps.signals import Interrupted, stopping

        with self.shown() as display:
            try:
                work = {"lock": self._lock, "install": self._install, "bundle": self._bundle}[self.step.kind]
                said = work(display)
            except CwtasksError:
                if (signum := stopping()) is not None:
                    # The signal reached the engine first, which only looks like a crash.
                    raise Interrupted(signum) from None
                raise
            finally:
                self.workspace.environments_changed()
            if not self.is_quiet:
                for line in said:
                    display.say(line)
        return None

    def _lock(self, display: Display) -> tuple[str, ...]:
        return self.workspace.provision.lock(wish_of(self.step), display)

    def _install(self, display: Display) -> tuple[str, ...]:
        environment = self.step.environment or "default"
        provision = self.workspace.provision
        return provision.install(
            environment,
            display,
            waiting=lambda: display.say("waiting for another process that installs it"),
            # Run although nothing is missing: somebody asked for it with -a, or had it forgotten.
            is_forced=provision.why_install(environment) is None,
        )

    def _bundle(self, display: Display) -> tuple[str, ...]:
        from cwtasks.doit_plugin.archiving import bundle_wish_of

        bundled = self.workspace.provision.bundle(bundle_wish_of(self.step, self.workspace), display)
        size = sum(os.path.getsize(one.path) for one in bundled)
        return (f"{len(bundled)} packages, {size:,} bytes, verified",)


def wish_of(step: Step) -> Wish:
    """Return what was asked for beside a plain lock."""
    from cwtasks.provision.wish import Wish

    given = dict(step.arguments)
    upgrade = given.get("upgrade")
    return Wish(
        upgrades=None if upgrade is None else tuple(upgrade.split()),
        environments=tuple(given.get("environment", "").split()),
        platforms=tuple(given.get("platform", "").split()),
        skips_unsolvable="skip-unsolvable" in given,
    )
