"""What remembering costs: per recorded step, per checked file, per loaded record."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cwtasks.globs import Tree
from cwtasks.graph.step import Step
from cwtasks.state import StateStore
from cwtasks.state.kept import KeptOutputs
from tests.benchmarks.clock import best_of_calls, milliseconds, ratio

STEPS = 1000
FILES = 20_000
RECORDS = 10_000


def measure() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        yield from _checks(Path(name))
    with tempfile.TemporaryDirectory() as name:
        yield from _keeping(Path(name))
    with tempfile.TemporaryDirectory() as name:
        yield from _many_files(Path(name))
    with tempfile.TemporaryDirectory() as name:
        yield from _loads(Path(name))


def _checks(root: Path) -> Iterator[tuple[str, str]]:
    steps = []
    for number in range(STEPS):
        for kind in ("in", "out"):
            (root / f"{kind}{number}").write_text(str(number))
        steps.append(Step(f"s{number}", "s", None, command="true", inputs=(f"in{number}",), outputs=(f"out{number}",)))
    paths = [str(root / f"{kind}{number}") for number in range(STEPS) for kind in ("in", "out")]
    time.sleep(0.1)  # until the stamps of the files prove something
    store, tree = _store(root), Tree(str(root))
    states = [store.check(step, tree).state for step in steps]
    begun = time.perf_counter()
    for step, before in zip(steps, states, strict=True):
        store.succeeded(step, tree, before, started_ns=0, duration_ns=0)
    recorded = (time.perf_counter() - begun) / STEPS
    stats = best_of_calls(lambda: [os.stat(path) for path in paths])

    def check_all() -> None:
        tree.changed()
        assert all(store.check(step, tree).up_to_date for step in steps)

    checked = best_of_calls(check_all)
    yield "recording one step, its output read and hashed (wanted: 100 us)", f"{recorded * 1e6:8.1f} us"
    yield f"checking {STEPS} unchanged steps of two files / os.stat of those", ratio(checked, stats)


def _keeping(root: Path) -> Iterator[tuple[str, str]]:
    kept = KeptOutputs(str(root / ".kept"))
    store, tree = (
        StateStore(str(root / ".state"), root=str(root), platform="linux-64", kept=lambda: kept),
        Tree(str(root)),
    )
    seconds = 0.0
    for number in range(STEPS):
        (root / f"in{number}").write_text(str(number))
        (root / f"out{number}").write_text(str(number))
        step = Step(f"s{number}", "s", None, command="true", inputs=(f"in{number}",), outputs=(f"out{number}",))
        before = store.check(step, tree).state
        begun = time.perf_counter()
        store.succeeded(step, tree, before, started_ns=0, duration_ns=0)
        seconds += time.perf_counter() - begun
    yield "recording one step and keeping its small output", f"{seconds / STEPS * 1e6:8.1f} us"


def _many_files(root: Path) -> Iterator[tuple[str, str]]:
    for number in range(FILES):
        folder = root / "in" / str(number // 100)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.c").write_text(str(number))
    (root / "out").write_text("")
    time.sleep(0.1)
    step = Step("s", "s", None, command="true", inputs=("in/**",), outputs=("out",))
    store, tree = _store(root), Tree(str(root))
    before = store.check(step, tree).state
    assert before is not None
    store.succeeded(step, tree, before, started_ns=0, duration_ns=0)
    paths = [str(root / path) for path in before.inputs]
    stats = best_of_calls(lambda: [os.stat(path) for path in paths])

    def check() -> None:
        tree.changed()
        assert store.check(step, tree).up_to_date

    yield "checking one unchanged file of many / os.stat (wanted: 2)", ratio(best_of_calls(check), stats)


def _loads(root: Path) -> Iterator[tuple[str, str]]:
    (root / "in").write_text("x")
    store, tree = _store(root), Tree(str(root))
    step = Step("s", "s", None, command="true", inputs=("in",), outputs=("in",))
    before = store.check(step, tree).state
    for number in range(RECORDS):
        store.succeeded(
            Step(f"s{number}", "s", None, command="true", inputs=("in",)), tree, before, started_ns=0, duration_ns=0
        )
    loaded = best_of_calls(lambda: _store(root).record("s7"))
    yield f"loading {RECORDS} records (wanted: 20 ms)", milliseconds(loaded)


def _store(root: Path) -> StateStore:
    return StateStore(str(root / ".state"), root=str(root), platform="linux-64")
