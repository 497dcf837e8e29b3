"""Every example builds, then does nothing, then rebuilds what an edit touches; and its README shows what happens."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
NOT_COPIED = shutil.ignore_patterns(".conda", ".pixi", "build", "dist", "__pycache__", ".doit*")


class Example(NamedTuple):
    """A clean copy of one example."""

    root: Path
    environ: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "doit", *words],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    def ran(self, *words: str) -> list[str]:
        """Run doit, expect success, and return the names of the tasks that ran."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout
        return [line.removeprefix(".  ") for line in done.stdout.splitlines() if line.startswith(".  ")]

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture
def example(request, tmp_path) -> Example:
    root = shutil.copytree(EXAMPLES / request.param, tmp_path / request.param, ignore=NOT_COPIED)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return Example(root, {"PATH": programs, "HOME": str(tmp_path), "LANG": "C.UTF-8"})


class Shown(NamedTuple):
    """A command in a README and the output below it."""

    words: list[str]
    output: str


def shown_in(readme: str) -> Iterator[Shown]:
    """Yield the ``$ doit …`` lines of the console blocks, each with the lines up to the next one."""
    for block in re.findall(r"^```console\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            program, *words = shlex.split(command)
            assert program == "doit", command
            yield Shown(words, output)


@pytest.mark.parametrize("example", NAMES, indirect=True)
def test_the_readme_shows_what_happens(example: Example):
    commands = list(shown_in((example.root / "README.md").read_text()))
    assert commands
    for words, output in commands:
        done = example.run(*words)
        assert done.returncode == 0, done.stdout
        # A command without output is shown for what it does; several tasks at a time have no fixed order.
        if output:
            assert done.stdout == output


BUILDS = [
    pytest.param("hello", ["report"], ["count", "report"], id="hello"),
    pytest.param("generated", ["check"], ["generate", "pack", "check"], id="generated"),
    pytest.param("features", ["release", "docs"], ["stamp(name=release)", "lint", "test", "docs"], id="features"),
    pytest.param(
        "environments",
        ["channel", "check"],
        ["channel", "lock", "install:old", "install:new", "test:old", "test:new"],
        id="environments",
    ),
]
NOT_CACHEABLE = {"lint", "test"}
#: What `doit clean` leaves: a lock is a source, and environments go only by their names.
KEPT_BY_CLEAN = {"lock", "install:old", "install:new", "test:old", "test:new"}


def test_no_example_is_forgotten():
    assert sorted(case.values[0] for case in BUILDS) == NAMES


@pytest.mark.parametrize(("example", "words", "tasks"), BUILDS, indirect=["example"])
@pytest.mark.parametrize("options", [pytest.param([], id="serial"), pytest.param(["-n", "4"], id="parallel")])
def test_an_example_builds_and_then_does_nothing(
    example: Example, words: list[str], tasks: list[str], options: list[str]
):
    assert sorted(example.ran(*options, *words)) == sorted(tasks)
    assert set(example.ran(*options, *words)) == NOT_CACHEABLE & set(tasks)


@pytest.mark.parametrize(
    ("example", "words", "file", "old", "new", "ran"),
    [
        pytest.param("hello", ["report"], "words.txt", "one", "one more", ["count", "report"], id="hello-more-words"),
        pytest.param("hello", ["report"], "words.txt", "one", "won", ["count"], id="hello-as-many-words"),
        pytest.param("hello", ["report"], "build/count.txt", "5", "7", ["count"], id="hello-edited-output"),
        pytest.param(
            "generated",
            ["check"],
            "units.csv",
            "1609.344",
            "1609.5",
            ["generate", "pack", "check"],
            id="generated-number",
        ),
        pytest.param(
            "generated", ["check"], "tools/generate.py", "\n", "\n# a comment\n", ["generate"], id="generated-comment"
        ),
        pytest.param(
            "generated", ["check"], "src/__main__.py", "\n", "\n# a comment\n", ["pack", "check"], id="generated-source"
        ),
        pytest.param(
            "features",
            ["release", "docs"],
            "src/a.py",
            "",
            "# a comment\n",
            ["stamp(name=release)"],
            id="features-source",
        ),
        pytest.param("features", ["release", "docs"], "docs/guide.md", "", "text\n", ["docs"], id="features-docs"),
        pytest.param(
            "environments",
            ["channel", "check"],
            "tests/test_greet.sh",
            "",
            "greet World\n",
            ["test:old", "test:new"],
            id="environments-test",
        ),
        pytest.param(
            "environments",
            ["channel", "check"],
            "conda.toml",
            'greet = "<2"',
            'greet = "*"',
            [],
            id="environments-still-satisfied",
        ),
        pytest.param(
            "environments",
            ["channel", "check"],
            "conda.toml",
            'greet = ">=2"',
            'greet = "<2"',
            ["lock", "install:new", "test:new"],
            id="environments-other-version",
        ),
    ],
    indirect=["example"],
)
def test_an_edit_rebuilds_what_it_touches(
    example: Example, words: list[str], file: str, old: str, new: str, ran: list[str]
):
    example.ran(*words)
    if old == "\n":
        text = (example.root / file).read_text()
        (example.root / file).write_text(text + new.lstrip("\n"))
    elif old:
        example.edit(file, old, new)
    else:
        (example.root / file).write_text(new)
    assert [name for name in example.ran(*words) if name not in NOT_CACHEABLE] == ran
    assert set(example.ran(*words)) <= NOT_CACHEABLE


@pytest.mark.parametrize("example", NAMES, indirect=True)
def test_an_example_can_be_cleaned_and_built_again(example: Example):
    words = next(case.values[1] for case in BUILDS if case.values[0] == example.root.name)
    before = {path.relative_to(example.root) for path in example.root.rglob("*") if path.is_file()}
    first = example.ran(*words)
    example.ran("clean", "-a")
    left = {path.relative_to(example.root) for path in example.root.rglob("*") if path.is_file()}
    made = {path for path in left if ".conda" not in path.parts and "__pycache__" not in path.parts}
    assert made - {Path("conda.lock")} == before
    assert example.ran(*words) == [task for task in first if task not in KEPT_BY_CLEAN]
