"""`doit why` and `doit info` say what the decision said."""

import json
import re

import pytest

MANIFEST = """
[tasks.gen]
cmd = "cat seed.txt > gen.txt"
inputs = ["seed.txt"]
outputs = ["gen.txt"]

[tasks.build]
cmd = "cat gen.txt src/* > out.txt; echo $FLAGS {{ mode }} >> out.txt"
args = [{ arg = "mode", default = "fast" }]
env = { FLAGS = "-O1" }
depends-on = ["gen"]
inputs = ["gen.txt", "src/**"]
outputs = ["out.txt"]

[tasks.all]
depends-on = ["build"]
"""


@pytest.fixture
def built(space):
    space.write({"conda.toml": MANIFEST, "seed.txt": "seed\n", "src/a.c": "a\n"})
    space.doit("build")
    return space


def reasons(space, *words: str) -> list[str]:
    """Return the indented lines of `doit why`, digests shortened, and check that `info` gives the same of the task."""
    said = space.run("why", *words).stdout
    lines = [re.sub(r"[0-9a-f]{8}…", "…", line.strip()) for line in said.splitlines() if line.startswith("  ")]
    if "needs" not in said:
        info = re.sub(r"[0-9a-f]{8}…", "…", space.run("info", *words).stdout)
        assert all(line in info for line in lines)
    return lines


def test_a_task_that_never_ran_says_so(space):
    space.write({"conda.toml": MANIFEST, "seed.txt": "seed\n", "src/a.c": "a\n"})
    done = space.run("why", "gen")
    assert (done.returncode, done.stdout) == (1, "gen has to run\n  never ran\n")


def test_a_task_that_is_up_to_date_says_when_it_ran_and_how_long(built):
    said = built.doit("why", "build")
    assert re.fullmatch(
        r"build is up to date; it last ran on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d and took \d+\.\d\d s\n", said
    )


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param({"src/a.c": "b\n"}, "input src/a.c changed (was …, is …)", id="input"),
        pytest.param({"src/new.c": "n\n"}, "input src/new.c is new", id="new-input"),
        pytest.param({"out.txt": "edited\n"}, "output out.txt was edited (was …, is …)", id="output"),
        pytest.param(
            {"conda.toml": MANIFEST.replace("-O1", "-O2")}, "variable FLAGS changed: -O1 → -O2", id="variable"
        ),
        pytest.param({"conda.toml": MANIFEST.replace('"fast"', '"slow"')}, "argument mode: fast → slow", id="argument"),
    ],
)
def test_one_edit_is_one_reason(built, edit: dict[str, str], expected: str):
    built.write(edit)
    assert expected in reasons(built, "build")


def test_a_changed_command_is_shown_as_a_difference(built):
    built.write({"conda.toml": MANIFEST.replace("cat gen.txt src/*", "cat src/* gen.txt")})
    assert reasons(built, "build") == [
        "command changed:",
        "- cat gen.txt src/* > out.txt; echo $FLAGS fast >> out.txt",
        "+ cat src/* gen.txt > out.txt; echo $FLAGS fast >> out.txt",
    ]


def test_what_a_dependency_changed_names_the_dependency(built):
    built.write({"seed.txt": "other\n"})
    assert reasons(built, "build") == ["input seed.txt changed (was …, is …)"]
    built.doit("gen")
    assert reasons(built, "build") == ["dependency gen ran and changed gen.txt"]


def test_an_alias_tells_of_the_tasks_it_stands_for(built):
    assert built.doit("why", "all") == "all stands for other tasks, all up to date\n"
    built.write({"src/a.c": "b\n"})
    assert built.run("why", "all").stdout.startswith("all stands for other tasks\nall needs build, which has to run\n")


def test_a_failure_is_a_reason_and_keeps_the_last_good_record(built):
    built.write({"conda.toml": MANIFEST.replace("cat gen.txt src/*", "false; exit 3; cat")})
    assert built.run("build").returncode == 3
    built.write({"conda.toml": MANIFEST})
    assert reasons(built, "build") == ["last run failed"]


def test_json_says_the_same(built):
    built.write({"src/a.c": "b\n"})
    for words in (["why", "--json", "build"], ["why", "build", "--json"]):
        (task,) = json.loads(built.run(*words).stdout)["tasks"]
        (reason,) = task["reasons"]
        assert (task["task"], task["status"], reason["kind"], reason["subject"]) == ("build", "run", "input", "src/a.c")
        assert task["last_run"]["status"] == "succeeded"


def test_an_ignored_task_says_how_to_get_it_back(built):
    built.doit("ignore", "build")
    assert built.doit("why", "build") == "build is ignored; doit forget build brings it back\n"


@pytest.mark.parametrize(
    ("words", "message"), [([], "doit why: name a task"), (["bild"], "task 'bild' is not defined")]
)
def test_bad_input_is_one_line_and_a_hint(built, words: list[str], message: str):
    done = built.run("why", *words)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"error: {message}\nhint: ")
