"""What doit imports first, in every folder and for every program built on it: so it imports next to nothing.

Each attribute is a command class: ours where a workspace may be, doit's own everywhere else. Whatever goes wrong in
our own modules, an unrelated ``doit`` keeps working.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.places import MANIFESTS, folders_upwards, user_task_files

if TYPE_CHECKING:
    from types import FrameType

BROKEN = "warning: cwtasks cannot be loaded, doit works without it: {}\n"


class _Place(NamedTuple):
    """Where the two classes of a command stand."""

    command: str
    """What users type."""
    own: str
    """Module of doit's class."""
    ours: str
    """Module of ours."""
    own_name: str = ""
    """Name of doit's class where it is not that of ours."""


#: By class name, as the entry points in pyproject.toml name them.
PLACES = {
    "Run": _Place("run", "doit.cmd_run", "cwtasks.doit_plugin.commands.run"),
    "List": _Place("list", "doit.cmd_list", "cwtasks.doit_plugin.commands.list"),
    "Info": _Place("info", "doit.cmd_info", "cwtasks.doit_plugin.commands.info"),
    "Clean": _Place("clean", "doit.cmd_clean", "cwtasks.doit_plugin.commands.clean"),
    "Forget": _Place("forget", "doit.cmd_forget", "cwtasks.doit_plugin.commands.forget"),
    "Ignore": _Place("ignore", "doit.cmd_ignore", "cwtasks.doit_plugin.commands.ignore"),
    "ResetDep": _Place("reset-dep", "doit.cmd_resetdep", "cwtasks.doit_plugin.commands.reset_dep"),
    "Why": _Place("why", "doit.cmd_info", "cwtasks.doit_plugin.commands.why", own_name="Info"),
    "Help": _Place("help", "doit.cmd_help", "cwtasks.doit_plugin.commands.help"),
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(name)
    place = PLACES[name]
    own = _command_of_program(place.command)
    if own is None:
        own = getattr(import_module(place.own), place.own_name or name)
    if own.__module__ != place.own or _has_dodo_file() or not _may_have_workspace():
        return own
    try:
        return getattr(import_module(place.ours), name)
    except Exception as error:  # noqa: BLE001 - a broken plugin must not take doit down with it
        sys.stderr.write(BROKEN.format(error))
        return own


def _command_of_program(command: str) -> Any:
    """Return the command class that the running program itself brings, or ``None``.

    Entry points replace the commands of every program built on ``DoitMain``. The program itself is known only to the
    frames that called us, so they are asked; the alternative, patching ``DoitMain``, would reach far more.
    """
    from doit.doit_cmd import DoitMain

    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, DoitMain):
            # The last one counts: programs append theirs to doit's.
            return next((own for own in reversed(list(caller.DOIT_CMDS)) if own.get_name() == command), None)
        frame = frame.f_back
    return None


def _has_dodo_file() -> bool:
    return "DOIT_FILE" in os.environ or os.path.exists("dodo.py")


def _may_have_workspace() -> bool:
    """Say whether a manifest, ours or not, stands here or above, or the user has tasks of their own.

    A folder chosen with ``-d`` is looked at when the options are known.
    """
    if any(word.startswith(("-d", "--d")) for word in sys.argv[1:]):
        return True
    above = (os.path.join(folder, name) for folder in folders_upwards(os.getcwd()) for name in MANIFESTS)
    return any(map(os.path.exists, above)) or any(map(os.path.exists, user_task_files(os.environ)))
