"""Processes of this very program that take work over pipes, and end with whoever started them.

Python's threads do not read and write files side by side; these do. They speak marshal, which only two ends of one
program may. Knows nothing of the work.
"""

from __future__ import annotations

import marshal
import subprocess
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from cwtasks.archive.errors import WorkerEndedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Plain: TypeAlias = Any
"""What marshal can write."""

PROCESSES = 2
"""How many are started for one piece of work."""

_START = "import sys; sys.path[:] = {path!r}; from {module} import {function}; {function}({argument!r})"


class Worker:
    """One process."""

    def __init__(
        self, function: Callable[[Any], None], argument: object = None, *, descriptors: Sequence[int] = ()
    ) -> None:
        """Start it.

        Args:
            function: What it runs: a function of a module, which uses :func:`requests` and :func:`answer`.
            argument: What it gets; its ``repr`` must be Python.
            descriptors: Open files it shares with us, under the same numbers.
        """
        start = _START.format(path=sys.path, module=function.__module__, function=function.__name__, argument=argument)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=descriptors,
            # In a session of its own: Ctrl-C is ours to answer, and it ends by the end of its input.
            start_new_session=True,
        )

    def send(self, value: Plain) -> None:
        """Hand it work.

        Raises:
            WorkerEndedError: it is no more.
        """
        assert self._process.stdin is not None  # noqa: S101 - opened as a pipe
        try:
            _send(self._process.stdin, value)
        except OSError as error:
            raise WorkerEndedError from error

    def receive(self) -> Plain:
        """Wait for its answer.

        Raises:
            WorkerEndedError: it is no more.
        """
        assert self._process.stdout is not None  # noqa: S101 - opened as a pipe
        try:
            return _receive(self._process.stdout)
        except (OSError, EOFError, ValueError) as error:
            raise WorkerEndedError from error

    def kill(self) -> None:
        """Have it stop at once."""
        self._process.kill()

    def close(self) -> None:
        """Wait for its end, which is that of its input."""
        with suppress(OSError):
            self._process.communicate()


def requests() -> Iterable[Plain]:
    """Yield, in a worker, what it is handed until there is nothing more."""
    while True:
        try:
            yield _receive(sys.stdin.buffer)
        except (EOFError, KeyboardInterrupt):
            return


def answer(value: Plain) -> None:
    """Answer, in a worker, the last request."""
    _send(sys.stdout.buffer, value)


def _send(stream: IO[bytes], value: Plain) -> None:
    content = marshal.dumps(value)
    stream.write(len(content).to_bytes(8, "little"))
    stream.write(content)
    stream.flush()


def _receive(stream: IO[bytes]) -> Plain:
    size = stream.read(8)
    if len(size) < 8:
        raise EOFError
    return marshal.loads(stream.read(int.from_bytes(size, "little")))  # noqa: S302 - our own process
