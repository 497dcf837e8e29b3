"""Workspaces on disk for the tests of archives: made from a table, given to git, and read back. Knows no archive."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

MANIFEST = '[workspace]\nname = "space"\nchannels = ["https://c.example/main"]\nplatforms = ["linux-64"]\n'
LOCK = (
    "version: 1\n"
    "environments:\n  default:\n    channels:\n    - url: https://c.example/main\n    packages:\n      linux-64: []\n"
    "packages: []\n"
)

_GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


class Link(NamedTuple):
    """A symlink."""

    target: str


class Script(NamedTuple):
    """An executable file."""

    content: bytes


Entry = str | bytes | Link | Script | None
"""A file's content, or ``None`` for an empty folder."""


def fill(folder: Path, entries: Mapping[str, Entry]) -> Path:
    """Make files, links and empty folders below a folder, in the order of the table; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, entry in entries.items():
        path = folder / name
        if entry is None:
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, Link):
            path.symlink_to(entry.target)
        elif isinstance(entry, Script):
            path.write_bytes(entry.content)
            path.chmod(0o755)
        else:
            path.write_bytes(entry.encode() if isinstance(entry, str) else entry)
    return folder


def tree_of(folder: Path) -> dict[str, tuple[str, object]]:
    """Return kind and content of everything below a folder; ``file`` or ``script`` by the owner's right to execute."""
    found: dict[str, tuple[str, object]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif path.is_dir():
            found[name] = ("folder", None)
        else:
            found[name] = ("script" if path.stat().st_mode & 0o100 else "file", path.read_bytes())
    return found


def git(folder: Path, *arguments: str) -> str:
    """Run git with nobody's settings; what it says."""
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        env={**os.environ, **_GIT},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def repository(folder: Path, entries: Mapping[str, Entry] | None = None) -> Path:
    """Make a repository of a folder and all that is in it; the folder."""
    fill(folder, entries or {})
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first", "--allow-empty")
    return folder
