"""``cwt sbom``: list the packages of a lock or an archive as a CycloneDX document."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "path", nargs="?", default=".", help="lock, folder with one, or archive with one [default: this folder]"
    )


def run(arguments: Namespace) -> int:
    """Write the document to standard output.

    Returns:
        0.
    """
    from cwtasks.archive.reading import read_lock_of
    from cwtasks.archive.sbom import find_lock, render

    lock = find_lock(arguments.path, read_archive=read_lock_of)
    place = os.path.realpath(arguments.path)
    folder = place if os.path.isdir(place) else os.path.dirname(place)
    sys.stdout.write(render(lock, name=os.path.basename(folder) or "workspace"))
    return 0
