"""``cwt install ARCHIVE``: restore a workspace from an archive and install its environments."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from cwtasks.cli.archives import add_archive, add_proof, archive_of, shown
from cwtasks.cli.verbs.unpack import summary

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from cwtasks.archive import WorkspaceArchiveInstallResult


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_archive(parser)
    add_proof(parser)
    parser.add_argument("-e", "--environment", metavar="ENV", help="environment [default: all of them]")
    parser.add_argument("--prefix", metavar="PATH", help="where it is installed; absolute, for one environment")
    parser.add_argument("--dest", metavar="FOLDER", help="put the prefix below this folder, as below another root")
    parser.add_argument("--package-cache", metavar="FOLDER", help="put packages it carries there, as conda does")
    parser.add_argument("--keep-packages", action="store_true", help="unpack packages into the workspace, too")
    parser.add_argument("--no-check", action="store_true", help="do not run the task that checks the workspace")


def run(arguments: Namespace) -> int:
    """Unpack, install, and check.

    Returns:
        0, or the status of the task that checks the workspace.
    """
    archive = archive_of(arguments)
    with shown("install") as (display, unpacking):
        result = archive.install(
            target=arguments.target,
            environment=arguments.environment,
            prefix=arguments.prefix,
            dest=arguments.dest,
            require_sha256=arguments.require_sha256,
            package_cache=arguments.package_cache,
            keep_packages=arguments.keep_packages,
            progress=unpacking,
            report=display,
        )
    sys.stdout.writelines(f"{line}\n" for line in summary(result))
    for line in result.installed:
        sys.stdout.write(f"installed: {line}\n")
    _warn_of_matches(result)
    status = 0 if arguments.no_check else _check(result.target)
    if status == 0:
        sys.stdout.write(f"next: {_next(result)}\n")
    return status


def _warn_of_matches(result: WorkspaceArchiveInstallResult) -> None:
    if not result.prefix_reference_matches:
        return
    more = " and more" if result.prefix_reference_matches_truncated else ""
    listed = ", ".join(result.prefix_reference_matches)
    sys.stderr.write(f"warning: these files still name {result.install_prefix}: {listed}{more}\n")


def _check(target: Path) -> int:
    """Run the task that the workspace names for this; 0 where it names none."""
    from cwtasks.manifests import load
    from cwtasks.settings import Settings
    from cwtasks.steps.checking import run_task

    task = Settings.read(os.environ, load(target, user_level=False).settings).archive.check
    if not task:
        return 0
    status = run_task(task, target, environ=os.environ)
    if status:
        sys.stderr.write(f"error: task '{task}', which checks the workspace, failed with exit status {status}\n")
    else:
        sys.stdout.write(f"checked: {task}\n")
    return status


def _next(result: WorkspaceArchiveInstallResult) -> str:
    if result.runtime_prefix is not None:
        return f"move {result.install_prefix} to {result.runtime_prefix} where it will run"
    if result.install_prefix is not None:
        return f"{shlex.quote(str(result.install_prefix / 'bin'))} on the PATH"
    return f"cd {shlex.quote(str(result.target))} && doit list"
