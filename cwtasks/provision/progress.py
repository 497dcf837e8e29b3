"""How far an engine is, for people: one line that is written over on a terminal, a plain line per phase elsewhere."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from cwtasks.engines import Progress

#: Moves to the beginning of the line and clears what is right of it.
_CLEAR = "\r\x1b[K"
_VERBS = {
    "solve": "solving",
    "download": "downloading",
    "verify": "verifying",
    "unpack": "unpacking",
    "link": "linking",
}


class Display:
    """Shows the progress of one step; may be told of it by several threads."""

    def __init__(self, name: str, stream: TextIO, *, is_terminal: bool, width: int = 80) -> None:
        """Write nothing yet.

        Args:
            name: What is being done, in front of every line.
            stream: Where lines go.
            is_terminal: Whether a line there can be written over.
            width: Columns of the terminal.
        """
        self._name = name
        self._stream = stream
        self._is_terminal = is_terminal
        self._width = width
        self._told: set[str] = set()
        self._is_dirty = False
        self._lock = threading.Lock()

    def __call__(self, progress: Progress) -> None:
        """Show how far it is."""
        line = f"{self._name}: {_sentence(progress, counts=self._is_terminal)}"
        with self._lock:
            if self._is_terminal:
                self._stream.write(_CLEAR + line[: self._width - 1])
                self._stream.flush()
                self._is_dirty = True
            elif progress.phase != "verify" and line not in self._told:
                # Verifying takes no time worth a line in a log.
                self._told.add(line)
                self._stream.write(f"{line}\n")
                self._stream.flush()

    def count(self, verb: str, done: int, total: int = 0, *, size: int = 0, total_size: int = 0) -> None:
        """Show how many things are done; only on a terminal, for the result tells it all in the end.

        Args:
            verb: What is done with them.
            done: How many.
            total: Of how many; 0 when nobody knows.
            size: How many bytes are done; 0 to say nothing of them.
            total_size: Of how many; 0 when nobody knows.
        """
        if self._is_terminal:
            line = f"{self._name}: {verb} {done:,}" + (f" of {total:,}" if total else "")
            if size:
                line += f", {size_text(size)}" + (f" of {size_text(total_size)}" if total_size else "")
            with self._lock:
                self._stream.write(_CLEAR + line[: self._width - 1])
                self._stream.flush()
                self._is_dirty = True

    def say(self, text: str) -> None:
        """Write a line that stays."""
        with self._lock:
            self._clear()
            self._stream.write(f"{self._name}: {text}\n")
            self._stream.flush()

    def close(self) -> None:
        """Take the last line away."""
        with self._lock:
            self._clear()
            self._stream.flush()

    def _clear(self) -> None:
        if self._is_dirty:
            self._stream.write(_CLEAR)
            self._is_dirty = False


def _sentence(progress: Progress, *, counts: bool) -> str:
    verb = _VERBS[progress.phase]
    if progress.phase == "solve":
        return f"{verb} {progress.text}" + (f" ({progress.done} of {progress.total})" if progress.total > 1 else "")
    if progress.phase == "download":
        total = size_text(progress.total)
        return f"{verb} {size_text(progress.done)} of {total}  {progress.text}" if counts else f"{verb} {total}"
    if counts:
        return f"{verb} {progress.done} of {progress.total}  {progress.text}"
    return f"{verb} {progress.total} package{'' if progress.total == 1 else 's'}"


def size_text(size: int) -> str:
    """Return a number of bytes as people read it, in steps of a thousand."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
