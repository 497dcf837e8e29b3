"""Processes that write the small files of a staged tree side by side. Knows the tree by its open root alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from cwtasks.archive import workers
from cwtasks.archive.errors import WorkerEndedError
from cwtasks.archive.staging import StagedTree
from cwtasks.files import write_all

if TYPE_CHECKING:
    from types import TracebackType

SMALL = 256 * 1024
"""Largest content that is handed over rather than written by whoever reads the archive; bytes."""

_BATCH_FILES = 128
_BATCH_BYTES = 512 * 1024


class WritingPool:
    """A few processes that fill one tree; to be left with ``with``."""

    def __init__(self, root: int) -> None:
        """Start them.

        Args:
            root: Open folder of the tree.
        """
        self._workers = [workers.Worker(write_files, root, descriptors=(root,)) for _ in range(workers.PROCESSES)]
        self._batch: list[tuple[str, int, bytes]] = []
        self._size = 0
        self._next = 0

    def write(self, name: str, mode: int, content: bytes) -> None:
        """Have a file written, some time before :meth:`finish` returns.

        Raises:
            OSError: this or an earlier one cannot be written.
            WorkerEndedError: a process ended early.
        """
        self._batch.append((name, mode, content))
        self._size += len(content)
        if len(self._batch) >= _BATCH_FILES or self._size >= _BATCH_BYTES:
            self._flush()

    def finish(self) -> None:
        """Wait until all files are written; more may follow.

        Raises:
            OSError: one cannot be written.
            WorkerEndedError: a process ended early.
        """
        self._flush()
        for worker in self._workers:
            self._send(worker, [])
        for worker in self._workers:
            _raise_told(worker.receive())

    def _flush(self) -> None:
        if self._batch:
            self._send(self._workers[self._next], self._batch)
            self._next = (self._next + 1) % len(self._workers)
            self._batch, self._size = [], 0

    def _send(self, worker: workers.Worker, batch: list[tuple[str, int, bytes]]) -> None:
        try:
            worker.send(batch)
        except WorkerEndedError:
            # One that failed says why before it ends.
            _raise_told(worker.receive())
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            if kind is not None:
                worker.kill()
            # Nobody may write into the tree any more when it is removed.
            worker.close()


def _raise_told(told: tuple[int, str, str] | None) -> None:
    if told is not None:
        raise OSError(*told)


def write_files(root: int) -> None:
    """Write what comes over the pipe: the life of one process.

    Args:
        root: Open folder of the tree.
    """
    tree = StagedTree(root)
    for batch in workers.requests():
        try:
            for name, mode, content in batch:
                _write(tree, name, mode, content)
        except OSError as error:
            workers.answer((error.errno, error.strerror, name))
            return
        if not batch:
            workers.answer(None)


def _write(tree: StagedTree, name: str, mode: int, content: bytes) -> None:
    descriptor = tree.create(name, mode)
    try:
        write_all(descriptor, content)
    finally:
        os.close(descriptor)
