"""What is remembered of the last run of a step, and how it is written down.

Knows the layout of a record; nothing of the file that holds them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from cwtasks.state.digests import FileState
from cwtasks.state.fingerprint import NOTHING, StepState

__all__ = ["Record", "RunStatus"]

_LAYOUT = 1

RunStatus = Literal["succeeded", "failed", "unrecorded", "forgotten"]


class Record(NamedTuple):
    """The last run of a step, and the state its last recorded success left."""

    status: RunStatus
    """``unrecorded``: it succeeded, but nothing can be concluded from that; see :meth:`StateStore.succeeded`."""
    started_ns: int
    """Nanoseconds since the epoch."""
    duration_ns: int
    """Nanoseconds it took."""
    state: StepState
    """Inputs as they were before the run, outputs as they were after it."""
    foreign: tuple[str, ...] = ()
    """Those of the outputs that no run wrote: they were there before and a pattern matches them."""

    @classmethod
    def from_document(cls, document: object) -> Record | None:
        """Read what :meth:`to_document` made; ``None`` for anything else, such as the layout of another version."""
        if not isinstance(document, dict) or document.get("layout") != _LAYOUT:
            return None
        try:
            inputs = {path: FileState(*state) for path, state in document["inputs"].items()}
            outputs = {path: FileState(*state) for path, state in document["outputs"].items()}
            state = StepState(document["facts"], inputs, outputs)
            foreign = tuple(document["foreign"])
            return cls(document["status"], document["started"], document["duration"], state, foreign)
        except (AttributeError, KeyError, TypeError):
            return None

    def to_document(self) -> dict[str, object]:
        """Return the record as JSON values."""
        return {
            "layout": _LAYOUT,
            "status": self.status,
            "started": self.started_ns,
            "duration": self.duration_ns,
            "foreign": self.foreign,
            **self.state._asdict(),
        }


NO_RUN = Record("unrecorded", 0, 0, NOTHING)
"""Stands for the record of a step that has none."""
