"""What is run for a step: argv, folder and variables. Starts no process.

Reads nothing of the disk but whether the folder exists and where the shell is; variables come in as arguments, so that
``os.environ`` is the business of the caller. Does not know how a process is run, nor where an environment's variables
come from.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import WorkingDirectoryError
from cwtasks.graph.quoting import double_quoted, posix_words, windows_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cwtasks.graph.step import Step

__all__ = ("Invocation", "Shell", "find_shell", "prepare", "seen_of_outside", "workspace_variables")

#: What a ``clean-env`` command still sees of the outside: who and where the user is, the terminal and the language.
_KEPT_OUTSIDE = frozenset(
    (
        "PATH",
        "HOME",
        "USER",
        "USERNAME",
        "LOGNAME",
        "SHELL",
        "TERM",
        "LANG",
        "LC_ALL",
        "LC_TIME",
        "LC_NUMERIC",
        "LC_MEASUREMENT",
        "DISPLAY",
        "HOSTNAME",
        "TMPDIR",
        "TEMP",
        "TMP",
        "SYSTEMROOT",
        "COMSPEC",
    )
)
_KEPT_PREFIX = "XPC_"

_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One process to start, with nothing left to decide."""

    argv: tuple[str, ...]
    """Program and arguments; a program without a slash is looked up on the ``PATH`` of ``env``."""
    cwd: str
    """Existing directory, absolute when the workspace root is."""
    env: dict[str, str]
    """All variables of the process; nothing is inherited beside them."""


class Shell(NamedTuple):
    """What reads command text."""

    argv: tuple[str, ...]
    """Program and options; the text is the next argument."""
    is_posix: bool
    """Whether ``export``, single quotes and ``"$@"`` work; if not, it is ``cmd``."""


def find_shell(path: str, platform: str = sys.platform) -> Shell:
    """Choose the shell for command text: bash, else ``sh``; ``cmd`` on Windows.

    Args:
        path: ``PATH`` of the command; relative entries are ignored, since the command may run in another folder.
        platform: As ``sys.platform``.
    """
    if platform == "win32":
        return Shell(("cmd", "/d", "/s", "/c"), is_posix=False)
    folders = [folder for folder in path.split(":") if folder.startswith("/")]
    for name in ("bash", "sh"):
        for folder in folders:
            program = f"{folder}/{name}"
            if os.access(program, os.X_OK) and os.path.isfile(program):
                return Shell((program, "-c"), is_posix=True)
    return Shell(("/bin/sh", "-c"), is_posix=True)


def prepare(
    step: Step,
    *,
    root: str,
    variables: Mapping[str, str],
    shell: Shell | None = None,
    platform: str = sys.platform,
) -> Invocation:
    """Say which process runs a step.

    Args:
        step: A step with a command.
        root: Workspace directory, absolute.
        variables: All there are but the step's own, which are stronger; see :func:`seen_of_outside`.
        shell: What reads command text; ``None`` finds one on the ``PATH`` of the command.
        platform: As ``sys.platform``.

    Returns:
        The process, its folder checked.

    Raises:
        WorkingDirectoryError: the folder the step runs in does not exist.
        ValueError: the step is an alias, which runs nothing.
    """
    if step.command is None:
        raise ValueError(f"step '{step.id}' is an alias")
    exported, env = _split_env(step, platform)
    env = {**variables, **env}
    if platform == "win32":
        env = {name.upper(): value for name, value in env.items()}
    if isinstance(step.command, str) or exported:
        shell = shell or find_shell(env.get("PATH", ""), platform)
        argv = _shell_argv(step.command, step.words, exported=exported, shell=shell)
    else:
        argv = (*step.command, *step.words)
    return Invocation(argv, _working_directory(step, root), env)


def _split_env(step: Step, platform: str) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Part the step's variables into those the shell exports and those handed over as they are.

    A name no shell can export, such as ``my.key``, is handed over, so that it reaches the command at all.
    """
    if not step.env_expands or platform == "win32":
        return [], dict(step.env)
    exported = [(name, value) for name, value in step.env if _SHELL_NAME.match(name)]
    return exported, {name: value for name, value in step.env if not _SHELL_NAME.match(name)}


def seen_of_outside(outside: Mapping[str, str], *, clean: bool) -> dict[str, str]:
    """Return the variables of the caller that a command sees.

    Args:
        outside: Variables of the caller.
        clean: Whether it is kept from all but who and where the user is.
    """
    if not clean:
        return dict(outside)
    return {name: value for name, value in outside.items() if name in _KEPT_OUTSIDE or name.startswith(_KEPT_PREFIX)}


def _shell_argv(
    command: str | tuple[str, ...],
    words: Sequence[str],
    *,
    exported: Iterable[tuple[str, str]],
    shell: Shell,
) -> tuple[str, ...]:
    exports = [f"export {name}={double_quoted(value)}" for name, value in exported]
    if isinstance(command, tuple):
        # The words stay arguments and never become text; "sh" before them is $0, the name in the shell's messages.
        return (*shell.argv, "\n".join([*exports, 'exec "$@"']), "sh", *command, *words)
    if not shell.is_posix:
        # cmd reads one line only, so what the lines would have been is said with its own separator.
        command = " & ".join(line.strip() for line in command.splitlines() if line.strip())
    if words:
        # A text that ends in a line end would make the appended words a command of their own.
        command = f"{command.rstrip()} {posix_words(words) if shell.is_posix else windows_words(words)}"
    return (*shell.argv, "\n".join([*exports, command]))


def _working_directory(step: Step, root: str) -> str:
    cwd = os.path.join(root, step.cwd) if step.cwd else root
    if not os.path.isdir(cwd):
        raise WorkingDirectoryError(step.id, step.cwd or root)
    return cwd


def workspace_variables(
    *,
    root: str,
    name: str,
    version: str | None,
    manifest: str,
    environment: str | None,
    platforms: Iterable[str],
    init_cwd: str,
) -> dict[str, str]:
    """Return what pixi tells every command about the workspace.

    Args:
        root: Workspace directory, absolute.
        name: Name of the workspace.
        version: Its version; ``None`` when the manifest has none.
        manifest: Path of the manifest, absolute.
        environment: Environment the command runs in; ``None`` for a manifest with tasks only, of which only the places
            are told.
        platforms: Platforms of that environment, in manifest order.
        init_cwd: Directory the user was in, absolute.
    """
    places = {"PIXI_PROJECT_ROOT": root, "PIXI_PROJECT_MANIFEST": manifest, "INIT_CWD": init_cwd}
    if environment is None:
        return places
    label = name if environment == "default" else f"{name}:{environment}"
    return places | {
        "PIXI_PROJECT_NAME": name,
        "PIXI_PROJECT_VERSION": version or "NO_VERSION_SPECIFIED",
        "PIXI_IN_SHELL": "1",
        "PIXI_ENVIRONMENT_NAME": environment,
        "PIXI_ENVIRONMENT_PLATFORMS": ",".join(platforms),
        "PIXI_PROMPT": f"({label}) ",
        "CONDA_DEFAULT_ENV": label,
    }
