"""Prefix -> the variables a command runs with.

Knows what lies in a prefix, what a manifest says under ``[activation]``, and how to ask a shell what its scripts do.
Does not know how the prefix came to be, which command will run, nor where the caller keeps its state: folders and the
variables of the outside come in as arguments.

From weak to strong: outside, the statics of the caller, the packages' ``env_vars.d`` and the environment's own
variables, the packages' ``activate.d``, the manifest's scripts, the manifest's ``activation.env``. A task's own ``env``
is stronger still and not the business of this room.

Only variables come out of a script. Functions, aliases, options and the folder it changed to are lost.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cwtasks.activation.declared import Activation, activation_of
    from cwtasks.activation.digest import content_digest
    from cwtasks.activation.effective import Changes, changes, variables

# Imported when they are used: most starts run no command, and need only the record.
_HOMES = {
    "Activation": "declared",
    "Changes": "effective",
    "activation_of": "declared",
    "changes": "effective",
    "content_digest": "digest",
    "variables": "effective",
}

__all__ = ["Activation", "Changes", "activation_of", "changes", "content_digest", "variables"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
