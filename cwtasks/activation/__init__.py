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

from cwtasks.activation.declared import Activation, activation_of
from cwtasks.activation.digest import content_digest
from cwtasks.activation.variables import Changes, changes, variables

__all__ = ["Activation", "Changes", "activation_of", "changes", "content_digest", "variables"]
