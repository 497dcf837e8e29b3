"""Where a manifest and the user's own tasks may stand. Knows names of files, nothing of what is in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANIFESTS = ("conda.toml", "pixi.toml", "pyproject.toml")
"""File names a manifest may have; in one folder the first that says something wins."""

STATE_FOLDER = ".conda/cwtasks"
"""Where a workspace keeps what is remembered between runs, below its root."""


def folders_upwards(start: str) -> Iterator[str]:
    """Yield a folder and all above it, the root of the file system last.

    Args:
        start: Absolute path.
    """
    folder = start
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def user_task_files(environ: Mapping[str, str]) -> list[str]:
    """Return the paths where the user's own tasks may stand; the first that exists counts.

    Args:
        environ: ``XDG_CONFIG_HOME``, and ``HOME`` or ``USERPROFILE``, say where to look.
    """
    home = environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")
    config = environ.get("XDG_CONFIG_HOME")
    folders = [*([f"{config}/conda"] if config else []), f"{home}/.config/conda", f"{home}/.conda"]
    return [os.path.join(folder, "tasks.toml") for folder in folders]
