"""Killed without warning, over and over: what was recorded stays done, and the end is as if nothing had happened."""

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from waiting import is_running

from cwtasks.state.journal import Journal

COUNT = 50
MAX_KILLS = 12
TASK = """
[tasks.t{number}]
cmd = 'echo "begin t{number} $$" >> "$LOG"; cat {inputs} > out/t{number}; echo "end t{number} $$" >> "$LOG"'
inputs = {inputs_list}
outputs = ["out/t{number}"]
depends-on = {needs}
"""


def manifest() -> str:
    """Return fifty tasks: a tree, so that several may run at a time, whose branches meet again."""
    text = ""
    for number in range(COUNT):
        needs = sorted({(number - 1) // 2, number // 3}) if number else []
        inputs = [f"src/{number % 5}", *(f"out/t{needed}" for needed in needs[:1])]
        needs_text = [f"t{needed}" for needed in needs]
        text += TASK.format(number=number, inputs=" ".join(inputs), inputs_list=inputs, needs=needs_text)
    return text


class Build:
    """A build that can be killed; what its commands did stands in a file outside of the workspace."""

    def __init__(self, space, log: Path) -> None:
        self.space = space
        self.log = log
        self.killed: set[int] = set()
        self.environ = {**space.environ, "LOG": str(log)}
        log.touch()

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.log.read_text().splitlines()]

    def recorded(self) -> set[str]:
        """Return the tasks whose success is in the records."""
        journal = Journal(str(self.space.root / ".conda/cwtasks/journal"))
        journal.refresh()
        runs = {key.removeprefix("run:"): journal.get(key) for key in journal.known_keys()}
        journal.close()
        return {name for name, record in runs.items() if record["status"] == "succeeded"}

    def start(self, *options: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            self.space.command(*options, "t*"),
            cwd=self.space.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        self.space.started.append(process)
        return process

    def kill_after(self, process: "subprocess.Popen[str]", lines: int, seconds: float) -> None:
        """Kill a build some time after its commands said something, and then what it had started."""
        before = len(self.lines())
        self.space.wait_until(lambda: len(self.lines()) >= before + lines or process.poll() is not None)
        time.sleep(seconds)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # Commands lead groups of their own. One that lived on would write beside the next build.
        begun = {int(pid) for word, _, pid in self.lines() if word == "begin"}
        ended = {int(pid) for word, _, pid in self.lines() if word == "end"}
        for pid in begun - ended - self.killed:
            self.killed.add(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.space.wait_until(lambda pid=pid: not is_running(pid))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by number")
@pytest.mark.parametrize("options", [pytest.param([], id="serial"), pytest.param(["-n", "4"], id="parallel")])
def test_a_build_that_is_killed_again_and_again_does_nothing_twice(space, tmp_path: Path, options: list[str]):
    seed = int.from_bytes(os.urandom(4))
    print(f"seed: {seed}")
    chance = random.Random(seed)
    space.write({"conda.toml": manifest(), **{f"src/{number}": f"{number}\n" for number in range(5)}, "out/.keep": ""})
    build = Build(space, tmp_path / "log")
    kills = 0
    for _ in range(MAX_KILLS):
        recorded, said = build.recorded(), len(build.lines())
        process = build.start(*options)
        build.kill_after(process, chance.randrange(9), chance.choice([0, 0.001, 0.01]) * chance.random())
        kills += process.returncode == -signal.SIGKILL
        assert process.returncode in {0, -signal.SIGKILL}
        assert not recorded.intersection(name for word, name, _ in build.lines()[said:] if word == "begin")
        assert recorded <= build.recorded()
    assert kills > 2

    recorded, said = build.recorded(), len(build.lines())
    done = space.run(*options, "t*", env={"LOG": str(build.log)})
    assert done.returncode == 0, done.stderr
    assert not recorded.intersection(name for word, name, _ in build.lines()[said:] if word == "begin")
    assert space.ran(*options, "t*") == []
    assert files_of(space.root) == files_of(clean_build(space, tmp_path / "clean"))


def clean_build(space, folder: Path) -> Path:
    """Build everything at once in a copy of what there was at first."""
    shutil.copytree(space.root, folder, ignore=shutil.ignore_patterns(".conda", "t*"))
    options = {"cwd": folder, "env": {"LOG": os.devnull, "CWTASKS_KEEP_OUTPUTS": "off"}}
    assert space.run("t*", **options).returncode == 0
    return folder


def files_of(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file() and ".conda" not in path.parts]
    assert len(paths) > COUNT
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}
