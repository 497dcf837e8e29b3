"""``doit forget``: let tasks run again, whatever is remembered of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_forget

from cwtasks.doit_plugin import words
from cwtasks.doit_plugin.commands.base import WorkspaceCommand

if TYPE_CHECKING:
    from cwtasks.doit_plugin.workspace import Workspace


class Forget(WorkspaceCommand, doit.cmd_forget.Forget):
    """doit's ``forget`` over our state."""

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Forget the named tasks, with ``-s`` also what they need; without a name, all of them."""
        if not args and params["forget_disable_default"] and not params["forget_all"]:
            sys.stdout.write("no tasks specified, pass task name, --enable-default or --all\n")
            return 0
        if params["forget_all"] or not args:
            workspace.store.forget_all()
            sys.stdout.write("forgetting all tasks\n")
            return 0
        graph = workspace.compile(words.parse(args, workspace), alone=not params["forget_sub"])
        for step_id in graph.steps:
            workspace.store.forget(step_id)
            sys.stdout.write(f"forgetting {step_id}\n")
        return 0
