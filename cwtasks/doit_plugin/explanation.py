"""Why a step has to run, for people and as data. Says what the decision said: it is made of the same reasons."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.compiler import Graph
    from cwtasks.graph.step import Step
    from cwtasks.state import Reason, Record

#: How many characters of a digest tell two contents apart for people.
DIGEST_WIDTH = 8


class Explanation:
    """The state of one step, with the steps it needs."""

    def __init__(self, step: Step, graph: Graph, workspace: Workspace) -> None:
        """Ask the state.

        Args:
            step: Any step of the graph; an alias has no state of its own.
            graph: Holds what it needs.
            workspace: Where.
        """
        self.step = step
        self._graph = graph
        self._store = workspace.store
        self.record: Record | None = None if step.is_alias else self._store.record(step.id)
        self.is_ignored = step.id in self._store.ignored()
        verdict = None if step.is_alias else workspace.check(step)
        self.reasons: tuple[Reason, ...] = verdict.reasons if verdict else ()
        self.has_to_run = verdict is not None and not verdict.up_to_date

    def lines(self) -> Iterator[str]:
        """Yield one line per reason, more for a command that changed."""
        for reason in self.reasons:
            if reason.kind == "command" and reason.was is not None and reason.now is not None:
                yield f"{reason.text}:"
                yield from _diff(reason.was, reason.now)
            else:
                yield self.sentence(reason)

    def sentence(self, reason: Reason) -> str:
        """Return a reason in one sentence, with the step that brought it about, where there is one."""
        if producer := self.producer(reason):
            return f"dependency {producer} ran and changed {reason.subject}"
        if reason.kind in {"input", "output"} and reason.was and reason.now:
            return f"{reason.text} (was {reason.was[:DIGEST_WIDTH]}…, is {reason.now[:DIGEST_WIDTH]}…)"
        return reason.text

    def producer(self, reason: Reason) -> str | None:
        """Return the step that wrote a changed input after this one last read it."""
        if reason.kind != "input" or self.record is None:
            return None
        for step_id in self._graph.steps:
            other = self._store.record(step_id) if step_id != self.step.id else None
            if other and reason.subject in other.state.outputs and other.started_ns > self.record.started_ns:
                return step_id
        return None

    @property
    def last_run(self) -> str:
        """When the step last ran and how long it took; empty when that is not known."""
        if self.record is None or not self.record.started_ns:
            return ""
        started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.record.started_ns / 1e9))
        how = "failed" if self.record.status == "failed" else "ran"
        return f"it last {how} on {started} and took {_duration(self.record.duration_ns)}"

    def document(self) -> dict[str, Any]:
        """Return everything as data; times are seconds, moments seconds since the epoch."""
        reasons = []
        for reason in self.reasons:
            entry = {**reason._asdict(), "text": self.sentence(reason), "by": self.producer(reason)}
            reasons.append({key: value for key, value in entry.items() if value not in (None, "")})
        document: dict[str, Any] = {
            "task": self.step.id,
            "status": "ignored" if self.is_ignored else "run" if self.has_to_run else "up-to-date",
            "reasons": reasons,
        }
        if self.record is not None and self.record.started_ns:
            document["last_run"] = {
                "status": self.record.status,
                "started": self.record.started_ns / 1e9,
                "duration": self.record.duration_ns / 1e9,
            }
        return document


def explain_needs(explanation: Explanation, graph: Graph, workspace: Workspace) -> list[Explanation]:
    """Return the steps a step needs, directly or not, that have to run, in the order they would."""
    wanted, seen = [explanation.step.id], set[str]()
    while wanted:
        for needed in graph.steps[wanted.pop()].needs:
            if needed not in seen:
                seen.add(needed)
                wanted.append(needed)
    explained = (Explanation(step, graph, workspace) for step in graph.steps.values() if step.id in seen)
    return [other for other in explained if other.has_to_run]


def _diff(was: str, now: str) -> Iterator[str]:
    import difflib

    for line in difflib.ndiff(was.splitlines(), now.splitlines()):
        if not line.startswith("?"):
            yield f"  {line}"


def _duration(nanoseconds: int) -> str:
    seconds = nanoseconds / 1e9
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s"
