"""Settings of this program: ``CWTASKS_*`` variables and ``[tool.cwtasks]`` of a manifest; the only reader of either."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cwtasks.exceptions import CwtasksError, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Value = TypeVar("_Value")

LOG_LEVELS = {"debug": 10, "info": 20, "warning": 30}
"""``CWTASKS_LOG``: how much is said on stderr of what happens inside; the numbers are those of ``logging``."""

_SWITCH = {"1": True, "on": True, "true": True, "yes": True, "0": False, "off": False, "false": False, "no": False}
_KEYS = (
    "keep-outputs",
    "cache-size",
    "engine",
    "install",
    "locked",
    "frozen",
    "offline",
    "link-scripts",
    "skip-unsolvable",
    "archive",
)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


class ArchiveSettings(NamedTuple):
    """``[tool.cwtasks.archive]``: what ``doit archive`` and the steps around it do when nothing else is said."""

    output: str = ""
    """Path of the archive, relative to the workspace; its name there by default."""
    receipt: str = ""
    """Path of the receipt, or ``on`` or ``off``; by default there is one beside the archive where there is a lock."""
    bundle: bool = False
    """Whether the packages of the lock go in."""
    environments: tuple[str, ...] = ()
    """Whose packages; of all by default."""
    platforms: tuple[str, ...] = ()
    """For which platforms; for all by default."""
    lock: bool = True
    """Whether the lock is made to answer the manifest before."""
    sign: str = ""
    """File of the private key that signs the receipt, relative to the workspace."""
    check: str = ""
    """Task that has to succeed in a restored workspace."""


class Settings(NamedTuple):
    """What a user may choose, with what holds when nothing is chosen."""

    keeps_outputs: bool = True
    """``CWTASKS_KEEP_OUTPUTS`` or ``keep-outputs``: whether outputs of successful steps are kept and put back."""
    cache_folder: str = ""
    """``CWTASKS_CACHE``: where they are kept, absolute; ``cwtasks`` in the user's cache folder by default."""
    cache_bytes: int = 5 * 1024**3
    """``CWTASKS_CACHE_SIZE`` or ``cache-size``: how much may be kept, for example ``500M`` or ``20G``."""

    engine: str = "rattler"
    """``CWTASKS_ENGINE`` or ``engine``: what solves and installs."""
    installs: bool = True
    """``CWTASKS_INSTALL`` or ``install``: whether tasks run in environments of the workspace, which are then locked and
    installed; otherwise in the one they are called from."""
    locked: bool = False
    """``CWTASKS_LOCKED`` or ``locked``: whether a lock that does not answer the manifest is an error; so it is where
    ``CI`` says that nobody is there to commit another one."""
    frozen: bool = False
    """``CWTASKS_FROZEN`` or ``frozen``: whether the lock is taken as it is, without a look at the manifest."""
    offline: bool = False
    """``CWTASKS_OFFLINE`` or ``offline``: whether only what is kept, or on this machine, is used."""
    link_scripts: bool = False
    """``CWTASKS_LINK_SCRIPTS`` or ``link-scripts``: whether packages may run their scripts when they are installed."""
    skip_unsolvable: bool = False
    """``CWTASKS_SKIP_UNSOLVABLE`` or ``skip-unsolvable``: whether other machines' environments that cannot be solved
    are left out of the lock."""

    archive: ArchiveSettings = ArchiveSettings()

    warnings: tuple[str, ...] = ()
    """Keys of the table that nobody knows."""

    @classmethod
    def read(cls, environ: Mapping[str, str], table: Mapping[str, object] | None = None) -> Settings:
        """Read the settings: a variable wins over the manifest, and that over what holds otherwise.

        Args:
            environ: Variables of the caller.
            table: ``[tool.cwtasks]`` of the manifest.

        Raises:
            CwtasksError: a value means nothing.
        """
        given = dict(table or {})
        archive, warnings = _archive_settings(given.pop("archive", None))
        default = cls()
        settings = cls(
            keeps_outputs=_chosen(environ, given, "keep-outputs", _switch, default.keeps_outputs),
            cache_folder=os.path.abspath(environ.get("CWTASKS_CACHE") or _user_cache_folder(environ)),
            cache_bytes=_chosen(environ, given, "cache-size", _bytes, default.cache_bytes),
            engine=_chosen(environ, given, "engine", _word, default.engine),
            installs=_chosen(environ, given, "install", _switch, default.installs),
            locked=_chosen(environ, given, "locked", _switch, _is_on(environ.get("CI"))),
            frozen=_chosen(environ, given, "frozen", _switch, default.frozen),
            offline=_chosen(environ, given, "offline", _switch, default.offline),
            link_scripts=_chosen(environ, given, "link-scripts", _switch, default.link_scripts),
            skip_unsolvable=_chosen(environ, given, "skip-unsolvable", _switch, default.skip_unsolvable),
        )
        warnings = (*(f"tool.cwtasks.{key}: unknown key; {_known(key)}" for key in given), *warnings)
        return settings._replace(archive=archive, warnings=warnings)


