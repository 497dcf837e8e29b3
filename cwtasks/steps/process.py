"""Running one process: its group, its terminal, its output, and what a signal does to it.

Knows argv, folder and variables; no step, no manifest, no doit. Prints nothing of its own: only what a command writes
is shown, and only where the caller asked for it (``INHERIT`` and ``PREFIX``).

Every process leads a group of its own, so a signal reaches what it started as well. Three things follow:

1. A command that may ask the user something must be the terminal's foreground group, or reading stops it. So the
   terminal is lent to it and taken back, as a shell does with its jobs, Ctrl-Z included.
2. Ctrl-C then reaches the command alone. :func:`run` says so: ``Outcome.interrupted``.
3. A signal to ourselves reaches no command; :func:`signals` forwards it.

Output that is read comes from a session of its own, without terminal: a program that asks for a password there fails
at once, where in a background group it would be stopped for ever with nobody to see it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from enum import Enum
from typing import IO, TYPE_CHECKING, NamedTuple

if sys.platform != "win32":
    import termios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from cwtasks.steps.command import Invocation

__all__ = ("GRACE_SECONDS", "Interrupted", "Outcome", "Output", "forward", "kill_all", "run", "signals", "stopping")

GRACE_SECONDS = 5.0
"""How long a command may take to end after it was told to."""

_CHUNK_BYTES = 1 << 16
_SILENCE_SECONDS = 0.2
_LINGER_SECONDS = 2.0
_REMAINS_SECONDS = 1.0
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_CAUGHT = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Output(Enum):
    """Where the output of a command goes."""

    INHERIT = "inherit"
    """The command has our stdin, stdout and stderr, and the terminal."""
    CAPTURE = "capture"
    """stdout and stderr are kept apart and shown to nobody."""
    GROUP = "group"
    """stdout and stderr are kept as one stream, in order of arrival, to be printed whole."""
    PREFIX = "prefix"
    """Every line is shown as it arrives, with the name of the command in front."""


class Outcome(NamedTuple):
    """How a process ended."""

    exit_status: int
    """128 + n when signal n ended it, 127 when the program was not found, 126 when it could not be started."""
    interrupted: bool = False
    """Whether the user or a signal ended the run, rather than the command itself."""
    stdout: bytes = b""
    """What was captured; for ``GROUP`` both streams. Empty for ``INHERIT`` and ``PREFIX``."""
    stderr: bytes = b""
    """What was captured; in every mode, why the program could not be started, with a final newline."""


class Interrupted(KeyboardInterrupt):
    """A signal told us to stop.

    Attributes:
        signum: Which one.
    """

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(f"interrupted by {signal.Signals(signum).name}")


class _Stop:
    """What the signal handler and the runs tell each other; one per program, like the signals themselves."""

    signum: int | None = None
    """The signal that told us to stop."""
    is_main_running = False
    """Whether the main thread is inside :func:`run`."""


_stop = _Stop()
_live: set[int] = set()
# Reentrant, because a signal handler may interrupt the main thread while it holds the lock.
_live_lock = threading.RLock()
_terminal_lock = threading.Lock()
_line_lock = threading.Lock()


def stopping() -> int | None:
    """Return the signal that told us to stop, or ``None``."""
    return _stop.signum


def run(invocation: Invocation, *, output: Output, name: str, grace_seconds: float = GRACE_SECONDS) -> Outcome:
    """Run one process to its end.

    Callable from any thread. Under :func:`signals` a signal does not unwind a run: it is forwarded, the output is read
    on until the command ends, and the outcome says ``interrupted``. An interrupted command leaves nothing behind: what
    remains of its group is ended too. A command that ended by itself may leave a daemon; it is not waited for.

    Args:
        invocation: What to run.
        output: Where its output goes.
        name: What ``PREFIX`` puts before each line.
        grace_seconds: How long it may take to end when the run is unwound by an exception.

    Returns:
        How it ended. A program that cannot be started is an outcome as well.

    Raises:
        OSError: our own output cannot be written to, for example a closed pipe.
    """
    if _stop.signum is not None:
        return Outcome(128 + _stop.signum, interrupted=True)
    if output is Output.INHERIT and sys.stdout is not None:
        # What was printed before the command must be seen before its output.
        sys.stdout.flush()
    with _postponed_interrupts():
        try:
            process = _start(invocation, output)
        except (OSError, ValueError) as error:
            return _not_started(invocation, error)
        try:
            return _attend(process, output=output, name=name, grace_seconds=grace_seconds)
        except BaseException as error:
            _end(process, signal.SIGINT if isinstance(error, KeyboardInterrupt) else signal.SIGTERM, grace_seconds)
            raise
        finally:
            with _live_lock:
                _live.discard(process.pid)


@contextlib.contextmanager
def _postponed_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _stop.is_main_running = True
    try:
        yield
    finally:
        _stop.is_main_running = False


def _start(invocation: Invocation, output: Output) -> subprocess.Popen[bytes]:
    inherits = output is Output.INHERIT
    process = subprocess.Popen(
        _popen_arguments(invocation),
        cwd=invocation.cwd,
        env=invocation.env,
        stdin=None if inherits else subprocess.DEVNULL,
        stdout=None if inherits else subprocess.PIPE,
        stderr={Output.INHERIT: None, Output.CAPTURE: subprocess.PIPE}.get(output, subprocess.STDOUT),
        bufsize=0,
        process_group=0 if inherits else None,
        start_new_session=not inherits,
        creationflags=_CREATION_FLAGS,
    )
    with _live_lock:
        _live.add(process.pid)
    if _stop.signum is not None:
        # The signal was forwarded before this process was known.
        _send(process.pid, _stop.signum)
    return process


def _popen_arguments(invocation: Invocation, platform: str = sys.platform) -> str | Sequence[str]:
    """Return what Popen takes.

    On Windows a program is not looked up on the ``PATH`` it is given, and ``cmd /s /c`` wants its text between one
    pair of quotes with nothing escaped, which no list of arguments can say.
    """
    argv = invocation.argv
    if platform != "win32":
        return argv
    if argv[0] == "cmd" and "/s" in argv:
        return f'{" ".join(argv[:-1])} "{argv[-1]}"'
    from shutil import which

    return (which(argv[0], path=invocation.env.get("PATH")) or argv[0], *argv[1:])


def _not_started(invocation: Invocation, error: OSError | ValueError) -> Outcome:
    program = invocation.argv[0]
    if isinstance(error, FileNotFoundError):
        missing = f"folder '{invocation.cwd}'" if error.filename == invocation.cwd else f"program '{program}'"
        return Outcome(127, stderr=f"{missing} was not found\n".encode(errors="replace"))
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return Outcome(126, stderr=f"program '{program}' cannot be started: {reason}\n".encode(errors="replace"))


def _attend(process: subprocess.Popen[bytes], *, output: Output, name: str, grace_seconds: float) -> Outcome:
    """Wait for the process and for its output."""
    had_terminal, stdout, stderr = False, b"", b""
    if output is Output.INHERIT:
        had_terminal = _wait(process)
    elif output is Output.PREFIX:
        _show_lines(process, name)
    else:
        stdout, stderr = _collect(process)
    code = process.returncode
    status = 128 - code if code < 0 else code
    # Shells and many programs turn the SIGINT of Ctrl-C into this exit status.
    interrupted = _stop.signum is not None or (had_terminal and status == 128 + signal.SIGINT)
    if interrupted:
        _end_group(process.pid, grace_seconds)
    return Outcome(status, interrupted, stdout, stderr)


def _collect(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    streams = bytearray(), bytearray()
    for index, chunk in _chunks(process):
        streams[index].extend(chunk)
    return bytes(streams[0]), bytes(streams[1])


def _show_lines(process: subprocess.Popen[bytes], name: str) -> None:
    """Show whole lines only; a last line without line end gets one."""
    prefix = f"{name} | ".encode(errors="replace")
    # Parts rather than one growing line: a line of many megabytes must not be copied for each chunk of it.
    unfinished: list[bytes] = []
    for _, chunk in _chunks(process):
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*unfinished, lines[0]])
            unfinished.clear()
            _show(b"".join(prefix + line + b"\n" for line in lines))
        if rest:
            unfinished.append(rest)
    if unfinished:
        _show(prefix + b"".join(unfinished) + b"\n")


def _show(lines: bytes) -> None:
    with _line_lock:
        stdout = sys.stdout
        if (buffer := getattr(stdout, "buffer", None)) is None:
            stdout.write(lines.decode(errors="replace"))
        else:
            stdout.flush()
            buffer.write(lines)
        stdout.flush()


def _chunks(process: subprocess.Popen[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield what the process writes until its pipes are closed, or until it ended and they stay silent.

    A daemon that the command left behind keeps the pipes open; it may write on, so there is a limit to listening.

    Yields:
        0 for stdout and 1 for stderr, and a piece of it, never empty.
    """
    pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
    ended_at: float | None = None
    with _arrivals(pipes) as arrive:
        still_open = len(pipes)
        while still_open:
            # Asked before listening: what was written before the end is in the pipe by then.
            if ended_at is None and process.poll() is not None:
                ended_at = time.monotonic()
            arrived = arrive()
            for index, chunk in arrived:
                if chunk:
                    yield index, chunk
                else:
                    still_open -= 1
            if ended_at is not None and (not arrived or time.monotonic() - ended_at > _LINGER_SECONDS):
                break
    process.wait()


