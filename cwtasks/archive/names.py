"""What things are called in and around archives. Knows no file."""

from __future__ import annotations

SUFFIXES = {
    ".tar.zst": "zstd",
    ".tar.zstd": "zstd",
    ".tzst": "zstd",
    ".tar.gz": "gzip",
    ".tgz": "gzip",
    ".tar.bz2": "bzip2",
    ".tbz2": "bzip2",
    ".tbz": "bzip2",
}
"""Ends of the names of archives, and how these are compressed."""

LOCKS = ("conda.lock", "pixi.lock")
"""Names of locks, the one that counts first."""

PACKAGES = "packages/"
"""What the names of packages that are carried along begin with."""

PACKAGE_SUFFIXES = (".conda", ".tar.bz2")
"""Ends of the names of packages."""


RECEIPT_SUFFIX = ".receipt.json"
"""What the name of a receipt adds to that of its archive."""


def receipt_beside(archive: str) -> str:
    """Return the path of the receipt that lies beside an archive."""
    return archive + RECEIPT_SUFFIX


def is_package(name: str) -> bool:
    """Say whether a member is a package file that is carried along: in ``packages/`` or a subdir's folder in it."""
    return name.startswith(PACKAGES) and name.endswith(PACKAGE_SUFFIXES) and name.count("/") <= 2


def compression_of(name: str) -> str | None:
    """Return how an archive is compressed by its name: ``zstd``, ``gzip``, ``bzip2``, or ``None`` for no archive."""
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)
