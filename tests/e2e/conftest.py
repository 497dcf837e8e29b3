"""A workspace in an empty folder, and a real doit in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


class Space:
    """An empty folder in which a test writes files and runs doit, as a user would."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
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


@pytest.fixture
def space(tmp_path: Path) -> Space:
    root, home = tmp_path / "space", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    return Space(root, home)
