"""Which value each declared argument of a task gets. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.exceptions import TaskArgumentError, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cwtasks.models import Task, TaskArg


def usage(task: Task) -> str:
    """Return how a task is called: ``greet WHO [GREETING]``."""
    parts = [task.name]
    for arg in task.args:
        word = "|".join(arg.choices) if arg.choices else arg.name.upper()
        parts.append(word if arg.default is None else f"[{word}]")
    return " ".join(parts)


def bind(
    task: Task, positional: Sequence[str], named: Mapping[str, str], *, needed_by: Sequence[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Give every declared argument its value: by name, by position, or its default.

    Args:
        task: The task called.
        positional: Values in declared order; a named value wins over one by position.
        named: Values by argument name.
        needed_by: Names of the tasks that led here, outermost first, for errors.

    Returns:
        ``(name, value)`` for every declared argument, in declared order.

    Raises:
        TaskArgumentError: a value is missing, surplus, of unknown name, or not among the choices.
    """
    declared = task.args
    names = [arg.name for arg in declared]

    def error(fact: str) -> TaskArgumentError:
        return TaskArgumentError(task.name, fact, usage=usage(task), needed_by=needed_by)

    if len(positional) > len(declared):
        raise error(f"takes {_count(len(declared), 'argument')}, found {len(positional)}: {' '.join(positional)}")
    for name in named:
        if name not in names:
            raise error(f"has no argument '{name}' ({suggestion(name, names, label='arguments')})")
    values = [
        named.get(arg.name, positional[index] if index < len(positional) else arg.default)
        for index, arg in enumerate(declared)
    ]
    missing = [arg.name for arg, value in zip(declared, values, strict=True) if value is None]
    if missing:
        raise error(f"needs a value for {', '.join(repr(name) for name in missing)}")
    bound = tuple((arg.name, value) for arg, value in zip(declared, values, strict=True) if value is not None)
    for arg, (_, value) in zip(declared, bound, strict=True):
        if not allows(arg, value):
            raise error(f"argument '{arg.name}' is '{value}', expected one of: {', '.join(arg.choices or ())}")
    return bound


def allows(arg: TaskArg, value: str) -> bool:
    """Say whether a value is among the choices of an argument."""
    return arg.choices is None or value in arg.choices


def _count(number: int, noun: str) -> str:
    return f"no {noun}s" if number == 0 else f"{number} {noun}{'' if number == 1 else 's'}"
