"""Tasks: from the values of a manifest, in any of the shapes they may be written in, to records.

One reader serves both dialects, every file and the public functions. Knows no file and no workspace: whether a task
that is depended on exists, and in which environment one runs, is asked later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cwtasks.exceptions import TaskParseError
from cwtasks.manifests.scopes import flatten
from cwtasks.manifests.tables import Report, TomlTable, dotted
from cwtasks.models import Feature, TargetTable, Task, TaskArg, TaskDependency, TaskOverride

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cwtasks.models import DialectName

ARG_KEYS = ("arg", "default", "choices")
DEPENDENCY_KEYS = ("task", "args", "environment")
NEED_COMMAND = ("cwd", "env", "inputs", "outputs", "clean_env", "default_environment")
"""Fields that mean nothing to pixi when a task has no ``cmd``."""
OVERRIDABLE = ("cmd", "args", "depends_on", "cwd", "env", "inputs", "outputs", "clean_env")


class TaskReader:
    """Reads tasks of one dialect and notes mistakes under their dotted keys."""

    def __init__(self, report: Report, *, dialect: DialectName = "conda") -> None:
        """Read into ``report``.

        Args:
            report: Where mistakes and warnings go.
            dialect: ``conda`` also reads a task's own ``target``; ``pixi`` warns of what pixi itself refuses.
        """
        self.report = report
        self.dialect: DialectName = dialect
        self.keys = [key for key in _READERS if "_" not in key and (key != "target" or dialect == "conda")]

    def tasks(self, raw: object, at: str) -> dict[str, Task]:
        """Read a ``tasks`` table; a task with mistakes is left out."""
        table = self.report.table(raw, at) or {}
        read = [self.task(name, value, dotted(at, name)) for name, value in table.items()]
        return {task.name: task for task in read if task is not None}

    def target(self, selector: str, raw: object, at: str) -> TargetTable:
        """Read the ``tasks`` table of a target, in the two ways it can be understood: as tasks and as changes."""
        table = self.report.table(raw, at) or {}
        read = {name: self.fields(value, dotted(at, name)) for name, value in table.items()}
        given = {name: fields for name, fields in read.items() if fields is not None}
        return TargetTable(
            selector,
            {name: Task(name, **fields) for name, fields in given.items()},
            {name: _override(fields) for name, fields in given.items()},
        )

    def scope(self, table: TomlTable, at: str) -> Feature:
        """Read nothing but the tasks of the root, a feature or an environment."""
        targets = {
            selector: self.target(selector, target.get("tasks"), dotted(place, "tasks"))
            for selector, target, place in self.report.tables(table.get("target"), dotted(at, "target"))
        }
        return Feature(at, tasks=self.tasks(table.get("tasks"), dotted(at, "tasks")), targets=targets)

    def task(self, name: str, raw: object, at: str) -> Task | None:
        """Read one task in any shape, or return ``None`` when it has none of them."""
        if type(raw) is str:
            return Task(name, raw)
        fields = self.fields(raw, at)
        return None if fields is None else Task(name, **fields)

    def override(self, raw: object, at: str) -> TaskOverride:
        """Read what one platform changes of a task."""
        return _override(self.fields(raw, at) or {})

    def fields(self, raw: object, at: str) -> dict[str, Any] | None:
        """Read one task as the fields it gives, by the names of :class:`Task`."""
        if isinstance(raw, str):
            return {"cmd": raw}
        if isinstance(raw, list):
            return {"depends_on": self.alias(raw, at)}
        if not isinstance(raw, dict):
            self.report.unexpected(at, raw, "a command, an array of tasks it depends on, or a table")
            return None
        fields: dict[str, Any] = {}
        for key, value in raw.items():
            self._field(key, value, at, fields)
        if self.dialect == "pixi" and "cmd" not in fields:
            for name in NEED_COMMAND:
                if name in fields:
                    self.report.warn(dotted(at, name.replace("_", "-")), "has no effect without 'cmd'")
        return fields

    def _field(self, key: str, value: object, at: str, fields: dict[str, Any]) -> None:
        known = _READERS.get(key)
        if known is None:
            self.report.unknown_key(key, self.keys, at)
            return
        name, read = known
        place = f"{at}.{key}" if at else key
        if key == "target" and self.dialect != "conda":
            self.report.warn(place, "pixi has no targets inside a task; write [target.<platform>.tasks]")
            return
        if "_" in key:
            self.report.warn(place, f"old spelling; write '{key.replace('_', '-')}'")
        content = read(self, value, place)
        # The spelling of today wins over the old one, wherever in the table they stand.
        if content is not None and not ("_" in key and name in fields):
            fields[name] = content

    def command(self, raw: object, at: str) -> str | list[str] | None:
        """Read ``cmd``."""
        if isinstance(raw, str):
            return raw
        if isinstance(raw, list) and raw:
            return self.report.texts(raw, at)
        self.report.unexpected(
            at, raw, "a string or an array of strings", "write a command, or remove 'cmd'" if raw == [] else ""
        )
        return None

    def alias(self, raw: list[object], at: str) -> list[TaskDependency]:
        """Read a task that is nothing but an array of what it depends on."""
        if self.dialect == "pixi" and any(isinstance(item, str) for item in raw):
            self.report.warn(at, "pixi itself refuses names in an array; write { depends-on = [...] }")
        return self.depends_on(raw, at)

    def depends_on(self, raw: object, at: str) -> list[TaskDependency]:
        """Read ``depends-on``: a name, or an array of names and tables."""
        if isinstance(raw, dict):
            self.report.warn(at, "a table stands alone; write [{ ... }]")
            raw = [raw]
        if isinstance(raw, str):
            return [TaskDependency(raw)]
        if not isinstance(raw, list):
            self.report.unexpected(at, raw, "a task name, or an array of task names and tables")
            return []
        read = [self._dependency(item, f"{at}[{index}]") for index, item in enumerate(raw)]
        return [dependency for dependency in read if dependency is not None]

    def _dependency(self, raw: object, at: str) -> TaskDependency | None:
        if isinstance(raw, str):
            return TaskDependency(raw)
        if not isinstance(raw, dict):
            self.report.unexpected(at, raw, "a task name or a table")
            return None
        self.report.check_keys(raw, DEPENDENCY_KEYS, at)
        environment = self.report.text(raw.get("environment"), f"{at}.environment")
        args = self._dependency_args(raw.get("args"), f"{at}.args")
        name = self._required(raw, "task", at)
        return None if name is None else TaskDependency(name, args, environment)

    def _required(self, raw: TomlTable, key: str, at: str) -> str | None:
        if key not in raw:
            self.report.mistake(at, f"'{key}' is missing", f'add {key} = "..."')
        return self.report.text(raw.get(key), dotted(at, key))

    def _dependency_args(self, raw: object, at: str) -> list[str | dict[str, str]]:
        args: list[str | dict[str, str]] = []
        for index, item in enumerate(
            self.report.array(raw, at, "an array of strings and { name = value } tables") or ()
        ):
            place = f"{at}[{index}]"
            if isinstance(item, dict) and len(item) != 1:
                self.report.mistake(place, f"expected one name, found {len(item)}", "write one table for each argument")
            elif isinstance(item, dict):
                args.append(self.report.text_table(item, place) or {})
            elif (text := self.report.text(item, place)) is not None:
                args.append(text)
        return args

    def args(self, raw: object, at: str) -> list[TaskArg]:
        """Read ``args``: names and tables; required ones first, no name twice."""
        args: list[TaskArg] = []
        for index, item in enumerate(self.report.array(raw, at, "an array of names and tables") or ()):
            arg = self._arg(item, f"{at}[{index}]")
            if arg is not None:
                self._check_order(arg, args, f"{at}[{index}]")
                args.append(arg)
        return args

    def _check_order(self, arg: TaskArg, before: list[TaskArg], at: str) -> None:
        optional = [other.name for other in before if other.default is not None]
        if any(other.name == arg.name for other in before):
            self.report.mistake(at, f"argument '{arg.name}' is declared twice", "remove one, or rename it")
        elif arg.default is None and optional:
            fact = f"argument '{arg.name}' is required, but follows '{optional[-1]}', which has a default"
            self.report.mistake(at, fact, "move it forward, or give it a default")

    def _arg(self, raw: object, at: str) -> TaskArg | None:
        if isinstance(raw, str):
            return self._named(TaskArg(raw), at)
        if not isinstance(raw, dict):
            self.report.unexpected(at, raw, "an argument name or a table")
            return None
        self.report.check_keys(raw, ARG_KEYS, at)
        default = self.report.text(raw.get("default"), f"{at}.default")
        choices = self.report.texts(raw.get("choices"), f"{at}.choices")
        if default is not None and choices is not None and default not in choices:
            listed = ", ".join(choices) or "none"
            self.report.mistake(f"{at}.default", f"'{default}' is not among the choices", f"choices: {listed}")
        name = self._required(raw, "arg", at)
        return None if name is None else self._named(TaskArg(name, default, choices), f"{at}.arg")

    def _named(self, arg: TaskArg, at: str) -> TaskArg:
        if "-" in arg.name:
            # A template would read "a-b" as a difference.
            self.report.mistake(at, f"'{arg.name}' contains '-'", f"write '{arg.name.replace('-', '_')}'")
        return arg

    def env(self, raw: object, at: str) -> dict[str, str] | None:
        """Read a table of variables."""
        return self.report.text_table(raw, at)

    def text(self, raw: object, at: str) -> str | None:
        """Read a string."""
        return self.report.text(raw, at)

    def patterns(self, raw: object, at: str) -> list[str] | None:
        """Read ``inputs`` or ``outputs``."""
        return self.report.texts(raw, at)

    def boolean(self, raw: object, at: str) -> bool | None:
        """Read ``true`` or ``false``."""
        return self.report.boolean(raw, at)

    def platforms(self, raw: object, at: str) -> dict[str, TaskOverride] | None:
        """Read the ``target`` table inside a task; ``None`` when it is empty."""
        table = self.report.table(raw, at) or {}
        return {name: self.override(value, dotted(at, name)) for name, value in table.items()} or None


_READERS: dict[str, tuple[str, Callable[[TaskReader, object, str], object]]] = {
    "cmd": ("cmd", TaskReader.command),
    "args": ("args", TaskReader.args),
    "depends-on": ("depends_on", TaskReader.depends_on),
    "depends_on": ("depends_on", TaskReader.depends_on),
    "cwd": ("cwd", TaskReader.text),
    "env": ("env", TaskReader.env),
    "description": ("description", TaskReader.text),
    "inputs": ("inputs", TaskReader.patterns),
    "outputs": ("outputs", TaskReader.patterns),
    "clean-env": ("clean_env", TaskReader.boolean),
    "clean_env": ("clean_env", TaskReader.boolean),
    "default-environment": ("default_environment", TaskReader.text),
    "default_environment": ("default_environment", TaskReader.text),
    "target": ("platforms", TaskReader.platforms),
}
"""Key of a task table to the field it fills and how it is read."""
TASK_KEYS = tuple(_READERS)


def _override(fields: Mapping[str, Any]) -> TaskOverride:
    given = {name: fields[name] for name in OVERRIDABLE if name in fields}
    # An empty list of arguments or dependencies cannot be told from none given; an empty list of files can.
    return TaskOverride(**{name: value for name, value in given.items() if value or name not in {"args", "depends_on"}})


def normalize_args(raw: list[Any] | None) -> list[TaskArg]:
    """Read the ``args`` of a task that stands in no file.

    Args:
        raw: Names (required) and tables ``{arg, default?, choices?}``; ``None`` for none.

    Raises:
        TaskParseError: with every mistake in ``raw``.
    """
    reader = _standalone()
    args = [] if raw is None else reader.args(raw, "args")
    reader.report.raise_collected()
    return args


def normalize_depends_on(raw: list[Any] | str | None) -> list[TaskDependency]:
    """Read the ``depends-on`` of a task that stands in no file.

    Args:
        raw: A name, or an array of names and tables ``{task, args?, environment?}``; ``None`` for none.

    Raises:
        TaskParseError: with every mistake in ``raw``.
    """
    reader = _standalone()
    dependencies = [] if raw is None else reader.depends_on(raw, "depends-on")
    reader.report.raise_collected()
    return dependencies


def normalize_override(raw: dict[str, Any]) -> TaskOverride:
    """Read what one platform changes of a task.

    Args:
        raw: A task table; what cannot be overridden (``description``, ``default-environment``) is ignored.

    Raises:
        TaskParseError: with every mistake in ``raw``.
    """
    reader = _standalone()
    override = reader.override(raw, "")
    reader.report.raise_collected()
    return override


def normalize_task(name: str, raw: str | list[Any] | dict[str, Any]) -> Task:
    """Read one task that stands in no file.

    Args:
        name: What it is called.
        raw: A command, an array of what it depends on, or a table.

    Raises:
        TaskParseError: with every mistake in ``raw``.
    """
    reader = _standalone()
    task = reader.task(name, raw, dotted("tasks", name))
    reader.report.raise_collected()
    return task or Task(name)


def parse_tasks_and_targets(data: dict[str, Any]) -> dict[str, Task]:
    """Read ``[tasks]`` and every ``[target.<selector>.tasks]`` into one table.

    Args:
        data: The content of a manifest, or of the ``tool`` table that stands for one.

    Returns:
        Name to task; what targets say is in :attr:`Task.platforms`.

    Raises:
        TaskParseError: with every mistake in the tasks.
    """
    reader = _standalone()
    tasks: dict[str, Task] = {}
    flatten([reader.scope(data, "")], tasks)
    reader.report.raise_collected()
    return tasks


def parse_feature_tasks(data: dict[str, Any], tasks: dict[str, Task]) -> None:
    """Read the tasks of every ``[feature.<name>]`` and lay them over ``tasks``, later features over earlier ones.

    Args:
        data: The content of a manifest, or of the ``tool`` table that stands for one.
        tasks: Changed in place, only when there is no mistake.

    Raises:
        TaskParseError: with every mistake in the tasks.
    """
    reader = _standalone()
    features = reader.report.tables(data.get("feature"), "feature")
    scopes = [reader.scope(feature, at) for _, feature, at in features]
    reader.report.raise_collected()
    flatten(scopes, tasks)


def _standalone() -> TaskReader:
    return TaskReader(Report("<manifest>", error=TaskParseError))
