"""Taking times that can be compared: interleaved rounds, CPU time of child processes, the best of each."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROUNDS = 15


def usual_environ() -> dict[str, str]:
    """Return our variables without two that change what a start costs and are not set where people work."""
    skipped = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    return {name: value for name, value in os.environ.items() if name not in skipped}


def cpu_seconds(command: list[str], cwd: Path) -> float:
    """Return the user and system seconds of one process that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, env=usual_environ(), stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def best_of_processes(jobs: Mapping[str, tuple[list[str], Path]], rounds: int = ROUNDS) -> dict[str, float]:
    """Run every job once per round and return the least CPU seconds of each, the first round not counted."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, (command, cwd) in jobs.items():
            times[name].append(cpu_seconds(command, cwd))
    return {name: min(seconds[1:]) for name, seconds in times.items()}


def best_of_calls(call: Callable[[], object], rounds: int = 7) -> float:
    """Return the least seconds of a call."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begun)
    return best


def roomy_folder() -> Path | None:
    """Return a folder in memory where there is enough of it, ``None`` for the usual place.

    What is measured is programs, and disks need minutes to forget a hundred thousand files.
    """
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 16 * 1024**3 else None


def warm_memory(size: int = 4 * 1024**3) -> None:
    """Have the system find some memory before anything is measured: a virtual machine gets it from its host page by page.

    Args:
        size: How much; bytes.
    """
    folder = roomy_folder()
    if folder is None:
        return  # what is measured lies on a disk
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(size >> 24):
            file.write(bytes(1 << 24))


def doit(*words: str) -> list[str]:
    return [sys.executable, "-m", "doit", *words]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:8.1f} ms"


def ratio(value: float, of: float) -> str:
    return f"{value / of:8.2f} x"


def write_workspace(folder: Path, tasks: int) -> None:
    """Make a workspace of tasks that copy one file each, and `default`, which needs them all."""
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    lines = ["[tasks]"]
    for number in range(tasks):
        (folder / "in" / f"{number}.txt").write_text(str(number))
        paths = f'inputs = ["in/{number}.txt"], outputs = ["out/{number}.txt"]'
        lines.append(f't{number} = {{ cmd = "cp in/{number}.txt out/{number}.txt", {paths} }}')
    lines.append(f"default = {{ depends-on = {[f't{number}' for number in range(tasks)]} }}")
    (folder / "conda.toml").write_text("\n".join(lines) + "\n")


def write_dodo(folder: Path, tasks: int) -> None:
    """Make the same work as a dodo file written by hand."""
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    for number in range(tasks):
        (folder / "in" / f"{number}.txt").write_text(str(number))
    (folder / "dodo.py").write_text(
        "def task_copy():\n"
        f"    for number in range({tasks}):\n"
        "        source, target = f'in/{number}.txt', f'out/{number}.txt'\n"
        "        yield {'name': str(number), 'actions': [f'cp {source} {target}'],\n"
        "               'file_dep': [source], 'targets': [target]}\n"
    )
