"""The table of what can be exported. A format is one line here, and a function that makes a text of :class:`Asked`.

A function raises what is wrong with the question, and returns what its format cannot say; whether that stops the export
is decided here, once for all formats. It is told its format by name, so that one may write several.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import LossyConversionError, UnknownFormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cwtasks.exchange.asked import Asked, Exported


class Format(NamedTuple):
    """One format that can be written."""

    module: str
    """Module of this package with ``export(name, asked)``; imported when the format is asked for."""
    purpose: str

    @property
    def export(self) -> Callable[[str, Asked], Exported]:
        """What writes it."""
        function: Callable[[str, Asked], Exported] = import_module(f"cwtasks.exchange.{self.module}").export
        return function


FORMATS = {
    "conda-lock": Format("conda_lock", "conda.lock of the environments named, or of all"),
    "environment-yaml": Format("environment_yaml", "environment.yml of one environment, from the manifest"),
    "conda-toml": Format("manifest_toml", "conda.toml of one environment, from the manifest"),
    "pixi-toml": Format("manifest_toml", "pixi.toml of one environment, from the manifest"),
    "pyproject-toml": Format("manifest_toml", "pyproject.toml of one environment, from the manifest"),
    "explicit": Format("explicit", "URLs of the locked packages of one environment on one platform"),
}
"""By name, as people write it."""


def find_format(name: str) -> Format:
    """Return a format.

    Raises:
        UnknownFormatError: none has that name; says which there are.
    """
    try:
        return FORMATS[name]
    except KeyError:
        raise UnknownFormatError(name, FORMATS) from None


def export(name: str, asked: Asked, *, allow_loss: bool = False) -> Exported:
    """Return what is asked for in a format.

    Args:
        name: One of :data:`FORMATS`.
        asked: What of which workspace.
        allow_loss: Leave out what the format cannot say; otherwise that is an error.

    Raises:
        UnknownFormatError: no format has that name.
        LossyConversionError: it cannot say all of it.
        CwtasksError: the workspace has no such environment or platform, or the lock cannot be used.
    """
    chosen = find_format(name)
    asked.check()
    exported = chosen.export(name, asked)
    if exported.losses and not allow_loss:
        raise LossyConversionError(name, exported.losses)
    return exported
