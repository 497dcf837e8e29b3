"""What the graph is made of: steps, and the order they are in. Pure data.

Knows no file, no process, no doit: paths and patterns are text, relative to the workspace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StepKind = Literal["task", "lock", "install", "bundle", "archive", "verify"]
"""What a step does: run the command of a task, or something every workspace has, see
:mod:`cwtasks.graph.workspace_steps`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of work: a task in one environment with one set of arguments, everything rendered."""

    id: str
    """Unique name, what a user types: ``test``, ``test:py311``, ``greet(who=Bob)``, ``status#2``."""
    task: str
    """Name of the task it came from."""
    environment: str | None
    """Environment it runs in; ``None`` when the manifest has no workspace."""
    arguments: tuple[tuple[str, str], ...] = ()
    """Every declared argument and its value, in declared order."""
    words: tuple[str, ...] = ()
    """What is appended to the command."""
    command: str | tuple[str, ...] | None = None
    """Shell text, or the words of a command run without a shell; ``None`` for an alias."""
    cwd: str | None = None
    """Working directory relative to the workspace; ``None`` is the workspace itself."""
    env: tuple[tuple[str, str], ...] = ()
    """Variables of the task, in written order."""
    env_expands: bool = False
    """Whether the shell expands ``$NAME`` and ``$(…)`` in ``env``: pixi's way."""
    clean_env: bool = False
    """Whether outside variables are kept from the command."""
    inputs: tuple[str, ...] = ()
    """Patterns of the files it reads; see :mod:`cwtasks.globs`."""
    outputs: tuple[str, ...] = ()
    """Patterns of the files it writes."""
    needs: tuple[str, ...] = ()
    """Ids of the steps it depends on, in written order."""
    after: tuple[str, ...] = ()
    """Ids of steps that must not run at the same time or later, because of files both name."""
    description: str = ""
    """One line for people; empty when the manifest has none."""
    kind: StepKind = "task"
    is_implied: bool = False
    """Whether nobody asked for it by name and it is no task: shown only when it has something to do."""

    @property
    def is_alias(self) -> bool:
        """Whether it only stands for what it needs."""
        return self.command is None and self.kind == "task"

    @property
    def is_cacheable(self) -> bool:
        """Whether it declares what it reads or writes; without either it always runs."""
        return self.command is not None and bool(self.inputs or self.outputs)

    @property
    def is_hidden(self) -> bool:
        """Whether lists leave it out."""
        return self.task.startswith("_")
