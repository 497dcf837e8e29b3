"""``cwt inspect``: say what an archive holds, without unpacking it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cwtasks.cli.archives import add_archive, archive_of
from cwtasks.provision.progress import size_text

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Mapping
    from typing import Any


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_archive(parser, proves=False)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--members", action="store_true", help="list every member with its size in bytes")
    what.add_argument("--print", metavar="MEMBER", help="write the content of one file to standard output")
    what.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: Namespace) -> int:
    """Write what is asked for.

    Returns:
        0.
    """
    archive = archive_of(arguments)
    if arguments.print is not None:
        sys.stdout.buffer.write(archive.read(arguments.print))
    elif arguments.members:
        for member in archive.members():
            mark = {"folder": "/", "symlink": "@"}.get(member.kind, "*" if member.is_executable else "")
            sys.stdout.write(f"{member.size:>14,}  {member.name}{mark}\n")
    elif arguments.json:
        import json

        sys.stdout.write(json.dumps(archive.inspect(), indent=2, sort_keys=True) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _screen(archive.inspect()))
    return 0


def _screen(info: Mapping[str, Any]) -> Iterator[str]:
    yield f"manifest      {info['manifest'] or 'none: this is no archive of a workspace'}"
    yield f"lock          {info['lockfile'] or 'none'}"
    yield f"members       {info['members']:,}, {size_text(info['content_bytes'])} unpacked"
    yield f"archive       {size_text(info['archive_bytes'])}{'' if info['is_indexed'] else ', without an index'}"
    yield f"packages      {info['package_count'] or 'none carried along'}"
    for name, platforms in info["environments"].items():
        yield f"environment   {name}: {', '.join(platforms) or 'any platform'}"
