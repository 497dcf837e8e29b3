"""The ``cwt`` command: doit's commands for the workspace, and verbs of its own that need no task.

doit's commands come without looking for other plugins of doit first. A verb stands in a module of its own below
:mod:`cwtasks.cli.verbs`; only the one that is asked for is imported, and then doit is not.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cwt``.

    Args:
        argv: The words after the command; those of this process by default.

    Returns:
        The exit status: 0 done, 3 nothing was run because of an error; else that of the command that failed.
    """
    from cwtasks.collector import without_collector

    with without_collector():
        return _run(list(sys.argv[1:] if argv is None else argv))


def _run(words: list[str]) -> int:
    from cwtasks.cli import verb

    if verb.is_meant(words):
        return verb.run(words[0], words[1:])
    if len(words) == 2 and words[0] == "help" and words[1] in verb.VERBS:
        return verb.run(words[1], ["--help"])
    status = run_doit(words)
    if words == ["help"]:
        sys.stdout.write(verb.summary())
    return status


def run_doit(words: Sequence[str]) -> int:
    """Run one of doit's commands as ``cwt`` does.

    Args:
        words: Its name, or a task, and what stands behind it.

    Returns:
        The exit status.
    """
    from doit.cmd_completion import TabCompletion
    from doit.doit_cmd import DoitMain
    from doit.plugin import PluginDict, PluginEntry

    from cwtasks.doit_plugin.entry import PLACES
    from cwtasks.doit_plugin.loader import WorkspaceLoader

    class Program(DoitMain):
        BIN_NAME = "cwt"

        def get_cmds(self) -> PluginDict:
            entries = [PluginEntry("COMMAND", place.command, f"{place.ours}:{name}") for name, place in PLACES.items()]
            return PluginDict({entry.name: entry for entry in entries}, tabcompletion=TabCompletion)

        def process_args(self, cmd_args: list[str]) -> list[str]:
            return list(cmd_args)

    return int(Program(WorkspaceLoader()).run(words) or 0)
