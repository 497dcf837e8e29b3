"""How much there is in a prefix: its packages and its bytes. Reads names and sizes only, and starts nothing."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple


class Extent(NamedTuple):
    """What a prefix takes."""

    packages: int
    size_bytes: int
    """Of its files, each once; one that shares its bytes with the cache counts whole."""


def extent_of(prefix: str) -> Extent | None:
    """Return how much there is in a prefix, ``None`` where there is no environment.

    What cannot be looked at, or goes away meanwhile, is not counted.

    Args:
        prefix: Absolute path.
    """
    meta = os.path.join(prefix, "conda-meta")
    try:
        packages = sum(name.endswith(".json") for name in os.listdir(meta))
    except (FileNotFoundError, NotADirectoryError):
        return None
    sizes: dict[tuple[int, int], int] = {}
    folders = [prefix]
    while folders:
        folders += _measure(folders.pop(), sizes)
    return Extent(packages, sum(sizes.values()))


def _measure(folder: str, sizes: dict[tuple[int, int], int]) -> list[str]:
    """Note the size of every file of a folder, and return the folders in it; links are neither."""
    below = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                    continue
                # Not the entry's own: on Windows it has no inode, by which two names of one file are told.
                status = os.lstat(entry.path)
                if stat.S_ISREG(status.st_mode):
                    sizes[status.st_dev, status.st_ino] = status.st_size
    except OSError:
        return below
    return below
