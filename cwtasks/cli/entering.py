"""What ``cwt exec`` and ``cwt shell`` share: an environment as locked, its variables, becoming a program."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import CwtasksError, EnvironmentNotFoundError, WorkspaceNotFoundError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping, Sequence

    from cwtasks.doit_plugin.workspace import Workspace

#: What shells report for a program that is not there, and for one that cannot be run.
_NOT_FOUND_STATUS, _NOT_RUNNABLE_STATUS = 127, 126


class Entered(NamedTuple):
    """An environment one can run programs in."""

    name: str
    variables: Mapping[str, str]
    """All of them."""


def add_environment(parser: ArgumentParser) -> None:
    """Declare the option that names the environment."""
    parser.add_argument("-e", "--environment", metavar="ENV", help="environment [default: default]")


def enter(environment: str | None) -> Entered | int:
    """Lock and install what is needed for an environment of the workspace one stands in, and activate it.

    Args:
        environment: Its name; ``None`` for that of the shell one is in, else ``default``.

    Returns:
        The environment, or the exit status of what failed; its message was shown.

    Raises:
        WorkspaceNotFoundError: there is no workspace here.
        EnvironmentNotFoundError: no environment has that name.
        CwtasksError: the environment cannot be activated.
    """
    from cwtasks.doit_plugin.workspace import Workspace

    workspace = Workspace(environ=os.environ, wish=environment)
    plan = workspace.plan
    if not plan.environments:
        raise WorkspaceNotFoundError(os.getcwd())
    name = workspace.wish or "default"
    if name not in plan.environments:
        raise EnvironmentNotFoundError(name, plan.environments)
    if name in workspace.workspace_steps.installed and _has_to_be_installed(workspace, name):
        from cwtasks.cli import run_doit

        status = run_doit(["run", "-r", "executed-only", f"workspace:install:{name}"])
        if status:
            return status
    return Entered(name, workspace.variables_of(name, os.environ))


def _has_to_be_installed(workspace: Workspace, name: str) -> bool:
    return bool(workspace.provision.why_lock() or workspace.provision.why_install(name))


def become(words: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a program in the place of this one.

    Args:
        words: Program and arguments; it is looked up on the ``PATH`` of ``variables``.
        variables: All variables it gets.

    Returns:
        Its exit status, on Windows; elsewhere there is nobody left to return to.

    Raises:
        CwtasksError: it cannot be started.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if sys.platform == "win32":
            import subprocess

            return subprocess.run(list(words), env=dict(variables), check=False).returncode
        os.execvpe(words[0], list(words), dict(variables))  # noqa: S606 - running the user's program is the purpose
    except OSError as error:
        failure = CwtasksError(
            f"'{words[0]}' cannot be started: {error.strerror}",
            hints=["is it a program of the environment, and are its packages in the manifest?"],
        )
        is_missing = isinstance(error, FileNotFoundError)
        failure.exit_code = _NOT_FOUND_STATUS if is_missing else _NOT_RUNNABLE_STATUS
        raise failure from None
