"""``doit info TASK``: what a task does, where, and whether it has to run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_info

from cwtasks.doit_plugin import words
from cwtasks.doit_plugin.backend import StepBackend
from cwtasks.doit_plugin.commands.base import WorkspaceCommand
from cwtasks.doit_plugin.explanation import Explanation
from cwtasks.exceptions import CwtasksError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.step import Step


class Info(WorkspaceCommand, doit.cmd_info.Info):
    """doit's ``info`` for one step of a workspace."""

    doc_usage = "TASK [ARG ...]"

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Print one task.

        Returns:
            0 when it is up to date, 1 when it would run, as doit has it; 0 with ``--no-status``.

        Raises:
            CwtasksError: not one task is named, or it cannot be compiled.
        """
        requests = words.parse(args, workspace)
        if len(requests) != 1:
            raise CwtasksError("doit info: takes one task", hints=["doit list shows the tasks"])
        graph = workspace.compile(requests)
        step = graph.steps[graph.roots[0]]
        lines = [f"{label + ':':<13}{value}" for label, value in _facts(step, workspace)]
        code = 0
        if not params["hide_status"]:
            backend = StepBackend(workspace)
            status = backend.status_of(graph, step.id, workspace)
            lines.append(f"{'status:':<13}{status.status}")
            lines += [f"{'':<13}{line}" for line in Explanation(step, graph, workspace).lines()]
            backend.close()
            code = 0 if status.status == "up-to-date" else 1
        sys.stdout.write(f"\n{step.id}\n\n" + "\n".join(lines) + "\n")
        return code


def _facts(step: Step, workspace: Workspace) -> Iterator[tuple[str, str]]:
    if step.description:
        yield "description", step.description
    if step.command is not None:
        text = step.command if isinstance(step.command, str) else " ".join(step.command)
        yield "command", text.strip().replace("\n", "\n" + " " * 13)
    if step.environment is not None:
        yield "environment", step.environment
    yield from _place(step, workspace)
    if step.cwd:
        yield "cwd", step.cwd
    for label, pairs in (("arguments", step.arguments), ("env", step.env)):
        if pairs:
            yield label, ", ".join(f"{name}={value}" for name, value in pairs)
    for label, values in (("inputs", step.inputs), ("outputs", step.outputs), ("depends on", step.needs)):
        if values:
            yield label, ", ".join(values)


def _place(step: Step, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Yield where a step of the workspace leaves what it makes."""
    if step.kind == "lock":
        yield "file", workspace.provision.lock_path
    elif step.kind == "install" and step.environment is not None:
        yield "prefix", workspace.plan.environments[step.environment].prefix
