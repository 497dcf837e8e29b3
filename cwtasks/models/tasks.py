"""What a manifest says of its tasks. Knows no dialect, no shell, no file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple


class TaskArg(NamedTuple):
    """A declared argument of a task."""

    name: str
    """What templates call it."""
    default: str | None = None
    """Value when none is given; ``None`` makes it required."""
    choices: list[str] | None = None
    """The only values allowed; ``None`` allows any."""

    def to_toml(self) -> str | dict[str, Any]:
        """Return the manifest form: the name alone, or a table."""
        if self.default is None and self.choices is None:
            return self.name
        table: dict[str, Any] = {"arg": self.name}
        if self.default is not None:
            table["default"] = self.default
        if self.choices is not None:
            table["choices"] = list(self.choices)
        return table


@dataclass(frozen=True, slots=True)
class TaskDependency:
    """One entry of ``depends-on``."""

    task: str
    """Name of the task needed first."""
    args: list[str | dict[str, str]] = field(default_factory=list)
    """Values by position (text) and by name (single-key tables); templates of the parent's arguments."""
    environment: str | None = None
    """Environment it must run in; ``None`` leaves the choice to the rules of the dialect."""

    def to_toml(self) -> str | dict[str, Any]:
        """Return the manifest form: the name alone, or a table."""
        if not self.args and self.environment is None:
            return self.task
        table: dict[str, Any] = {"task": self.task}
        if self.args:
            table["args"] = list(self.args)
        if self.environment is not None:
            table["environment"] = self.environment
        return table


@dataclass(frozen=True, slots=True)
class TaskOverride:
    """What one platform changes of a task; ``None`` leaves a field as it is."""

    cmd: str | list[str] | None = None
    args: list[TaskArg] | None = None
    depends_on: list[TaskDependency] | None = None
    cwd: str | None = None
    env: dict[str, str] | None = None
    inputs: list[str] | None = None
    outputs: list[str] | None = None
    clean_env: bool | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A named command of a manifest, or a name for other tasks."""

    name: str
    cmd: str | list[str] | None = None
    """Shell text, a list of words (see each dialect), or ``None`` for an alias."""
    args: list[TaskArg] = field(default_factory=list)
    depends_on: list[TaskDependency] = field(default_factory=list)
    cwd: str | None = None
    """Working directory, relative to the workspace."""
    env: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    inputs: list[str] = field(default_factory=list)
    """Patterns of files it reads, relative to the workspace."""
    outputs: list[str] = field(default_factory=list)
    """Patterns of files it writes, relative to the workspace."""
    clean_env: bool = False
    default_environment: str | None = None
    platforms: dict[str, TaskOverride] | None = None
    """Platform name to what it changes: the conda dialect's ``target`` tables."""

    @property
    def is_alias(self) -> bool:
        """Whether it runs nothing itself and only stands for what it depends on."""
        return self.cmd is None and bool(self.depends_on)

    @property
    def is_hidden(self) -> bool:
        """Whether lists leave it out: its name starts with an underscore."""
        return self.name.startswith("_")

    def resolve_for_platform(self, subdir: str) -> Task:
        """Return the task as it is on one platform.

        Args:
            subdir: Exact key of :attr:`platforms`; families such as ``unix`` are not matched here.

        Returns:
            ``self`` when that platform changes nothing; otherwise a copy in which each given field replaces ours whole.
        """
        override = (self.platforms or {}).get(subdir)
        return self if override is None else self.overridden(override)

    def overridden(self, override: TaskOverride) -> Task:
        """Return a copy in which every field that ``override`` gives replaces ours."""
        given = {
            name: value
            for name in ("cmd", "args", "depends_on", "cwd", "env", "inputs", "outputs", "clean_env")
            if (value := getattr(override, name)) is not None
        }
        return replace(self, **given)
