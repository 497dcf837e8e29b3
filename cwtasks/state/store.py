"""The memory of a workspace: is a step up to date, if not why, and what its runs left behind.

A step is up to date when its last run succeeded, everything about how it runs is as it was, its input files are the
same ones with the same content, and its outputs are as it left them. Nothing else counts: no times, no order of steps.

Knows steps, the tree and the journal. Runs nothing, prints nothing, and knows no doit.
"""

from __future__ import annotations

import os
import time
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

from cwtasks.files import make_folder
from cwtasks.globs import is_literal, normalise
from cwtasks.state.digests import Contents, signature, state_of_written
from cwtasks.state.fingerprint import NOTHING, Reason, StepState, differences, snapshot
from cwtasks.state.journal import Journal
from cwtasks.state.kept import Start
from cwtasks.state.records import NO_RUN, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from cwtasks.globs import Tree
    from cwtasks.graph.step import Step
    from cwtasks.state.digests import FileState
    from cwtasks.state.fingerprint import ReasonKind
    from cwtasks.state.kept import KeptOutputs

__all__ = ["StateStore", "Verdict"]

_RUN = "run:"
_MUST_RUN = frozenset({"failed", "forgotten", "undeclared", "unmatched", "unrecorded", "output"})
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

    def __init__(
        self,
        directory: str,
        *,
        root: str,
        platform: str,
        kept: Callable[[], KeptOutputs | None] | None = None,
        environment_facts: Callable[[str], Mapping[str, str | None]] | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Choose the folder.

        Args:
            directory: Folder for the records; made when needed.
            root: Workspace, absolute.
            platform: What steps run on.
            kept: Gives the place where outputs of successes are kept, or ``None``; asked when there is need.
            environment_facts: Says of an environment, by its name, what a step's result depends on there; see
                :func:`cwtasks.state.fingerprint.snapshot`.
            clock: Nanoseconds since the epoch.
        """
        self._environment_facts = environment_facts
        self._directory = directory
        self._root = root
        self._platform = platform
        self._ask_for_kept = kept
        self._clock = clock
        self._journal = Journal(os.path.join(directory, "journal"))
        self._contents = Contents(clock)
        self._readings = 0
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
        if self._journal.readings != self._readings:
            # Another process recorded a run. Whoever believes that must also see what the run wrote.
            self._readings = self._journal.readings
            tree.changed()
        facts: Mapping[str, str | None] = {}
        if self._environment_facts is not None and step.environment is not None:
            facts = self._environment_facts(step.environment)
        return snapshot(
            step,
            tree,
            platform=self._platform,
            root=self._root,
            contents=self._contents,
            previous=record.state if record else None,
            environment=facts,
        )

    def present_outputs(self, step: Step, tree: Tree) -> dict[str, str]:
        """Return what already stands where a step is about to write: path and signature.

        Afterwards this tells what the step wrote from what a pattern of it happens to match.
        """
        present = ((path, tree.stat(path)) for path in tree.expand(step.outputs))
        return {path: signature(status) for path, status in present if status is not None}

    def succeeded(
        self,
        step: Step,
        tree: Tree,
        before: StepState | None,
        *,
        started_ns: int,
        duration_ns: int,
        present: Mapping[str, str] | None = None,
        written: Mapping[str, str] | None = None,
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
            present: From :meth:`present_outputs`, taken before the run; nothing by default.
            written: SHA-256 of outputs, by path, where the run took it while it wrote; they are not read again.

        Returns:
            A sentence for each pattern that matches nothing. When these are all inputs, all outputs, or an output
            without a wildcard, then the run proves nothing and the step stays out of date.
        """
        tree.changed()
        if before is None:
            record = Record("unrecorded", started_ns, duration_ns, NOTHING)
            self._write({_RUN + step.id: record.to_document()})
            return []
        outputs = self._outputs(step, tree, before, written or {})
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
            self._foreign(step.id, tree, outputs, present or {}),
        )
        self._write({_RUN + step.id: record.to_document()})
        if record.status == "succeeded" and step.inputs and outputs:
            self._keep(step, tree, before, record)
        consequence = ", so it will run again next time" if proves_nothing else ""
        return [
            f"{step.id}: {role} pattern '{pattern}' matches nothing{consequence}"
            for role, patterns in (("input", step.inputs), ("output", step.outputs))
            for pattern in tree.unmatched(patterns)
        ]

    def _outputs(self, step: Step, tree: Tree, before: StepState, written: Mapping[str, str]) -> dict[str, FileState]:
        paths = list(tree.expand(step.outputs))
        told = {
            path: state_of_written(tree.path(path), written[path], self._clock) for path in paths if path in written
        }
        states = self._contents.states(tree, (path for path in paths if path not in told), before.outputs)
        return {**states, **{path: state for path, state in told.items() if state is not None}}

    def _keep(self, step: Step, tree: Tree, before: StepState, record: Record) -> None:
        """Keep what a success wrote, if that follows from what it started from and is nobody's source.

        1. Among files that stood there before may be some that people edit: none of old may ever come back over them.
        2. Nor over what the step reads and writes at once, as a formatter does.
        3. An input that was edited while the step ran may have been read as it is now.
        """
        outputs = record.state.outputs
        if step.kind != "task" or self._kept is None or record.foreign or not before.inputs.keys().isdisjoint(outputs):
            return
        inputs = self._contents.states(tree, tree.expand(step.inputs), before.inputs)
        now = {path: state.digest for path, state in inputs.items() if path not in outputs}
        if now == {path: state.digest for path, state in before.inputs.items()}:
            self._kept.keep(Start(before, step.outputs, self._root), outputs, duration_ns=record.duration_ns)

    def _foreign(
        self, step_id: str, tree: Tree, outputs: Collection[str], present: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Return the outputs that stood there before, that this run left alone, and that no earlier run wrote."""
        last = self.record(step_id) or NO_RUN
        untouched = [path for path in outputs if path in present and _signature(tree, path) == present[path]]
        return tuple(path for path in untouched if path not in last.state.outputs or path in last.foreign)

    def restore(self, step: Step, tree: Tree, verdict: Verdict) -> bool:
        """Put back the outputs of an earlier success that started from the same state, instead of running the step.

        Only when nothing but what the step starts from is in the way. Outputs that somebody edited or removed, a
        failure and a step that was forgotten mean that it has to run; and without inputs nothing says that it would do
        the same.

        Args:
            step: A step that has to run.
            tree: The workspace.
            verdict: Of :meth:`check`, just now.

        Returns:
            Whether the step is up to date now.
        """
        if step.kind != "task" or self._kept is None or verdict.state is None or not (step.inputs and step.outputs):
            return False
        if any(reason.kind in _MUST_RUN for reason in verdict.reasons):
            return False
        present = self.present_outputs(step, tree)
        start = Start(verdict.state, step.outputs, self._root)
        duration_ns = self._kept.restore(start, present=present, written=self.outputs(step.id))
        if duration_ns is None:
            return False
        started_ns = self._clock()
        self.succeeded(step, tree, verdict.state, started_ns=started_ns, duration_ns=duration_ns, present=present)
        return self.check(step, tree).up_to_date

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
        """Return the sorted paths of the files that a step wrote and its last success left."""
        record = self.record(step_id)
        return sorted(set(record.state.outputs).difference(record.foreign)) if record else []

    def forget(self, step_id: str) -> None:
        """Drop all that is known of a step, also that it is ignored, and have it run next time."""
        self._forget([step_id])

    def forget_all(self) -> None:
        """Drop all that is known of every step, and have each run next time."""
        self._forget({key.partition(":")[2] for key in self._read().known_keys()})

    def _forget(self, step_ids: Collection[str]) -> None:
        known = [step_id for step_id in step_ids if self.record(step_id) is not None]
        self._drop({_IGNORE + step_id for step_id in step_ids})
        if known:
            # Not dropped: of a step that never ran kept outputs may be restored, and these are to run.
            self._write({_RUN + step_id: Record("forgotten", 0, 0, NOTHING).to_document() for step_id in known})

    def prune(self, is_known: Callable[[str], bool]) -> None:
        """Drop the records of steps that are gone.

        Args:
            is_known: Says of a step's id whether there still is such a step.
        """
        self._drop({key for key in self._read().known_keys() if not is_known(key.partition(":")[2])})

    def ignore(self, step_id: str) -> None:
        """Remember that a step is to be passed over until it is forgotten."""
        self._write({_IGNORE + step_id: True})

    def ignored(self) -> frozenset[str]:
        """Return the ids of all steps that are to be passed over."""
        return frozenset(key.removeprefix(_IGNORE) for key in self._read().known_keys() if key.startswith(_IGNORE))

    def is_ignored(self, step_id: str) -> bool:
        """Whether a step is to be passed over."""
        return self._read().get(_IGNORE + step_id) is not None

    @cached_property
    def _kept(self) -> KeptOutputs | None:
        return self._ask_for_kept() if self._ask_for_kept else None

    def tidy(self) -> None:
        """Bring what is kept back to its size, if it was used at all."""
        if kept := self.__dict__.get("_kept"):
            kept.tidy()

    def close(self) -> None:
        """Give the files back to the system; the store can be used again afterwards."""
        self._journal.close()
        if (kept := self.__dict__.get("_kept")) is not None:
            kept.close()

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
        if record.status in {"failed", "forgotten"}:
            reasons.append(Reason(cast("ReasonKind", record.status)))
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


def _signature(tree: Tree, path: str) -> str | None:
    status = tree.stat(path)
    return None if status is None else signature(status)


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
