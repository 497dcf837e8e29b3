"""Task shapes through the public functions, which know no file."""

import pytest

from cwtasks.exceptions import TaskParseError
from cwtasks.manifests.normalize import (
    normalize_args,
    normalize_depends_on,
    normalize_override,
    normalize_task,
    parse_feature_tasks,
    parse_tasks_and_targets,
)
from cwtasks.models import Task, TaskArg, TaskDependency, TaskOverride


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(None, [], id="none"),
        pytest.param([], [], id="empty"),
        pytest.param(["a", "b"], [TaskArg("a"), TaskArg("b")], id="names"),
        pytest.param([{"arg": "a"}], [TaskArg("a")], id="table-without-default"),
        pytest.param([{"arg": "a", "default": ""}], [TaskArg("a", "")], id="empty-default-is-a-default"),
        pytest.param(
            [{"arg": "a", "default": "x", "choices": ["x", "y"]}], [TaskArg("a", "x", ["x", "y"])], id="choices"
        ),
    ],
)
def test_args(raw, expected):
    assert normalize_args(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(None, [], id="none"),
        pytest.param("a", [TaskDependency("a")], id="bare-name"),
        pytest.param(["a", "b"], [TaskDependency("a"), TaskDependency("b")], id="names"),
        pytest.param([{"task": "a"}], [TaskDependency("a")], id="table"),
        pytest.param(
            [{"task": "a", "args": ["x", {"who": "y"}], "environment": "e"}],
            [TaskDependency("a", ["x", {"who": "y"}], "e")],
            id="full-table",
        ),
        pytest.param({"task": "a"}, [TaskDependency("a")], id="bare-table"),
    ],
)
def test_depends_on(raw, expected):
    assert normalize_depends_on(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param({}, TaskOverride(), id="nothing"),
        pytest.param({"args": [], "depends-on": []}, TaskOverride(), id="empty-args-and-dependencies-say-nothing"),
        pytest.param(
            {"inputs": [], "outputs": [], "env": {}, "clean-env": False},
            TaskOverride(inputs=[], outputs=[], env={}, clean_env=False),
            id="other-empty-values-are-kept",
        ),
        pytest.param(
            {"depends_on": ["old"], "depends-on": ["new"], "clean_env": True},
            TaskOverride(depends_on=[TaskDependency("new")], clean_env=True),
            id="hyphen-wins",
        ),
        pytest.param(
            {"depends-on": ["new"], "depends_on": ["old"]},
            TaskOverride(depends_on=[TaskDependency("new")]),
            id="hyphen-wins-in-any-order",
        ),
        pytest.param(
            {"cmd": ["a", "b"], "cwd": "c", "description": "d", "default-environment": "e"},
            TaskOverride(cmd=["a", "b"], cwd="c"),
            id="what-cannot-be-overridden-is-ignored",
        ),
    ],
)
def test_override(raw, expected):
    assert normalize_override(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("make", Task("t", "make"), id="command"),
        pytest.param(
            ["a", {"task": "b"}], Task("t", depends_on=[TaskDependency("a"), TaskDependency("b")]), id="alias"
        ),
        pytest.param([], Task("t"), id="empty-alias"),
        pytest.param({}, Task("t"), id="empty-table"),
        pytest.param({"cmd": ["a", "b c"]}, Task("t", ["a", "b c"]), id="word-list"),
        pytest.param(
            {
                "cmd": "c",
                "args": ["x"],
                "depends-on": "d",
                "cwd": "w",
                "env": {"A": "1"},
                "description": "text",
                "inputs": ["i"],
                "outputs": ["o"],
                "clean-env": True,
                "default-environment": "e",
            },
            Task("t", "c", [TaskArg("x")], [TaskDependency("d")], "w", {"A": "1"}, "text", ["i"], ["o"], True, "e"),
            id="everything",
        ),
        pytest.param(
            {"cmd": "c", "default_environment": "e"}, Task("t", "c", default_environment="e"), id="underscores"
        ),
        pytest.param({"cmd": "c", "target": {}}, Task("t", "c"), id="empty-target"),
        pytest.param(
            {"cmd": "c", "target": {"win-64": "w", "osx-64": {"cwd": "m"}, "linux-64": ["a"]}},
            Task(
                "t",
                "c",
                platforms={
                    "win-64": TaskOverride("w"),
                    "osx-64": TaskOverride(cwd="m"),
                    "linux-64": TaskOverride(depends_on=[TaskDependency("a")]),
                },
            ),
            id="target",
        ),
    ],
)
def test_task(raw, expected):
    assert normalize_task("t", raw) == expected


