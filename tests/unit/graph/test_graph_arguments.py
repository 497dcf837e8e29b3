import pytest

from cwtasks.exceptions import TaskArgumentError
from cwtasks.graph.arguments import allows, bind, usage
from cwtasks.models import Task, TaskArg

GREET = Task("greet", "x", args=[TaskArg("who"), TaskArg("greeting", "hi"), TaskArg("mood", "glad", ["glad", "sad"])])
BARE = Task("bare", "x")


@pytest.mark.parametrize(
    ("positional", "named", "expected"),
    [
        pytest.param(["Bob"], {}, ["Bob", "hi", "glad"], id="defaults"),
        pytest.param(["Bob", "hey", "sad"], {}, ["Bob", "hey", "sad"], id="by-position"),
        pytest.param([], {"who": "Bob", "mood": "sad"}, ["Bob", "hi", "sad"], id="by-name"),
        pytest.param(["Bob"], {"mood": "sad"}, ["Bob", "hi", "sad"], id="mixed"),
        pytest.param(["Bob"], {"who": "Eve"}, ["Eve", "hi", "glad"], id="name-beats-position"),
        pytest.param([""], {"greeting": ""}, ["", "", "glad"], id="empty-text-is-a-value"),
    ],
)
def test_every_declared_argument_gets_its_value_in_declared_order(positional, named, expected):
    assert bind(GREET, positional, named) == tuple(zip(["who", "greeting", "mood"], expected, strict=True))


def test_a_task_without_arguments_binds_nothing():
    assert bind(BARE, [], {}) == ()


@pytest.mark.parametrize(
    ("task", "positional", "named", "fact"),
    [
        pytest.param(GREET, [], {}, "needs a value for 'who'", id="missing"),
        pytest.param(GREET, list("abcd"), {}, "takes 3 arguments, found 4: a b c d", id="too-many"),
        pytest.param(
            Task("greet", "x", args=[TaskArg("who")]), ["a", "b"], {}, "takes 1 argument, found 2: a b", id="one"
        ),
        pytest.param(Task("greet", "x"), ["a"], {}, "takes no arguments, found 1: a", id="none"),
        pytest.param(
            GREET,
            ["a"],
            {"gretting": "x"},
            "has no argument 'gretting' (did you mean 'greeting'? arguments: greeting, mood, who)",
            id="unknown-name",
        ),
        pytest.param(GREET, ["a", "b", "mad"], {}, "argument 'mood' is 'mad', expected one of: glad, sad", id="choice"),
    ],
)
def test_wrong_arguments_say_what_is_wrong_and_how_to_call(task, positional, named, fact):
    with pytest.raises(TaskArgumentError) as error:
        bind(task, positional, named)
    assert error.value.render() == f"error: task 'greet': {fact}\nhint: usage: {usage(task)}"


def test_several_missing_arguments_are_told_at_once():
    with pytest.raises(TaskArgumentError) as error:
        bind(Task("t", "x", args=[TaskArg("a"), TaskArg("b")]), [], {}, needed_by=["all", "check"])
    assert error.value.render() == (
        "error: task 't': needs a value for 'a', 'b' (needed by all -> check)\nhint: usage: t A B"
    )


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param(BARE, "bare", id="none"),
        pytest.param(GREET, "greet WHO [GREETING] [glad|sad]", id="optional"),
        pytest.param(Task("t", "x", args=[TaskArg("a", None, ["1", "2"])]), "t 1|2", id="required-choice"),
    ],
)
def test_usage_shows_how_a_task_is_called(task, expected):
    assert usage(task) == expected


def test_any_value_is_allowed_where_there_are_no_choices():
    assert allows(TaskArg("a"), "x")
    assert allows(TaskArg("a", None, ["x"]), "x")
    assert not allows(TaskArg("a", None, ["x"]), "y")
