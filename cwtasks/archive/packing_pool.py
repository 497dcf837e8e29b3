"""Processes that gather and compress batches of files side by side; their number changes nothing in what they give.

Knows nothing of where frames go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

from cwtasks.archive import errors, workers
from cwtasks.archive.compressing import CollectedFrames
from cwtasks.archive.crew import Crew
from cwtasks.archive.gathering import Gathered, Gatherer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

_AHEAD = 2 * workers.PROCESSES


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
        self._workers = [workers.Worker(gather_batches, (root, mtime, level)) for _ in range(workers.PROCESSES)]
        self._free = list(self._workers)
        self._threads = Crew(workers.PROCESSES, "cwtasks-pack")

    def gather(self, batches: Sequence[Batch]) -> Iterator[Gathered]:
        """Yield what becomes of each batch, in order.

        Raises:
            FileChangedError: a file is not there, is of another kind, or changes while it is read.
            WorkerEndedError: a process ended early.
        """
        waiting = [self._threads.submit(self._gather, batch) for batch in batches[:_AHEAD]]
        for batch in [*batches[_AHEAD:], *([None] * len(waiting))]:
            done = waiting.pop(0).result()
            if batch is not None:
                waiting.append(self._threads.submit(self._gather, batch))
            yield done

    def _gather(self, batch: Batch) -> Gathered:
        # As many processes as threads, so there is always a free one.
        worker = self._free.pop()
        try:
            worker.send((list(batch.names), batch.stored))
            answer = worker.receive()
        finally:
            self._free.append(worker)
        if len(answer) == 1:
            name, reason, is_missing = answer[0]
            raise (errors.FileMissingError if is_missing else errors.FileChangedError)(name, reason)
        return Gathered(*answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            if kind is not None:
                worker.kill()
        self._threads.close(abandons=True)
        for worker in self._workers:
            worker.close()


def gather_batches(job: tuple[str, int, int]) -> None:
    """Gather what comes over the pipe: the life of one process.

    Args:
        job: Root of the workspace, time of all members, and level of compression.
    """
    for names, stored in workers.requests():
        workers.answer(_gathered(*job, names, stored=stored))


def _gathered(root: str, mtime: int, level: int, names: Sequence[str], *, stored: bool) -> tuple[Any, ...]:
    frames = CollectedFrames(level)
    gatherer = Gatherer(root, frames, mtime=mtime)
    try:
        gatherer.add_all(names, stored=stored)
    except errors.FileChangedError as error:
        return ((error.name, error.reason, isinstance(error, errors.FileMissingError)),)
    gatherer.end_frame(stored=stored)
    return frames.frames, gatherer.contents.to_plain()
