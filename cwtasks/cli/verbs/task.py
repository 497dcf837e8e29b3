"""``cwt task``: add, remove, list or export tasks of the manifest."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from cwtasks.cli.editing import add_place, manifests_may_vanish, tell, workspace_of
from cwtasks.exceptions import CwtasksError, ManifestExistsError, ManifestNotWritableError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from cwtasks.manifests.drafts import Edit
    from cwtasks.models import Task, TaskArg


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="add a task")
    adding.set_defaults(action=_add)
    _add_task_arguments(adding)
    removing = actions.add_parser("remove", help="remove tasks, with what targets change of them")
    removing.set_defaults(action=_remove)
    removing.add_argument("names", nargs="+", metavar="NAME")
    add_place(removing)
    listing = actions.add_parser("list", help="list the tasks")
    listing.set_defaults(action=_list)
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")
    exporting = actions.add_parser("export", help="write all tasks as a conda.toml")
    exporting.set_defaults(action=_export)
    exporting.add_argument("-o", "--output", metavar="FILE", help="a new file [default: standard output]")


def _add_task_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "command", nargs="*", metavar="CMD", help="one word is a command for the shell; several are a program's words"
    )
    lists = {
        "--depends-on": ("TASK", "task needed first"),
        "--arg": ("NAME[=DEFAULT]", "argument of the task"),
        "--input": ("PATTERN", "files it reads"),
        "--output": ("PATTERN", "files it writes"),
        "--env": ("NAME=VALUE", "variable it runs with"),
    }
    for option, (metavar, purpose) in lists.items():
        parser.add_argument(option, action="append", default=[], metavar=metavar, help=f"{purpose}; may be repeated")
    parser.add_argument("--description", metavar="TEXT", help="shown in lists")
    parser.add_argument("--cwd", metavar="FOLDER", help="where it runs, relative to the workspace")
    parser.add_argument("--default-environment", metavar="ENV", help="environment it runs in when none is named")
    parser.add_argument("--clean-env", action="store_true", help="keep the caller's variables out")
    add_place(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked.

    Returns:
        0.

    Raises:
        CwtasksError: it cannot be done.
    """
    with manifests_may_vanish():
        arguments.action(arguments)
    return 0


def _add(arguments: Namespace) -> None:
    from cwtasks.manifests import find_parser, find_task_manifest

    task = _task(arguments)
    path = find_task_manifest()
    edit = find_parser(path).add_task(
        path,
        arguments.name,
        task,
        feature=arguments.feature,
        platform=arguments.platform,
        is_dry_run=arguments.dry_run,
    )
    tell(edit, "added", is_dry_run=arguments.dry_run)


def _task(arguments: Namespace) -> Task:
    """Return the task that is asked for.

    Raises:
        CwtasksError: it would do nothing.
    """
    from cwtasks.models import Task, TaskDependency

    words = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not words and not arguments.depends_on:
        raise CwtasksError(
            f"task '{arguments.name}' would do nothing", hints=["write a command behind it, or --depends-on TASK"]
        )
    return Task(
        arguments.name,
        words[0] if len(words) == 1 else words or None,
        args=list(map(_arg, arguments.arg)),
        depends_on=[TaskDependency(name) for name in arguments.depends_on],
        cwd=arguments.cwd,
        env=_variables(arguments.env),
        description=arguments.description,
        inputs=arguments.input,
        outputs=arguments.output,
        clean_env=arguments.clean_env,
        default_environment=arguments.default_environment,
    )


def _arg(text: str) -> TaskArg:
    from cwtasks.models import TaskArg

    name, equals, default = text.partition("=")
    return TaskArg(name, default if equals else None)


def _variables(texts: Sequence[str]) -> dict[str, str]:
    variables = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise CwtasksError(f"cwt task add: --env {text}: no value", hints=["write --env NAME=VALUE"])
        variables[name] = value
    return variables


def _remove(arguments: Namespace) -> None:
    from cwtasks.manifests import find_parser, find_task_manifest

    path = find_task_manifest()
    edit = find_parser(path).remove_tasks(
        path,
        arguments.names,
        feature=arguments.feature,
        platform=arguments.platform,
        is_dry_run=arguments.dry_run,
    )
    tell(edit, "removed", is_dry_run=arguments.dry_run)
    _warn_of_needed(edit, set(arguments.names))


def _warn_of_needed(edit: Edit, removed: set[str]) -> None:
    """Say which tasks depend on one that is no longer there, in any table."""
    from cwtasks.manifests.scopes import flat_tasks

    workspace = workspace_of(edit)
    tasks = flat_tasks(workspace) if workspace else {}
    for name in sorted(removed - tasks.keys()):
        needing = sorted(task.name for task in tasks.values() if any(one.task == name for one in task.depends_on))
        if needing:
            sys.stderr.write(f"warning: task '{name}' is still needed by {', '.join(needing)}\n")


def _list(arguments: Namespace) -> None:
    from cwtasks.manifests import load
    from cwtasks.manifests.scopes import flat_tasks

    manifest = load()
    tasks = {**manifest.user_tasks, **flat_tasks(manifest.workspace)}
    shown = [tasks[name] for name in sorted(tasks) if not tasks[name].is_hidden]
    if arguments.json:
        import json

        entries = {task.name: _entry(task, is_users=task.name in manifest.user_tasks) for task in shown}
        sys.stdout.write(f"{json.dumps({'tasks': entries, 'file': str(manifest.path)}, indent=2)}\n")
        return
    width = max((len(task.name) for task in shown), default=0)
    sys.stdout.writelines(f"{f'{task.name:<{width}}  {_purpose(task)}'.rstrip()}\n" for task in shown)


def _entry(task: Task, *, is_users: bool) -> dict[str, Any]:
    entry = {
        "name": task.name,
        "cmd": task.cmd,
        "description": task.description,
        "depends_on": [dependency.task for dependency in task.depends_on] or None,
        "alias": task.is_alias or None,
        "source": "user" if is_users else None,
    }
    return {key: value for key, value in entry.items() if value is not None}


def _purpose(task: Task) -> str:
    """Return one line that says what a task is for."""
    if task.description:
        return task.description.splitlines()[0]
    if task.is_alias:
        return f"-> {', '.join(dependency.task for dependency in task.depends_on)}"
    command = task.cmd if isinstance(task.cmd, str) else " ".join(task.cmd or ())
    return next(iter(command.strip().splitlines()), "")


def _export(arguments: Namespace) -> None:
    from cwtasks.files import create_file
    from cwtasks.manifests import load
    from cwtasks.manifests.scopes import flat_tasks
    from cwtasks.manifests.toml import tasks_to_toml

    manifest = load()
    text = tasks_to_toml({**manifest.user_tasks, **flat_tasks(manifest.workspace)})
    if arguments.output is None:
        sys.stdout.write(text)
        return
    try:
        create_file(arguments.output, text.encode())
    except FileExistsError:
        raise ManifestExistsError(arguments.output) from None
    except OSError as error:
        raise ManifestNotWritableError(arguments.output, os.strerror(error.errno or 0)) from error
