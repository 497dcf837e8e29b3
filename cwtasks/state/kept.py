"""Outputs of earlier successes, kept by content, so that going back to what was built before costs a copy.

One folder, shared by all workspaces of a user::

    blobs/abcdef…      the bytes of one output, named by their SHA-256
    results            a journal: which outputs a step wrote when it started from one exact state

A result belongs to the folder of its workspace. What a manifest declares is often not all that a command reads, and two
projects with the same ``make`` and the same ``Makefile`` must not get each other's program.

Files are copied in and out, or cloned where the file system can; never hard-linked. A command that writes with ``>``
writes into the file that is there, so a link would let the next build destroy what was kept, or reach into another
workspace.

Knows steps' states and files; does not decide when to restore.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.state.copying import copy_with_digest
from cwtasks.state.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cwtasks.state.digests import FileState
    from cwtasks.state.fingerprint import StepState

__all__ = ["KeptOutputs", "Limits", "Start"]

_LAYOUT = 1
_EXECUTABLE = "+x"


#: How many results are remembered; at more, the older half goes.
MAX_RESULTS = 50_000


class Limits(NamedTuple):
    """How much may be kept."""

    total_bytes: int = 5 * 1024**3
    """Size of all blobs; beyond it those that were not used for longest go."""
    result_bytes: int = 512 * 1024**2
    """Size of the outputs of one step; larger ones are not kept."""


class Start(NamedTuple):
    """All a result depends on, as far as it is declared."""

    state: StepState
    """The step and its inputs before it ran."""
    patterns: tuple[str, ...]
    """Its declared outputs."""
    root: str
    """Workspace, absolute."""

    def digest(self) -> str:
        """Return the name of the result, without any time in it."""
        from hashlib import sha256

        inputs = sorted((path, state.digest) for path, state in self.state.inputs.items())
        start = [_LAYOUT, self.root, sorted(self.state.facts.items()), inputs, self.patterns]
        return sha256(json.dumps(start).encode(), usedforsecurity=False).hexdigest()


class KeptOutputs:
    """The kept outputs of a user."""

    def __init__(self, folder: str, *, limits: Limits | None = None) -> None:
        """Choose the folder; nothing is made before something is kept.

        Args:
            folder: Absolute.
            limits: How much may be kept.
        """
        self._folder = folder
        self._limits = limits or Limits()
        self._results = Journal(os.path.join(folder, "results"))
        self._has_grown = False

    def keep(self, start: Start, outputs: Mapping[str, FileState], *, duration_ns: int) -> None:
        """Keep what a step wrote. Where that is not possible, nothing is lost but time.

        Args:
            start: What the step started from.
            outputs: The files it wrote, by path, as they are now.
            duration_ns: Nanoseconds it took.
        """
        root = start.root
        with suppress(OSError):
            sizes = sum(os.stat(os.path.join(root, path)).st_size for path in outputs)
            if sizes > self._limits.result_bytes:
                return
            for path, state in outputs.items():
                if not self._keep_blob(os.path.join(root, path), state.digest.removesuffix(_EXECUTABLE)):
                    return
            digests = {path: state.digest for path, state in outputs.items()}
            self._results.write({start.digest(): {"duration": duration_ns, "outputs": digests}})
            self._has_grown = True

    def restore(self, start: Start, *, present: Collection[str], written: Collection[str]) -> int | None:
        """Put back what the step wrote when it started from the same state before.

        All outputs are copied beside their places and their content is checked on the way; only then the first is
        moved into its place. A damaged blob is dropped. What the last run wrote and the earlier one did not is taken
        away: a step that reads the folder would see files that a build from nothing does not have.

        Args:
            start: What the step would start from now.
            present: Paths of all files that its outputs name now.
            written: Paths of those its last run left, unedited. Where there are others, nothing is restored: nobody
                knows what the step would do with them.

        Returns:
            Nanoseconds the run took that wrote them; ``None`` when they cannot be restored, and then no output has been
            touched.
        """
        key = start.digest()
        result = self._result(key)
        if result is None:
            return None
        left_over = set(present).difference(result.outputs)
        if not left_over.issubset(written):
            return None
        staged: list[tuple[str, str]] = []
        try:
            for output, digest in result.outputs.items():
                target = os.path.join(start.root, output)
                # Hidden, so that no pattern sees it, should this process be killed before it is moved.
                folder, name = os.path.split(target)
                aside = os.path.join(folder, f".{name}.cwtasks-{os.getpid()}")
                staged.append((aside, target))
                if not self._fetch(digest, aside):
                    self._results.write({key: None})
                    return None
            for aside, target in staged:
                os.replace(aside, target)
            for output in left_over:
                os.remove(os.path.join(start.root, output))
        except OSError:
            return None
        else:
            return result.duration_ns
        finally:
            for aside, _ in staged:
                with suppress(OSError):
                    os.remove(aside)

    def tidy(self) -> None:
        """Bring the folder back to its size, if this process has added to it: what was used last stays."""
        if not self._has_grown:
            return
        files = sorted(_files_below(os.path.join(self._folder, "blobs")))
        too_much = sum(size for _, size, _ in files) - self._limits.total_bytes
        for _, size, path in files:
            if too_much <= 0:
                break
            with suppress(OSError):
                os.remove(path)
                too_much -= size
        with suppress(OSError):
            self._results.refresh()
            keys = self._results.known_keys()
            if len(keys) > MAX_RESULTS:
                self._results.write(dict.fromkeys(keys[: len(keys) // 2]))

    def close(self) -> None:
        """Give the file of results back to the system."""
        self._results.close()

    def _result(self, key: str) -> _Result | None:
        """Return a kept result; ``None`` for what is missing or not of our making."""
        with suppress(OSError, KeyError, TypeError, AttributeError):
            self._results.refresh()
            document: Any = self._results.get(key)
            if document is not None:
                return _Result(int(document["duration"]), dict(document["outputs"]))
        return None

    def _keep_blob(self, path: str, digest: str) -> bool:
        blob = self._blob(digest)
        if os.path.exists(blob):
            os.utime(blob)
            return True
        aside = f"{blob}.{os.getpid()}"
        os.makedirs(os.path.dirname(blob), exist_ok=True)
        try:
            # What is copied is what is named: the file may have changed since its digest was taken.
            if copy_with_digest(path, aside) != digest:
                return False
            os.replace(aside, blob)
        finally:
            with suppress(FileNotFoundError):
                os.remove(aside)
        return True

    def _fetch(self, digest: str, target: str) -> bool:
        """Copy a blob, checked; drop it when it is not what its name says."""
        name = digest.removesuffix(_EXECUTABLE)
        blob = self._blob(name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            content = copy_with_digest(blob, target)
        except FileNotFoundError:
            return False
        if content != name:
            os.remove(blob)
            return False
        if digest.endswith(_EXECUTABLE):
            mode = os.stat(target).st_mode
            # As `chmod +x`: who may read may execute.
            os.chmod(target, mode | (mode & 0o444) >> 2)
        os.utime(blob)
        return True

    def _blob(self, digest: str) -> str:
        return os.path.join(self._folder, "blobs", digest)


class _Result(NamedTuple):
    duration_ns: int
    outputs: Mapping[str, str]


def _files_below(folder: str) -> list[tuple[int, int, str]]:
    """Return time of last use (nanoseconds), size (bytes) and path of every file in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [(entry.stat().st_mtime_ns, entry.stat().st_size, entry.path) for entry in entries]
    return []
