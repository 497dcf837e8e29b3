"""What git tracks in a folder: the only door to git. Knows nothing of archives."""

from __future__ import annotations

import os
import shutil
import subprocess
from stat import S_ISDIR
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.archive.errors import GitError, NothingTrackedError
from cwtasks.places import folders_upwards

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_OF_ONE_REPOSITORY = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE"),
        *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    }
)


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
        is_thorough: Whether to look at each of them, which takes longer than all the rest, and to name those it does
            not track, without those it ignores.

    Raises:
        NothingTrackedError: It tracks none.
        GitError: It does not answer.
    """
    # Both at a time: the second looks at every file.
    asked = [_ask(root, "--cached", "--recurse-submodules")]
    if is_thorough:
        asked.append(_ask(root, "--others", "--exclude-standard", "--directory", "--no-empty-directory"))
    said = [process.communicate() for process in asked]
    answers = [_answer(root, process.returncode, *told) for process, told in zip(asked, said, strict=True)]
    names, others = [*answers, []][:2]
    if not names:
        raise NothingTrackedError(root)
    # Of a file in conflict there are three versions.
    distinct = dict.fromkeys(names)
    reasons = _reasons(root, distinct) if is_thorough or ".gitmodules" in distinct else {}
    return Tracked(
        [name for name in distinct if name not in reasons] if reasons else list(distinct),
        [*reasons.items(), *((name, "git does not track it") for name in others)],
        [f"{name}: {reason}" for name, reason in reasons.items()],
    )


def _reasons(root: str, names: Iterable[str]) -> dict[str, str]:
    """Return those that git lists and that are no files, with the reason.

    ``git ls-files --deleted`` knows neither submodules nor what a sparse checkout leaves away.
    """
    found = {}
    for name in names:
        try:
            mode = os.lstat(os.path.join(root, name)).st_mode
        except (FileNotFoundError, NotADirectoryError):
            found[name] = "git tracks it, but it is deleted"
        except OSError:
            continue  # who reads it says why
        else:
            if S_ISDIR(mode):
                # A repository without an entry in .gitmodules is listed so even where it is there.
                found[name] = "a submodule that is not checked out"
    return found


def _ask(root: str, *options: str) -> subprocess.Popen[bytes]:
    # Where a hook of git started us, these speak of its repository and its folder.
    environ = {name: value for name, value in os.environ.items() if name not in _OF_ONE_REPOSITORY}
    environ.update(LC_ALL="C", GIT_OPTIONAL_LOCKS="0")
    command = ["git", "ls-files", "-z", *options]
    try:
        return subprocess.Popen(
            command, cwd=root, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise GitError(root, error.strerror or str(error)) from error


def _answer(root: str, status: int, out: bytes, err: bytes) -> list[str]:
    if status:
        said = err.decode(errors="replace").strip().splitlines()
        raise GitError(root, said[0].removeprefix("fatal: ") if said else f"exit status {status}")
    return os.fsdecode(out).split("\0")[:-1]
