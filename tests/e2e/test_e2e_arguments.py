"""A task takes exactly the arguments it declares: by position, by name, as an option, and words after ``--``."""

import pytest

MANIFEST = """
[tasks]
build = "echo building"
free = "echo free"
[tasks.greet]
cmd = "echo {{ greeting }} {{ who }}"
args = ["who", { arg = "greeting", default = "hello", choices = ["hello", "bye"] }]
[tasks.path]
cmd = "printf '[%s]' {{ my_path }}; echo"
args = [{ arg = "my_path", default = "." }]
[tasks.all]
args = [{ arg = "who", default = "all" }]
depends-on = [{ task = "greet", args = ["{{ who }}", { greeting = "bye" }] }, { task = "free", args = ["a b"] }]
"""


@pytest.fixture
def tasks(space):
    space.write({"conda.toml": MANIFEST})
    return space


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["greet", "Bob"], ["hello Bob"], id="position"),
        pytest.param(["greet", "Bob", "bye"], ["bye Bob"], id="two-positions"),
        pytest.param(["greet", "who=Bob"], ["hello Bob"], id="name"),
        pytest.param(["greet", "greeting=bye", "who=Bob"], ["bye Bob"], id="names-in-any-order"),
        pytest.param(["greet", "--who", "Bob"], ["hello Bob"], id="option"),
        pytest.param(["greet", "--who=Bob", "--greeting=bye"], ["bye Bob"], id="option-with-equals-sign"),
        pytest.param(["greet", "greeting=bye", "Bob"], ["bye Bob"], id="name-and-position"),
        pytest.param(["greet", "Bob", "build"], ["hello Bob", "building"], id="next-task-after-its-arguments"),
        pytest.param(["greet", "build"], ["hello build"], id="a-required-argument-may-look-like-a-task"),
        pytest.param(
            ["greet", "Bob", "bye", "greet", "Eve"], ["bye Bob", "hello Eve"], id="twice-with-other-arguments"
        ),
        pytest.param(["greet", "Bob", "bye", "--", "-x", "a=b"], ["bye Bob -x a=b"], id="words-after-two-dashes"),
        pytest.param(["greet", "Bob", "--", "loud"], ["hello Bob loud"], id="words-after-fewer-arguments"),
        pytest.param(["build", "--", "it's", "$HOME", "a  b"], ["building it's $HOME a  b"], id="words-are-quoted"),
        pytest.param(["build", "free", "--", "--", "x"], ["building", "free -- x"], id="only-the-first-dashes-count"),
        pytest.param(["greet", "who=Bob", "greet", "who=Eve"], ["hello Bob", "hello Eve"], id="one-name-twice"),
        pytest.param(["greet", "who=a=b", "build"], ["hello a=b", "building"], id="a-named-value-with-an-equals-sign"),
        pytest.param(
            ["run", "greet", "Bob", "greeting=bye", "build"], ["bye Bob", "building"], id="name-after-position"
        ),
        pytest.param(["build", "--", "a=b", "c", "a=b"], ["building a=b c a=b"], id="assignments-after-two-dashes"),
        pytest.param(["greet", "--who", "a=b"], ["hello a=b"], id="option-whose-value-has-an-equals-sign"),
        pytest.param(["path", "--my-path="], ["[]"], id="an-empty-value"),
        pytest.param(["greet", "who=", "bye"], ["bye "], id="an-empty-named-value"),
        pytest.param(["path", "it's; $HOME"], ["[it's; $HOME]"], id="a-value-is-no-shell-text"),
        pytest.param(["path", "a b"], ["[a b]"], id="a-value-with-a-blank-is-one-word"),
        pytest.param(["path", "--my-path", "x"], ["[x]"], id="option-with-a-dash-for-an-underscore"),
        pytest.param(["path", "-1"], ["[-1]"], id="a-negative-number-is-a-value"),
        pytest.param(["path", "a=b"], ["[a=b]"], id="a-value-with-an-equals-sign"),
        pytest.param(["all"], ["bye all", "free a b"], id="arguments-of-dependencies"),
        pytest.param(["all", "Eve"], ["bye Eve", "free a b"], id="templated-arguments-of-dependencies"),
    ],
)
def test_arguments_by(tasks, words: list[str], said: list[str]):
    lines = tasks.doit(*words).splitlines()
    assert [line for line in lines if not line.startswith(".  ")] == said


def test_the_name_of_what_runs_shows_the_arguments_that_are_not_defaults(tasks):
    assert tasks.ran("greet", "Bob", "hello", "--", "x") == ["greet(who=Bob -- x)"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["build", "greet"],
            "error: task 'greet': needs a value for 'who'\nhint: usage: greet WHO [hello|bye]\n",
            id="missing",
        ),
        pytest.param(
            ["greet", "Bob", "hi"],
            "error: task 'greet': argument 'greeting' is 'hi', expected one of: hello, bye\n"
            "hint: usage: greet WHO [hello|bye]\n",
            id="not-among-the-choices",
        ),
        pytest.param(
            ["greet", "Bob", "greeting=hi"],
            "error: task 'greet': argument 'greeting' is 'hi', expected one of: hello, bye\n"
            "hint: usage: greet WHO [hello|bye]\n",
            id="not-among-the-choices-by-name",
        ),
        pytest.param(
            ["greet", "Bob", "bye", "more"],
            "error: task 'more' is not defined\nhint: Available tasks: all, build, free, greet, path\n",
            id="surplus",
        ),
        pytest.param(
            ["build", "x=1"],
            "error: task 'build': has no argument 'x'\nhint: usage: build\n",
            id="unknown-name",
        ),
        pytest.param(
            ["greet", "--whom", "Bob"],
            "error: task 'greet': has no option '--whom'\n"
            "hint: usage: greet WHO [hello|bye]; options of doit stand before the task, words for the command after '--'\n",
            id="unknown-option",
        ),
        pytest.param(
            ["build", "-x"],
            "error: task 'build': has no option '-x'\n"
            "hint: usage: build; options of doit stand before the task, words for the command after '--'\n",
            id="option-of-nobody",
        ),
        pytest.param(
            ["greet", "--who"],
            "error: task 'greet': '--who' needs a value\nhint: usage: greet WHO [hello|bye]\n",
            id="option-without-value",
        ),
    ],
)
def test_arguments_that_do_not_fit_run_nothing(tasks, words: list[str], message: str):
    done = tasks.run(*words)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", message)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(
            '{ task = "greet" }',
            "error: task 'greet': needs a value for 'who' (needed by all)\nhint: usage: greet WHO [hello|bye]\n",
            id="missing",
        ),
        pytest.param(
            '{ task = "greet", args = ["a", "bye", "c"] }',
            "error: task 'greet': takes 2 arguments, found 3: a bye c (needed by all)\n"
            "hint: usage: greet WHO [hello|bye]\n",
            id="surplus",
        ),
    ],
)
def test_arguments_of_a_dependency_that_do_not_fit_name_who_needs_it(space, entry: str, message: str):
    start = MANIFEST.partition("[tasks.all]")[0]
    space.write({"conda.toml": f"{start}[tasks.all]\ndepends-on = [{entry}]\n"})
    assert space.fails("all") == message
    assert space.doit("build") == ".  build\nbuilding\n"
