"""``cwt sbom``: list the packages of a lock as a CycloneDX document."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("path", nargs="?", default=".", help="lock, or a folder with one [default: this one]")


def run(arguments: Namespace) -> int:
    """Write the document to standard output.

    Returns:
        0.
    """
    from cwtasks.archive.sbom import find_lock, render

    lock = find_lock(arguments.path)
    place = os.path.realpath(arguments.path)
    folder = place if os.path.isdir(place) else os.path.dirname(place)
    sys.stdout.write(render(lock, name=os.path.basename(folder) or "workspace"))
    return 0
