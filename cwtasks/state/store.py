"""The memory of a workspace: is a step up to date, if not why, and what its runs left behind.

A step is up to date when its last run succeeded, everything about how it runs is as it was, its input files are the
same ones with the same content, and its outputs are as it left them. Nothing else counts: no times, no order of steps.

Knows steps, the tree and the journal. Runs nothing, prints nothing, and knows no doit.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.globs import is_literal, normalise
from cwtasks.state.digests import Contents
from cwtasks.state.fingerprint import NOTHING, Reason, StepState, differences, snapshot
from cwtasks.state.folder import make_folder
from cwtasks.state.journal import Journal
from cwtasks.state.records import NO_RUN, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from cwtasks.globs import Tree
    from cwtasks.graph.step import Step

__all__ = ["StateStore", "Verdict"]

_RUN = "run:"
_IGNORE = "ignore:"


class Verdict(NamedTuple):
    """Whether a step has to run."""

    up_to_date: bool
    reasons: tuple[Reason, ...]
    """Why it has to run, at least one; empty when it is up to date."""
    state: StepState | None
    """What :meth:`StateStore.succeeded` wants after the run; ``None`` for a step that declares no files."""


class StateStore:
    """Records of the steps of one workspace, in one folder.

    Nothing is read before the first question and nothing created before the first record. Every record is in the file
    when the method returns, so a killed process loses none, and other processes see it. Where nothing can be recorded,
    everything else still works: see :attr:`warnings`.
    """

    def __init__(self, directory: str, *, root: str, platform: str, clock: Callable[[], int] = time.time_ns) -> None:
        """Choose the folder.

        Args:
            directory: Folder for the records; made when needed.
            root: Workspace, absolute.
            platform: What steps run on.
            clock: Nanoseconds since the epoch.
        """
        self._directory = directory
        self._root = root
        self._platform = platform
        self._clock = clock
        self._journal = Journal(os.path.join(directory, "journal"))
        self._contents = Contents(clock)
        self._is_prepared = False
        self._complaints: dict[str, str] = {}

    @property
    def warnings(self) -> list[str]:
        """What went wrong with the records themselves so far, one sentence each."""
        return [*self._journal.warnings, *self._complaints.values()]

    def check(self, step: Step, tree: Tree) -> Verdict:
        """Decide whether a step has to run, and take the picture of its files that belongs to the run.

        Reads only files whose signature does not prove them unchanged. A file that was touched but is equal is noted,
        so that it is read once and not for ever.
        """
        if not step.is_cacheable:
            return Verdict(up_to_date=False, reasons=(Reason("undeclared"),), state=None)
        record = self.record(step.id)
        now = self._snapshot(step, tree, record)
        missing = _missing_outputs(step, tree, now)
        if record is not None and record.status == "succeeded" and record.state == now and not missing:
            return Verdict(up_to_date=True, reasons=(), state=now)
        reasons = tuple(_reasons(step, tree, record, now))
        if record is not None and not reasons and record.state[1:] != now[1:]:
            self._write({_RUN + step.id: record._replace(state=now).to_document()})
        return Verdict(not reasons, reasons, now)

    def snapshot(self, step: Step, tree: Tree) -> StepState | None:
        """Take the picture of :meth:`check` without deciding, for a step that runs in any case."""
        return self._snapshot(step, tree, self.record(step.id)) if step.is_cacheable else None

    def _snapshot(self, step: Step, tree: Tree, record: Record | None) -> StepState:
        previous = record.state if record else None
        return snapshot(
            step, tree, platform=self._platform, root=self._root, contents=self._contents, previous=previous
        )

    def succeeded(
        self, step: Step, tree: Tree, before: StepState | None, *, started_ns: int, duration_ns: int
    ) -> list[str]:
        """Record a run that succeeded.

        Inputs are recorded as they were before the run, so one that was edited meanwhile makes the step run again.
        Files that are inputs and outputs at once, as for a formatter, are recorded as the run left them.

        Args:
            step: The step that ran.
            tree: The workspace; everything in it is looked at anew.
            before: From :meth:`check` or :meth:`snapshot`, taken before the run.
            started_ns: Nanoseconds since the epoch.
            duration_ns: Nanoseconds the run took.

        Returns:
            A sentence for each pattern that matches nothing. When these are all inputs, all outputs, or an output
            without a wildcard, then the run proves nothing and the step stays out of date.
        """
        tree.changed()
        if before is None:
            record = Record("unrecorded", started_ns, duration_ns, NOTHING)
            self._write({_RUN + step.id: record.to_document()})
            return []
        outputs = self._contents.states(tree, tree.expand(step.outputs), before.outputs)
        inputs = {path: state for path, state in before.inputs.items() if path not in outputs}
        inputs.update((path, outputs[path]) for path in tree.expand(step.inputs) if path in outputs)
        proves_nothing = (
            bool(step.inputs and not inputs)
            or bool(step.outputs and not outputs)
            or bool(_missing_outputs(step, tree, NOTHING))
        )
        record = Record(
            "unrecorded" if proves_nothing else "succeeded",
            started_ns,
            duration_ns,
            StepState(before.facts, inputs, outputs),
        )
        self._write({_RUN + step.id: record.to_document()})
        consequence = ", so it will run again next time" if proves_nothing else ""
        return [
            f"{step.id}: {role} pattern '{pattern}' matches nothing{consequence}"
            for role, patterns in (("input", step.inputs), ("output", step.outputs))
            for pattern in tree.unmatched(patterns)
        ]

    def failed(self, step: Step) -> None:
        """Record a run that failed: the step runs again, and what its last success left stays known."""
        record = self.record(step.id) or NO_RUN
        self._write({_RUN + step.id: record._replace(status="failed").to_document()})

    def accept(self, step: Step, tree: Tree) -> list[str]:
        """Take the files as they are for the result of a run.

        Returns:
            As :meth:`succeeded`.
        """
        tree.changed()
        before = self.snapshot(step, tree)
        return self.succeeded(step, tree, before, started_ns=self._clock(), duration_ns=0) if before else []

    def record(self, step_id: str) -> Record | None:
        """Return what is known of the last run of a step, by any process."""
        document = self._read().get(_RUN + step_id)
        return None if document is None else Record.from_document(document)

    def outputs(self, step_id: str) -> list[str]:
        """Return the sorted paths of the files that the last success of a step left."""
        record = self.record(step_id)
        return sorted(record.state.outputs) if record else []

    def forget(self, step_id: str) -> None:
        """Drop all that is known of a step, also that it is ignored."""
        self._drop({_RUN + step_id, _IGNORE + step_id})

    def forget_all(self) -> None:
        """Drop all that is known of every step."""
        self._drop(self._read().known_keys())

    def prune(self, known_ids: Collection[str]) -> None:
        """Drop the records of steps that are not among ``known_ids``."""
        self._drop({key for key in self._read().known_keys() if key.partition(":")[2] not in known_ids})

    def ignore(self, step_id: str) -> None:
        """Remember that a step is to be passed over until it is forgotten."""
        self._write({_IGNORE + step_id: True})

    def ignored(self) -> frozenset[str]:
        """Return the ids of all steps that are to be passed over."""
        return frozenset(key.removeprefix(_IGNORE) for key in self._read().known_keys() if key.startswith(_IGNORE))

    def is_ignored(self, step_id: str) -> bool:
        """Whether a step is to be passed over."""
        return self._read().get(_IGNORE + step_id) is not None

    def close(self) -> None:
        """Give the file back to the system; the store can be used again afterwards."""
        self._journal.close()

    def _drop(self, keys: Collection[str]) -> None:
        journal = self._read()
        known = [key for key in keys if journal.get(key) is not None]
        if known:
            self._write(dict.fromkeys(known))

    def _read(self) -> Journal:
        try:
            self._journal.refresh()
        except OSError as error:
            self._complain("read", error)
        return self._journal

    def _write(self, values: Mapping[str, object]) -> None:
        try:
            if not self._is_prepared:
                make_folder(self._directory)
                self._is_prepared = True
            self._journal.write(values)
        except OSError as error:
            self._complain("write", error)

    def _complain(self, verb: str, error: OSError) -> None:
        """Note once that records cannot be used; a build must not fail because of its memory."""
        reason = error.strerror or str(error)
        self._complaints.setdefault(
            verb, f"{self._directory}: cannot {verb} records: {reason}; steps may run again without need"
        )


def _reasons(step: Step, tree: Tree, record: Record | None, now: StepState) -> list[Reason]:
    reasons = []
    if record is None:
        reasons.append(Reason("never-ran"))
    else:
        if record.status == "failed":
            reasons.append(Reason("failed"))
        if record.state.facts:
            reasons += differences(record.state, now)
        missing = _missing_outputs(step, tree, record.state)
        reasons += [Reason("output", path) for path in missing]
        if record.status == "unrecorded" and not now.outputs:
            unmatched = tree.unmatched(step.outputs)
            reasons += [Reason("unmatched", pattern) for pattern in unmatched if pattern not in missing]
    if step.inputs and not now.inputs:
        reasons += [Reason("unmatched", pattern) for pattern in tree.unmatched(step.inputs)]
    if record is not None and record.status == "unrecorded" and not reasons:
        reasons.append(Reason("unrecorded"))
    return reasons


def _missing_outputs(step: Step, tree: Tree, state: StepState) -> list[str]:
    """Return the paths among a step's outputs, those in ``state`` aside, where there is nothing."""
    return [
        pattern
        for pattern in step.outputs
        if pattern not in state.outputs
        and not pattern.startswith("!")
        and is_literal(pattern)
        and tree.stat(normalise(pattern)) is None
    ]
