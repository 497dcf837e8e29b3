"""What git tracks in a folder: the only door to git. Knows nothing of archives."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.archive.errors import GitError, NothingTrackedError
from cwtasks.places import folders_upwards

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tracked(NamedTuple):
    """What there is to choose from."""

    names: Sequence[str]
    """Tracked files that are there, below the folder."""
    left_out: Sequence[tuple[str, str]]
    """Name and reason of what is not among them."""
    warnings: Sequence[str]


def has_git(root: str) -> bool:
    """Say whether a folder is in a git work tree, and git is installed."""
    return any(os.path.exists(os.path.join(folder, ".git")) for folder in folders_upwards(root)) and bool(
        shutil.which("git")
    )


def files(root: str, *, is_thorough: bool = False) -> Tracked:
    """Ask git for the files it tracks.

    Args:
        root: Absolute; may be any folder of a work tree.
        is_thorough: Whether to look for deleted ones among them, which takes longer than all the rest, and to name
            those it does not track, without those it ignores.

    Raises:
        NothingTrackedError: It tracks none.
        GitError: It does not answer.
    """
    # All at a time: some look at every file.
    asked = [_ask(root, "--cached", "--recurse-submodules")]
    if is_thorough:
        asked.append(_ask(root, "--deleted"))
        asked.append(_ask(root, "--others", "--exclude-standard", "--directory", "--no-empty-directory"))
    names, deleted, others = ([_answer(root, process) for process in asked] + [[], []])[:3]
    if not names:
        raise NothingTrackedError(root)
    # A submodule that is not checked out is listed like a file; of a file in conflict there are three versions.
    missing = _folders(root, names) if ".gitmodules" in names else []
    reasons = {
        **dict.fromkeys(deleted, "git tracks it, but it is deleted"),
        **dict.fromkeys(missing, "a submodule that is not checked out"),
    }
    distinct = dict.fromkeys(names)
    return Tracked(
        [name for name in distinct if name not in reasons] if reasons else list(distinct),
        [*reasons.items(), *((name, "git does not track it") for name in others)],
        [f"{name}: {reason}" for name, reason in reasons.items()],
    )


def _folders(root: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if os.path.isdir(place := os.path.join(root, name)) and not os.path.islink(place)]


def _ask(root: str, *options: str) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "ls-files", "-z", *options]
    try:
        return subprocess.Popen(
            command, cwd=root, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise GitError(root, error.strerror or str(error)) from error


def _answer(root: str, process: subprocess.Popen[bytes]) -> list[str]:
    out, err = process.communicate()
    if process.returncode:
        said = err.decode(errors="replace").strip().splitlines()
        raise GitError(root, said[0].removeprefix("fatal: ") if said else f"exit status {process.returncode}")
    return os.fsdecode(out).split("\0")[:-1]
