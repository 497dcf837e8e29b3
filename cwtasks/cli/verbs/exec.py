"""``cwt exec``: run one command in an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.cli.entering import Entered, add_environment, become, enter
from cwtasks.exceptions import CwtasksError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.usage = "cwt exec [-h] [-e ENV] [--] CMD [WORD ...]"
    add_environment(parser)
    parser.add_argument("command", nargs="...", metavar="CMD", help="program and its words, run in the current folder")


def run(arguments: Namespace) -> int:
    """Become the command.

    Returns:
        Its exit status, or that of what failed before.

    Raises:
        CwtasksError: no command is named, or it cannot be run.
    """
    words = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not words:
        raise CwtasksError("cwt exec: name a command", hints=["cwt exec -e ENV -- CMD"])
    entered = enter(arguments.environment)
    if not isinstance(entered, Entered):
        return entered
    return become(words, entered.variables)
