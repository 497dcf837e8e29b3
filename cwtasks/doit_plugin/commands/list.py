"""``doit list``: what can be run here."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_list

from cwtasks.doit_plugin import listing
from cwtasks.doit_plugin.commands.base import WorkspaceCommand
from cwtasks.exceptions import CwtasksError, TaskArgumentError, TaskNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cwtasks.doit_plugin.backend import StepBackend
    from cwtasks.doit_plugin.listing import Row
    from cwtasks.doit_plugin.workspace import Workspace

opt_json = {
    "section": "workspace",
    "name": "json",
    "short": "",
    "long": "json",
    "type": bool,
    "default": False,
    "help": "one JSON document for tools: {file, tasks: {name: {…}}}",
}

#: Status letters, as doit has them, and the words they stand for.
STATUS = {"R": "run", "U": "up-to-date", "I": "ignored", "E": "error"}


class List(WorkspaceCommand, doit.cmd_list.List):
    """doit's ``list`` from the manifest alone; only ``--status`` looks at files."""

    doc_purpose = "list tasks"
    cmd_options = (*doit.cmd_list.List.cmd_options, opt_json)

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Print one line per task, sorted by name."""
        rows = _select(workspace, args, params)
        status = _status(workspace, rows) if params["status"] else {}
        if params["json"]:
            _print_json(workspace, rows, status)
            return 0
        template = params["template"] or _template(rows, params)
        lines = []
        for row in rows:
            text = " ".join(part for part in (row.mark, row.text) if part)
            line = template.format(name=row.name, doc=text, status=status.get(row.name, ""))
            lines.append(line.rstrip() + "\n")
            if params["list_deps"]:
                lines += [f" -  {pattern}\n" for pattern in row.task.inputs] + ["\n"]
        sys.stdout.write("".join(lines))
        if not rows:
            sys.stdout.write(f"no tasks in {os.path.relpath(workspace.manifest.path)}\n")
        return 0


def _select(workspace: Workspace, args: Sequence[str], params: Any) -> list[Row]:
    rows = listing.rows(workspace, variants=params["subtasks"] or any(":" in word for word in args))
    if args:
        by_name = {row.name: row for row in rows}
        for word in args:
            if word not in by_name:
                raise TaskNotFoundError(word, by_name)
        rows = [by_name[word] for word in dict.fromkeys(args)]
    elif not params["private"]:
        rows = [row for row in rows if not row.task.is_hidden]
    return sorted(rows, key=lambda row: row.name) if params["sort"] == "name" else rows


def _template(rows: Sequence[Row], params: Any) -> str:
    width = listing.widest(row.name for row in rows) + 3
    template = "{name}" if params["quiet"] else f"{{name:<{width}}}{{doc}}"
    return f"{{status}} {template}" if params["status"] else template


def _status(workspace: Workspace, rows: Sequence[Row]) -> dict[str, str]:
    """Return the status letter of every row's own step; of an alias, that of what it stands for."""
    from cwtasks.doit_plugin.backend import StepBackend

    backend = StepBackend(workspace)
    letters = {row.name: _letter(workspace, row, backend) for row in rows}
    backend.close()
    return letters


def _letter(workspace: Workspace, row: Row, backend: StepBackend) -> str:
    from cwtasks.doit_plugin import words
    from cwtasks.graph.compiler import Request

    name, environment = words.split_name(row.name, workspace) or (row.name, None)
    try:
        graph = workspace.compile([Request(name, environment)], alone=not row.task.is_alias)
    except TaskArgumentError:
        return "R"
    except CwtasksError:
        return "E"
    (root,) = graph.roots
    if workspace.store.is_ignored(root):
        return "I"
    return "U" if backend.status_of(graph, root, workspace).status == "up-to-date" else "R"


def _print_json(workspace: Workspace, rows: Sequence[Row], status: dict[str, str]) -> None:
    import json

    documents = {}
    for row in rows:
        documents[row.name] = listing.as_document(row)
        if row.name in status:
            documents[row.name]["status"] = STATUS[status[row.name]]
    json.dump({"file": str(workspace.manifest.path), "tasks": documents}, sys.stdout, indent=2)
    sys.stdout.write("\n")
