"""Which steps must not run at the same time, because of the files they name. Pure text, no file is looked at.

A graph that runs one step after another needs none of this: the written order holds. Side by side, two steps that
touch one file, at least one of them writing it, keep the order they would have had.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cwtasks.globs import PatternIndex

if TYPE_CHECKING:
    from cwtasks.graph.compiler import Graph
    from cwtasks.graph.step import Step


def keep_file_order(graph: Graph) -> Graph:
    """Return the graph with ``after`` filled in, so that ``-n`` leaves the same files as a serial run.

    Args:
        graph: Its steps stand in serial order.
    """
    writers, readers = PatternIndex(), PatternIndex()
    ordered: dict[str, Step] = {}
    for step_id, step in graph.steps.items():
        earlier = set(step.after)
        if step.outputs:
            earlier |= writers.overlapping(step.outputs) | readers.overlapping(step.outputs)
            writers.add(step_id, step.outputs)
        if step.inputs:
            earlier |= writers.overlapping(step.inputs) - {step_id}
            readers.add(step_id, step.inputs)
        earlier.difference_update(step.needs)
        ordered[step_id] = replace(step, after=tuple(sorted(earlier))) if earlier else step
    return replace(graph, steps=ordered)
