"""The variables of a command in an environment: what is outside, what the prefix says, what its scripts do."""

from __future__ import annotations

import os
import re
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.activation.names import SHELL_NAME, visible
from cwtasks.activation.prefix import (
    STATE_FILE,
    Script,
    manifest_scripts,
    package_scripts,
    path_folders,
    prefix_variables,
    variable_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cwtasks.activation.declared import Activation
    from cwtasks.activation.names import Effect

#: What conda leaves behind of environments that are active, or that this one is stacked upon.
_OF_ANOTHER = re.compile(r"CONDA_(?:(?:PREFIX|STACKED)_\d+|PROMPT_MODIFIER)\Z")
#: Prefixes that are the system's own: without their folders on ``PATH`` nothing would work.
_SYSTEM_PREFIXES = ("", "/", "/usr", "/usr/local")

# What a POSIX shell would not leave as it is between double quotes, and what cmd would not.
_EXPANDED = {"posix": re.compile(r"[$`]|\\[\\\n]"), "win32": re.compile("%")}


class Changes(NamedTuple):
    """What activation changes of the variables outside."""

    set: dict[str, str]
    """New and changed variables; among them ``PATH``, which goes on as the one outside did."""
    unset: tuple[str, ...]
    """Variables of the outside that a command does not see."""

    def over(self, outside: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of the outside with these changes."""
        gone = frozenset(self.unset)
        return {name: value for name, value in outside.items() if name not in gone} | self.set


def variables(
    prefix: str,
    *,
    activation: Activation,
    statics: Mapping[str, str],
    outside: Mapping[str, str],
    root: str,
    cache_folder: str | None,
    platform: str = sys.platform,
    warn: Callable[[str], None] | None = None,
) -> dict[str, str]:
    """Return all variables a command in an environment runs with.

    Starts no process unless a script or a value that a shell expands takes part, and then only once: what it did is
    remembered until something it could see has changed.

    Args:
        prefix: The installed environment, absolute; empty for an environment that has none, whose scripts and
            variables add to the environment outside.
        activation: What the manifest says.
        statics: What the caller tells every command, such as names of the workspace; weaker than all but ``outside``.
        outside: Variables of the caller, already without those a command with a clean environment may not see.
        root: Workspace directory, absolute; scripts run in it.
        cache_folder: Where to remember, absolute; ``None`` for nowhere.
        platform: As ``sys.platform``. For ``win32`` all names come back in upper case.
        warn: Called with one sentence, without place, for everything that was left out.

    Raises:
        ActivationError: a script fails, or a file of the prefix cannot be read.
    """
    found = changes(
        prefix,
        activation=activation,
        statics=statics,
        outside=outside,
        root=root,
        cache_folder=cache_folder,
        platform=platform,
        warn=warn,
    )
    return found.over(_named(outside, platform))


def changes(
    prefix: str,
    *,
    activation: Activation,
    statics: Mapping[str, str],
    outside: Mapping[str, str],
    root: str,
    cache_folder: str | None,
    platform: str = sys.platform,
    warn: Callable[[str], None] | None = None,
) -> Changes:
    """Return what activation changes of ``outside``; arguments and errors as for :func:`variables`.

    Raises:
        ActivationError: a script fails, or a file of the prefix cannot be read.
    """
    warn = warn or (lambda _: None)
    outside = _named(outside, platform)
    now_ns = time.time_ns()  # before any file is read
    direct, scripts = Changes({**_named(statics, platform)}, ()), list[Script]()
    if prefix:
        direct = _of_prefix(prefix, activation.environment, statics, outside, platform)
        given = prefix_variables(prefix, environment=activation.environment, warn=warn)
        direct = Changes({**direct.set, **_named(given, platform)}, direct.unset)
        scripts += package_scripts(prefix, platform)
    scripts += manifest_scripts(activation, root=root, platform=platform, warn=warn)
    exports, literal = _split_env(activation, platform)
    if scripts or exports:
        question = _Question(prefix, scripts, exports, direct.over(outside), root, activation.environment, platform)
        effect = _answer(question, cache_folder, now_ns)
        direct = _with_effect(direct, effect, outside, platform)
    return Changes({**direct.set, **_named(literal, platform)}, tuple(n for n in direct.unset if n not in literal))


def _named(variables: Mapping[str, str], platform: str) -> Mapping[str, str]:
    """Return variables under the names Windows compares them by."""
    return {name.upper(): value for name, value in variables.items()} if platform == "win32" else variables


def _of_prefix(
    prefix: str, environment: str, statics: Mapping[str, str], outside: Mapping[str, str], platform: str
) -> Changes:
    """Return what holds for every prefix. An environment that is active outside is left first."""
    found = {
        "CONDA_DEFAULT_ENV": environment,
        **_named(statics, platform),
        "PATH": _path(prefix, outside, platform),
        "CONDA_PREFIX": prefix,
        "CONDA_SHLVL": "1",
    }
    return Changes(found, tuple(name for name in outside if _OF_ANOTHER.match(name) and name not in found))


def _path(prefix: str, outside: Mapping[str, str], platform: str) -> str:
    separator = ";" if platform == "win32" else ":"
    text = outside.get("PATH", "")
    folders = text.split(separator) if text else []
    active = outside.get("CONDA_PREFIX", "")
    if active.rstrip("/\\") not in _SYSTEM_PREFIXES:
        folders = _without(folders, path_folders(active, platform), platform)
    return separator.join([*path_folders(prefix, platform), *folders])


def _without(folders: list[str], old: Sequence[str], platform: str) -> list[str]:
    """Return folders without the first of each of ``old``: what activation had put there, once."""

    def plain(folder: str) -> str:
        return folder.replace("/", "\\").rstrip("\\").lower() if platform == "win32" else folder.rstrip("/")

    kept = list(folders)
    for folder in old:
        for index, other in enumerate(kept):
            if plain(other) == plain(folder):
                del kept[index]
                break
    return kept


def _split_env(activation: Activation, platform: str) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    """Part the manifest's variables into those a shell must set and those that are handed over as they are.

    When one needs the shell, all that it can set go there, since a value may name another variable.
    """
    env = dict(activation.env)
    expanded = _EXPANDED["win32" if platform == "win32" else "posix"]
    if not activation.env_expands or not any(expanded.search(value) for value in env.values()):
        return (), env
    exports = tuple((name, value) for name, value in env.items() if SHELL_NAME.match(name))
    return exports, {name: value for name, value in env.items() if not SHELL_NAME.match(name)}


def _with_effect(direct: Changes, effect: Effect, outside: Mapping[str, str], platform: str) -> Changes:
    changed = {**direct.set, **_named(effect.set, platform)}
    for name in effect.unset:
        changed.pop(name, None)
    gone = {*direct.unset, *(name for name in effect.unset if name in outside)}
    return Changes(changed, tuple(sorted(gone - changed.keys())))


class _Question(NamedTuple):
    """All that a shell is asked."""

    prefix: str
    scripts: list[Script]
    exports: tuple[tuple[str, str], ...]
    base: dict[str, str]
    root: str
    environment: str
    platform: str

    def files(self) -> list[str]:
        """Return the paths of all whose change may change the answer."""
        scripts = [script.path for script in self.scripts]
        if not self.prefix:
            return scripts
        folder = os.path.join(self.prefix, "conda-meta")
        state = os.path.join(self.prefix, STATE_FILE)
        return [folder, state, *variable_files(self.prefix), *scripts]

    def ask(self) -> Effect:
        """Run the shell."""
        from cwtasks.activation.shell import run_scripts

        return run_scripts(
            self.scripts,
            self.exports,
            environment=self.environment,
            base=self.base,
            root=self.root,
            platform=self.platform,
        )


def _answer(question: _Question, cache_folder: str | None, now_ns: int) -> Effect:
    """Return what the shell would do, from memory where it is remembered."""
    if cache_folder is None:
        return question.ask()
    from cwtasks.activation.memory import Memory, one_at_a_time, stamps

    before = stamps(question.files(), now_ns)
    key = (
        question.prefix,
        tuple(question.scripts),
        question.exports,
        tuple(sorted(visible(question.base).items())),
        question.root,
        question.platform,
        before.values,
    )
    memory = Memory(cache_folder, key)
    if (known := memory.recall()) is not None:
        return known
    with one_at_a_time(question.prefix):
        if (known := memory.recall()) is not None:
            return known
        effect = question.ask()
        if before.are_proof and stamps(question.files(), now_ns).values == before.values:
            memory.keep(effect)
        return effect
