"""A workspace in an empty folder, and a real doit in it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from channels import Channel, python_package
from environments import LEAF1, LEAF2, LIVELY, OTHER, Workspace

#: How long to wait for something that always happens, in seconds; a busy machine must not fail a test.
PATIENCE = 30


class Space:
    """An empty folder in which a test writes files and runs doit, as a user would."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home
        self.started: list[subprocess.Popen[str]] = []
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def exists(self, name: str) -> bool:
        return (self.root / name).exists()

    def command(self, *words: str, program: str = "doit") -> list[str]:
        module = {"doit": "doit", "cwt": "cwtasks"}[program]
        return [sys.executable, "-m", module, *words]

    def run(
        self, *words: str, cwd: str = ".", program: str = "doit", env: dict[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run doit and return what it said; never raises for its exit status."""
        return subprocess.run(
            self.command(*words, program=program),
            cwd=self.root / cwd,
            env={**self.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def doit(self, *words: str, **options) -> str:
        """Run doit, expect success and silence on stderr, and return its output."""
        done = self.run(*words, **options)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    def ran(self, *words: str, **options) -> list[str]:
        """Run doit, expect success, and return the names of the tasks whose commands ran."""
        return ran_in(self.doit(*words, **options))

    def fails(self, *words: str, status: int = 3, **options) -> str:
        """Run doit, expect an exit status and no traceback, and return what stands on stderr."""
        done = self.run(*words, **options)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stderr

    def start(self, *words: str, cwd: str = ".", env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start doit and return while it runs; it is ended with the test."""
        process = subprocess.Popen(
            self.command(*words),
            cwd=self.root / cwd,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Wait for a condition that always comes true."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.01)

    def wait_for(self, *names: str) -> None:
        """Wait until files exist that a started doit makes."""

        def exist() -> bool:
            is_running = self.started[-1].poll() is None
            found = all(map(self.exists, names))
            assert found or is_running, self.started[-1].communicate()
            return found

        self.wait_until(exist)


def ran_in(output: str) -> list[str]:
    """Return the names of the tasks that doit announced as running."""
    return [line.removeprefix(".  ") for line in output.splitlines() if line.startswith(".  ")]


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Space]:
    root, home = tmp_path / "space", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    place = Space(root, home)
    yield place
    for process in place.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def work(space: Space, tmp_path: Path) -> Workspace:
    channel = Channel(tmp_path / "site" / "channel")
    return Workspace(space, channel.with_packages(LEAF1, LEAF2, OTHER, LIVELY, python_package()))
