"""What a step read and wrote, and in what two such pictures differ.

One walk, :func:`facts_of`, names everything about a step that its result depends on. What is compared is that walk, and
what is shown to people is the difference of two of them, so the explanation cannot drift from the decision.

Knows steps and file states; nothing of how they are stored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cwtasks.globs import Tree
    from cwtasks.graph.step import Step
    from cwtasks.state.digests import Contents, FileState

__all__ = ["NOTHING", "Reason", "ReasonKind", "StepState", "differences", "facts_of", "snapshot"]

ReasonKind = Literal[
    "never-ran",
    "failed",
    "forgotten",
    "undeclared",
    "unmatched",
    "unrecorded",
    "command",
    "words",
    "argument",
    "variable",
    "expansion",
    "cwd",
    "clean-env",
    "platform",
    "environment",
    "packages",
    "activation",
    "lock",
    "prefix",
    "input",
    "output",
]

_WORKSPACE = "<workspace>"


class Reason(NamedTuple):
    """One cause why a step has to run."""

    kind: ReasonKind
    subject: str = ""
    """Which argument, variable, file or pattern; empty where the kind says it all."""
    was: str | None = None
    """Recorded value: a text, or a digest for files; ``None`` when there was none."""
    now: str | None = None
    """Present value, likewise."""

    @property
    def text(self) -> str:
        """The cause for people, without its values where these may be long."""
        text = _TEXTS[self.kind]
        if isinstance(text, tuple):
            is_new, is_gone, changed = text
            text = is_new if self.was is None else is_gone if self.now is None else changed
        return text.format(subject=self.subject, was=_value(self.was), now=_value(self.now))


# One sentence, or three: for what is new, what is gone and what changed.
_TEXTS: dict[ReasonKind, str | tuple[str, str, str]] = {
    "never-ran": "never ran",
    "failed": "last run failed",
    "forgotten": "was forgotten",
    "undeclared": "declares neither inputs nor outputs",
    "unmatched": "pattern '{subject}' matches nothing",
    "unrecorded": "last run was not recorded",
    "command": "command changed",
    "words": "appended words changed",
    "argument": "argument {subject}: {was} → {now}",
    "variable": (
        "variable {subject} is new",
        "variable {subject} is gone",
        "variable {subject} changed: {was} → {now}",
    ),
    "expansion": "expansion of variables changed",
    "cwd": "working directory changed",
    "clean-env": "isolation from outside variables changed",
    "platform": "platform changed: {was} → {now}",
    "environment": "environment changed: {was} → {now}",
    "packages": "packages of environment {subject} changed",
    "activation": "activation of environment {subject} changed",
    "lock": "{subject}",
    "prefix": "{subject}",
    "input": ("input {subject} is new", "input {subject} is gone", "input {subject} changed"),
    "output": ("output {subject} is missing", "output {subject} is missing", "output {subject} was edited"),
}


def _value(value: str | None) -> str:
    return "(none)" if value is None else value or "(empty)"


class StepState(NamedTuple):
    """A step, and the content of its files at one moment."""

    facts: Mapping[str, str]
    """What it runs and how: ``kind`` or ``kind subject`` -> value; see :func:`facts_of`."""
    inputs: Mapping[str, FileState]
    """Files it reads, by path."""
    outputs: Mapping[str, FileState]
    """Files it wrote, by path. In a picture taken before a run: what is left of the recorded ones."""


NOTHING = StepState({}, {}, {})
"""The state of a step of which nothing is known."""


def facts_of(step: Step, *, platform: str, root: str) -> dict[str, str]:
    """Name everything but files that the result of a step depends on.

    Args:
        step: Rendered.
        platform: What it runs on.
        root: Absolute path of the workspace; a placeholder stands for it, so that a checkout elsewhere is equal.

    Returns:
        Kind of :class:`Reason`, with its subject behind a space if there is one, -> value.
    """
    return {key: _portable(value, root) if root in value else value for key, value in _walk(step, platform)}


def _walk(step: Step, platform: str) -> Iterator[tuple[str, str]]:
    if step.command is not None:
        yield "command", step.command if isinstance(step.command, str) else _shell_text(step.command)
    if step.words:
        yield "words", _shell_text(step.words)
    for name, value in step.arguments:
        yield f"argument {name}", value
    for name, value in step.env:
        yield f"variable {name}", value
    if step.env_expands and step.env:
        # A variable may name an earlier one, so then the order counts too.
        yield "expansion", " ".join(name for name, _ in step.env)
    if step.cwd is not None:
        yield "cwd", step.cwd
    if step.clean_env:
        yield "clean-env", "yes"
    yield "platform", platform
    if step.environment is not None:
        yield "environment", step.environment


def _shell_text(words: tuple[str, ...]) -> str:
    import shlex  # most steps have neither extra words nor a command in words

    return shlex.join(words)


def _portable(value: str, root: str) -> str:
    # Not where the root is the beginning of another name: /w is not the root of /work.
    return re.sub(re.escape(root) + r"(?![\w.-])", lambda _: _WORKSPACE, value)


def snapshot(
    step: Step,
    tree: Tree,
    *,
    platform: str,
    root: str,
    contents: Contents,
    previous: StepState | None,
    environment: Mapping[str, str | None],
) -> StepState:
    """Take the picture of a step that :func:`differences` compares; before the step runs, to be of use after it.

    Reads only files whose signature does not prove that ``previous`` still holds.

    Args:
        step: A step that declares inputs or outputs.
        tree: The workspace.
        platform: What it runs on.
        root: Absolute path of the workspace.
        contents: Shared by all steps, so that no file is read for each of them.
        previous: The recorded state, if any; only the outputs it has are looked at.
        environment: Facts of the environment it runs in; what is ``None`` is not known now, and taken for unchanged.
    """
    recorded = previous or NOTHING
    inputs = contents.states(tree, tree.expand(step.inputs), recorded.inputs) if step.inputs else {}
    outputs = contents.states(tree, recorded.outputs, recorded.outputs)
    facts = facts_of(step, platform=platform, root=root)
    for key, value in environment.items():
        now = recorded.facts.get(key) if value is None else value
        if now is not None:
            facts[key] = now
    return StepState(facts, inputs, outputs)


def differences(recorded: StepState, now: StepState) -> list[Reason]:
    """Compare what was recorded with what is there: first how the step runs, then its inputs, then its outputs.

    Only contents count, never times.

    Returns:
        Nothing when running the step again would do nothing new.
    """
    reasons = []
    if recorded.facts != now.facts:
        for key, was, present in _changes(recorded.facts, now.facts):
            kind, _, subject = key.partition(" ")
            reasons.append(Reason(cast("ReasonKind", kind), subject, was, present))
    kinds: tuple[ReasonKind, ReasonKind] = ("input", "output")
    for kind, was_files, files in zip(kinds, recorded[1:], now[1:], strict=True):
        if was_files != files:
            changes = _changes(_digests(was_files), _digests(files))
            reasons += [Reason(kind, path, was, present) for path, was, present in sorted(changes)]
    return reasons


def _digests(files: Mapping[str, FileState]) -> dict[str, str]:
    return {path: state.digest for path, state in files.items()}


def _changes(recorded: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    for key in {**recorded, **now}:
        was, present = recorded.get(key), now.get(key)
        if was != present:
            yield key, was, present
