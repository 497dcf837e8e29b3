"""``doit list``: what can be run here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import doit.cmd_list

from cwtasks.doit_plugin import listing
from cwtasks.doit_plugin.commands.base import WorkspaceCommand, opt_json
from cwtasks.doit_plugin.listing import Line, Row
from cwtasks.exceptions import CwtasksError, TaskArgumentError, TaskNotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cwtasks.doit_plugin.backend import StepBackend
    from cwtasks.doit_plugin.workspace import Workspace

#: Status letters, as doit has them, and the words they stand for.
STATUS = {"R": "run", "U": "up-to-date", "I": "ignored", "E": "error"}


class List(WorkspaceCommand, doit.cmd_list.List):
    """doit's ``list`` from the manifest alone; only ``--status`` looks at files."""

    doc_purpose = "list tasks"
    remembers = True
    cmd_options = (*doit.cmd_list.List.cmd_options, opt_json)

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Print one line per task, sorted by name."""
        variants = params["subtasks"] or any(":" in word for word in args)
        status: dict[str, str] = {}
        if params["json"] or params["status"]:
            workspace.warn(workspace.manifest.warnings)
            rows = _select(listing.rows(workspace, variants=variants), args, params)
            status = _status(workspace, rows) if params["status"] else {}
            if params["json"]:
                _print_json(workspace, rows, status)
                return 0
            lines = [row.line for row in rows]
        else:
            lines = _select(_lines(workspace, variants=variants), args, params)
        _print(lines, params, status)
        if not lines:
            sys.stdout.write(f"no tasks in {workspace.manifest.path}\n")
        return 0


def _lines(workspace: Workspace, *, variants: bool) -> list[Line]:
    """Return what a list shows, without reading the manifest again when it has not changed."""

    def answer() -> tuple[tuple[Any, ...], ...]:
        return tuple(tuple(row.line) for row in listing.rows(workspace, variants=variants))

    return [Line(*values) for values in workspace.remembered(("list", variants), answer)]


_Listed = TypeVar("_Listed", Row, Line)


def _select(listed: list[_Listed], args: Sequence[str], params: Any) -> list[_Listed]:
    if args:
        by_name = {item.name: item for item in listed}
        for word in args:
            if word not in by_name:
                raise TaskNotFoundError(word, by_name)
        listed = [by_name[word] for word in dict.fromkeys(args)]
    elif not params["private"]:
        listed = [item for item in listed if not item.is_hidden]
    return sorted(listed, key=lambda item: item.name) if params["sort"] == "name" else listed


def _print(lines: Sequence[Line], params: Any, status: dict[str, str]) -> None:
    width = listing.widest(line.name for line in lines) + 3
    template = "{name}" if params["quiet"] else f"{{name:<{width}}}{{doc}}"
    template = params["template"] or (f"{{status}} {template}" if status else template)
    shown = []
    for line in lines:
        text = template.format(name=line.name, doc=line.text, status=status.get(line.name, ""))
        shown.append(text.rstrip() + "\n")
        if params["list_deps"]:
            shown += [f" -  {pattern}\n" for pattern in line.inputs] + ["\n"]
    sys.stdout.write("".join(shown))


def _status(workspace: Workspace, rows: Sequence[Row]) -> dict[str, str]:
    """Return the status letter of every row's own step; of an alias, that of what it stands for."""
    from cwtasks.doit_plugin.backend import StepBackend

    backend = StepBackend(workspace)
    ignored = workspace.store.ignored()
    letters = {row.name: _letter(workspace, row, backend, ignored) for row in rows}
    backend.close()
    return letters


def _letter(workspace: Workspace, row: Row, backend: StepBackend, ignored: Collection[str]) -> str:
    from cwtasks.doit_plugin import words
    from cwtasks.graph.compiler import Request

    own = workspace.workspace_steps.read(row.name)
    name, environment = words.split_name(row.name, workspace) or (row.name, None)
    request = Request(own.kind, own.environment, kind=own.kind) if own else Request(name, environment)
    try:
        graph = workspace.compile([request], alone=own is None and not row.task.is_alias)
    except TaskArgumentError:
        return "R"
    except CwtasksError:
        return "E"
    (root,) = graph.roots
    if root in ignored:
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
