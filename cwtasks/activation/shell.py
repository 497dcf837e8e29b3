"""What scripts do to the variables: one shell runs them all, and its environment is read back.

Knows scripts, variables and a folder to run in; no manifest, no prefix, no cache. On Windows the shell is ``cmd``,
everywhere else bash.

1. A script sees the variables it is given and nothing of ours: no option, no function, no open file.
2. What it prints goes to a file, which only an error shows. Files, not pipes: a daemon that a script leaves behind
   would keep a pipe open, and reading it would wait for ever.
3. What a script leaves of itself in the shell, such as ``set -e`` or another folder, ends with the script.
4. The shell notes which script it is at, and at last that it came to the end. Only that note proves success: ``exit 0``
   in a script leaves us without an environment as much as ``exit 1`` does. The status of a script's last command says
   nothing, since ``[ -n "$X" ] && export Y`` is a common last line.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.activation.names import difference, visible
from cwtasks.exceptions import ActivationError
from cwtasks.graph.quoting import double_quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cwtasks.activation.names import Effect
    from cwtasks.activation.prefix import Script

_TAIL_LINES = 12
_END = "end"

# No double quote and no percent sign: cmd reads it too.
_DUMP = (
    r"import os, sys; file = open(sys.argv[1], 'wb'); "
    r"file.write(b''.join(os.fsencode(n) + b'=' + os.fsencode(v) + b'\0' for n, v in os.environ.items()))"
)


class _Places(NamedTuple):
    """The files through which the shell speaks to us."""

    at: str
    """Label of what it is at."""
    environment: str
    """Its variables when it came to the end."""
    text: str
    """What it reads, where it must be a file."""


def run_scripts(
    scripts: Sequence[Script],
    exports: Sequence[tuple[str, str]],
    *,
    environment: str,
    base: Mapping[str, str],
    root: str,
    platform: str = sys.platform,
) -> Effect:
    """Run scripts one after the other in one shell, then set variables whose values the shell expands.

    Args:
        scripts: Existing files.
        exports: Names that a shell can set, and values.
        environment: Name of the environment, for messages.
        base: All variables; scripts see those that :func:`~cwtasks.activation.names.visible` leaves.
        root: Folder the scripts run in, absolute.
        platform: As ``sys.platform``.

    Raises:
        ActivationError: there is no shell, or it did not come to the end.
    """
    seen = visible(base)
    with tempfile.TemporaryDirectory(prefix="cwtasks-") as folder:
        places = _Places(*(os.path.join(folder, name) for name in ("at", "environment", "activate.bat")))
        argv = _argv(scripts, exports, places, environment=environment, base=base, root=root, platform=platform)
        said, status = _run(argv, os.path.join(folder, "said"), environment=environment, env=seen, root=root)
        at = _read(places.at).decode(errors="replace").strip()
        if at != _END:
            raise ActivationError(environment, _failure(at, status, said))
        after = _parsed(_read(places.environment))
    return difference(seen, after)


def _argv(
    scripts: Sequence[Script],
    exports: Sequence[tuple[str, str]],
    places: _Places,
    *,
    environment: str,
    base: Mapping[str, str],
    root: str,
    platform: str,
) -> list[str]:
    if platform == "win32":
        with open(places.text, "w", encoding="utf-8", newline="\r\n") as file:
            file.write(cmd_text(scripts, exports, places.at, places.environment, root=root))
        return ["cmd", "/d", "/c", places.text]
    bash = _program("bash", base)
    if bash is None:
        raise ActivationError(environment, "activation scripts need bash, which was not found on PATH")
    text = bash_text(
        scripts, exports, places.at, places.environment, root=root, bash=bash, env=_program("env", base) or "env"
    )
    return [bash, "--noprofile", "--norc", "-c", text, "bash"]


def _program(name: str, base: Mapping[str, str]) -> str | None:
    """Return the system's own program rather than one of the environment, which its scripts may only now make work."""
    from shutil import which

    return which(name, path="/bin:/usr/bin:/usr/local/bin") or which(name, path=base.get("PATH", ""))


