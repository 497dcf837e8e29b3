"""``cwt export``: write the workspace, or one environment of it, in the format of another tool."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

from cwtasks.exceptions import (
    CwtasksError,
    LockfileNotFoundError,
    LockfileStaleError,
    OutputExistsError,
    WorkspaceNotFoundError,
    shown_path,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.exchange.asked import Asked
    from cwtasks.lockfile import Lock


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    from argparse import RawDescriptionHelpFormatter

    from cwtasks.exchange.formats import FORMATS

    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = "\n".join(["formats:", *(f"  {name:<18}{one.purpose}" for name, one in FORMATS.items())])
    add = parser.add_argument
    add("--format", required=True, metavar="FORMAT", help="see below")
    add("-e", "--environment", metavar="ENV", action="append", default=[], help="environment; may stand several times")
    add("--platform", metavar="P", action="append", default=[], help="platform; may stand several times")
    add("-o", "--output", metavar="FILE", help="file to write [default: standard output]")
    add("--force", action="store_true", help="overwrite the file")
    add("--allow-loss", action="store_true", help="leave out what the format cannot say")


def run(arguments: Namespace) -> int:
    """Write what is asked for.

    Returns:
        0.

    Raises:
        CwtasksError: it cannot be exported, would lose something, or the file exists.
    """
    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.exchange.formats import export, find_format

    find_format(arguments.format)
    output = None if arguments.output in (None, "-") else arguments.output
    if output is not None and os.path.lexists(output) and not arguments.force:
        raise OutputExistsError(output)
    workspace = Workspace(environ=os.environ, is_read_only=True)
    workspace.warn(workspace.manifest.warnings)
    exported = export(arguments.format, _asked(workspace, arguments), allow_loss=arguments.allow_loss)
    sys.stderr.writelines(f"warning: left out: {loss}\n" for loss in exported.losses)
    if output is None:
        sys.stdout.write(exported.text)
    else:
        write_output(output, exported.text, is_forced=arguments.force)
    return 0


def write_output(path: str, text: str, *, is_forced: bool) -> None:
    """Write a file that somebody named, all of it or nothing.

    Args:
        path: As named.
        text: All of it.
        is_forced: Write over one that is there; a link is followed.

    Raises:
        OutputExistsError: it is there, and that is not wanted.
        CwtasksError: it cannot be written.
    """
    from cwtasks.files import create_file, replace_file

    try:
        if is_forced and os.path.lexists(path):
            replace_file(os.path.realpath(path), text.encode())
        else:
            create_file(path, text.encode())
    except FileExistsError:
        raise OutputExistsError(path) from None
    except OSError as error:
        raise CwtasksError(f"{shown_path(path)}: cannot be written: {error.strerror or error}") from error


def _asked(workspace: Workspace, arguments: Namespace) -> Asked:
    from cwtasks.exchange.asked import Asked
    from cwtasks.provision.plan import requirements_here

    if not workspace.manifest.has_workspace:
        raise WorkspaceNotFoundError(workspace.root)
    return Asked(
        manifest=workspace.manifest,
        requirements=requirements_here(workspace.catalog, environ=os.environ),
        host=workspace.host.subdir,
        lock_path=workspace.provision.lock_path,
        lock=cache(lambda: _lock(workspace)),
        environments=tuple(dict.fromkeys(arguments.environment)),
        platforms=tuple(dict.fromkeys(arguments.platform)),
    )


def _lock(workspace: Workspace) -> Lock:
    """Return the lock that answers the manifest.

    A stale one would be exported as what the workspace is, and it is not.
    """
    from cwtasks.lockfile import Lock, read_lock

    provision = workspace.provision
    if not provision.plan.question:
        return Lock(environments={})
    reason = provision.why_lock()
    if not os.path.exists(provision.lock_path):
        raise LockfileNotFoundError("default", provision.lock_path)
    if reason is not None:
        raise LockfileStaleError(workspace.manifest.path, provision.lock_path, reason)
    return read_lock(provision.lock_path)
