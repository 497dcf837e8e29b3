"""Reading and compiling manifests: large made ones, and the real ones of the corpus where it is there."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import tomli

from cwtasks.environments import Catalog
from cwtasks.graph.compiler import Surroundings, compile_all
from cwtasks.graph.order import keep_file_order
from cwtasks.host import Host
from cwtasks.manifests import load_file
from tests.benchmarks.clock import best_of_calls, milliseconds, ratio, write_workspace

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
HOST = Host("linux-64")
TASKS = 10_000


def measure() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "large"
        write_workspace(folder, TASKS)
        path = folder / "conda.toml"
        text = path.read_text()
        toml = best_of_calls(lambda: tomli.loads(text), rounds=3)
        manifest = load_file(path)
        read = best_of_calls(lambda: load_file(path), rounds=3)
        compiled = best_of_calls(lambda: compile_all(Catalog(manifest, HOST), Surroundings()), rounds=3)
        steps = list(compile_all(Catalog(manifest, HOST), Surroundings()).steps.values())
        ordered = best_of_calls(lambda: keep_file_order(steps), rounds=3)
    yield f"tomli alone, {TASKS} tasks", milliseconds(toml)
    yield "reading the manifest / tomli alone", ratio(read, toml)
    yield f"compiling {TASKS} tasks (wanted: well under a second)", milliseconds(compiled)
    yield f"ordering {TASKS} steps by their files, for -n", milliseconds(ordered)
    if CORPUS.is_dir():
        yield from _corpus()


def _corpus() -> Iterator[tuple[str, str]]:
    paths = sorted(path for path in CORPUS.glob("*/*.toml"))
    slowest, total = (0.0, ""), 0.0
    for path in paths:
        begun = time.perf_counter()
        compile_all(Catalog(load_file(path), HOST), Surroundings())
        seconds = time.perf_counter() - begun
        total += seconds
        slowest = max(slowest, (seconds, path.parent.name))
    yield f"corpus: {len(paths)} manifests read and compiled, each on average", milliseconds(total / len(paths))
    yield f"corpus: the slowest, {slowest[1]}", milliseconds(slowest[0])
