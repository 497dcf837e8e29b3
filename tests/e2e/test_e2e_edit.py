"""``cwt init``, ``add``, ``remove`` and ``task``: what they write, what they say, and what they refuse."""

import json
import sys

import pytest

FOLLOWS = "'doit lock' and 'doit install' follow by themselves before the next task that needs them\n"
WORKSPACE = '[workspace]\nname = "w"\nchannels = ["conda-forge"]\nplatforms = ["linux-64"]\n\n[dependencies]\n'


@pytest.fixture
def manifest(space):
    space.write({"conda.toml": WORKSPACE})
    return space


def cwt(space, *words, **options):
    return space.doit(*words, program="cwt", **options)


def refuses(space, *words, **options):
    return space.fails(*words, program="cwt", **options)


@pytest.mark.parametrize(
    ("alias", "name", "at"),
    [("conda", "conda.toml", ""), ("pixi", "pixi.toml", ""), ("pyproject", "pyproject.toml", "tool.conda.")],
)
def test_init_writes_a_workspace_that_plain_doit_works_in(space, alias, name, at):
    said = cwt(space, "init", "--format", alias, "--name", "n", "-c", "a", "-c", "b", "--platform", "win-64")
    assert said == f"{name}: created\n"
    assert space.read(name) == (
        f'[{at}workspace]\nname = "n"\nchannels = ["a", "b"]\nplatforms = ["win-64"]\n\n[{at}dependencies]\n'
    )
    assert cwt(space, "check") == f"{name}: no mistakes\n"
    cwt(space, "task", "add", "hello", "echo hi")
    assert space.ran("hello") == ["hello"]


def test_init_takes_what_it_can_from_where_it_stands(space):
    cwt(space, "init")
    assert space.read("conda.toml").startswith(
        '[workspace]\nname = "space"\nchannels = ["conda-forge"]\nplatforms = ["'
    )
    space.write({"sub/pyproject.toml": '[project]\nname = "mine"\n'})
    assert cwt(space, "init", "--format", "pyproject", cwd="sub") == "pyproject.toml: updated\n"
    assert 'name = "mine"\nchannels' in space.read("sub/pyproject.toml")


def test_init_never_touches_a_workspace(manifest):
    for alias in ("conda", "pixi", "pyproject"):
        said = refuses(manifest, "init", "--format", alias)
        assert said == "error: conda.toml: already exists\nhint: remove it first, or choose another place\n"
    assert manifest.read("conda.toml") == WORKSPACE
    assert not manifest.exists("pixi.toml")


def test_init_never_touches_a_file_with_tasks_only(space):
    space.write({"conda.toml": "[tasks]\n"})
    assert refuses(space, "init").endswith(
        "error: conda.toml: already exists\nhint: remove it first, or choose another place\n"
    )
    assert space.read("conda.toml") == "[tasks]\n"


def test_init_names_the_formats_and_platforms_there_are(space):
    assert (
        refuses(space, "init", "--format", "yaml")
        == "error: format 'yaml' does not exist\nhint: Known formats: conda, pixi, pyproject\n"
    )
    assert "hint: did you mean 'linux-64'?" in refuses(space, "init", "--platform", "linux64")


def test_add_and_remove_change_one_line_and_say_what_follows(manifest):
    assert cwt(manifest, "add", "numpy>=2", "zlib") == (
        f"conda.toml: added dependencies.numpy\nconda.toml: added dependencies.zlib\n{FOLLOWS}"
    )
    assert manifest.read("conda.toml") == WORKSPACE + 'numpy = ">=2"\nzlib = "*"\n'
    assert cwt(manifest, "add", "zlib") == "conda.toml: dependencies.zlib is there already\n"
    assert cwt(manifest, "remove", "zlib", "numpy") == (
        f"conda.toml: removed dependencies.zlib\nconda.toml: removed dependencies.numpy\n{FOLLOWS}"
    )
    assert manifest.read("conda.toml") == WORKSPACE


def test_add_finds_the_manifest_from_below(manifest):
    manifest.write({"sub/file": ""})
    assert "conda.toml: added dependencies.zlib\n" in cwt(manifest, "add", "zlib", cwd="sub")
    assert "zlib" in manifest.read("conda.toml")


