"""What our commands share: taking over from doit where a workspace is, and being doit's command everywhere else."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from doit.cmd_base import DodoTaskLoader, DoitCmdBase
from doit.cmdparse import CmdOption, CmdParseError

from cwtasks.collector import without_collector
from cwtasks.doit_plugin.entry import BROKEN
from cwtasks.doit_plugin.loader import WorkspaceLoader
from cwtasks.exceptions import CwtasksError, NoTaskFileError
from cwtasks.places import MANIFESTS, folders_upwards
from cwtasks.settings import log_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cwtasks.doit_plugin.workspace import Workspace

#: What a shell reports for a command that ended by SIGPIPE.
BROKEN_PIPE_STATUS = 141


opt_json = {
    "section": "workspace",
    "name": "json",
    "short": "",
    "long": "json",
    "type": bool,
    "default": False,
    "help": "one JSON document, for tools",
}


class WorkspaceCommand(DoitCmdBase):
    """Stands in front of one of doit's command classes.

    A subclass implements :meth:`in_workspace`; doit's own behaviour is untouched wherever a dodo file, another loader
    or another program is in charge.
    """

    name: str
    cmd_options: tuple[dict[str, Any], ...]
    remembers: ClassVar[bool] = False
    """Whether the command may answer without reading the manifest, see :meth:`Workspace.remembered`."""

    def __init__(self, task_loader: Any = None, cmds: Any = None, **kwargs: Any) -> None:
        self._untouched = {"task_loader": task_loader, "cmds": cmds, **kwargs}
        self.commands = cmds
        self.workspace_loader: WorkspaceLoader | None = None
        if isinstance(task_loader, WorkspaceLoader):
            self.workspace_loader = task_loader
        elif type(task_loader) is DodoTaskLoader and not _asks_for_dodo_file(kwargs.get("opt_vals") or {}):
            self.workspace_loader = WorkspaceLoader()
            self.workspace_loader.config = task_loader.config
        super().__init__(task_loader=self.workspace_loader or task_loader, cmds=cmds, **kwargs)

    def get_options(self) -> list[CmdOption]:
        """Return the options of the command. In a workspace there is no database of doit to choose."""
        if self.workspace_loader is None:
            return list(super().get_options())
        return [CmdOption(option) for option in (*self.workspace_loader.cmd_options, *self.cmd_options)]

    def get_backends(self) -> dict[str, Any]:
        """Return doit's databases. A workspace needs none, so the plugins are not searched."""
        return dict(super().get_backends()) if self.workspace_loader is None else {}

    def parse_execute(self, in_args: Sequence[str]) -> Any:
        """Parse the command line and run the command; user errors end here, as two lines."""
        if self.workspace_loader is None:
            return super().parse_execute(in_args)
        try:
            with without_collector():
                return self._parse_execute(list(in_args))
        except BrokenPipeError:
            # The reader of our output has gone, as in `doit list | head`. What is left in the buffer must not be
            # written at exit, where it would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE_STATUS
        except KeyboardInterrupt:
            # Ctrl-C while no command ran: before the first, or between two.
            sys.stderr.write("interrupted\n")
            return 128 + signal.SIGINT
        except ImportError as error:
            sys.stderr.write(BROKEN.format(error))
            return self._as_doit(list(in_args))
        except CwtasksError as error:
            sys.stdout.flush()
            sys.stderr.write(f"{error.render()}\n")
            return error.exit_code

    def _parse_execute(self, in_args: list[str]) -> Any:
        assert self.workspace_loader is not None
        try:
            params, args = self.cmdparser.parse(in_args if self.execute_tasks else self._options_first(in_args))
        except CmdParseError as error:
            raise CwtasksError(
                f"doit {self.name}: {_first_fact(error)}", hints=[f"doit help {self.name} lists the options"]
            ) from None
        params.update(self.opt_vals)
        if _asks_for_dodo_file(params):
            return self._as_doit(in_args)
        workspace = self.workspace_loader.open(params)
        _start_log(workspace)
        self._apply_settings_of_root(workspace, params)
        try:
            if not self.remembers:
                workspace.warn(workspace.manifest.warnings)
            result = self.in_workspace(workspace, params, restore_assignments(args, sys.argv[1:]))
        except NoTaskFileError:
            return self._as_doit(in_args)
        sys.stdout.flush()
        return result

    def _options_first(self, in_args: list[str]) -> list[str]:
        """Let switches also stand behind the tasks, as in ``doit why test --json``; not those of a run, see there."""
        options = [option for option in self.cmdparser.options if option.type is bool]
        switches = {f"-{option.short}" for option in options if option.short}
        switches |= {f"--{option.long}" for option in options if option.long}
        end = in_args.index("--") if "--" in in_args else len(in_args)
        moved = [word for word in in_args[:end] if word in switches]
        return [*moved, *(word for word in in_args[:end] if word not in switches), *in_args[end:]]

    def _as_doit(self, in_args: list[str]) -> Any:
        """Run doit's own command, as if we were not here."""
        own = type(self).__mro__[type(self).__mro__.index(WorkspaceCommand) + 1]
        return own(**self._untouched).parse_execute(in_args)

    def _apply_settings_of_root(self, workspace: Workspace, params: Any) -> None:
        """Respect doit's settings beside the manifest; doit itself reads only those of the current folder."""
        root = next(
            (folder for folder in folders_upwards(workspace.init_cwd) if _has_any(folder, MANIFESTS)),
            workspace.init_cwd,
        )
        files = [os.path.join(root, name) for name in ("pyproject.toml", "doit.cfg")]
        if root == os.getcwd() or not any(map(os.path.exists, files)):
            return
        from doit.doit_cmd import DoitConfig

        config = DoitConfig()
        for file in filter(os.path.exists, files):
            if file.endswith(".toml"):
                sections = config.load_config_toml(file, "tool.doit")
            else:
                parser = config.load_config_ini(file)
                sections = {section: dict(parser[section]) for section in parser.sections()}
            for section in ("GLOBAL", self.name):
                known = {key: value for key, value in sections.get(section, {}).items() if key in self.cmdparser}
                params.update_defaults({key: self.cmdparser[key].str2type(value) for key, value in known.items()})

    def in_workspace(self, workspace: Workspace, params: Any, args: list[str]) -> int:
        """Do the work.

        Args:
            workspace: The workspace that governs the current folder.
            params: Option values by name.
            args: The words after the options.

        Returns:
            The exit status.
        """
        raise NotImplementedError


