"""``cwt shell``: open a shell in an environment."""

from __future__ import annotations

import os
import sys
import tempfile
from shlex import quote
from typing import TYPE_CHECKING

from cwtasks.cli.entering import Entered, add_environment, become, enter

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_environment(parser)


def run(arguments: Namespace) -> int:
    """Become the user's shell.

    Returns:
        Its exit status, or that of what failed before.

    Raises:
        CwtasksError: the shell cannot be started.
    """
    entered = enter(arguments.environment)
    if not isinstance(entered, Entered):
        return entered
    if sys.platform == "win32":
        return become([entered.variables.get("COMSPEC", "cmd")], entered.variables)
    shell = entered.variables.get("SHELL") or "/bin/sh"
    words = [shell]
    if sys.stdin.isatty():
        sys.stderr.write(f"shell in environment '{entered.name}'; exit leaves it\n")
        words += _interactive_words(os.path.basename(shell), entered)
    return become(words, entered.variables)


def _interactive_words(shell: str, entered: Entered) -> list[str]:
    """Return the words with which a shell keeps our ``PATH`` in front of what the user's own files do, and says where.

    Shells that are not known here run as they are: their variables are right unless the user's files change them.
    """
    path, mark = entered.variables.get("PATH", ""), f"({entered.name}) "
    if shell == "bash":
        with tempfile.NamedTemporaryFile("w", prefix="cwtasks-", suffix=".bashrc", delete=False) as file:
            # The first thing the shell does is to take the file away again.
            file.write(
                f"command rm -f -- {quote(file.name)}\n"
                "[ -f ~/.bashrc ] && . ~/.bashrc\n"
                f"export PATH={quote(path)}\n"
                f"PS1={quote(mark)}$PS1\n"
            )
        return ["--rcfile", file.name, "-i"]
    if shell == "fish":
        return ["-i", "-C", f"set -gx PATH {' '.join(map(quote, path.split(':')))}"]
    return ["-i"]
