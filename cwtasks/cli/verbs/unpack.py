"""``cwt unpack``: restore a workspace from an archive."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from cwtasks.cli.archives import add_archive, add_proof, archive_of, shown
from cwtasks.provision.progress import size_text

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from cwtasks.archive import WorkspaceArchiveExtractResult, WorkspaceArchiveInstallResult


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_archive(parser)
    add_proof(parser)
    parser.add_argument("--no-prime-cache", action="store_true", help="leave packages it carries out of the cache")
    parser.add_argument("--package-cache", metavar="FOLDER", help="put packages it carries there, as conda does")


def run(arguments: Namespace) -> int:
    """Unpack.

    Returns:
        0.
    """
    archive = archive_of(arguments)
    with shown("unpack") as (_, unpacking):
        result = archive.extract(
            target=arguments.target,
            require_sha256=arguments.require_sha256,
            prime_cache=not arguments.no_prime_cache,
            package_cache=arguments.package_cache,
            progress=unpacking,
        )
    sys.stdout.writelines(f"{line}\n" for line in summary(result))
    sys.stdout.write(f"next: cd {shlex.quote(str(result.target))} && doit list\n")
    return 0


def summary(result: WorkspaceArchiveExtractResult | WorkspaceArchiveInstallResult) -> Iterator[str]:
    """Yield what was proven, unpacked and primed."""
    info = result.info
    proof = result.receipt_path.name if result.receipt_path and result.verified else "no, there is no receipt"
    yield f"verified: {proof}"
    yield f"unpacked: {info['members']:,} members, {size_text(info['content_bytes'])} in {result.target}"
    if info["has_packages"]:
        if result.cache_priming_skipped:
            yield f"packages: {info['package_count']} left in the workspace, for nothing proves them"
        else:
            yield f"packages: {info['package_count']} carried along, {result.primed_packages} new in the cache"
