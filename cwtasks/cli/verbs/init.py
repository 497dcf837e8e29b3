"""``cwt init``: write a manifest with a workspace and nothing in it yet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cwtasks.exceptions import ManifestExistsError, PlatformError, shown_path

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cwtasks.manifests import ManifestParser

DEFAULT_CHANNEL = "conda-forge"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "--format", default="conda", metavar="FORMAT", help="conda, pixi or pyproject [default: %(default)s]"
    )
    parser.add_argument("--name", help="name of the workspace [default: that of the project, or of this folder]")
    parser.add_argument(
        "-c", "--channel", action="append", metavar="CHANNEL", help=f"may be repeated [default: {DEFAULT_CHANNEL}]"
    )
    parser.add_argument(
        "--platform", action="append", metavar="P", help="may be repeated [default: that of this machine]"
    )


def run(arguments: Namespace) -> int:
    """Write the manifest into the current folder.

    Returns:
        0.

    Raises:
        UnknownFormatError: no format has that name.
        PlatformError: a platform that conda does not know.
        ManifestExistsError: this folder has a workspace already.
    """
    from cwtasks.manifests import ManifestParser
    from cwtasks.models import KNOWN_SUBDIRS

    parser = ManifestParser.for_format_alias(arguments.format)
    platforms = arguments.platform or [_here()]
    for platform in platforms:
        if platform not in KNOWN_SUBDIRS:
            raise PlatformError(platform, known_platforms=KNOWN_SUBDIRS)
    folder = Path.cwd()
    _refuse_second_workspace(folder)
    name = arguments.name or _project_name(parser, folder) or folder.name or "workspace"
    path, what = parser.write_workspace_stub(folder, name, arguments.channel or [DEFAULT_CHANNEL], platforms)
    sys.stdout.write(f"{shown_path(path)}: {what.lower()}\n")
    return 0


def _refuse_second_workspace(folder: Path) -> None:
    """Refuse where a new manifest would hide another one, or be hidden by it.

    Raises:
        ManifestExistsError: this folder has a workspace.
    """
    from cwtasks.exceptions import WorkspaceNotFoundError
    from cwtasks.manifests import detect_workspace_file

    try:
        found = detect_workspace_file(folder)
    except WorkspaceNotFoundError:
        return
    if found.parent == folder.resolve():
        raise ManifestExistsError(found)


def _project_name(parser: ManifestParser, folder: Path) -> str | None:
    """Return what a ``pyproject.toml`` that is there calls its project."""
    path = parser.manifest_path(folder)
    return parser.read(path).workspace.name if path.is_file() else None


def _here() -> str:
    import platform

    from cwtasks.host import host_subdir

    return host_subdir(sys.platform, platform.machine())
