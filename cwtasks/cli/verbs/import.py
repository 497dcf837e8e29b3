"""``cwt import``: make a manifest of an ``environment.yml``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cwtasks.exceptions import (
    CwtasksError,
    LossyConversionError,
    ManifestExistsError,
    UnknownFormatError,
    shown_path,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    from cwtasks.manifests.imported import PLACES

    parser.add_argument("file", metavar="FILE", help="environment.yml of conda")
    parser.add_argument("--format", metavar="FORMAT", help=f"{', '.join(PLACES)} [default: conda]")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="manifest to write, - for standard output [default: in this folder]"
    )
    parser.add_argument(
        "--platform", metavar="P", action="append", help="platform; may stand several times [default: of this machine]"
    )
    parser.add_argument("--allow-loss", action="store_true", help="leave out what a manifest cannot say")


def run(arguments: Namespace) -> int:
    """Write the manifest.

    Returns:
        0.

    Raises:
        ManifestImportError: the file cannot be understood; with every mistake.
        ManifestExistsError: a manifest is there already.
        LossyConversionError: a manifest cannot say all of it.
        CwtasksError: a format or platform is unknown, or the manifest cannot be written.
    """
    from cwtasks.exchange.environment_file import read_environment_file
    from cwtasks.manifests.imported import manifest_text

    alias = _alias(arguments)
    platforms = _platforms(arguments.platform)
    target = None if arguments.output == "-" else arguments.output or _file_name(alias)
    existing = _existing(target, alias) if target is not None else ""
    read = read_environment_file(arguments.file, root=os.path.dirname(os.path.realpath(target or "-")))
    sys.stderr.writelines(f"warning: {shown_path(arguments.file)}: {note}\n" for note in read.notes)
    if read.losses and not arguments.allow_loss:
        raise LossyConversionError("a manifest", read.losses)
    sys.stderr.writelines(f"warning: left out: {loss}\n" for loss in read.losses)
    text = manifest_text(read.imported, alias, platforms=platforms)
    if target is None:
        sys.stdout.write(text)
        return 0
    _write(target, existing, text)
    _warn_of_others(target)
    counts = [f"{len(read.imported.conda)} from conda", f"{len(read.imported.pypi)} from PyPI"]
    sys.stdout.write(f"{shown_path(target)}: made of {shown_path(arguments.file)}, dependencies: {', '.join(counts)}\n")
    return 0


def _alias(arguments: Namespace) -> str:
    """Return the format asked for, else that of the file to be written.

    Raises:
        UnknownFormatError: there is no such format.
        WorkspaceParseError: no manifest has such a name.
    """
    from cwtasks.manifests import find_parser
    from cwtasks.manifests.imported import PLACES

    if arguments.format is None:
        named = arguments.output not in (None, "-")
        return find_parser(Path(arguments.output)).format_alias if named else "conda"
    if arguments.format not in PLACES:
        raise UnknownFormatError(arguments.format, PLACES)
    return str(arguments.format)


def _file_name(alias: str) -> str:
    from cwtasks.manifests import ManifestParser

    return ManifestParser.for_format_alias(alias).manifest_filename


def _platforms(named: list[str] | None) -> tuple[str, ...]:
    """Return the platforms named, else that of this machine.

    Raises:
        PlatformError: conda knows no such platform.
    """
    from cwtasks.exceptions import PlatformError
    from cwtasks.host import host_subdir
    from cwtasks.models import KNOWN_SUBDIRS

    if not named:
        machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "AMD64")
        return (host_subdir(sys.platform, machine),)
    for platform in named:
        if platform not in KNOWN_SUBDIRS:
            raise PlatformError(platform, known_platforms=KNOWN_SUBDIRS)
    return tuple(dict.fromkeys(named))


def _existing(target: str, alias: str) -> str:
    """Return the text that the tables are added to: a ``pyproject.toml`` without ours, otherwise nothing.

    Raises:
        ManifestExistsError: there is a manifest.
        WorkspaceParseError: the ``pyproject.toml`` cannot be read.
    """
    if not os.path.lexists(target):
        return ""
    if alias != "pyproject" or not os.path.isfile(target):
        raise ManifestExistsError(shown_path(target))
    from cwtasks.manifests.tables import parse_toml, read_bytes

    raw = read_bytes(target)
    tools = parse_toml(raw, target).get("tool", {})
    if "conda" in tools or "pixi" in tools:
        raise ManifestExistsError(shown_path(target))
    return raw.decode()


def _write(target: str, existing: str, text: str) -> None:
    """Write a new file, or add tables to the text of one.

    Raises:
        ManifestExistsError: the file appeared, or changed, meanwhile.
        WorkspaceParseError: tables cannot be added to it.
        CwtasksError: it cannot be written.
    """
    from cwtasks.files import create_file, replace_file
    from cwtasks.manifests.tables import parse_toml

    place = os.path.realpath(target)
    try:
        if not existing and not os.path.lexists(target):
            create_file(target, text.encode())
            return
        joined = _joined(existing, text)
        parse_toml(joined.encode(), target)
        with open(place, "rb") as file:
            if file.read().decode() != existing:
                raise ManifestExistsError(shown_path(target))
        replace_file(place, joined.encode())
    except FileExistsError:
        raise ManifestExistsError(shown_path(target)) from None
    except OSError as error:
        raise CwtasksError(f"{shown_path(target)}: cannot be written: {error.strerror or error}") from error


def _joined(existing: str, text: str) -> str:
    """Return a text behind another one, of which not a byte changes, with line ends as there."""
    end = "\r\n" if "\r\n" in existing else "\n"
    gap = "" if not existing else end if existing.endswith("\n") else end * 2
    return existing + gap + text.replace("\n", end)


def _warn_of_others(target: str) -> None:
    """Say which manifest counts where there are several now."""
    from cwtasks.manifests import find_parser
    from cwtasks.places import MANIFESTS

    folder, name = os.path.split(os.path.realpath(target))
    for other in MANIFESTS:
        place = Path(folder, other)
        if name in MANIFESTS and other != name and place.exists() and find_parser(place).has_workspace(place):
            first = min(name, other, key=MANIFESTS.index)
            sys.stderr.write(f"warning: {other} is here as well; {first} comes first\n")
