"""A few threads that do jobs in the order they are handed over.

The library's pool of threads brings logging and formatting with it, which would be a twentieth of a small archive.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Job(Generic[T]):
    """A call that some thread makes."""

    def __init__(self, call: Callable[..., T], arguments: tuple[Any, ...]) -> None:
        self._call = call
        self._arguments = arguments
        self._outcome: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def do(self) -> None:
        """Make the call."""
        try:
            self._outcome.put((self._call(*self._arguments), None))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is taken
            self._outcome.put((None, error))

    def leave(self) -> None:
        """Never make the call; whoever waits for it gets an error."""
        self._outcome.put((None, RuntimeError("nobody does it any more")))

    def result(self) -> T:
        """Wait for what the call returned, or raise its error; to be asked once."""
        result, error = self._outcome.get()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # only an error leaves it out


class Crew:
    """The threads."""

    def __init__(self, count: int, name: str) -> None:
        """Start them.

        Args:
            count: How many.
            name: What theirs begin with.
        """
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._is_abandoned = False
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[..., T], *arguments: object) -> Job[T]:
        """Hand over a call."""
        job = Job(call, arguments)
        self._jobs.put(job)
        return job

    def close(self, *, abandons: bool = False) -> None:
        """Wait for the threads to end.

        Args:
            abandons: Whether jobs nobody has begun are left.
        """
        self._is_abandoned = abandons
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._is_abandoned:
                job.leave()
            else:
                job.do()
