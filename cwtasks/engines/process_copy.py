"""A copy of this process that does something else, and talks to us through pipes."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Callable


_LIBRARY = os.path.dirname(os.__file__)
"""Folder of the standard library."""


def can_copy() -> bool:
    """Say whether a copy of this process would do what a new interpreter does."""
    return is_alone() and _has_the_library()


def is_alone() -> bool:
    """Say whether this process has one thread, be it of Python or of a library: a copy gets no other one.

    A lock that another thread holds at that moment would stay locked in the copy for ever. Only Linux tells us, and
    there nothing else stands against copies.
    """
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _has_the_library() -> bool:
    """Say whether no module of this process has the name of one of the standard library without being it.

    The folder of a dodo file, for one, comes before the library, and whoever has a ``logging.py`` there may import it.
    """
    for name in sys.stdlib_module_names.intersection(sys.modules):
        path = getattr(sys.modules[name], "__file__", None)
        if path and not path.startswith(os.path.join(_LIBRARY, "")):
            return False
    return True


class ProcessCopy:
    """The copy as we see it: what is needed here of ``subprocess.Popen``, under the same names.

    Attributes:
        pid: Its number, and that of its process group.
        stdin: What it reads.
        stdout: What it writes.
    """

    def __init__(self, body: Callable[[], object], stderr: int) -> None:
        """Start it in a session of its own, with nothing open but its three streams; it imports from the library alone.

        Args:
            body: What it does; when this returns or fails, the copy ends.
            stderr: Descriptor of a file it may write to.

        Raises:
            OSError: the system has no room for it.
        """
        requests, to_requests = os.pipe()
        from_answers, answers = os.pipe()
        begins, begun = os.pipe()
        # A signal between fork and body would have the copy clean up behind us, as we ourselves would.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _become(body, (requests, answers, stderr), mask)
        except OSError:
            for end in (requests, to_requests, from_answers, answers, begins, begun):
                os.close(end)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for end in (requests, answers, begun):
            os.close(end)
        # Whoever sends its group a signal must find it: the copy closes this once it has one.
        os.read(begins, 1)
        os.close(begins)
        self.stdin = open(to_requests, "wb")  # noqa: SIM115 - closed in __exit__
        self.stdout = open(from_answers, "rb")  # noqa: SIM115
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        """Return its status, ``-n`` after signal n, or ``None`` while it runs."""
        return self._status(os.WNOHANG)

    def wait(self) -> int:
        """Return its status once it has ended."""
        code = self._status(0)
        assert code is not None  # noqa: S101 - for the type checker: it was waited for
        return code

    def _status(self, options: int) -> int | None:
        if self._exit_code is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:
                self._exit_code = 0  # somebody else was told
            else:
                self._exit_code = os.waitstatus_to_exitcode(status) if pid else None
        return self._exit_code

    def kill(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdin.close()
        self.stdout.close()
        self.wait()


def _become(body: Callable[[], object], streams: tuple[int, int, int], mask: set[int | signal.Signals]) -> NoReturn:
    """Do what the copy is for and end, without a way back to what this process was about."""
    try:
        os.setsid()
        # What waits in buffers of files, and what is to be closed, is the other process's business.
        gc.freeze()
        sys.path[:] = [path for path in sys.path if path == _LIBRARY or os.path.basename(path) == "lib-dynload"]
        _keep_open(streams)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open to the end
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for signum in signal.valid_signals():
            if callable(signal.getsignal(signum)):
                signal.signal(signum, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        body()
    except BaseException:  # noqa: BLE001 - a front door: the other process shows it as a crash
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def _keep_open(streams: tuple[int, int, int]) -> None:
    """Make these descriptors 0, 1 and 2, and close all others: a lock, say, must not be held longer than by us."""
    import fcntl

    # Any of them may have one of these numbers itself, when we were started without standard streams.
    safe = [fcntl.fcntl(stream, fcntl.F_DUPFD, 3) for stream in streams]
    for number, stream in enumerate(safe):
        os.dup2(stream, number)
    close_all_but({0, 1, 2})


def close_all_but(kept: set[int]) -> None:
    """Close all open files of this process but these; only on Linux."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor not in kept:
            with suppress(OSError):  # the listing's own is closed
                os.close(descriptor)
