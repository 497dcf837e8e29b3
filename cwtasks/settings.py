"""Settings of this program: the ``CWTASKS_*`` variables. Their only reader."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import CwtasksError, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_LEVELS = {"debug": 10, "info": 20, "warning": 30}
"""``CWTASKS_LOG``: how much is said on stderr of what happens inside; the numbers are those of ``logging``."""

_SWITCH = {"1": True, "on": True, "true": True, "yes": True, "0": False, "off": False, "false": False, "no": False}
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


class Settings(NamedTuple):
    """What a user may choose, with what holds when nothing is chosen."""

    keeps_outputs: bool = True
    """``CWTASKS_KEEP_OUTPUTS``: whether outputs of successful steps are kept and put back."""
    cache_folder: str = ""
    """``CWTASKS_CACHE``: where they are kept, absolute; ``cwtasks`` in the user's cache folder by default."""
    cache_bytes: int = 5 * 1024**3
    """``CWTASKS_CACHE_SIZE``: how much may be kept, for example ``500M`` or ``20G``."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            CwtasksError: a variable has a value that means nothing.
        """
        default = cls()
        return cls(
            keeps_outputs=_switch(environ, "CWTASKS_KEEP_OUTPUTS", default=default.keeps_outputs),
            cache_folder=os.path.abspath(environ.get("CWTASKS_CACHE") or _user_cache_folder(environ)),
            cache_bytes=_bytes(environ, "CWTASKS_CACHE_SIZE", default=default.cache_bytes),
        )


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


def _switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "").lower()
    if not value:
        return default
    if value not in _SWITCH:
        raise CwtasksError(f"{name}: found '{value}', expected on or off")
    return _SWITCH[value]


def _bytes(environ: Mapping[str, str], name: str, *, default: int) -> int:
    value = environ.get(name, "").strip().upper()
    if not value:
        return default
    found = re.fullmatch(r"(\d+)\s*([KMGT]?)I?B?", value)
    if not found:
        raise CwtasksError(f"{name}: found '{value}', expected a size", hints=["write it as 500M or 20G"])
    return int(found[1]) * _UNITS[found[2]]
