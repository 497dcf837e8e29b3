"""The terminal: lent to one command at a time and taken back, as a shell does with its jobs, Ctrl-Z included.

Knows the controlling terminal, and of a process only its group and how it stops or ends. Does not know what is run,
where output is kept, nor what a signal to us does.

A command that may ask the user something must be the terminal's foreground group, or reading stops it. While it has
the terminal, Ctrl-C and Ctrl-Z reach it alone, so whoever waits for it has to be told.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from cwtasks.steps.signals import send

if sys.platform != "win32":
    import termios

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

__all__ = ("wait",)

_PAUSE_SECONDS = 0.2

_lock = threading.Lock()


if sys.platform == "win32":

    def wait(process: subprocess.Popen[bytes]) -> bool:
        """Wait for a process; nothing is lent here."""
        process.wait()
        return False

else:

    def wait(process: subprocess.Popen[bytes]) -> bool:
        """Wait for a process that inherited our terminal; it has the terminal as long as we are in the foreground.

        Callable from any thread; a second one waits until the first has given the terminal back.

        Args:
            process: Leads a group of its own.

        Returns:
            Whether it had the terminal when it ended: then a Ctrl-C was its own.
        """
        try:
            terminal = _Terminal()
        except (OSError, termios.error):
            process.wait()
            return False
        with contextlib.closing(terminal), _lock:
            return terminal.attend(process)

    class _Terminal:
        """Our controlling terminal, which one command at a time may borrow."""

        def __init__(self) -> None:
            self._fd = os.open("/dev/tty", os.O_RDWR)
            try:
                self._attributes = termios.tcgetattr(self._fd)
            except termios.error:
                self.close()
                raise
            self._is_lent = False

        def close(self) -> None:
            os.close(self._fd)

        def attend(self, process: subprocess.Popen[bytes]) -> bool:
            """Wait for the process; it has the terminal as long as it runs and we are in the foreground ourselves.

            In a pipeline such as ``doit | less`` the terminal is lent only once the process asks for it, since the
            neighbour in our group may be reading the keyboard.

            Returns:
                Whether it had the terminal when it ended.
            """
            if os.isatty(0) and os.isatty(1):
                self._lend(process.pid)
            while True:
                try:
                    _, wait_status = os.waitpid(process.pid, os.WUNTRACED)
                finally:
                    was_lent = self._take_back()
                if not os.WIFSTOPPED(wait_status):
                    break
                self._follow_stop(os.WSTOPSIG(wait_status))
                self._lend(process.pid)
            process.returncode = os.waitstatus_to_exitcode(wait_status)
            if was_lent and (process.returncode < 0 or process.returncode > 128):
                self._restore()
            return was_lent

        def _follow_stop(self, signum: int) -> None:
            """Stop as the command did, so that the shell of the user gets the terminal back; return when continued.

            A command that was stopped for touching the terminal needs only to be lent it, if it is ours to lend.
            Where nobody could continue us, in an orphaned group, the system ignores SIGTSTP, and so Ctrl-Z does
            nothing instead of hanging; the pause keeps a command that wants a terminal it cannot get from turning that
            into a busy loop.
            """
            if signum in {signal.SIGTTIN, signal.SIGTTOU} and self._is_ours():
                return
            os.kill(0, signal.SIGTSTP)
            if not self._is_ours():
                time.sleep(_PAUSE_SECONDS)

        def _is_ours(self) -> bool:
            try:
                return os.tcgetpgrp(self._fd) == os.getpgrp()
            except OSError:
                return False

        def _lend(self, group: int) -> None:
            if self._is_ours():
                self._is_lent = self._set_foreground(group)
            # It may have touched the terminal before it had it, and been stopped for it.
            send(group, signal.SIGCONT)

        def _take_back(self) -> bool:
            was_lent, self._is_lent = self._is_lent, False
            if was_lent:
                self._set_foreground(os.getpgrp())
            return was_lent

        def _set_foreground(self, group: int) -> bool:
            try:
                with _background_writing():
                    os.tcsetpgrp(self._fd, group)
            except OSError:
                # The command has left its group, or the terminal has gone: there is nothing to lend.
                return False
            return True

        def _restore(self) -> None:
            with contextlib.suppress(termios.error), _background_writing():
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._attributes)

    @contextlib.contextmanager
    def _background_writing() -> Iterator[None]:
        """Let this thread change the terminal from the background.

        Blocking SIGTTOU does it as well as ignoring it, and only this can be done outside the main thread.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