@pytest.mark.parametrize(
    ("call", "text"),
    [
        pytest.param(
            lambda: normalize_task("t", 3),
            "<manifest>: tasks.t: expected a command, an array of tasks it depends on, or a table, found integer 3",
            id="task",
        ),
        pytest.param(
            lambda: normalize_task("t", {"cmd": 1.5}),
            "<manifest>: tasks.t.cmd: expected a string or an array of strings, found float 1.5",
            id="cmd",
        ),
        pytest.param(
            lambda: normalize_depends_on(["a", {"args": ["x"]}, 1]),
            "<manifest>: depends-on[1]: 'task' is missing\nhint: add task = \"...\"\n<manifest>: depends-on[2]: expected a task name or a table, found integer 1",
            id="depends-on",
        ),
        pytest.param(
            lambda: normalize_depends_on(1),
            "<manifest>: depends-on: expected a task name, or an array of task names and tables, found integer 1",
            id="depends-on-type",
        ),
        pytest.param(
            lambda: normalize_args("who"),
            "<manifest>: args: expected an array of names and tables, found string 'who'\nhint: write [\"who\"]",
            id="args-type",
        ),
        pytest.param(
            lambda: normalize_args([{}]),
            "<manifest>: args[0]: 'arg' is missing\nhint: add arg = \"...\"",
            id="arg-without-name",
        ),
        pytest.param(
            lambda: normalize_override({"cwd": 1}),
            '<manifest>: cwd: expected a string, found integer 1\nhint: write "1"',
            id="override",
        ),
        pytest.param(
            lambda: parse_tasks_and_targets({"tasks": "x"}),
            "<manifest>: tasks: expected a table, found string 'x'",
            id="tasks",
        ),
        pytest.param(
            lambda: parse_tasks_and_targets({"target": {"win-64": {"tasks": {"t": 1}}}}),
            "<manifest>: target.win-64.tasks.t: expected a command, an array of tasks it depends on, or a table, found integer 1",
            id="target-task",
        ),
    ],
)
def test_malformed_tasks_are_mistakes_with_an_address(call, text):
    with pytest.raises(TaskParseError) as caught:
        call()
    assert str(caught.value) == text


def test_all_mistakes_are_told_at_once():
    with pytest.raises(TaskParseError) as caught:
        parse_tasks_and_targets({"tasks": {"a": 1, "b": {"cmd": 2, "cwd": 3}}})
    assert [mistake.place for mistake in caught.value.mistakes] == ["tasks.a", "tasks.b.cmd", "tasks.b.cwd"]


def test_target_tasks_become_overrides():
    data = {
        "tasks": {"a": {"cmd": "x", "target": {"win-64": {"cmd": "own", "cwd": "own"}}}},
        "target": {"win-64": {"tasks": {"a": {"cmd": "y"}, "new": ["a"]}}, "osx-64": {}},
    }
    tasks = parse_tasks_and_targets(data)
    assert tasks["a"] == Task("a", "x", platforms={"win-64": TaskOverride("y")})
    dependencies = [TaskDependency("a")]
    assert tasks["new"] == Task(
        "new", depends_on=dependencies, platforms={"win-64": TaskOverride(depends_on=dependencies)}
    )


def test_feature_tasks_are_laid_over_in_order():
    data = {
        "feature": {
            "one": {"tasks": {"a": "one", "b": "one"}},
            "two": {"tasks": {"b": "two"}, "target": {"win-64": {"tasks": {"a": "win", "top": "win"}}}},
            "three": {"dependencies": {}},
        }
    }
    tasks = {"a": Task("a", "root", platforms={"win-64": TaskOverride("gone")}), "top": Task("top", "root")}
    parse_feature_tasks(data, tasks)
    assert tasks == {
        "a": Task("a", "one", platforms={"win-64": TaskOverride("win")}),
        "top": Task("top", "root", platforms={"win-64": TaskOverride("win")}),
        "b": Task("b", "two"),
    }


def test_feature_tasks_change_nothing_when_one_is_wrong():
    tasks = {"a": Task("a", "root")}
    with pytest.raises(TaskParseError) as caught:
        parse_feature_tasks({"feature": {"x": {"tasks": {"a": "new", "b": 1}}, "y": 2}}, tasks)
    assert [mistake.place for mistake in caught.value.mistakes] == ["feature.x.tasks.b", "feature.y"]
    assert tasks == {"a": Task("a", "root")}
