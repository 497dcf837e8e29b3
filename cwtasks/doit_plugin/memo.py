"""Answers that follow from the manifest alone, kept beside the state, so that most starts need not read it again.

Which tasks there are and how they compile to steps depends on the manifest, the words asked, this machine and this
program, and on nothing else. Such an answer is kept together with the stamps of every file it came from; another stamp,
another file, another version, and it is worked out anew. Files that steps read and write are none of its business.
"""

from __future__ import annotations

import os
import sys
import time
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cwtasks.files import keep_value, kept_value, make_folder
from cwtasks.globs import is_settled
from cwtasks.places import MANIFESTS, folders_upwards, user_task_files

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How many answers are kept in a workspace; a list and a few tasks with arguments are what people alternate between.
MAX_ANSWERS = 24
_NAME = "answer-"


class Memo:
    """The kept answers of one workspace."""

    def __init__(self, root: str, folder: str, sources: tuple[Any, ...]) -> None:
        """Use :meth:`find`.

        Args:
            root: Workspace, absolute.
            folder: Where answers are kept.
            sources: Stamps of every file that an answer may depend on.
        """
        self.root = root
        self._folder = folder
        self._sources = sources

    @classmethod
    def find(cls, start: str, state_folder: str, environ: Mapping[str, str]) -> Memo | None:
        """Return the memo of the workspace that a folder seems to be in.

        ``None`` where that cannot be told from names alone, or where a manifest was written so recently that its stamp
        proves nothing.

        Args:
            start: Folder, absolute, links resolved.
            state_folder: Folder of the state, relative to a workspace.
            environ: Says where the user's own tasks may stand.
        """
        now_ns = time.time_ns()
        for root in folders_upwards(start):
            stamps = [_stamp(os.path.join(root, name), now_ns) for name in MANIFESTS]
            if any(stamps):
                stamps += [_stamp(path, now_ns) for path in user_task_files(environ)]
                sources = (sys.hexversion, _program(), root, *stamps)
                return None if _UNSETTLED in stamps else cls(root, os.path.join(root, state_folder), sources)
        return None

    def recall(self, question: tuple[Any, ...]) -> Any:
        """Return the kept answer, or ``None``.

        Args:
            question: Text, numbers, tuples: what marshal can write.
        """
        match kept_value(self._path(question)):
            case (sources, asked, answer) if (sources, asked) == (self._sources, question):
                return answer
        return None

    def keep(self, question: tuple[Any, ...], answer: Any) -> None:
        """Keep an answer; where that is not possible, nothing is lost but time.

        Args:
            question: As for :meth:`recall`.
            answer: Made of what marshal can write, and not ``None``.
        """
        with suppress(OSError):
            make_folder(self._folder)
            keep_value(self._path(question), (self._sources, question, answer))
            self._drop_oldest()

    def _path(self, question: tuple[Any, ...]) -> str:
        return os.path.join(self._folder, f"{_NAME}{zlib.crc32(repr(question).encode(errors='replace')):08x}")

    def _drop_oldest(self) -> None:
        with os.scandir(self._folder) as entries:
            answers = [(entry.stat().st_mtime_ns, entry.path) for entry in entries if entry.name.startswith(_NAME)]
        for _, path in sorted(answers)[:-MAX_ANSWERS]:
            os.remove(path)


def _program() -> int:
    """Return what tells one state of this program from another; a version number would not, while it is worked on."""
    package = os.path.dirname(os.path.dirname(__file__))
    stamps = []
    for room in ("", "activation", "doit_plugin", "graph", "manifests", "models", "provision"):
        with os.scandir(os.path.join(package, room)) as entries:
            stamps += [(entry.path, entry.stat().st_mtime_ns) for entry in entries if entry.name.endswith(".py")]
    return zlib.crc32(repr(sorted(stamps)).encode())


_UNSETTLED = ("unsettled",)


def _stamp(path: str, now_ns: int) -> tuple[Any, ...] | None:
    """Return what tells one state of a file from another, ``None`` for no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    if not is_settled(status, now_ns):
        return _UNSETTLED
    return (path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
