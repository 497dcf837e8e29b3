"""What the verbs about archives share: the options that name archive, receipt and keys, and how progress is shown."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from cwtasks.archive import WorkspaceArchive
    from cwtasks.provision.progress import Display

#: Verbs that doit's side of `cwt` has a step of the same name for: they mean the verb where an archive is named.
SHARED_NAMES = ("install", "verify")


def names_archive(words: Sequence[str]) -> bool:
    """Say whether the words behind a shared name mean the verb: one of them names an archive, or help is wanted."""
    from cwtasks.archive.names import SUFFIXES

    named = [word for word in words if not word.startswith("-")]
    return any(word.endswith(tuple(SUFFIXES)) or os.path.isfile(word) for word in named) or "--help" in words


def add_archive(parser: ArgumentParser, *, proves: bool = True) -> None:
    """Declare the archive and, where it is proven, its receipt and keys."""
    parser.add_argument("archive", metavar="ARCHIVE", help="the archive")
    if not proves:
        return
    parser.add_argument(
        "--receipt", metavar="PATH", help="its receipt [default: ARCHIVE.receipt.json, where that is there]"
    )
    parser.add_argument("--key", metavar="PEM", action="append", default=[], help="public key that must have signed it")


def add_proof(parser: ArgumentParser) -> None:
    """Declare how much proof is demanded where an archive is unpacked."""
    parser.add_argument("--target", metavar="FOLDER", help="empty or missing folder [default: the archive's name]")
    parser.add_argument("--require-sha256", action="store_true", help="demand a receipt with a digest of every package")
    parser.add_argument(
        "--large", action="store_true", help="unpack more than 4 GiB, as far as there is room; for archives you trust"
    )


def archive_of(arguments: Namespace, *, needs_receipt: bool = False) -> WorkspaceArchive:
    """Return the archive the command line names.

    Args:
        arguments: Parsed.
        needs_receipt: Whether there has to be one, so that its absence is told.
    """
    from pathlib import Path

    from cwtasks.archive import WorkspaceArchive
    from cwtasks.archive.limits import ArchiveLimits
    from cwtasks.archive.names import receipt_beside

    path = Path(os.path.abspath(os.path.expanduser(arguments.archive)))
    receipt: str | bool | None = getattr(arguments, "receipt", None)
    keys = tuple(getattr(arguments, "key", ()))
    if receipt is None:
        wants = needs_receipt or bool(keys) or getattr(arguments, "require_sha256", False)
        receipt = wants or os.path.exists(receipt_beside(str(path)))
    limits = ArchiveLimits.unbounded() if getattr(arguments, "large", False) else ArchiveLimits()
    return WorkspaceArchive(path, receipt=receipt, keys=keys, limits=limits)


@contextmanager
def shown(name: str) -> Iterator[tuple[Display, Any]]:
    """Give what shows engines' progress, and what shows that of unpacking, on stderr."""
    import shutil

    from cwtasks.provision.progress import Display

    width = shutil.get_terminal_size().columns
    display = Display(name, sys.stderr, is_terminal=sys.stderr.isatty(), width=width)
    try:
        yield (
            display,
            lambda progress: display.count(
                "unpacking", progress.members, size=progress.raw_bytes, total_size=progress.raw_size
            ),
        )
    finally:
        display.close()
