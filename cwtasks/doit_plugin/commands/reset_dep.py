"""``doit reset-dep``: take the files as they are for the result of the last run, without running anything."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_resetdep

from cwtasks.doit_plugin import words
from cwtasks.doit_plugin.commands.base import WorkspaceCommand

if TYPE_CHECKING:
    from cwtasks.doit_plugin.workspace import Workspace


class ResetDep(WorkspaceCommand, doit.cmd_resetdep.ResetDep):
    """doit's ``reset-dep`` over our state."""

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:  # noqa: ARG002 - no options
        """Record the named tasks, or all, as done with the present files.

        Returns:
            0, or 1 when a task declares files that are not there.
        """
        graph = workspace.compile(words.parse(args, workspace), alone=True) if args else workspace.compile_all()
        code = 0
        for step in graph.steps.values():
            if not step.is_cacheable:
                continue
            if workspace.store.check(step, workspace.tree).up_to_date:
                sys.stdout.write(f"skip {step.id}\n")
            elif missing := workspace.store.accept(step, workspace.tree):
                sys.stdout.write(f"failed {step.id} ({'; '.join(missing)})\n")
                code = 1
            else:
                sys.stdout.write(f"processed {step.id}\n")
        return code
