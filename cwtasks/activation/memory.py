"""What scripts did, remembered as long as nothing they can see has changed. Runs nothing.

The key holds all that a script is given: its own stamp, every variable it sees, and the stamp of the prefix, whose
packages it may ask. What it looks up beside that is beyond any key: the clock, the network, a file of its own choice.

Variables may hold secrets. The key is a digest, and what is kept is what the scripts set, in a file for its owner only.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

from cwtasks import __version__
from cwtasks.activation.names import Effect
from cwtasks.files import replace_file
from cwtasks.globs import is_settled

if TYPE_CHECKING:
    from collections.abc import Iterable

    Part = str | int | None | tuple["Part", ...]

_NAME = "activation-"
_DIGEST_BYTES = 32
#: Answers kept: for some environments times some terminals.
MAX_ANSWERS = 64


class Stamps(NamedTuple):
    """One state of some files."""

    values: tuple[tuple[int, ...] | None, ...]
    """Size, both times in nanoseconds and inode of each; ``None`` for one that is not there."""
    are_proof: bool
    """Whether any later change must give other values."""


def stamps(paths: Iterable[str], now_ns: int) -> Stamps:
    """Return what tells one state of files and folders from another.

    Args:
        paths: Absolute.
        now_ns: Nanoseconds since the epoch, taken before anything of them is read.
    """
    values: list[tuple[int, ...] | None] = []
    are_proof = True
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            values.append(None)
            continue
        values.append((status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
        are_proof = are_proof and is_settled(status, now_ns)
    return Stamps(tuple(values), are_proof)


class Memory:
    """The answer to one question, in a file of its own."""

    def __init__(self, folder: str, question: Part) -> None:
        """Look for the answer.

        Args:
            folder: Where answers are kept, absolute; need not exist.
            question: All that the answer depends on, beside the version of this program.
        """
        from hashlib import sha256

        whole = repr((__version__, sys.hexversion, question)).encode()
        self._folder = folder
        self._path = os.path.join(folder, _NAME + sha256(whole, usedforsecurity=False).hexdigest())

    def recall(self) -> Effect | None:
        """Return what was kept; ``None`` when nothing was, or when it is damaged."""
        from hashlib import sha256

        try:
            with open(self._path, "rb") as file:
                check, content = file.read(_DIGEST_BYTES), file.read()
        except OSError:
            return None
        if sha256(content, usedforsecurity=False).digest() != check:
            return None
        changed, gone = marshal.loads(content)  # noqa: S302 - ours, and checked for damage
        return Effect(changed, gone)

    def keep(self, effect: Effect) -> None:
        """Keep an answer; where that is not possible, nothing is lost but time."""
        from hashlib import sha256

        content = marshal.dumps(tuple(effect))
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, exist_ok=True)
            digest = sha256(content, usedforsecurity=False).digest()
            replace_file(self._path, digest + content, mode=0o600)
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        with os.scandir(self._folder) as entries:
            answers = [(entry.stat().st_mtime_ns, entry.path) for entry in entries if entry.name.startswith(_NAME)]
        for _, path in sorted(answers)[:-MAX_ANSWERS]:
            os.remove(path)


_locks: dict[str, threading.Lock] = {}


def one_at_a_time(prefix: str) -> threading.Lock:
    """Return the lock under which an answer about a prefix is made, so that threads that need it make it once."""
    return _locks.setdefault(prefix, threading.Lock())
