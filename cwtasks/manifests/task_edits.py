"""Tasks put into a manifest and taken out of it.

Knows in which tables tasks stand, and when two ways of writing one say the same. Knows no file: a draft comes in, an
edit goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomli

from cwtasks.exceptions import EntryExistsError, TaskNotAvailableError, TaskNotFoundError, TaskParseError, shown_path
from cwtasks.manifests.drafts import Edit, Scope, address
from cwtasks.manifests.editing import without_empty_header
from cwtasks.manifests.normalize import TaskReader
from cwtasks.manifests.tables import Report
from cwtasks.manifests.task_values import override_value, task_value
from cwtasks.manifests.writing import table_at, written
from cwtasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cwtasks.manifests.drafts import Draft
    from cwtasks.manifests.layout import KeyPath
    from cwtasks.manifests.task_values import TaskValue


def with_task(draft: Draft, section: KeyPath, task: Task, scope: Scope) -> Edit:
    """Put in a task, and what platforms change of it.

    Args:
        draft: The manifest.
        section: Address of the table that holds the tasks.
        task: What it says; :attr:`Task.platforms` only where ``scope`` names no platform.
        scope: Where it goes.

    Raises:
        EntryExistsError: a task of that name is there and says something else.
        TaskParseError: it cannot be a task.
        ManifestNotEditableError: it cannot be put in without changing something else.
    """
    _check(draft, section, task)
    place = scope.inside(section)
    wanted: dict[KeyPath, TaskValue] = {(*place, "tasks", task.name): task_value(task)}
    for platform, override in (task.platforms or {}).items():
        wanted[*place, "target", platform, "tasks", task.name] = override_value(override)
    before = draft.data
    missing, kept = [], []
    for path, value in wanted.items():
        table = table_at(before, path[:-1])
        if path[-1] not in table:
            missing.append(path)
        elif _says(draft, table[path[-1]], value):
            kept.append(address(path))
        else:
            hint = "choose another name, or remove it first: " + " ".join(
                ["cwt task remove", *scope.options(), task.name]
            )
            raise EntryExistsError(draft.path, address(path), hint=hint)
    for path in missing:
        draft = draft.with_entry(path, written(wanted[path]))
    return Edit(draft, tuple(map(address, missing)), tuple(kept))


def without_task(draft: Draft, sections: Sequence[KeyPath], name: str, scope: Scope) -> Edit:
    """Take out a task, and what platforms change of it.

    Args:
        draft: The manifest.
        sections: Addresses of the tables that may hold tasks; the first that has it loses it.
        name: Of the task.
        scope: Where it is; where it names a platform, only that target loses it.

    Raises:
        TaskNotFoundError: no such task.
        TaskNotAvailableError: none there, but elsewhere in the manifest.
        ManifestNotEditableError: it cannot be taken out without changing something else.
    """
    data = draft.data
    for section in sections:
        place = scope.inside(section)
        paths = [path for path in task_tables(data, place) if name in table_at(data, path)]
        if not paths:
            continue
        for path in paths:
            draft = draft.without((*path, name))
        if scope == Scope():
            # Without an entry it says nothing; elsewhere, a table may be all that says that a feature exists.
            draft = draft.with_text(without_empty_header(draft.text, (*place, "tasks")))
        return Edit(draft, tuple(address((*path, name)) for path in paths))
    everywhere = [(path, table_at(data, path)) for section in sections for path in _all_task_tables(data, section)]
    elsewhere = [address(path) for path, table in everywhere if name in table]
    where = address((*scope.inside(sections[0]), "tasks"))
    if elsewhere:
        raise TaskNotAvailableError(name, f"in {shown_path(draft.path)}: {where}", elsewhere)
    raise TaskNotFoundError(name, {known for _, table in everywhere for known in table})


def task_tables(data: object, place: KeyPath) -> Iterator[KeyPath]:
    """Yield the addresses of the tables of tasks of a feature: its own, and those of its targets.

    Args:
        data: The manifest.
        place: Address of the feature; for the address of a target, only its own.
    """
    yield (*place, "tasks")
    for platform in table_at(data, (*place, "target")):
        yield (*place, "target", platform, "tasks")


def _all_task_tables(data: object, section: KeyPath) -> Iterator[KeyPath]:
    yield from task_tables(data, section)
    for feature in table_at(data, (*section, "feature")):
        yield from task_tables(data, (*section, "feature", feature))


def _check(draft: Draft, section: KeyPath, task: Task) -> None:
    """Refuse what reading the manifest would refuse.

    Raises:
        TaskParseError: with every mistake.
    """
    report = Report(draft.path, error=TaskParseError)
    reader = TaskReader(report)
    reader.task(task.name, task_value(task), address((*section, "tasks", task.name)))
    for platform, override in (task.platforms or {}).items():
        reader.override(override_value(override), address((*section, "target", platform, "tasks", task.name)))
    report.raise_collected()


def _says(draft: Draft, raw: object, value: TaskValue) -> bool:
    """Tell whether what is there says the same as a value, however it is written."""
    found, asked = (_read(draft, content) for content in (raw, tomli.loads(f"x = {written(value)}")["x"]))
    return found is not None and found == asked


def _read(draft: Draft, raw: object) -> Task | None:
    report = Report(draft.path)
    fields = TaskReader(report).fields(raw, "")
    return None if fields is None or report.mistakes else Task("", **fields)
