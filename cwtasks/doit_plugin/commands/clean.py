"""``doit clean``: remove what tasks have written."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_clean

from cwtasks.doit_plugin import words
from cwtasks.doit_plugin.commands.base import WorkspaceCommand
from cwtasks.graph.compiler import Request
from cwtasks.steps.clean import clean

if TYPE_CHECKING:
    from cwtasks.doit_plugin.workspace import Workspace


class Clean(WorkspaceCommand, doit.cmd_clean.Clean):
    """doit's ``clean`` for declared outputs."""

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Remove the outputs of the named tasks, with ``-c`` also of what they need; without a name, of all."""
        requests = words.parse(args, workspace)
        if args:
            _clean_environments(workspace, requests, dry_run=params["dryrun"])
            graph = workspace.compile(requests, alone=not (params["cleandep"] or params["cleanall"]))
        elif workspace.catalog.offers("default") and not params["cleanall"]:
            graph = workspace.compile([Request("default", workspace.wish)])
        else:
            graph = workspace.compile_all()
        for step in reversed(graph.steps.values()):
            if step.kind != "task" and not (step.kind == "archive" and step.id in graph.roots and args):
                continue  # what takes long to make again goes only when it is named, and a lock is a source
            removed = clean(
                step,
                root=workspace.root,
                recorded=workspace.store.outputs(step.id),
                tree=workspace.tree,
                dry_run=params["dryrun"],
            )
            for path in removed:
                sys.stdout.write(f"{step.id} - removing {path}\n")
            if params["cleanforget"] and not params["dryrun"]:
                workspace.store.forget(step.id)
        if not args and workspace.catalog.offers("clean"):
            sys.stderr.write("hint: to run the task 'clean' of this workspace: doit run clean\n")
        return 0


def _clean_environments(workspace: Workspace, requests: list[Request], *, dry_run: bool) -> None:
    """Remove the environments that are named as ``install`` or ``install:<env>``."""
    for request in requests:
        if request.kind != "install":
            continue
        for step in workspace.workspace_steps.steps("install", request.environment):
            environment = step.environment if step.kind == "install" else None
            path = workspace.provision.remove(environment, dry_run=dry_run) if environment else None
            if path is not None:
                sys.stdout.write(f"{step.id} - removing {path}{os.sep}\n")
