"""The tasks of several places in manifests, seen together: in one flat table, or from two files as one.

Knows in which order places hide each other where no environment decides. Knows no TOML types: mistakes are found by the
readers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cwtasks.models import Feature, TargetTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cwtasks.manifests.tables import TomlTable
    from cwtasks.models import Task, WorkspaceConfig


def flatten(features: Iterable[Feature], tasks: dict[str, Task]) -> None:
    """Lay the tasks of features over each other into one table, changing ``tasks``.

    A task replaces one of its name whole. A target's task becomes the platform override of the task of its name; where
    there is none, it is also that task, on every platform.

    Args:
        features: Lowest first.
        tasks: Name to task, as it is before the first feature.
    """
    for feature in features:
        tasks.update(feature.tasks)
        for selector, target in feature.targets.items():
            for name, override in target.overrides.items():
                base = tasks.get(name) or target.tasks[name]
                tasks[name] = replace(base, platforms={**(base.platforms or {}), selector: override})


def flat_tasks(workspace: WorkspaceConfig) -> dict[str, Task]:
    """Return every task of a workspace in one table.

    Of tasks with one name that of the last feature stays; an environment's own only where no feature has it.
    """
    tasks: dict[str, Task] = {}
    flatten(workspace.features.values(), tasks)
    for environment in workspace.environments.values():
        own: dict[str, Task] = {}
        flatten([environment.inline] if environment.inline else [], own)
        tasks = {**own, **tasks}
    return tasks


def with_tasks_of(workspace: WorkspaceConfig, tasks: WorkspaceConfig) -> WorkspaceConfig:
    """Return a workspace that offers the tasks of another manifest, and only those.

    Args:
        workspace: Gives environments, dependencies, everything but tasks.
        tasks: Gives tasks; they stay in the features and targets they are written in.
    """
    names = dict.fromkeys(
        [*workspace.features, *(name for name, feature in tasks.features.items() if has_tasks(feature))]
    )
    environments = {
        name: replace(environment, inline=_with_tasks(environment.inline, Feature(environment.inline.name)))
        if environment.inline
        else environment
        for name, environment in workspace.environments.items()
    }
    features = {
        name: _with_tasks(workspace.features.get(name, Feature(name)), tasks.features.get(name, Feature(name)))
        for name in names
    }
    return replace(workspace, features=features, environments=environments)


def mentions_tasks(content: TomlTable) -> bool:
    """Tell whether a section has tasks anywhere: at its top, in a target, a feature or an environment."""
    scopes = [content, *_tables_in(content.get("feature")), *_tables_in(content.get("environments"))]
    return any(
        scope.get("tasks") or any(target.get("tasks") for target in _tables_in(scope.get("target"))) for scope in scopes
    )


def _tables_in(raw: object) -> list[TomlTable]:
    return [table for table in raw.values() if isinstance(table, dict)] if isinstance(raw, dict) else []


def has_any_tasks(workspace: WorkspaceConfig) -> bool:
    """Tell whether a workspace has a task in any feature or environment."""
    inline = [environment.inline for environment in workspace.environments.values() if environment.inline]
    return any(map(has_tasks, [*workspace.features.values(), *inline]))


def has_tasks(feature: Feature) -> bool:
    """Tell whether a feature has tasks, itself or in a target."""
    return bool(feature.tasks) or any(target.tasks for target in feature.targets.values())


def _with_tasks(feature: Feature, other: Feature) -> Feature:
    targets = {name: target._replace(tasks={}, overrides={}) for name, target in feature.targets.items()}
    for name, target in other.targets.items():
        targets[name] = targets.get(name, TargetTable(name))._replace(tasks=target.tasks, overrides=target.overrides)
    return replace(feature, tasks=other.tasks, targets=targets)
