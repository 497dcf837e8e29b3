"""The words of a command line -> the tasks asked for.

A task takes exactly the arguments it declares, so ``greet Bob build`` is two tasks; ``--`` gives the rest to the last
one. Knows no process and no file; a word that is no task may be the name of an output.
"""

from __future__ import annotations

import fnmatch
import os
from typing import TYPE_CHECKING

from cwtasks.exceptions import TaskArgumentError, TaskNotFoundError
from cwtasks.graph.arguments import allows, usage
from cwtasks.graph.compiler import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.step import StepKind
    from cwtasks.graph.workspace_steps import WorkspaceName
    from cwtasks.models import Task


def split_name(name: str, workspace: Workspace) -> tuple[str, str | None] | None:
    """Return task and environment that a word such as ``test`` or ``test:py311`` names, or ``None`` for no task."""
    catalog = workspace.catalog
    if catalog.offers(name):
        return name, workspace.wish
    task, colon, environment = name.rpartition(":")
    if colon and catalog.offers(task):
        catalog.environment(environment)
        return task, environment
    return None


def parse(words: Sequence[str], workspace: Workspace) -> list[Request]:
    """Turn the words after the options into requests, in order.

    Raises:
        TaskNotFoundError: a word is neither a task nor an output of one.
        TaskArgumentError: an argument is missing, surplus, or not allowed.
        EnvironmentNotFoundError: ``task:environment`` names no environment.
    """
    requests: list[Request] = []
    left = list(words)
    while left:
        word = left.pop(0)
        own = workspace.workspace_steps.read(word)
        named = None if own else split_name(word, workspace)
        if own is not None:
            requests.append(_workspace_request(own, left))
        elif named is not None:
            task = workspace.catalog.choose(named[0], named[1]).task
            requests.append(_take_arguments(Request(*named), task, left, workspace))
        elif "*" in word:
            requests += _matching(word, workspace)
        else:
            requests.append(_producer(word, workspace))
    return requests


#: What steps of the workspace take behind their names, and what stands for a value in their usage; empty for none.
STEP_OPTIONS: Mapping[StepKind, Mapping[str, str]] = {
    "lock": {"upgrade": "[NAME ...]", "environment": "ENV", "platform": "PLATFORM", "skip-unsolvable": ""},
    "bundle": {"environment": "ENV", "platform": "PLATFORM"},
    "archive": {
        "list": "",
        "dry-run": "",
        "output": "PATH",
        "exclude": "PATTERN",
        "receipt": "PATH",
        "no-receipt": "",
        "sign": "KEY",
        "bundle": "",
        "environment": "ENV",
        "platform": "PLATFORM",
    },
}


def step_usage(kind: StepKind) -> str:
    """Return how a step of the workspace is called."""
    options = (f"[--{name} {value}".rstrip() + "]" for name, value in STEP_OPTIONS.get(kind, {}).items())
    return " ".join([kind, *options])


def _workspace_request(own: WorkspaceName, left: list[str]) -> Request:
    """Return the request for a step of the workspace, with the options that stand behind its name."""
    kind = own.kind
    options = STEP_OPTIONS.get(kind, {})
    named: dict[str, str] = {}
    while kind != "install" and left and left[0].startswith("--"):
        name, equals, value = left.pop(0).removeprefix("--").partition("=")
        if name not in options:
            raise TaskArgumentError(kind, f"has no option '--{name}'", usage=step_usage(kind))
        if name == "upgrade":
            values = [value] if equals else []
            while left and not left[0].startswith("-"):
                values.append(left.pop(0))
            value = " ".join(values)
        elif options[name] and not equals:
            if not left:
                raise TaskArgumentError(kind, f"'--{name}' needs a value", usage=step_usage(kind))
            value = left.pop(0)
        # Said twice, both are meant.
        separator = "\n" if name == "exclude" else " "
        named[name] = f"{named[name]}{separator}{value}" if name in named and value else value
    return Request(kind, own.environment, named=tuple(named.items()), kind=kind)


def _take_arguments(request: Request, task: Task, left: list[str], workspace: Workspace) -> Request:
    """Move what the task declares from the front of ``left`` into the request."""
    names = {arg.name for arg in task.args}
    named: dict[str, str] = {}
    words: tuple[str, ...] = ()
    while left:
        word = left[0]
        name, equals, value = word.partition("=")
        option = name.removeprefix("--").replace("-", "_") if name.startswith("--") else None
        if word == "--":
            words = tuple(left[1:])
            left.clear()
            break
        if option in names:
            del left[0]
            if not equals and not left:
                raise TaskArgumentError(task.name, f"'{name}' needs a value", usage=usage(task))
            named[option] = value if equals else left.pop(0)
        elif equals and name in names:
            del left[0]
            named[name] = value
        elif _looks_like_option(word):
            raise TaskArgumentError(
                task.name,
                f"has no option '{word}'",
                usage=f"{usage(task)}; options of doit stand before the task, words for the command after '--'",
            )
        elif (arg := next((arg for arg in task.args if arg.name not in named), None)) and not (
            arg.default is not None and not allows(arg, word) and split_name(word, workspace)
        ):
            # A value for the next argument, unless that one is optional, does not allow it, and a task has that name.
            named[arg.name] = left.pop(0)
        elif equals:
            raise TaskArgumentError(task.name, f"has no argument '{name}'", usage=usage(task))
        else:
            break
    return request._replace(named=tuple(named.items()), words=words)


def _looks_like_option(word: str) -> bool:
    """Say whether a word is meant as an option; a negative number and a lone dash are values."""
    return len(word) > 1 and word[0] == "-" and not word[1].isdigit()


def _matching(pattern: str, workspace: Workspace) -> list[Request]:
    """Return the visible tasks a name pattern means."""
    names = [name for name in workspace.catalog.names() if fnmatch.fnmatchcase(name, pattern)]
    if not names:
        raise TaskNotFoundError(pattern, workspace.catalog.names())
    return [Request(name, workspace.wish) for name in names]


def _producer(word: str, workspace: Workspace) -> Request:
    """Return the task that writes a file, named relative to the caller's folder or to the workspace."""
    from_caller = os.path.relpath(os.path.join(os.path.realpath(workspace.init_cwd), word), workspace.root)
    wanted = {os.path.normpath(path).replace(os.sep, "/") for path in (from_caller, word)}
    for step in workspace.compile_all().steps.values():
        if any(os.path.normpath(output) in wanted for output in step.outputs):
            return Request(step.task, step.environment or workspace.wish, named=step.arguments, words=step.words)
    raise TaskNotFoundError(word, [*workspace.catalog.names(), *workspace_names(workspace)])


def workspace_names(workspace: Workspace, *, variants: bool = False) -> list[str]:
    """Return what the steps of the workspace are called that are no tasks."""
    steps = workspace.workspace_steps
    return [steps.name(*name) for name in steps.names(variants=variants)]
