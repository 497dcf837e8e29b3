"""``doit help [COMMAND | TASK]``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_help

from cwtasks.doit_plugin import listing
from cwtasks.doit_plugin.commands.base import WorkspaceCommand
from cwtasks.doit_plugin.words import step_usage
from cwtasks.exceptions import TaskNotFoundError
from cwtasks.graph.arguments import usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.models import Task


class Help(WorkspaceCommand, doit.cmd_help.Help):
    """doit's ``help``, which also knows the tasks of the workspace."""

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Explain a command or a task; a command wins.

        Raises:
            TaskNotFoundError, TaskNotAvailableError: the word is neither, or a task of another place.
        """
        if len(args) != 1 or args[0] in self.cmds or args[0] == "task":
            return int(doit.cmd_help.Help.execute(self, params, args) or 0)
        rows = {row.name: row for row in listing.rows(workspace, variants=True)}
        if args[0] not in rows:
            workspace.catalog.choose(args[0])  # says more of a task that is for another platform
            raise TaskNotFoundError(args[0], rows)
        row = rows[args[0]]
        own = workspace.workspace_steps.read(row.name)
        call = row.name + step_usage(own.kind).removeprefix(own.kind) if own else usage(row.task)
        sys.stdout.write("\n".join(_explain(row.task, call)) + "\n")
        return 0


def _explain(task: Task, call: str) -> Iterator[str]:
    yield f"{task.name}  {listing.summary(task)}"
    yield ""
    yield f"usage: doit {call}"
    for arg in task.args:
        facts = [f"default: {arg.default!r}" if arg.default is not None else "required"]
        if arg.choices:
            facts.append(f"one of: {', '.join(arg.choices)}")
        yield f"  {arg.name}  ({'; '.join(facts)})  also --{arg.name} VALUE or {arg.name}=VALUE"
