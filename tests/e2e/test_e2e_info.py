"""``doit info TASK``: what a task does, where, and why it has to run."""

import pytest

MANIFEST = """
[tasks]
prepare = "mkdir -p out"
always = "echo always"
all = { depends-on = ["join"] }
[tasks.join]
cmd = "cat src/* > out/{{ name }}.txt"
args = [{ arg = "name", default = "all", choices = ["all", "some"] }]
cwd = "."
env = { MODE = "fast" }
description = "Join the sources"
depends-on = ["prepare"]
inputs = ["src"]
outputs = ["out/{{ name }}.txt"]
"""


@pytest.fixture
def tasks(space):
    space.write({"conda.toml": MANIFEST, "src/a": "1", "src/b": "2"})
    return space


def test_info_shows_every_field_and_the_status(tasks):
    tasks.doit("join")
    assert (
        tasks.doit("info", "join")
        == """
join

description: Join the sources
command:     cat src/* > out/all.txt
cwd:         .
arguments:   name=all
env:         MODE=fast
inputs:      src
outputs:     out/all.txt
depends on:  prepare
status:      up-to-date
"""
    )


@pytest.mark.parametrize("words", [["some"], ["name=some"], ["--name", "some"]], ids=" ".join)
def test_info_takes_arguments_as_a_run_does(tasks, words: list[str]):
    done = tasks.run("info", "join", *words)
    assert done.returncode == 1
    assert done.stdout.startswith("\njoin(name=some)\n\n")
    assert "command:     cat src/* > out/some.txt\n" in done.stdout


def status(space, *words: str) -> list[str]:
    """Return the status that info shows and its reasons, of a task that has to run."""
    done = space.run("info", *words)
    assert (done.returncode, done.stderr) == (1, "")
    return [line.strip() for line in done.stdout.partition("status:")[2].splitlines()]


def test_info_says_why_a_task_has_to_run(tasks):
    assert status(tasks, "join") == ["run", "never ran"]
    assert status(tasks, "always") == ["run", "declares neither inputs nor outputs"]
    tasks.doit("join")
    tasks.write({"src/a": "9", "src/c": "", "out/all.txt": "mine"})
    (tasks.root / "src/b").unlink()
    tasks.write({"conda.toml": MANIFEST.replace('"fast"', '"slow"').replace("cat src/*", "cat  src/*")})
    found = status(tasks, "join")
    expected = [
        "command changed",
        "variable MODE changed: fast → slow",
        "input src/a changed",
        "input src/b is gone",
        "input src/c is new",
        "output out/all.txt was edited",
    ]
    # Each reason begins a line; how the difference itself is shown is not this test's business.
    assert [text for text in expected if not any(line.startswith(text) for line in found)] == []
    assert status(tasks, "all") == ["run"]


def test_info_says_that_the_last_run_failed(tasks):
    tasks.write({"conda.toml": MANIFEST.replace("cat src/*", "false; exit 1; cat src/*")})
    tasks.fails("join", status=1)
    assert status(tasks, "join") == ["run", "last run failed", "output out/all.txt is missing"]


def test_info_without_status_succeeds(tasks):
    screen = tasks.doit("info", "--no-status", "join")
    assert "status" not in screen
    assert "inputs:      src\n" in screen


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["nosuch"],
            "error: task 'nosuch' is not defined\nhint: Available tasks: all, always, join, prepare\n",
            id="unknown",
        ),
        pytest.param([], "error: doit info: takes one task\nhint: doit list shows the tasks\n", id="none"),
        pytest.param(
            ["always", "join"], "error: doit info: takes one task\nhint: doit list shows the tasks\n", id="two"
        ),
    ],
)
def test_info_of_anything_but_one_task_is_an_error(tasks, words: list[str], message: str):
    assert tasks.fails("info", *words) == message


def test_info_names_the_environment(space):
    space.write(
        {
            "pixi.toml": '[workspace]\nname = "w"\nchannels = []\nplatforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64"]\n'
            '[feature.f.tasks]\nt = "echo t"\n[environments]\ndev = ["f"]\n'
        }
    )
    assert "environment: dev\n" in space.run("info", "t").stdout
