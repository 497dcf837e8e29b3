"""Running one process to its end: how it is started, what it writes, and how it ended.

Knows argv, folder and variables; no step, no manifest, no doit. Does not know how a terminal is lent, which is
:mod:`cwtasks.steps.terminal`, nor which other processes run and who told us to stop, which is
:mod:`cwtasks.steps.signals`. Prints nothing of its own: only what a command writes is shown, and only where the caller
asked for it (``INHERIT`` and ``PREFIX``).

Every process leads a group of its own, so a signal reaches what it started as well. Three things follow:

1. A command that may ask the user something must be lent the terminal.
2. Ctrl-C then reaches the command alone. :func:`run` says so: ``Outcome.interrupted``.
3. A signal to ourselves reaches no command; it must be forwarded.

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

from cwtasks.steps import terminal
from cwtasks.steps.signals import GRACE_SECONDS, KILL, end_group, forget, postponed, register, send, stopping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cwtasks.steps.command import Invocation

__all__ = ("Outcome", "Output", "run")

_CHUNK_BYTES = 1 << 16
_SILENCE_SECONDS = 0.2
_LINGER_SECONDS = 2.0
_line_lock = threading.Lock()

if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _CREATION_FLAGS = 0


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
    """What was captured; empty but for ``CAPTURE``."""
    not_started: str | None = None
    """Why there was no process, without a final period; ``None`` when it ran."""


def run(invocation: Invocation, *, output: Output, name: str, grace_seconds: float = GRACE_SECONDS) -> Outcome:
    """Run one process to its end.

    Callable from any thread. Under :func:`~cwtasks.steps.signals.signals` a signal does not unwind a run: it is
    forwarded, the output is read on until the command ends, and the outcome says ``interrupted``. An interrupted
    command leaves nothing behind: what remains of its group is ended too. A command that ended by itself may leave a
    daemon; it is not waited for.

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
    if (signum := stopping()) is not None:
        return Outcome(128 + signum, interrupted=True)
    if output is Output.INHERIT and sys.stdout is not None:
        # What was printed before the command must be seen before its output.
        sys.stdout.flush()
    with postponed():
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
            forget(process.pid)


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
    register(process.pid)
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
        return Outcome(127, not_started=f"{missing} was not found")
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return Outcome(126, not_started=f"program '{program}' cannot be started: {reason}")


def _attend(process: subprocess.Popen[bytes], *, output: Output, name: str, grace_seconds: float) -> Outcome:
    """Wait for the process and for its output."""
    had_terminal, stdout, stderr = False, b"", b""
    if output is Output.INHERIT:
        had_terminal = terminal.wait(process)
    elif output is Output.PREFIX:
        _show_lines(process, name)
    else:
        stdout, stderr = _collect(process)
    code = process.returncode
    status = 128 - code if code < 0 else code
    # Shells and many programs turn the SIGINT of Ctrl-C into this exit status.
    interrupted = stopping() is not None or (had_terminal and status == 128 + signal.SIGINT)
    if interrupted:
        end_group(process.pid, grace_seconds)
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


def _end(process: subprocess.Popen[bytes], signum: int, grace_seconds: float) -> None:
    """End a process whose run is unwound, with all of its group."""
    send(process.pid, signum)
    try:
        process.wait(grace_seconds)
        end_group(process.pid, grace_seconds)
    except subprocess.TimeoutExpired:
        pass
    finally:
        send(process.pid, KILL)
        process.wait()
