"""``cwt verify ARCHIVE``: check an archive against its receipt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cwtasks.cli.archives import add_archive, archive_of

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_archive(parser)


def run(arguments: Namespace) -> int:
    """Verify, and say what is proven.

    Returns:
        0.
    """
    archive = archive_of(arguments, needs_receipt=True)
    receipt = archive.verify()
    paths = receipt.workspace_paths
    sys.stdout.write(f"{archive.path.name}: is what its receipt says\n")
    if arguments.key:
        sys.stdout.write("receipt: signed with a key you gave\n")
    elif receipt.is_signed:
        sys.stdout.write("receipt: signed; name a key with --key to check by whom\n")
    else:
        sys.stdout.write("receipt: not signed, so it does not say who made the archive\n")
    sys.stdout.write(f"manifest: {paths.manifest}\nlock: {paths.lockfile}\n")
    for environment in receipt.inventory.environments:
        sys.stdout.write(f"environment {environment.name}: {len(environment.packages)} packages\n")
    return 0
