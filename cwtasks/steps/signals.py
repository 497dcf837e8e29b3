"""Signals: which groups of processes are running, and how a signal to us reaches them.

Knows a command by its group alone: neither what it is nor where its output goes, no terminal, no step, no doit. Waits
for no process but what is left of a group that it ends.

A process that leads a group of its own hears nothing of a signal to ours. :func:`signals` forwards it; what is told
to stop has a grace time and is killed then. There is one state per program, like the signals themselves.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = (
    "GRACE_SECONDS",
    "KILL",
    "Interrupted",
    "end_group",
    "forget",
    "forward",
    "kill_all",
    "postponed",
    "register",
    "send",
    "signals",
    "stopping",
)

GRACE_SECONDS = 5.0
"""How long a command may take to end after it was told to."""

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""The signal no process can ignore."""

_REMAINS_SECONDS = 1.0
_CAUGHT = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """A signal told us to stop.

    Attributes:
        signum: Which one.
    """

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(f"interrupted by {signal.Signals(signum).name}")


class _Stop:
    """What the signal handler and the runs tell each other."""

    signum: int | None = None
    """The signal that told us to stop."""
    is_postponed = False
    """Whether the main thread is inside :func:`postponed`."""


_stop = _Stop()
_live: set[int] = set()
# Reentrant, because a signal handler may interrupt the main thread while it holds the lock.
_live_lock = threading.RLock()


def stopping() -> int | None:
    """Return the signal that told us to stop, or ``None``."""
    return _stop.signum


@contextlib.contextmanager
def signals(*, grace_seconds: float = GRACE_SECONDS) -> Iterator[None]:
    """Forward SIGINT, SIGTERM and SIGHUP to the running commands while the block runs.

    The first signal is forwarded; what still runs after the grace time, or at a second SIGINT, is killed. Outside the
    main thread the block does nothing, for only the main thread may set handlers. A signal that is ignored when the
    block is entered, as SIGHUP under ``nohup``, stays ignored.

    Threads that run commands must have ended before the block does. Wait for their futures, not in ``Thread.join``:
    before Python 3.13 a join that an exception interrupts believes from then on that the thread has ended.

    Args:
        grace_seconds: Time between the first signal and the kill. Not available on Windows.

    Raises:
        Interrupted: the first signal came while the main thread was not inside :func:`postponed`; inside, whoever
            runs there asks :func:`stopping` instead. It may come at any point of the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(signum: int, _frame: FrameType | None) -> None:
        _receive(signum, grace_seconds)

    caught = [signum for signum in _CAUGHT if signal.getsignal(signum) is not signal.SIG_IGN]
    with contextlib.ExitStack() as stack:
        stack.callback(_reset_stop)
        if sys.platform != "win32":
            stack.callback(_set_handler, signal.SIGALRM, signal.signal(signal.SIGALRM, lambda *_: kill_all()))
            stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        for signum in caught:
            stack.callback(_set_handler, signum, signal.signal(signum, handle))
        yield


def _receive(signum: int, grace_seconds: float) -> None:
    """Do what a signal to us asks for; runs between any two instructions of the main thread."""
    if _stop.signum is None:
        _stop.signum = signum
        forward(signum)
        # A timer of the system rather than a thread: starting a thread inside a signal handler can deadlock.
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, grace_seconds)
        if not _stop.is_postponed:
            raise Interrupted(signum)
    elif signum == signal.SIGINT:
        kill_all()


def _set_handler(signum: int, handler: Callable[[int, FrameType | None], object] | int | None) -> None:
    # None stands for a handler that was not set from Python and cannot be set again.
    signal.signal(signum, signal.SIG_DFL if handler is None else handler)


def _reset_stop() -> None:
    _stop.signum = None


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Let a signal be forwarded but not raised while the main thread is in the block; elsewhere it never is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _stop.is_postponed = True
    try:
        yield
    finally:
        _stop.is_postponed = False


def register(group: int) -> None:
    """Let signals reach a group that was just started."""
    with _live_lock:
        _live.add(group)
    if _stop.signum is not None:
        # The signal was forwarded before this group was known.
        send(group, _stop.signum)


def forget(group: int) -> None:
    """Let signals reach a group no more: its number may be given to another one."""
    with _live_lock:
        _live.discard(group)


def forward(signum: int) -> None:
    """Send a signal to every running command and to what it started."""
    with _live_lock:
        for group in _live:
            send(group, signum)


def kill_all() -> None:
    """End every running command and what it started, without asking."""
    forward(KILL)


def end_group(group: int, grace_seconds: float) -> None:
    """End what the leader of a group left behind; background jobs of a shell, for example, ignore Ctrl-C.

    Zombies count as alive, and some containers never collect them, so this waits shorter than for a leader.

    Args:
        group: Its leader has ended.
        grace_seconds: How long the rest may take at most.
    """
    send(group, signal.SIGTERM)
    deadline = time.monotonic() + min(grace_seconds, _REMAINS_SECONDS)
    while _is_alive(group) and time.monotonic() < deadline:
        time.sleep(0.005)
    send(group, KILL)


if sys.platform == "win32":

    def send(group: int, signum: int) -> None:
        """Send a signal to a group that may have ended; any but the last one is Ctrl-Break here."""
        with contextlib.suppress(OSError):
            os.kill(group, signum if signum == KILL else signal.CTRL_BREAK_EVENT)

    def _is_alive(group: int) -> bool:  # noqa: ARG001 - Windows cannot tell
        return False

else:

    def send(group: int, signum: int) -> None:
        """Send a signal to a group that may have ended, or be stopped."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signum)
            # A stopped process would take the signal only once it is continued.
            os.killpg(group, signal.SIGCONT)

    def _is_alive(group: int) -> bool:
        try:
            os.killpg(group, 0)
        except OSError:
            return False
        return True