def test_add_goes_where_it_is_told(manifest):
    done = manifest.run("add", "--pypi", "requests[socks]>=2", "--feature", "web", "--platform", "win", program="cwt")
    assert done.returncode == 0
    assert done.stdout == f"conda.toml: added feature.web.target.win.pypi-dependencies.requests\n{FOLLOWS}"
    assert done.stderr == "warning: no environment has feature 'web'; list it in [environments]\n"
    assert manifest.read("conda.toml") == WORKSPACE + (
        '\n[feature.web.target.win.pypi-dependencies]\nrequests = { version = ">=2", extras = ["socks"] }\n'
    )
    cwt(manifest, "remove", "--pypi", "requests", "--feature", "web", "--platform", "win")


def test_add_does_not_replace(manifest):
    cwt(manifest, "add", "numpy>=2")
    assert refuses(manifest, "add", "zlib", "numpy>=3") == (
        "error: conda.toml: dependencies.numpy: is there already, and says something else\n"
        "hint: change it there, or remove it first: cwt remove numpy\n"
    )
    assert "zlib" not in manifest.read("conda.toml")


def test_a_dry_run_prints_the_difference(manifest):
    diff = (
        '--- conda.toml\n+++ conda.toml\n@@ -4,3 +4,4 @@\n platforms = ["linux-64"]\n \n [dependencies]\n+zlib = "*"\n'
    )
    assert cwt(manifest, "add", "zlib", "--dry-run") == diff
    assert cwt(manifest, "task", "add", "t", "x", "-d").endswith('+\n+[tasks]\n+t = "x"\n')
    assert manifest.read("conda.toml") == WORKSPACE


def test_add_needs_a_workspace(space):
    assert "no workspace manifest here or in a parent directory" in refuses(space, "add", "zlib")
    space.write({"conda.toml": "[tasks]\n"})
    assert "no workspace manifest" in refuses(space, "add", "zlib")


def test_a_manifest_that_is_read_only_stays(manifest):
    (manifest.root / "conda.toml").chmod(0o444)
    assert refuses(manifest, "add", "zlib").startswith("error: conda.toml: cannot be written: ")
    assert manifest.read("conda.toml") == WORKSPACE


def test_task_add_takes_all_that_a_task_has(manifest):
    words = ["--description", "d", "--cwd", "sub", "--default-environment", "e", "--clean-env", "--env", "A=b=c"]
    words += ["--arg", "who", "--arg", "how=well", "--input", "i*", "--output", "o", "--depends-on", "x"]
    assert cwt(manifest, "task", "add", "t", "echo {{ who }}", *words) == "conda.toml: added tasks.t\n"
    assert manifest.read("conda.toml") == WORKSPACE + (
        '\n[tasks]\nt = { cmd = "echo {{ who }}", depends-on = ["x"], description = "d", env = { A = "b=c" }, '
        'cwd = "sub", clean-env = true, default-environment = "e", '
        'args = ["who", { arg = "how", default = "well" }], inputs = ["i*"], outputs = ["o"] }\n'
    )


@pytest.mark.parametrize(
    ("words", "value"),
    [
        pytest.param(["ls -l"], '"ls -l"', id="one word is for the shell"),
        pytest.param(["--", "ls", "-l"], '{ cmd = ["ls", "-l"] }', id="several are words of a program"),
        pytest.param(["--depends-on", "a"], '{ depends-on = ["a"] }', id="none is a name for others"),
    ],
)
def test_task_add_keeps_words_apart(manifest, words, value):
    cwt(manifest, "task", "add", "t", *words)
    assert manifest.read("conda.toml") == f"{WORKSPACE}\n[tasks]\nt = {value}\n"
    assert cwt(manifest, "task", "add", "t", *words) == "conda.toml: tasks.t is there already\n"
    assert cwt(manifest, "task", "remove", "t") == "conda.toml: removed tasks.t\n"
    assert manifest.read("conda.toml") == WORKSPACE


def test_task_add_refuses_what_makes_no_sense(manifest):
    assert refuses(manifest, "task", "add", "t") == (
        "error: task 't' would do nothing\nhint: write a command behind it, or --depends-on TASK\n"
    )
    assert refuses(manifest, "task", "add", "t", "x", "--env", "A").startswith(
        "error: cwt task add: --env A: no value\n"
    )
    assert refuses(manifest, "task", "add", "t", "x", "-v") == (
        "error: cwt task: unrecognized arguments: -v\nhint: cwt task --help lists what it takes\n"
    )
    assert refuses(manifest, "task").startswith("error: cwt task: the following arguments are required: ACTION\n")


