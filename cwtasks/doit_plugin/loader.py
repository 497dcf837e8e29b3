"""doit's loader for workspaces: ``loader = "cwtasks"``, or swapped in by our commands where there is no dodo file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import doit.loader
from doit.cmd_base import TaskLoader2, opt_cwd, opt_dodo, opt_seek_file
from doit.exceptions import InvalidDodoFile

from cwtasks.doit_plugin.workspace import Workspace
from cwtasks.exceptions import CwtasksError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cwtasks.doit_plugin.tasks import StepTask

opt_environment = {
    "section": "workspace",
    "name": "environment",
    "short": "e",
    "long": "environment",
    "type": str,
    "default": "",
    "help": "environment to run tasks in, where a task does not decide itself",
}


class WorkspaceLoader(TaskLoader2):
    """Loads the tasks of the workspace that governs the current folder."""

    # The options of doit's own loader are kept: `-d` chooses the folder to start from, `-f` leads back to dodo files.
    cmd_options = (opt_environment, opt_dodo, opt_cwd, opt_seek_file)

    workspace: Workspace | None = None

    def open(self, options: Mapping[str, Any]) -> Workspace:
        """Return the workspace that governs a folder; nothing is read yet.

        Args:
            options: ``environment`` and ``cwdPath`` are used.
        """
        if self.workspace is None:
            wish = options.get("environment") or None
            self.workspace = Workspace(options.get("cwdPath"), environ=os.environ, wish=wish)
        return self.workspace

    def setup(self, opt_values: Mapping[str, Any]) -> None:
        """Find the workspace and make its folder the current one, as doit does with the folder of a dodo file.

        Raises:
            InvalidDodoFile: there is no workspace, or its manifest is broken.
        """
        doit.loader.initial_workdir = os.getcwd()
        try:
            os.chdir(self.open(opt_values).root)
        except CwtasksError as error:
            raise InvalidDodoFile(str(error)) from error

    def load_doit_config(self) -> dict[str, Any]:
        """Return what doit should do differently here: show what commands say."""
        return {} if "verbosity" in (self.config or {}).get("GLOBAL", {}) else {"verbosity": 2}

    def load_tasks(self, cmd: Any, pos_args: Sequence[str]) -> list[StepTask]:
        """Return the doit tasks of what is asked for, or of everything, for commands of doit that are not ours.

        Raises:
            InvalidDodoFile: a word means nothing here, or a task cannot be compiled.
        """
        from cwtasks.doit_plugin import words
        from cwtasks.doit_plugin.standalone import make_standalone_tasks

        assert self.workspace is not None
        try:
            requests = words.parse(pos_args, self.workspace) if pos_args and cmd.execute_tasks else []
            graph = self.workspace.compile(requests) if requests else self.workspace.compile_all()
        except CwtasksError as error:
            raise InvalidDodoFile(str(error)) from error
        if requests:
            cmd.sel_tasks = list(graph.roots)
        return make_standalone_tasks(graph.steps.values(), self.workspace)
