"""What a command line means, as plain data that can be kept: the steps to look at, in order, or "show the list"."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cwtasks.graph.step import Step

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

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
    own = frozenset(words.workspace_names(workspace, variants=True))
    workspace.store.prune(lambda step_id: _is_known(step_id, workspace.catalog, own))
    steps = tuple(tuple(getattr(step, name) for name in _FIELDS) for step in graph.steps.values())
    warnings = (*graph.warnings, *workspace.plan.warnings(step.environment for step in graph.steps.values()))
    return steps, warnings, workspace.plan.to_plain(), _keepable(dict(workspace.settings_table))


def _keepable(value: Any) -> Any:
    """Return settings with text for what cannot be kept: dates, which no setting takes."""
    if isinstance(value, dict):
        return {key: _keepable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_keepable(each) for each in value]
    return value if isinstance(value, str | int | float) else str(value)


def _is_known(step_id: str, catalog: Catalog, own: Collection[str]) -> bool:
    """Say whether there still is what a step belongs to.

    The id of a step is the task's name, then environment, arguments, number; or the name of a step of the workspace.
    """
    ends = [position for position, character in enumerate(step_id) if character in ":(#'"]
    starts = [step_id[:end] for end in [*ends, len(step_id)]]
    return any(catalog.offers(start) or start in own for start in starts)


def steps_of(planned: Any, workspace: Workspace) -> tuple[list[Step], tuple[str, ...]]:
    """Return the steps of a plan, in serial order, and what to warn of; the workspace learns the rest of it."""
    steps, warnings, plan, settings_table = planned
    workspace.kept_plan = plan
    workspace.settings_table = settings_table
    return [Step(*values) for values in steps], warnings
