"""Processes that gather and compress batches of files side by side; their number changes nothing in what they give.

They speak marshal over pipes, come from this very program and end with it. Knows nothing of where frames go.
"""

from __future__ import annotations

import marshal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, Protocol, Self

from cwtasks.archive import errors
from cwtasks.archive.compressing import CollectedFrames
from cwtasks.archive.gathering import Gathered, Gatherer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

_PROCESSES = 2
_AHEAD = 2 * _PROCESSES
_START = "import sys; sys.path[:] = {path!r}; from cwtasks.archive.packing_pool import serve; serve()"


class Batch(Protocol):
    """Names that end with a frame."""

    @property
    def names(self) -> Sequence[str]:
        """Files and symlinks below the root."""

    @property
    def stored(self) -> bool:
        """Whether their content is compressed already."""


class PackingPool:
    """A few processes for one archive; to be left with ``with``."""

    def __init__(self, root: str, *, mtime: int, level: int) -> None:
        """Start them.

        Args:
            root: Of the workspace, absolute.
            mtime: Of all members; seconds since the epoch.
            level: Of compression.
        """
        command = [sys.executable, "-I", "-S", "-c", _START.format(path=sys.path)]
        self._processes = [
            # In a session of its own: Ctrl-C is ours to answer, and ends them by the end of their input.
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
            for _ in range(_PROCESSES)
        ]
        self._free = list(self._processes)
        self._threads = ThreadPoolExecutor(_PROCESSES, thread_name_prefix="cwtasks-pack")
        self._job = (root, mtime, level)

    def gather(self, batches: Sequence[Batch]) -> Iterator[Gathered]:
        """Yield what becomes of each batch, in order.

        Raises:
            FileChangedError: a file is not there, is of another kind, or changes while it is read.
            PackingProcessError: a process ended early.
        """
        waiting = [self._threads.submit(self._gather, batch) for batch in batches[:_AHEAD]]
        for batch in [*batches[_AHEAD:], *([None] * len(waiting))]:
            done = waiting.pop(0).result()
            if batch is not None:
                waiting.append(self._threads.submit(self._gather, batch))
            yield done

    def _gather(self, batch: Batch) -> Gathered:
        # As many processes as threads, so there is always a free one.
        process = self._free.pop()
        try:
            _send(process.stdin, (*self._job, list(batch.names), batch.stored))
            answer = _receive(process.stdout)
        except (OSError, EOFError, ValueError) as error:
            raise errors.PackingProcessError from error
        finally:
            self._free.append(process)
        if len(answer) == 1:
            name, reason, is_missing = answer[0]
            raise (errors.FileMissingError if is_missing else errors.FileChangedError)(name, reason)
        return Gathered(*answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            if kind is not None:
                process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.communicate()


def serve() -> None:
    """Answer requests on standard input until it ends: the life of one process."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            request = _receive(stdin)
        except EOFError:
            return
        except KeyboardInterrupt:
            return
        _send(stdout, _answer(*request))


def _answer(root: str, mtime: int, level: int, names: Sequence[str], stored: bool) -> tuple[Any, ...]:  # noqa: FBT001 - from a tuple
    frames = CollectedFrames(level)
    gatherer = Gatherer(root, frames, mtime=mtime)
    try:
        gatherer.add_all(names, stored=stored)
    except errors.FileChangedError as error:
        return ((error.name, error.reason, isinstance(error, errors.FileMissingError)),)
    gatherer.end_frame(stored=stored)
    return frames.frames, gatherer.contents.to_plain()


def _send(stream: IO[bytes] | None, value: tuple[Any, ...]) -> None:
    assert stream is not None  # noqa: S101 - opened as a pipe
    content = marshal.dumps(value)
    stream.write(len(content).to_bytes(8, "little") + content)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> tuple[Any, ...]:
    assert stream is not None  # noqa: S101 - opened as a pipe
    size = stream.read(8)
    if len(size) < 8:
        raise EOFError
    value: tuple[Any, ...] = marshal.loads(stream.read(int.from_bytes(size, "little")))  # noqa: S302 - our own process
    return value
