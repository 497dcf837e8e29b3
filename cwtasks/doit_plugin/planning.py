"""What a command line means, as plain data that can be kept: the steps to look at, in order, or "show the list"."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cwtasks.graph.step import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.environments import Catalog

SHOW_LIST = "list"
"""The answer to a command line without a task, where no task is called ``default``."""

_FIELDS = tuple(field.name for field in fields(Step))


def plan(asked: Sequence[str], workspace: Workspace, *, alone: bool) -> Any:
    """Work out what a command line means.

    Args:
        asked: The words after the options.
        workspace: Where.
        alone: Leave out what the tasks need.

    Returns:
        :data:`SHOW_LIST`, or what :func:`steps_of` reads; both can be kept.

    Raises:
        CwtasksError: a word means nothing here, or a task cannot be compiled.
    """
    from cwtasks.doit_plugin import words
    from cwtasks.graph.compiler import Request

    if asked:
        requests = words.parse(asked, workspace)
    elif workspace.catalog.offers("default"):
        requests = [Request("default", workspace.wish)]
    else:
        return SHOW_LIST
    graph = workspace.compile(requests, alone=alone)
    # This is worked out when the manifest has changed, hence the time to let go of what it no longer has.
    workspace.store.prune(lambda step_id: _is_of_task(step_id, workspace.catalog))
    steps = tuple(tuple(getattr(step, name) for name in _FIELDS) for step in graph.steps.values())
    return steps, graph.warnings


def _is_of_task(step_id: str, catalog: Catalog) -> bool:
    """Say whether the task of a step is still there; its id is the task's name, then environment, arguments, number."""
    ends = [position for position, character in enumerate(step_id) if character in ":(#'"]
    return any(catalog.offers(step_id[:end]) for end in [*ends, len(step_id)])


def steps_of(planned: Any) -> tuple[list[Step], tuple[str, ...]]:
    """Return the steps of a plan, in serial order, and what to warn of."""
    steps, warnings = planned
    return [Step(*values) for values in steps], warnings