@contextlib.contextmanager
def _selected_arrivals(pipes: Sequence[IO[bytes]]) -> Iterator[Callable[[], list[tuple[int, bytes]]]]:
    """Give a function that returns what came, empty bytes for an end, and an empty list after a silence."""
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for index, pipe in enumerate(pipes):
            selector.register(stack.enter_context(pipe), selectors.EVENT_READ, index)

        def arrive() -> list[tuple[int, bytes]]:
            arrived = []
            for key, _ in selector.select(_SILENCE_SECONDS):
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                arrived.append((key.data, chunk))
            return arrived

        yield arrive


@contextlib.contextmanager
def _threaded_arrivals(pipes: Sequence[IO[bytes]]) -> Iterator[Callable[[], list[tuple[int, bytes]]]]:
    """Do the same where pipes cannot be selected, on Windows.

    A pipe belongs to its thread, which also closes it: closing a pipe that another thread reads would block.
    """
    from queue import Empty, SimpleQueue

    queue: SimpleQueue[tuple[int, bytes]] = SimpleQueue()

    def read(index: int, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := os.read(pipe.fileno(), _CHUNK_BYTES):
                queue.put((index, chunk))
        queue.put((index, b""))

    def arrive() -> list[tuple[int, bytes]]:
        try:
            return [queue.get(timeout=_SILENCE_SECONDS)]
        except Empty:
            return []

    for index, pipe in enumerate(pipes):
        threading.Thread(target=read, args=(index, pipe), daemon=True).start()
    yield arrive


_arrivals = _threaded_arrivals if sys.platform == "win32" else _selected_arrivals


if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP

    def _wait(process: subprocess.Popen[bytes]) -> bool:
        process.wait()
        return False

    def _send(group: int, signum: int) -> None:
        with contextlib.suppress(OSError):
            os.kill(group, signum if signum == _KILL else signal.CTRL_BREAK_EVENT)

    def _is_alive(group: int) -> bool:  # noqa: ARG001 - Windows cannot tell
        return False

else:
    _CREATION_FLAGS = 0

    def _wait(process: subprocess.Popen[bytes]) -> bool:
        """Wait for a process that inherited our terminal, and say whether it had it."""
        try:
            terminal = _Terminal()
        except (OSError, termios.error):
            process.wait()
            return False
        with contextlib.closing(terminal), _terminal_lock:
            return terminal.attend(process)

    def _send(group: int, signum: int) -> None:
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
                time.sleep(_SILENCE_SECONDS)

        def _is_ours(self) -> bool:
            try:
                return os.tcgetpgrp(self._fd) == os.getpgrp()
            except OSError:
                return False

        def _lend(self, group: int) -> None:
            if self._is_ours():
                self._is_lent = self._set_foreground(group)
            # It may have touched the terminal before it had it, and been stopped for it.
            _send(group, signal.SIGCONT)

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


def _end(process: subprocess.Popen[bytes], signum: int, grace_seconds: float) -> None:
    """End a process whose run is unwound, with all of its group."""
    _send(process.pid, signum)
    try:
        process.wait(grace_seconds)
        _end_group(process.pid, grace_seconds)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _send(process.pid, _KILL)
        process.wait()


def _end_group(group: int, grace_seconds: float) -> None:
    """End what the leader of a group left behind; background jobs of a shell, for example, ignore Ctrl-C.

    Zombies count as alive, and some containers never collect them, so this waits shorter than for a leader.
    """
    _send(group, signal.SIGTERM)
    deadline = time.monotonic() + min(grace_seconds, _REMAINS_SECONDS)
    while _is_alive(group) and time.monotonic() < deadline:
        time.sleep(0.005)
    _send(group, _KILL)


def forward(signum: int) -> None:
    """Send a signal to every running command and to what it started."""
    with _live_lock:
        for group in _live:
            _send(group, signum)


def kill_all() -> None:
    """End every running command and what it started, without asking."""
    forward(_KILL)


@contextlib.contextmanager
def signals(*, grace_seconds: float = GRACE_SECONDS) -> Iterator[None]:
    """Forward SIGINT, SIGTERM and SIGHUP to the running commands while the block runs.

    The first signal is forwarded; what still runs after the grace time, or at a second SIGINT, is killed. Outside the
    main thread the block does nothing, for only the main thread may set handlers. A signal that is ignored when the
    block is entered, as SIGHUP under ``nohup``, stays ignored.

    Threads that call :func:`run` must have ended before the block does. Wait for their futures, not in ``Thread.join``:
    before Python 3.13 a join that an exception interrupts believes from then on that the thread has ended.

    Args:
        grace_seconds: Time between the first signal and the kill. Not available on Windows.

    Raises:
        Interrupted: the first signal came while the main thread was not inside :func:`run`; inside, the outcome says
            ``interrupted`` instead. It may come at any point of the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(signum: int, _frame: FrameType | None) -> None:
        if _stop.signum is None:
            _stop.signum = signum
            forward(signum)
            # A timer of the system rather than a thread: starting a thread inside a signal handler can deadlock.
            if sys.platform != "win32":
                signal.setitimer(signal.ITIMER_REAL, grace_seconds)
            if not _stop.is_main_running:
                raise Interrupted(signum)
        elif signum == signal.SIGINT:
            kill_all()

    caught = [signum for signum in _CAUGHT if signal.getsignal(signum) is not signal.SIG_IGN]
    with contextlib.ExitStack() as stack:
        stack.callback(_reset_stop)
        if sys.platform != "win32":
            stack.callback(_set_handler, signal.SIGALRM, signal.signal(signal.SIGALRM, lambda *_: kill_all()))
            stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        for signum in caught:
            stack.callback(_set_handler, signum, signal.signal(signum, handle))
        yield


def _set_handler(signum: int, handler: Callable[[int, FrameType | None], object] | int | None) -> None:
    # None stands for a handler that was not set from Python and cannot be set again.
    signal.signal(signum, signal.SIG_DFL if handler is None else handler)


def _reset_stop() -> None:
    _stop.signum = None
