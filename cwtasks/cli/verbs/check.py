"""``cwt check``: read the manifest and tell every mistake in it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from cwtasks.exceptions import CwtasksError, shown_path

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("path", nargs="?", help="manifest, or a folder of the workspace [default: this one]")


def run(arguments: Namespace) -> int:
    """Read the manifest; its mistakes are one error, what is merely odd are warnings.

    Returns:
        0 when the manifest can be used.

    Raises:
        CwtasksError: it cannot, or there is none.
    """
    from cwtasks.manifests import load

    path = arguments.path
    if path is not None and not os.path.exists(path):
        raise CwtasksError(f"{path}: no such file or folder", hints=["name a manifest, or a folder of the workspace"])
    manifest = load(path)
    sys.stderr.writelines(f"warning: {warning}\n" for warning in manifest.warnings)
    sys.stdout.write(f"{shown_path(manifest.path)}: no mistakes\n")
    return 0
