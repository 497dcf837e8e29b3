"""A build in which nothing changed, against a hand-written dodo file of the same work."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.clock import best_of_processes, doit, milliseconds, ratio, write_dodo, write_workspace

TASKS = 1000


def measure() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        ours, by_hand = Path(name) / "ours", Path(name) / "by-hand"
        write_workspace(ours, TASKS)
        write_dodo(by_hand, TASKS)
        for folder in (ours, by_hand):
            subprocess.run(doit(), cwd=folder, stdout=subprocess.DEVNULL, check=True)
        # The stamps of fresh outputs prove nothing yet: the next run reads them once, the runs after that do not.
        time.sleep(0.1)
        times = best_of_processes({"ours": (doit(), ours), "one": (doit("t7"), ours), "by hand": (doit(), by_hand)})
    yield f"hand-written dodo.py, {TASKS} tasks", milliseconds(times["by hand"])
    yield f"cwtasks, {TASKS} tasks / hand-written dodo.py (wanted: 1.0)", ratio(times["ours"], times["by hand"])
    yield f"cwtasks, one of {TASKS} tasks / hand-written dodo.py, all", ratio(times["one"], times["by hand"])
