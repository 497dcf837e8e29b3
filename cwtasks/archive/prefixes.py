"""Where an environment of an archive goes: the folder for its files, and the path that is written into them."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from cwtasks.archive.errors import PrefixError


class Prefixes(NamedTuple):
    """Where an environment goes."""

    physical: Path | None
    """Where its files are put; ``None`` for the workspace's own place."""
    runtime: str | None
    """The path written into them, where it is another one."""


def check_prefixes(environment: str | None, prefix: str | Path | None, dest: str | Path | None) -> Prefixes:
    """Settle where an environment goes.

    Args:
        environment: Needed for a prefix.
        prefix: Absolute, of this system; with ``dest`` of any.
        dest: Folder that stands for the root of the file system.

    Raises:
        PrefixError: They cannot be.
    """
    if prefix is None:
        if dest is not None:
            raise PrefixError("dest", os.fspath(dest), "it needs a prefix", hint="say where it will run with --prefix")
        return Prefixes(None, None)
    told = os.path.expanduser(os.fspath(prefix))
    if environment is None:
        raise PrefixError("prefix", told, "it needs an environment", hint="say which one with --environment")
    is_windows = PureWindowsPath(told).is_absolute() and not told.startswith("/")
    if not (PurePosixPath(told).is_absolute() or is_windows):
        raise PrefixError("prefix", told, "it is relative", hint="write it from the root on")
    parts = (PureWindowsPath(told) if is_windows else PurePosixPath(told)).parts
    if ".." in parts:
        raise PrefixError("prefix", told, "it contains '..'", hint="write it without")
    if dest is None:
        if is_windows != (os.name == "nt"):
            raise PrefixError("prefix", told, "it is of another system", hint="stage it below a folder with --dest")
        return Prefixes(Path(told), None)
    place = Path(os.path.abspath(os.path.expanduser(dest)))
    if place.is_symlink():
        raise PrefixError("dest", str(place), "it is a link", hint="name the folder itself")
    return Prefixes(place.joinpath(*parts[1:]), told)
