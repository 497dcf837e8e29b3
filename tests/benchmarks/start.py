"""What `doit list` costs beside importing doit, which no plugin can avoid."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.clock import best_of_processes, doit, milliseconds, ratio, write_workspace


def measure() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tasks in (10, 1000):
            write_workspace(folder / str(tasks), tasks)
        times = best_of_processes(
            {
                "import": ([sys.executable, "-c", "import doit"], folder),
                "10": (doit("list"), folder / "10"),
                "1000": (doit("list"), folder / "1000"),
                "json": (doit("list", "--json"), folder / "1000"),
                "cwt": ([sys.executable, "-m", "cwtasks", "list"], folder / "1000"),
            }
        )
    base = times["import"]
    yield "python -c 'import doit'", milliseconds(base)
    yield "doit list, 10 tasks / import doit (wanted: 1.3)", ratio(times["10"], base)
    yield "doit list, 1,000 tasks / import doit (wanted: 1.3)", ratio(times["1000"], base)
    yield "doit list --json, 1,000 tasks, manifest read anew / import doit", ratio(times["json"], base)
    yield "cwt list, 1,000 tasks / import doit", ratio(times["cwt"], base)
