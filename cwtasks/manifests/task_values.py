"""Tasks as a manifest holds them: records to values of TOML. The counterpart of ``normalize``; knows no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cwtasks.manifests.writing import written_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cwtasks.models import Task, TaskOverride

TaskValue = str | dict[str, Any]
"""A command, or a table."""


def task_value(task: Task) -> TaskValue:
    """Return a task without what platforms change of it.

    Args:
        task: One with nothing but a command in one string becomes that string.
    """
    table: dict[str, Any] = {
        "cmd": task.cmd,
        "depends-on": [dependency.to_toml() for dependency in task.depends_on] or None,
        "description": task.description,
        "env": task.env or None,
        "cwd": task.cwd,
        "clean-env": task.clean_env or None,
        "default-environment": task.default_environment,
        "args": [arg.to_toml() for arg in task.args] or None,
        "inputs": task.inputs or None,
        "outputs": task.outputs or None,
    }
    return _shortest(table)


def override_value(override: TaskOverride) -> TaskValue:
    """Return what one platform changes of a task; what it empties stays empty.

    Args:
        override: Its fields that are ``None`` are left out.
    """
    table: dict[str, Any] = {
        "cmd": override.cmd,
        "env": override.env,
        "cwd": override.cwd,
        "clean-env": override.clean_env,
        "inputs": override.inputs,
        "outputs": override.outputs,
        "args": None if override.args is None else [arg.to_toml() for arg in override.args],
        "depends-on": None if override.depends_on is None else [item.to_toml() for item in override.depends_on],
    }
    return _shortest(table)


def tasks_to_toml(tasks: Mapping[str, Task]) -> str:
    """Return tasks as a manifest: ``[tasks]``, then a ``[target.<platform>.tasks]`` for each platform.

    Args:
        tasks: Name to task, in the order they are written.
    """
    tables: dict[tuple[str, ...], dict[str, TaskValue]] = {
        ("tasks",): {name: task_value(task) for name, task in tasks.items()}
    }
    for name, task in tasks.items():
        for platform, override in (task.platforms or {}).items():
            tables.setdefault(("target", platform, "tasks"), {})[name] = override_value(override)
    return written_tables(tables)


def _shortest(table: dict[str, Any]) -> TaskValue:
    given = {key: value for key, value in table.items() if value is not None}
    command = given.get("cmd")
    # A list stays in its table: an array that stands alone would be read as names of tasks.
    return command if isinstance(command, str) and len(given) == 1 else given
