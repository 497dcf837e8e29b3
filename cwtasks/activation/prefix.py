"""What a prefix holds that matters for activation: folders for ``PATH``, variables, scripts. Reads files, runs none.

Names of files are joined the way of this machine; the folders of ``PATH`` the way of ``platform``, which tests pass in.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.exceptions import ActivationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cwtasks.activation.declared import Activation

STATE_FILE = "conda-meta/state"
"""Where conda keeps the variables a user gave to an environment."""
VARIABLES_FOLDER = "etc/conda/env_vars.d"
SCRIPTS_FOLDER = "etc/conda/activate.d"

#: What conda writes for a variable that was removed from an environment.
_UNSET = "***unset***"
#: A package that set ``PATH`` by value would hide all others; conda ignores it as well.
_RESERVED = ("PATH",)

_SUFFIXES = {"posix": (".sh", ".bash"), "win32": (".bat", ".cmd")}


class Script(NamedTuple):
    """A script that takes part in an activation."""

    path: str
    """Absolute when prefix and workspace are."""
    label: str
    """What messages and digests call it: relative to the prefix, or as the manifest has it."""


def path_folders(prefix: str, platform: str) -> tuple[str, ...]:
    """Return the folders of a prefix that belong on ``PATH``, in order.

    Args:
        prefix: Absolute path.
        platform: As ``sys.platform``.
    """
    if platform != "win32":
        return (posixpath.join(prefix, "bin"),)
    below = ("Library\\mingw-w64\\bin", "Library\\usr\\bin", "Library\\bin", "Scripts", "bin")
    return (prefix, *(ntpath.join(prefix, folder) for folder in below))


def package_scripts(prefix: str, platform: str) -> list[Script]:
    """Return the packages' scripts for the shell of a platform, in the order they run."""
    suffix = ".bat" if platform == "win32" else ".sh"
    folder = os.path.join(prefix, SCRIPTS_FOLDER)
    names = [name for name in _names(folder) if name.endswith(suffix)]
    return [Script(os.path.join(folder, name), f"{SCRIPTS_FOLDER}/{name}") for name in names]


def manifest_scripts(activation: Activation, *, root: str, platform: str, warn: Callable[[str], None]) -> list[Script]:
    """Return the manifest's scripts for the shell of a platform, in the order they run.

    Scripts of other platforms are left out in silence: a manifest lists them side by side. What is no script of any
    platform, or is not there, is left out with a warning.

    Args:
        activation: What the manifest says.
        root: Workspace directory, absolute.
        platform: As ``sys.platform``.
        warn: Called with one sentence for each script left out for a reason the user should know.
    """
    mine = _SUFFIXES["win32" if platform == "win32" else "posix"]
    known = {suffix for suffixes in _SUFFIXES.values() for suffix in suffixes}
    found = []
    for name in activation.scripts:
        suffix = os.path.splitext(name)[1].lower()
        path = os.path.join(root, name)
        if suffix not in known:
            warn(f"activation script '{name}' is left out: its name ends in none of {', '.join(sorted(known))}")
        elif suffix in mine and not os.path.isfile(path):
            warn(f"activation script '{name}' was not found")
        elif suffix in mine:
            found.append(Script(path, name))
    return found


def variable_files(prefix: str) -> list[str]:
    """Return the paths of the packages' files of variables, in the order they are read."""
    folder = os.path.join(prefix, VARIABLES_FOLDER)
    return [os.path.join(folder, name) for name in _names(folder) if name.endswith(".json")]


def prefix_variables(prefix: str, *, environment: str, warn: Callable[[str], None]) -> dict[str, str]:
    """Return the variables that packages and, stronger, the user gave to an environment, each value as written.

    Args:
        prefix: Absolute path.
        environment: Name of the environment, for messages.
        warn: Called with one sentence for each variable left out.

    Raises:
        ActivationError: a file cannot be read, or is not what it should be.
    """
    found: dict[str, str] = {}
    for path in variable_files(prefix):
        label = f"{VARIABLES_FOLDER}/{os.path.basename(path)}"
        found.update(_checked(_table(_document(path, label, environment), label, environment), label, warn))
    found.update(_checked(user_variables(prefix, environment=environment), STATE_FILE, warn))
    return {name: value for name, value in found.items() if value != _UNSET}


def user_variables(prefix: str, *, environment: str) -> dict[str, Any]:
    """Return the ``env_vars`` of ``conda-meta/state`` as they stand there; empty when there are none.

    Raises:
        ActivationError: the file cannot be read, or is not what it should be.
    """
    document = _document(os.path.join(prefix, STATE_FILE), STATE_FILE, environment)
    given = _table(document, STATE_FILE, environment).get("env_vars", {})
    return _table(given, f"{STATE_FILE}: env_vars", environment)


def _document(path: str, label: str, environment: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a file of JSON says; a file that is not there says nothing."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        import json

        return json.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ActivationError(environment, f"{label} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ActivationError(environment, f"{label} is not JSON: {error}") from error


def _table(document: Any, label: str, environment: str) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if not isinstance(document, dict):
        raise ActivationError(environment, f"{label}: expected an object, found {type(document).__name__}")
    return document


def _checked(given: dict[str, Any], label: str, warn: Callable[[str], None]) -> dict[str, str]:
    """Return what the system can hold; the rest is told and left out, as conda and rattler do."""
    held = {}
    for name, value in given.items():
        if name.upper() in _RESERVED:
            warn(f"{label}: '{name}' is left out: it may not be set by value")
        elif not isinstance(value, str) or "\0" in value or not name or "=" in name or "\0" in name:
            warn(f"{label}: '{name}' is left out: it is no variable with a text as its value")
        else:
            held[name] = value
    return held


def _names(folder: str) -> Iterable[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return ()
