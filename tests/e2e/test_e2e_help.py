"""``doit help``: commands as ever, and the tasks of the workspace."""

import pytest

MANIFEST = """
[tasks.greet]
cmd = "echo {{ greeting }} {{ who }}"
description = "Say something nice"
args = ["who", { arg = "greeting", default = "hello", choices = ["hello", "bye"] }]
[tasks]
plain = "echo plain"
list = "echo a task"
"""


@pytest.fixture
def tasks(space):
    space.write({"conda.toml": MANIFEST})
    return space


def test_help_explains_how_a_task_is_called(tasks):
    assert (
        tasks.doit("help", "greet")
        == """\
greet  Say something nice

usage: doit greet WHO [hello|bye]
  who  (required)  also --who VALUE or who=VALUE
  greeting  (default: 'hello'; one of: hello, bye)  also --greeting VALUE or greeting=VALUE
"""
    )
    assert tasks.doit("help", "plain") == "plain  echo plain\n\nusage: doit plain\n"


def test_help_of_a_command_wins_over_a_task_of_its_name(tasks):
    screen = tasks.doit("help", "list")
    assert screen.startswith("PURPOSE\n    list tasks\n")
    assert "--json" in screen
    assert "--environment=ARG" in screen


@pytest.mark.parametrize("command", ["run", "info", "clean", "forget", "ignore", "reset-dep"])
def test_help_knows_every_command(tasks, command: str):
    assert tasks.doit("help", command).startswith("PURPOSE\n")


def test_help_lists_the_commands(tasks):
    screen = tasks.doit("help")
    assert screen.startswith("doit -- automation tool\n")
    assert all(f" {name} " in screen for name in ("run", "list", "info", "clean", "forget", "ignore", "reset-dep"))


def test_help_of_something_unknown_is_an_error(tasks):
    assert tasks.fails("help", "gret") == (
        "error: task 'gret' is not defined\nhint: did you mean 'greet'? Available tasks: greet, list, plain\n"
    )
