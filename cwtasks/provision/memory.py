"""What is known of the lock as it is: which question it answers, and the digest of each environment's packages.

Reading and checking a lock costs more than a start that finds nothing to do may; this is one small file beside the
state. It stands for one state of the lock file, told by its stamp, and is kept only when that stamp proves that nobody
writes the file at the same moment.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from cwtasks import __version__
from cwtasks.files import keep_value, kept_value, make_folder
from cwtasks.globs import is_settled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAME = "lock-answer"


class LockStamp(NamedTuple):
    """One state of a lock file."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    is_proof: bool
    """Whether any later change must give another stamp."""

    @classmethod
    def of(cls, path: str) -> LockStamp | None:
        """Return the stamp of a file, ``None`` when it is not there.

        Args:
            path: Absolute.
        """
        now_ns = time.time_ns()
        try:
            found = os.stat(path)
        except OSError:
            return None
        return cls(
            path,
            found.st_dev,
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
            is_settled(found, now_ns),
        )


class LockAnswer(NamedTuple):
    """What one state of a lock says."""

    digests: Mapping[str, str]
    """Digest of the packages by environment, for this machine; those that are not locked for it are left out."""
    question: str
    """Digest of what it was found to answer; empty when it was not asked, or does not."""


class LockMemory:
    """Keeps the answer for the last lock that was looked at."""

    def __init__(self, folder: str, *, is_read_only: bool = False) -> None:
        """Choose the folder; nothing is read yet.

        Args:
            folder: Of the state, absolute.
            is_read_only: Keep answers for this process only.
        """
        self._folder = folder
        self._is_read_only = is_read_only
        self._known: tuple[LockStamp, str, LockAnswer] | None = None

    def answer(self, stamp: LockStamp, machine: str, work_out: Callable[[], LockAnswer]) -> LockAnswer:
        """Return what a lock says, from memory where that is certain.

        Args:
            stamp: Of the lock, now.
            machine: What beside the lock decides which packages are meant: environments and their platforms here.
            work_out: Reads the lock.
        """
        if self._known is None or self._known[:2] != (stamp, machine):
            kept = self._recall(stamp, machine)
            self._known = (stamp, machine, kept or work_out())
            if kept is None:
                self._keep()
        return self._known[2]

    def answers(self, stamp: LockStamp, question: str) -> None:
        """Remember that a lock answers a question.

        Args:
            stamp: The one last given to :meth:`answer`.
            question: Not empty.
        """
        if self._known is not None and self._known[0] == stamp:
            _, machine, answer = self._known
            self._known = (stamp, machine, answer._replace(question=question))
            self._keep()

    def _recall(self, stamp: LockStamp, machine: str) -> LockAnswer | None:
        match kept_value(os.path.join(self._folder, _NAME)):
            case (source, digests, question) if source == _source(stamp, machine):
                return LockAnswer(digests, question)
        return None

    def _keep(self) -> None:
        if self._is_read_only or self._known is None or not self._known[0].is_proof:
            return
        stamp, machine, answer = self._known
        kept = (_source(stamp, machine), dict(answer.digests), answer.question)
        with suppress(OSError):
            make_folder(self._folder)
            keep_value(os.path.join(self._folder, _NAME), kept)


def _source(stamp: LockStamp, machine: str) -> tuple[str | int | tuple[str | int, ...], ...]:
    return (__version__, sys.hexversion, tuple(stamp), machine)
