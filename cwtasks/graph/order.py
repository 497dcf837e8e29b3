"""Which steps must not run at the same time, because of the files they name. Pure text, no file is looked at.

A graph that runs one step after another needs none of this: the written order holds. Side by side, two steps that
touch one file, at least one of them writing it, keep the order they would have had.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cwtasks.globs import PatternIndex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cwtasks.graph.step import Step


def keep_file_order(steps: Iterable[Step]) -> list[Step]:
    """Fill in ``after``, so that running side by side leaves the same files as running one after another.

    Args:
        steps: In serial order.

    Returns:
        The same steps in the same order.
    """
    writers, readers = PatternIndex(), PatternIndex()
    ordered: list[Step] = []
    for step in steps:
        earlier = set(step.after)
        if step.outputs:
            earlier |= writers.overlapping(step.outputs) | readers.overlapping(step.outputs)
            writers.add(step.id, step.outputs)
        if step.inputs:
            earlier |= writers.overlapping(step.inputs) - {step.id}
            readers.add(step.id, step.inputs)
        earlier.difference_update(step.needs)
        ordered.append(replace(step, after=tuple(sorted(earlier))) if earlier else step)
    return ordered
