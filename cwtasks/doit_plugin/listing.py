"""What ``doit list`` and ``doit info`` say of a task, from the manifest alone: no step is compiled for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.graph.arguments import usage
from cwtasks.graph.quoting import one_line
from cwtasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cwtasks.doit_plugin.workspace import Workspace

#: How much of a command a list shows, in characters.
COMMAND_WIDTH = 72
#: How many environments the mark of an ambiguous task names.
MAX_ENVIRONMENTS = 4


class Line(NamedTuple):
    """What a list shows of a task, as plain data that can be kept."""

    name: str
    text: str
    """Mark and description."""
    is_hidden: bool
    inputs: tuple[str, ...]


class Row(NamedTuple):
    """A task as a list has it."""

    name: str
    """What to type: ``test`` or ``test:py311``."""
    task: Task
    environments: tuple[str, ...]
    """Where it runs; several when that must be said."""
    is_user_task: bool

    @property
    def is_hidden(self) -> bool:
        """Whether lists leave it out unless asked."""
        return self.task.is_hidden

    @property
    def line(self) -> Line:
        """What is shown."""
        text = " ".join(part for part in (self.mark, self.text) if part)
        return Line(self.name, text, self.is_hidden, tuple(self.task.inputs))

    @property
    def text(self) -> str:
        """The description, else the command, else what an alias stands for."""
        return summary(self.task)

    @property
    def mark(self) -> str:
        """Where the task comes from, when it is not the default environment."""
        if self.is_user_task:
            return "[user]"
        if self.environments in {(), ("default",)}:
            return ""
        shown = self.environments
        if len(shown) > MAX_ENVIRONMENTS:
            shown = (*shown[: MAX_ENVIRONMENTS - 1], f"… {len(shown)} environments")
        return f"[{', '.join(shown)}]"


def rows(workspace: Workspace, *, variants: bool = False) -> list[Row]:
    """Return a row per task, in the order of the manifest.

    Args:
        workspace: The open workspace; with an environment asked for, only its tasks are listed.
        variants: Also a row for each further environment that offers a task.
    """
    found = []
    for name in workspace.catalog.names():
        offers = workspace.catalog.offers(name)
        if workspace.wish is not None:
            offers = [offer for offer in offers if offer.name == workspace.wish]
            if not offers:
                continue
        all_names = tuple(offer.name for offer in offers if workspace.manifest.has_workspace)
        usual = workspace.wish or workspace.catalog.usual(name)
        task = next((offer.tasks[name].task for offer in offers if offer.name == usual), offers[0].tasks[name].task)
        is_user_task = workspace.catalog.is_user_task(name)
        where = all_names if usual is None or not workspace.manifest.has_workspace else (usual,)
        found.append(Row(name, task, where, is_user_task))
        if variants and len(offers) > 1:
            found += [
                Row(f"{name}:{offer.name}", offer.tasks[name].task, (offer.name,), is_user_task)
                for offer in offers
                if offer.name != usual
            ]
    return found + _workspace_rows(workspace, variants=variants)


def _workspace_rows(workspace: Workspace, *, variants: bool) -> list[Row]:
    """Return a row for each step the workspace has beside its tasks."""
    from cwtasks.graph.workspace_steps import DESCRIPTIONS

    steps, wish = workspace.workspace_steps, workspace.wish
    return [
        Row(
            name=steps.name(*one),
            task=Task(steps.name(*one), description=DESCRIPTIONS[one.kind]),
            environments=(one.environment,) if one.environment else (),
            is_user_task=False,
        )
        for one in steps.names(variants=variants)
        if wish is None or one.environment in {None, wish}
    ]


def summary(task: Task) -> str:
    """Return the description of a task, else what it runs, on one line of at most ``COMMAND_WIDTH`` characters."""
    return task.description or one_line(command_text(task), COMMAND_WIDTH)


def command_text(task: Task) -> str:
    """Return the command of a task as text; for an alias, the tasks it stands for."""
    if task.cmd is None:
        return "-> " + ", ".join(dependency.task for dependency in task.depends_on)
    return task.cmd if isinstance(task.cmd, str) else " ".join(task.cmd)


def as_document(row: Row) -> dict[str, Any]:
    """Return a row as data: what ``doit list --json`` says of a task. Absent keys have nothing to say."""
    task = row.task
    document = {
        "name": row.name,
        "description": task.description,
        "cmd": task.cmd,
        "usage": usage(task) if task.args else None,
        "args": [arg.to_toml() for arg in task.args],
        "depends_on": [dependency.task for dependency in task.depends_on],
        "environment": row.environments[0] if len(row.environments) == 1 else None,
        "environments": list(row.environments) if len(row.environments) > 1 else None,
        "cwd": task.cwd,
        "env": task.env,
        "inputs": task.inputs,
        "outputs": task.outputs,
        "alias": task.is_alias,
        "hidden": task.is_hidden,
        "source": "user" if row.is_user_task else None,
    }
    return {key: value for key, value in document.items() if value not in (None, False, [], {})}


def widest(names: Iterable[str]) -> int:
    """Return the length of the longest name, 0 for none."""
    return max(map(len, names), default=0)
