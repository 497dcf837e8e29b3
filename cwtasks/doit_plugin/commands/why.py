"""``doit why TASK``: why a task has to run, or when it last did."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import doit.cmd_info

from cwtasks.doit_plugin import words
from cwtasks.doit_plugin.commands.base import WorkspaceCommand, opt_json
from cwtasks.doit_plugin.explanation import Explanation, explain_needs
from cwtasks.exceptions import CwtasksError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.compiler import Graph


class Why(WorkspaceCommand, doit.cmd_info.Info):
    """The explanation of a decision. Outside of a workspace, doit's ``info`` is what comes nearest."""

    name = "why"
    doc_purpose = "say why a task has to run, or when it last did"
    doc_usage = "TASK [ARG ...] ..."
    cmd_options = (*doit.cmd_info.Info.cmd_options, opt_json)

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Explain the named tasks.

        Returns:
            0 when all are up to date, 1 when one has to run.

        Raises:
            CwtasksError: no task is named, or one cannot be compiled.
        """
        if not args:
            raise CwtasksError("doit why: name a task", hints=["doit list --status shows all"])
        graph = workspace.compile(words.parse(args, workspace))
        if params["json"]:
            return _print_json(graph, workspace)
        code = 0
        for step_id in graph.roots:
            explanation = Explanation(graph.steps[step_id], graph, workspace)
            needs = explain_needs(explanation, graph, workspace)
            sys.stdout.write("".join(f"{line}\n" for line in _screen(explanation, needs)))
            code |= explanation.has_to_run or bool(needs)
        return code


def _screen(explanation: Explanation, needs: list[Explanation]) -> Iterator[str]:
    name = explanation.step.id
    if explanation.is_ignored:
        yield f"{name} is ignored; doit forget {name} brings it back"
    elif explanation.has_to_run:
        yield f"{name} has to run" + (f"; {explanation.last_run}" if explanation.last_run else "")
    elif explanation.step.is_alias:
        yield f"{name} stands for other tasks" + ("" if needs else ", all up to date")
    else:
        yield f"{name} is up to date; {explanation.last_run}"
    yield from (f"  {line}" for line in explanation.lines())
    for other in needs:
        yield f"{name} needs {other.step.id}, which has to run"
        yield from (f"  {line}" for line in other.lines())


def _print_json(graph: Graph, workspace: Workspace) -> int:
    import json

    documents = []
    for step_id in graph.roots:
        explanation = Explanation(graph.steps[step_id], graph, workspace)
        needs = [other.document() for other in explain_needs(explanation, graph, workspace)]
        documents.append({**explanation.document(), "needs": needs})
    json.dump({"tasks": documents}, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return int(any(document["status"] == "run" or document["needs"] for document in documents))
