"""``doit ignore TASK``: leave tasks out of the next runs, until they are forgotten."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_ignore

from cwtasks.doit_plugin import words
from cwtasks.doit_plugin.commands.base import WorkspaceCommand
from cwtasks.exceptions import CwtasksError

if TYPE_CHECKING:
    from cwtasks.doit_plugin.workspace import Workspace


class Ignore(WorkspaceCommand, doit.cmd_ignore.Ignore):
    """doit's ``ignore`` over our state."""

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:  # noqa: ARG002 - no options
        """Mark the named tasks.

        Raises:
            CwtasksError: no task is named.
        """
        if not args:
            raise CwtasksError("doit ignore: all tasks cannot be ignored", hints=["name the tasks to leave out"])
        graph = workspace.compile(words.parse(args, workspace), alone=True)
        for step_id in graph.steps:
            workspace.store.ignore(step_id)
            sys.stdout.write(f"ignoring {step_id}\n")
        return 0
