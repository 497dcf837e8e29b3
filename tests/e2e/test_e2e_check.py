"""``cwt check`` tells every mistake of a manifest, and verbs share one way of being wrong."""

import pytest


def test_a_good_manifest_has_no_mistakes(space):
    space.write({"conda.toml": '[tasks]\na = "true"\n', "sub/file": ""})
    assert space.doit("check", program="cwt") == "conda.toml: no mistakes\n"
    assert space.doit("check", "sub", program="cwt") == "conda.toml: no mistakes\n"


def test_every_mistake_is_told_at_once(space):
    space.write({"conda.toml": "[tasks]\na = 1\nb = 2\n"})
    said = space.fails("check", program="cwt")
    assert "tasks.a" in said
    assert "tasks.b" in said


def test_what_is_merely_odd_is_a_warning(space):
    space.write({"conda.toml": '[tasks]\na = { cmd = "true", imputs = [] }\n'})
    done = space.run("check", program="cwt")
    assert (done.returncode, done.stdout) == (0, "conda.toml: no mistakes\n")
    assert done.stderr.startswith("warning: conda.toml: tasks.a.imputs: unknown key")


def test_a_path_that_is_not_there(space):
    assert space.fails("check", "nosuch.toml", program="cwt").startswith("error: nosuch.toml: no such file or folder\n")


def test_a_wrong_option_is_two_lines(space):
    said = space.fails("check", "--nonsense", program="cwt")
    assert said == "error: cwt check: unrecognized arguments: --nonsense\nhint: cwt check --help lists what it takes\n"


def test_help_knows_the_verbs(space):
    space.write({"conda.toml": "[tasks]\n"})
    assert "  cwt check             read the manifest" in space.doit("help", program="cwt")
    assert space.doit("help", "check", program="cwt") == space.doit("check", "--help", program="cwt")


FORMATS = pytest.mark.parametrize(
    ("name", "at"),
    [("conda.toml", ""), ("pixi.toml", ""), ("pyproject.toml", "tool.conda."), ("pyproject.toml", "tool.pixi.")],
)


@FORMATS
def test_mistakes_of_all_kinds_in_each_format(space, name, at):
    space.write(
        {
            name: f"""
[{at}workspace]
channels = "conda-forge"
platforms = ["linux-46"]

[{at}dependencies]
python = 3.1

[{at}environments]
test = 3

[{at}tasks]
a = {{ cmd = 1 }}

[{at}target.linux-64.tasks]
b = 2
"""
        }
    )
    said = space.fails("check", program="cwt")
    places = [line.split(": ")[2] for line in said.splitlines() if line.startswith("error: ")]
    assert all(line.startswith((f"error: {name}: {at}", "hint: ")) for line in said.splitlines())
    assert sorted(places) == sorted(
        f"{at}{place}"
        for place in (
            "workspace.channels", "workspace.platforms[0]", "dependencies.python", "environments.test", "tasks.a.cmd",
            "target.linux-64.tasks.b",
        )
    )  # fmt: skip


@FORMATS
def test_tasks_that_can_never_run(space, name, at):
    space.write(
        {
            name: f"""
[{at}workspace]
channels = []
platforms = []

[{at}tasks]
top = {{ depends-on = ["middle"] }}
middle = {{ depends-on = ["botom"] }}
bottom = "true"
wrong = {{ depends-on = [{{ task = "greet" }}] }}
greet = {{ cmd = "echo {{{{ who }}}}", args = ["who"] }}
text = "echo {{{{ who }}}}"
"""
        }
    )
    assert space.fails("check", program="cwt") == (
        "error: task 'text': cmd: cannot render 'echo {{ who }}': `who` is undefined\n"
        "hint: known names: conda, pixi; a literal '{{' is written {% raw %}{{{% endraw %}\n"
        "error: task 'botom' is not defined (needed by middle)\n"
        "hint: did you mean 'bottom'? Available tasks: bottom, greet, middle, text, top, wrong\n"
        "error: task 'greet': needs a value for 'who' (needed by wrong)\n"
        "hint: usage: greet WHO\n"
    )


def test_tasks_that_need_each_other_are_one_mistake(space):
    space.write({"conda.toml": '[tasks]\na = { depends-on = ["b"] }\nb = { depends-on = ["a"] }\n'})
    assert space.fails("check", program="cwt") == (
        "error: tasks depend on each other: a -> b -> a\nhint: remove one of these depends-on entries\n"
    )


def test_features_that_nobody_defines(space):
    space.write(
        {
            "conda.toml": '[workspace]\nname = "x"\n[feature.test.dependencies]\n[environments]\n'
            'one = ["tset", "test"]\ntwo = { features = ["gone"] }\n'
        }
    )
    assert space.fails("check", program="cwt") == (
        "error: environments.one: feature 'tset' is not defined\n"
        "hint: did you mean 'test'? Defined features: default, test\n"
        "error: environments.two: feature 'gone' is not defined\n"
        "hint: Defined features: default, test\n"
    )


def test_settings_that_mean_nothing(space):
    settings = "install = 3\nengine = 4\noffine = true\n"
    space.write({"conda.toml": f"[tasks]\na = 'true'\n[tool.cwtasks]\n{settings}"})
    assert space.fails("check", program="cwt") == (
        "warning: conda.toml: tool.cwtasks.offine: unknown key; did you mean 'offline'? Known keys: "
        "archive, cache-size, engine, frozen, install, keep-outputs, link-scripts, locked, offline, skip-unsolvable\n"
        "error: conda.toml: tool.cwtasks.install: found 3, expected on or off\n"
        "error: conda.toml: tool.cwtasks.engine: found 4, expected a name\n"
    )