def test_a_new_task_is_up_to_date_when_doit_says_so(manifest):
    manifest.write({"i": ""})
    cwt(manifest, "task", "add", "t", "cp i o", "--input", "i", "--output", "o")
    assert manifest.ran("t") == ["t"]
    assert manifest.ran("t") == []


LISTED = """
[tasks]
_hidden = "x"
build = { cmd = "make\\nmore", inputs = ["a"] }
all = { depends-on = ["build", "test"] }
[feature.f.tasks]
test = { cmd = ["pytest", "-q"], description = "run the tests" }
"""


def test_task_list_and_export_show_every_task(manifest):
    manifest.write({"conda.toml": WORKSPACE + LISTED})
    (manifest.home / ".conda").mkdir()
    (manifest.home / ".conda/tasks.toml").write_text('[tasks]\nmine = "m"\nbuild = "hidden"\n')
    assert cwt(manifest, "task", "list") == "all    -> build, test\nbuild  make\nmine   m\ntest   run the tests\n"
    listed = json.loads(cwt(manifest, "task", "list", "--json"))
    assert listed == {
        "file": str(manifest.root / "conda.toml"),
        "tasks": {
            "all": {"name": "all", "depends_on": ["build", "test"], "alias": True},
            "build": {"name": "build", "cmd": "make\nmore"},
            "mine": {"name": "mine", "cmd": "m", "source": "user"},
            "test": {"name": "test", "cmd": ["pytest", "-q"], "description": "run the tests"},
        },
    }
    text = cwt(manifest, "task", "export")
    assert text == (
        '[tasks]\nmine = "m"\n_hidden = "x"\nbuild = { cmd = "make\\nmore", inputs = ["a"] }\n'
        'all = { depends-on = ["build", "test"] }\n'
        'test = { cmd = ["pytest", "-q"], description = "run the tests" }\n'
    )
    assert cwt(manifest, "task", "export", "-o", "tasks.toml") == ""
    assert manifest.read("tasks.toml") == text
    assert refuses(manifest, "task", "export", "-o", "tasks.toml").startswith("error: tasks.toml: already exists\n")
    assert refuses(manifest, "task", "export", "-o", "no/tasks.toml").startswith(
        "error: no/tasks.toml: cannot be written: No such file or directory\n"
    )


def test_task_remove_names_what_is_there(manifest):
    manifest.write({"conda.toml": WORKSPACE + LISTED})
    assert refuses(manifest, "task", "remove", "biuld") == (
        "error: task 'biuld' is not defined\nhint: did you mean 'build'? Available tasks: all, build, test\n"
    )
    assert refuses(manifest, "task", "remove", "test") == (
        "error: task 'test' is not available in conda.toml: tasks\nhint: it is defined for: feature.f.tasks\n"
    )
    done = manifest.run("task", "remove", "test", "--feature", "f", program="cwt")
    assert (done.returncode, done.stdout) == (0, "conda.toml: removed feature.f.tasks.test\n")
    assert done.stderr == "warning: task 'test' is still needed by all\n"


def test_mistakes_elsewhere_do_not_stop_an_edit(manifest):
    manifest.write({"conda.toml": WORKSPACE + "\n[tasks]\nt = 1\n"})
    cwt(manifest, "task", "add", "u", "x")
    cwt(manifest, "add", "zlib", "--feature", "f")
    cwt(manifest, "task", "remove", "t")
    assert cwt(manifest, "check") == "conda.toml: no mistakes\n"


def test_tasks_need_a_manifest(space):
    for words in (["add", "t", "x"], ["remove", "t"], ["list"], ["export"]):
        assert "no file with tasks here or in a parent directory" in refuses(space, "task", *words)


@pytest.mark.skipif(sys.platform != "linux", reason="the packages are made for Linux")
def test_what_is_added_and_removed_is_locked_and_installed_by_the_next_task(work):
    work.space.doit("init", "--name", "w", "-c", work.channel.url, "--platform", "linux-64", program="cwt")
    work.space.doit("add", "leaf<2", program="cwt")
    work.space.doit("task", "add", "say", "leaf", program="cwt")
    assert work.doit("say") == ".  lock\n.  install:default\n.  say\nleaf one\n"
    work.space.doit("remove", "leaf", program="cwt")
    work.space.doit("add", "leaf>=2", program="cwt")
    assert work.doit("say") == ".  lock\n.  install:default\n.  say\nleaf two\n"
    work.space.doit("task", "add", "unrelated", "true", program="cwt")
    assert work.silent("say") == ".  say\nleaf two\n"