def bash_text(
    scripts: Sequence[Script],
    exports: Sequence[tuple[str, str]],
    at: str,
    result: str,
    *,
    root: str,
    bash: str,
    env: str,
) -> str:
    """Return what bash reads.

    Args:
        scripts: In the order they run.
        exports: Variables to set when the scripts are through.
        at: File for the label of what the shell is at.
        result: File for the variables, as ``NAME=value`` and a NUL each.
        root: Folder the scripts run in.
        bash: The shell itself, absolute.
        env: The program of that name.
    """
    # A script with a syntax error only returns a status, as one does whose last command failed; "bash -n" can tell.
    lines = [
        f"__cwtasks_at() {{ builtin printf '%s' \"$1\" >|{quote(at)}; }}",
        "__cwtasks_after() {",
        "  builtin set +aefkuvxCET +o pipefail",
        "  builtin trap - ERR DEBUG RETURN",
        "  builtin shopt -u expand_aliases",
        f"  builtin cd -- {quote(root)} >/dev/null",
        f'  if [[ "$1" != 0 ]] && ! {quote(bash)} --norc -O extglob -n -- "$2" 2>/dev/null; then',
        "    builtin exit 2",
        "  fi",
        "}",
    ]
    for script in scripts:
        lines += [
            f"__cwtasks_at {quote(script.label)}",
            f"builtin . {quote(script.path)}",
            f'__cwtasks_after "$?" {quote(script.path)}',
        ]
    for name, value in exports:
        lines += [f"__cwtasks_at {quote(f'activation.env: {name}')}", f"export {name}={double_quoted(value)}"]
    python = f"{quote(sys.executable)} -I -S -c {quote(_DUMP)} {quote(result)}"
    lines += [
        "__cwtasks_at environment",
        # Not every env has -0.
        f"{{ {quote(env)} -0 2>/dev/null >|{quote(result)} || {python}; }} && __cwtasks_at {_END}",
        "builtin exit 0",
    ]
    return "\n".join(lines) + "\n"


def cmd_text(scripts: Sequence[Script], exports: Sequence[tuple[str, str]], at: str, result: str, *, root: str) -> str:
    """Return what ``cmd`` reads on Windows; arguments as for :func:`bash_text`."""

    def quoted(text: str) -> str:
        return '"' + text.replace("%", "%%") + '"'

    def note(label: str) -> str:
        plain = re.sub(r"[^\w ./\\:-]", "_", label)
        return f">{quoted(at)} echo {plain}"

    lines = ["@echo off", "chcp 65001 >nul"]
    for script in scripts:
        lines += [f"cd /d {quoted(root)}", note(script.label), f"call {quoted(script.path)}", "@echo off"]
    for name, value in exports:
        # The value is the manifest's, in which %NAME% is meant to expand.
        lines += [note(f"activation.env: {name}"), f'set "{name}={" ".join(value.splitlines())}"']
    lines += [
        note("environment"),
        f'{quoted(sys.executable)} -I -S -c "{_DUMP}" {quoted(result)} && {note(_END)}',
        "exit /b 0",
    ]
    return "\n".join(lines) + "\n"


def _run(argv: list[str], said: str, *, environment: str, env: Mapping[str, str], root: str) -> tuple[str, int]:
    with open(said, "w+b") as output:
        try:
            done = subprocess.run(
                argv,
                cwd=root,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except (OSError, ValueError) as error:
            raise ActivationError(environment, f"'{argv[0]}' cannot be started: {error}") from error
    return _read(said).decode(errors="replace"), done.returncode


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _failure(at: str, status: int, said: str) -> str:
    if at == "environment":
        fact = "the variables cannot be read back after the scripts"
    elif status < 0:
        fact = f"{at} was ended by signal {-status}"
    else:
        fact = f"{at} failed with exit status {status}" if status else f"{at} ended the shell with 'exit' or 'exec'"
    lines = [line for line in said.splitlines() if line.strip()]
    return "\n".join([fact, *(f"  {line}" for line in lines[-_TAIL_LINES:])])


def _parsed(content: bytes) -> dict[str, str]:
    after = {}
    for record in content.split(b"\0"):
        name, is_variable, value = record.partition(b"=")
        if is_variable and name:
            after[os.fsdecode(name)] = os.fsdecode(value)
    return after