def restore_assignments(words: Sequence[str], argv: Sequence[str]) -> list[str]:
    """Put back the ``name=value`` words that doit takes out of a command line, where they stood.

    Args:
        words: What doit handed us: the end of the command line without such words.
        argv: The command line. When it does not fit (doit was called from a program), ``words`` are all there is.
    """
    found: list[str] = []
    left = list(words)
    for word in reversed(argv):
        if left and word == left[-1]:
            left.pop()
        elif not left or word.startswith("-") or "=" not in word:
            break
        found.append(word)
        if not left:
            break
    return list(words) if left else [*reversed(found)]


def _start_log(workspace: Workspace) -> None:
    if (level := log_level(workspace.environ)) is not None:
        import logging

        logging.basicConfig(level=level, format="%(levelname)s: %(message)s", stream=sys.stderr)


def _has_any(folder: str, names: Iterable[str]) -> bool:
    return any(os.path.exists(os.path.join(folder, name)) for name in names)


def _asks_for_dodo_file(params: Any) -> bool:
    if params.get("dodoFile", "dodo.py") != "dodo.py":
        return True
    start = os.path.abspath(params.get("cwdPath") or os.curdir)
    return bool(params.get("seek_file")) and any(_has_any(folder, ["dodo.py"]) for folder in folders_upwards(start))


def _first_fact(error: CmdParseError) -> str:
    """Return what is wrong with a command line, without doit's dump of all options."""
    return str(error).removeprefix("Error parsing Command: ").partition(" (parsing options: ")[0]
