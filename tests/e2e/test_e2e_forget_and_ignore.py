"""``doit forget``, ``ignore`` and ``reset-dep``: what is remembered, changed by hand."""

import pytest

MANIFEST = """
[tasks.one]
cmd = "cp in one"
inputs = ["in"]
outputs = ["one"]
[tasks.two]
cmd = "cp one two"
depends-on = ["one"]
inputs = ["one"]
outputs = ["two"]
[tasks]
always = "echo always"
"""


@pytest.fixture
def built(space):
    space.write({"conda.toml": MANIFEST, "in": "1"})
    space.doit("two")
    return space


@pytest.mark.parametrize(
    ("words", "said", "ran"),
    [
        pytest.param(["two"], "forgetting two\n", ["two"], id="one"),
        pytest.param(["-s", "two"], "forgetting one\nforgetting two\n", ["one", "two"], id="with-what-it-needs"),
        pytest.param(["one", "two"], "forgetting one\nforgetting two\n", ["one", "two"], id="two"),
        pytest.param([], "forgetting all tasks\n", ["one", "two"], id="all"),
        pytest.param(["-a"], "forgetting all tasks\n", ["one", "two"], id="all-by-option"),
    ],
)
def test_forgotten_tasks_run_again(built, words: list[str], said: str, ran: list[str]):
    assert built.doit("forget", *words) == said
    assert built.ran("two") == ran


def test_an_ignored_task_is_passed_over_until_it_is_forgotten(built):
    built.write({"in": "2"})
    assert built.doit("ignore", "one") == "ignoring one\n"
    assert built.doit("one") == "!! one\n"
    assert built.doit("list", "-s", "one") == "I one   cp in one\n"
    built.doit("forget", "one")
    assert built.ran("one") == ["one"]


def test_reset_dep_takes_the_files_as_they_are(built):
    built.write({"in": "2", "one": "by hand"})
    assert built.doit("reset-dep", "one") == "processed one\n"
    assert built.doit("one") == "-- one\n"
    assert built.doit("reset-dep") == "skip one\nprocessed two\n"
    assert built.ran("two") == []


def test_reset_dep_says_what_is_not_there(built):
    (built.root / "two").unlink()
    done = built.run("reset-dep", "two")
    assert done.returncode == 1
    assert "failed two" in done.stdout
    assert "'two'" in done.stdout


@pytest.mark.parametrize("command", ["forget", "ignore", "reset-dep"])
def test_an_unknown_task_changes_nothing(built, command: str):
    message = built.fails(command, "one", "nosuch")
    assert message == "error: task 'nosuch' is not defined\nhint: Available tasks: always, one, two\n"
    assert built.doit("two") == "-- one\n-- two\n"


def test_not_everything_can_be_ignored(built):
    assert (
        built.fails("ignore") == "error: doit ignore: all tasks cannot be ignored\nhint: name the tasks to leave out\n"
    )


def test_each_environment_is_forgotten_for_itself(space):
    space.write(
        {
            "pixi.toml": '[workspace]\nname = "w"\nchannels = []\nplatforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64"]\n'
            '[tasks]\nt = { cmd = "true", inputs = ["pixi.toml"] }\n[feature.f]\n[environments]\ndev = ["f"]\n'
        }
    )
    space.doit("t", "t:dev")
    assert space.doit("forget", "t:dev") == "forgetting t:dev\n"
    assert space.doit("t", "t:dev") == "-- t\n.  t:dev\n"


@pytest.mark.parametrize("words", [["y"], ["name=y"], ["--name", "y"], ["--name=y"]], ids=" ".join)
@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param("forget", "forgetting copy(name=y)\n", id="forget"),
        pytest.param("ignore", "ignoring copy(name=y)\n", id="ignore"),
        pytest.param("clean", "copy(name=y) - removing y.copy\n", id="clean"),
        pytest.param("reset-dep", "skip copy(name=y)\n", id="reset-dep"),
    ],
)
def test_arguments_say_which_history_is_meant(space, command: str, said: str, words: list[str]):
    manifest = """
[tasks.copy]
cmd = "echo > {{ name }}.copy"
args = [{ arg = "name", default = "x" }]
outputs = ["{{ name }}.copy"]
"""
    space.write({"conda.toml": manifest})
    space.doit("copy", "x", "copy", "y")
    assert space.doit(command, "copy", *words) == said
    assert space.doit("copy") == "-- copy\n"