def passphrase(environ: Mapping[str, str]) -> bytes | None:
    """Return what opens the private key that signs, from ``CWTASKS_PASSPHRASE``; ``None`` when it is not set."""
    told = environ.get("CWTASKS_PASSPHRASE")
    return told.encode() if told else None


def _archive_settings(table: object) -> tuple[ArchiveSettings, tuple[str, ...]]:
    """Return the settings of a table, and a warning for each key nobody knows.

    Raises:
        CwtasksError: a value means nothing.
    """
    if table is None:
        return ArchiveSettings(), ()
    place = "tool.cwtasks.archive"
    if not isinstance(table, dict):
        raise CwtasksError(f"{place}: found {table!r}, expected a table")
    parsers: dict[str, Callable[[object, str], object]] = {
        **dict.fromkeys(("output", "sign", "check"), _word),
        **dict.fromkeys(("bundle", "lock"), _switch),
        **dict.fromkeys(("environments", "platforms"), _words),
        "receipt": _receipt,
    }
    known = {key: parsers[key](value, f"{place}.{key}") for key, value in table.items() if key in parsers}
    others = [key for key in table if key not in parsers]
    warnings = (f"{place}.{key}: unknown key; {suggestion(key, parsers, label='Known keys')}" for key in others)
    return ArchiveSettings(**known), tuple(warnings)  # type: ignore[arg-type]  # each parser returns what its field holds


def _receipt(value: object, place: str) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else _word(value, place)


def _words(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) and word for word in value):
        raise CwtasksError(f"{place}: found {value!r}, expected a list of names")
    return tuple(value)


def log_level(environ: Mapping[str, str]) -> int | None:
    """Return the level asked for with ``CWTASKS_LOG``, ``None`` for silence.

    Raises:
        CwtasksError: it is no level.
    """
    name = environ.get("CWTASKS_LOG", "")
    if not name:
        return None
    if name not in LOG_LEVELS:
        raise CwtasksError(f"CWTASKS_LOG: found '{name}'", hints=[suggestion(name, LOG_LEVELS, label="Levels")])
    return LOG_LEVELS[name]


def _user_cache_folder(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA") or os.path.join(home, ".cache")
    return os.path.join(base, "cwtasks")


def _known(key: str) -> str:
    return suggestion(key, _KEYS, label="Known keys")


def _chosen(
    environ: Mapping[str, str],
    given: dict[str, object],
    key: str,
    parse: Callable[[object, str], _Value],
    default: _Value,
) -> _Value:
    """Return what the variable, the table (from which the key is taken) or the default says."""
    variable = f"CWTASKS_{key.upper().replace('-', '_')}"
    in_table = given.pop(key, None)
    if environ.get(variable):
        return parse(environ[variable], variable)
    return default if in_table is None else parse(in_table, f"tool.cwtasks.{key}")


def _is_on(text: str | None) -> bool:
    """Say whether a variable of somebody else is on; what is neither on nor off is off."""
    return _SWITCH.get((text or "").lower(), False)


def _word(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise CwtasksError(f"{place}: found {value!r}, expected a name")
    return value


def _switch(value: object, place: str) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in _SWITCH:
        raise CwtasksError(f"{place}: found {value!r}, expected on or off")
    return _SWITCH[value.lower()]


def _bytes(value: object, place: str) -> int:
    found = re.fullmatch(r"(\d+)\s*([KMGT]?)I?B?", str(value).strip().upper())
    if not found:
        raise CwtasksError(f"{place}: found {value!r}, expected a size", hints=["write it as 500M or 20G"])
    return int(found[1]) * _UNITS[found[2]]
