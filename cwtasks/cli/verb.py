"""What verbs of ``cwt`` share: where each stands, how its words are parsed, and how its errors are shown.

A verb is a module with ``add_arguments(parser)`` and ``run(arguments)``, which returns the exit status. Knows no verb's
meaning.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from cwtasks.exceptions import CwtasksError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

VERBS = {
    "shell": "open a shell in an environment",
    "exec": "run one command in an environment",
    "init": "write a manifest with a workspace and nothing in it yet",
    "add": "add dependencies to the manifest",
    "remove": "remove dependencies from the manifest",
    "task": "add, remove, list or export tasks of the manifest",
    "info": "show the workspace, its environments and its lock",
    "export": "write the workspace in the format of another tool",
    "import": "make a manifest of an environment.yml",
    "schema": "print the JSON schema of conda.toml",
    "check": "read the manifest and tell every mistake in it",
    "inspect": "say what an archive of a workspace holds",
    "verify": "check an archive against its receipt",
    "unpack": "restore a workspace from an archive",
    "install": "restore a workspace from an archive and install its environments",
    "sbom": "list the packages of a lock or an archive as a CycloneDX document",
}
"""Name and purpose of each verb, in the order of the help; its module has the name with ``_`` for ``-``."""

#: What a shell reports for a command that ended by SIGPIPE.
_BROKEN_PIPE_STATUS = 141


def is_meant(words: Sequence[str]) -> bool:
    """Tell whether a command line names a verb.

    ``info`` with a task is doit's command of that name; ``install`` and ``verify`` without an archive are steps.

    Args:
        words: Behind ``cwt``.
    """
    if not words or words[0] not in VERBS:
        return False
    if words[0] == "info":
        return not set(words[1:]) - {"--json", "-h", "--help"}
    from cwtasks.cli.archives import SHARED_NAMES, names_archive

    return words[0] not in SHARED_NAMES or names_archive(words[1:])


def run(name: str, words: Sequence[str]) -> int:
    """Run a verb; user errors end here, as two lines.

    Args:
        name: One of :data:`VERBS`.
        words: What stands behind it on the command line.

    Returns:
        The exit status.
    """
    verb = import_module(f"cwtasks.cli.verbs.{name.replace('-', '_')}")
    parser = _parser(name)
    verb.add_arguments(parser)
    try:
        try:
            status = int(verb.run(parser.parse_args(words)))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone. What is left in the buffer must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE_STATUS
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 128 + signal.SIGINT
    except CwtasksError as error:
        sys.stderr.write(f"{error.render()}\n")
        return error.exit_code
    return status


def _parser(name: str) -> ArgumentParser:
    """Return an argument parser whose errors are ours."""
    from argparse import ArgumentParser  # doit's commands need none, and import this module, too

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            """Refuse a command line.

            Raises:
                CwtasksError: always.
            """
            raise CwtasksError(f"{self.prog}: {message}", hints=[f"{self.prog} --help lists what it takes"])

    return Parser(prog=f"cwt {name}", description=f"{VERBS[name]}.", allow_abbrev=False)


def summary() -> str:
    """Return what ``cwt help`` adds to doit's list of commands."""
    lines = [f"  cwt {name:<18}{purpose}" for name, purpose in VERBS.items()]
    return "\n".join(["", "Beside doit's commands", *lines, "", "  cwt VERB --help       show its usage", ""])
