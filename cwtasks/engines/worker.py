"""A process that answers one request, as its parent sees it: how it is started, asked and ended.

It leads a process group of its own and ends with its parent: whatever interrupts us kills the group, and should we be
killed ourselves, it notices the end of its stdin.

Where it can be, it is a copy of this process: most modules that it wants are there already, which spares half of its
start. Elsewhere it is a new interpreter.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.engines.process_copy import ProcessCopy, can_copy
from cwtasks.files import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cwtasks.engines.protocol import Report

STDERR_TAIL_BYTES = 4000


class Answer(NamedTuple):
    """What a worker said at its end."""

    document: dict[str, Any] | None
    """Its last line; ``None`` when it ended without an answer."""
    exit_code: int
    """Its status, ``-n`` after signal n."""
    stderr: str
    """The last lines of it, and of what it started wrote; without credentials."""


class Worker:
    """One process for one request."""

    def __init__(self, command: Sequence[str], body: Callable[[], object] | None = None) -> None:
        """Start it; it then waits for its request.

        Args:
            command: Program and arguments.
            body: What the program does, where a copy of this process can do it, too. It does not return.
        """
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        copy = self._copy(body) if body is not None and can_copy() else None
        self._process: subprocess.Popen[bytes] | ProcessCopy = copy or subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, start_new_session=True
        )

    def _copy(self, body: Callable[[], object]) -> ProcessCopy | None:
        try:
            return ProcessCopy(body, self._stderr.fileno())
        except OSError:
            return None  # there is no room for two of this process, but there may be for an interpreter

    @property
    def group(self) -> int:
        """Its process group."""
        return self._process.pid

    def ask(self, request: Mapping[str, Any], report: Report, secrets: Sequence[str]) -> Answer:
        """Hand it its request, pass progress on, and return its answer.

        Args:
            request: A JSON document.
            report: Is told of progress.
            secrets: Words that must not be shown.
        """
        from cwtasks.engines.protocol import redacted  # not needed for a start, which should be soon

        document = self._talk(json.dumps(request).encode() + b"\n", report, secrets)
        code = self._process.wait()
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - STDERR_TAIL_BYTES))
        return Answer(document, code, redacted(self._stderr.read().decode(errors="replace"), secrets))

    def _talk(self, line: bytes, report: Report, secrets: Sequence[str]) -> dict[str, Any] | None:
        from cwtasks.engines.protocol import Progress, redacted

        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None  # noqa: S101 - for the type checker: both are pipes
        assert answers is not None  # noqa: S101
        try:
            write_all(requests.fileno(), line)
        except BrokenPipeError:
            return None
        for answer in answers:
            try:
                document = json.loads(answer)
            except ValueError:
                return None  # cut off by its death
            if "progress" not in document:
                return dict(document)
            phase, done, total, text = document["progress"]
            report(Progress(phase, done, total, redacted(text, secrets)))
        return None

    def end(self) -> None:
        """Kill what is left of it and of what it started."""
        with self._stderr, self._process as process:
            if process.poll() is None:
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
            process.wait()
