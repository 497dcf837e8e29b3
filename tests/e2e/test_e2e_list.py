"""``doit list``: what can be run here."""

import json
import os
import subprocess
import sys

import pytest

PIXI = '[workspace]\nname = "w"\nchannels = []\nplatforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]\n'
MANIFEST = (
    PIXI
    + '''
[tasks]
zebra = "echo z"
_hidden = "echo hidden"
all = { depends-on = ["zebra", "build"] }
long = """
  echo one
  echo two
"""
[tasks.build]
cmd = "cp in.txt out.txt"
description = "Build it"
inputs = ["in.txt"]
outputs = ["out.txt"]
[feature.f.tasks]
test = { cmd = "pytest", description = "Run the tests" }
[feature.g.tasks]
docs = "sphinx-build"
[environments]
py1 = ["f"]
py2 = ["f"]
site = ["g"]
'''
)
LIST = """\
all     -> zebra, build
build   Build it
docs    [site] sphinx-build
long    echo one; echo two
test    [py1, py2] Run the tests
zebra   echo z
"""


@pytest.fixture
def listed(space):
    space.write({"pixi.toml": MANIFEST, "in.txt": "1", "sub/deep/file": ""})
    return space


def test_a_list_shows_names_marks_and_descriptions_or_else_commands(listed):
    assert listed.doit("list") == LIST


@pytest.mark.parametrize(
    ("words", "screen"),
    [
        pytest.param(["-q"], "all\nbuild\ndocs\nlong\ntest\nzebra\n", id="quiet"),
        pytest.param(["-q", "--sort", "definition"], "zebra\nall\nlong\nbuild\ntest\ndocs\n", id="in-order-of-definition"),
        pytest.param(["build", "zebra"], "build   Build it\nzebra   echo z\n", id="only-these"),
        pytest.param(["_hidden"], "_hidden   echo hidden\n", id="a-hidden-task-asked-for"),
        pytest.param(
            ["-p", "-q"], "_hidden\nall\nbuild\ndocs\nlong\ntest\nzebra\n", id="hidden-tasks-too"
        ),
        pytest.param(["-e", "site"], LIST_OF_SITE := (
            "all     [site] -> zebra, build\nbuild   [site] Build it\ndocs    [site] sphinx-build\n"
            "long    [site] echo one; echo two\nzebra   [site] echo z\n"
        ), id="of-an-environment"),
        pytest.param(["--template", "{name}!", "docs"], "docs!\n", id="template"),
    ],
)  # fmt: skip
def test_a_list_can_be(listed, words: list[str], screen: str):
    assert listed.doit("list", *words) == screen


def test_the_environment_may_stand_before_the_command(listed):
    assert listed.doit("-e", "site", "list") == listed.doit("list", "-e", "site") == LIST_OF_SITE
    assert listed.doit("--environment=site", "list", "docs") == "docs   [site] sphinx-build\n"


def test_a_list_is_the_same_in_every_folder(listed):
    assert listed.doit("list", cwd="sub/deep") == LIST


def test_all_variants_are_shown_on_request(listed):
    names = [line.split()[0] for line in listed.doit("list", "--all").splitlines()]
    assert {"test:py1", "test:py2", "build:py1", "build:site", "docs", "build"} <= set(names)
    assert "docs:site" not in names
    assert listed.doit("list", "test:py1") == "test:py1   [py1] Run the tests\n"


def test_status_letters_say_run_up_to_date_or_ignored(listed):
    screen = listed.doit("list", "--status", "build", "zebra", "all")
    assert screen == "R all     -> zebra, build\nR build   Build it\nR zebra   echo z\n"
    listed.doit("build")
    listed.doit("ignore", "zebra")
    assert listed.doit("list", "-s", "build", "zebra") == "U build   Build it\nI zebra   echo z\n"
    listed.write({"in.txt": "2"})
    assert listed.doit("list", "-s", "build") == "R build   Build it\n"


def test_a_document_for_tools(listed):
    listed.doit("build")
    document = json.loads(listed.doit("list", "--json", "--status", "build", "test", cwd="sub"))
    assert document == {
        "file": str(listed.root / "pixi.toml"),
        "tasks": {
            "build": {
                "name": "build",
                "description": "Build it",
                "cmd": "cp in.txt out.txt",
                "environment": "default",
                "inputs": ["in.txt"],
                "outputs": ["out.txt"],
                "status": "up-to-date",
            },
            "test": {
                "name": "test",
                "description": "Run the tests",
                "cmd": "pytest",
                "environments": ["py1", "py2"],
                "status": "error",
            },
        },
    }


def test_a_document_says_how_a_task_is_called(space):
    space.write(
        {"conda.toml": '[tasks.greet]\ncmd = "echo {{ who }}"\nargs = ["who", { arg = "how", default = "hi" }]\n'}
    )
    task = json.loads(space.doit("list", "--json"))["tasks"]["greet"]
    assert task["usage"] == "greet WHO [HOW]"
    assert [arg["arg"] if isinstance(arg, dict) else arg for arg in task["args"]] == ["who", "how"]


def test_tasks_of_the_user_are_marked(space):
    space.write({"conda.toml": '[tasks]\nmine = "echo workspace"\n'})
    config = space.home / "config"
    (config / "conda").mkdir(parents=True)
    (config / "conda/tasks.toml").write_text('[tasks]\nnotes = "echo notes"\nmine = "echo user"\n')
    user = {"XDG_CONFIG_HOME": str(config)}
    assert space.doit("list", env=user) == "mine    echo workspace\nnotes   [user] echo notes\n"
    assert space.doit("notes", env=user) == ".  notes\nnotes\n"
    assert json.loads(space.doit("list", "--json", "notes", env=user))["tasks"]["notes"]["source"] == "user"
    (space.root / "conda.toml").unlink()
    assert space.doit("list", env=user) == "mine    [user] echo user\nnotes   [user] echo notes\n"


def test_a_reader_that_goes_away_is_no_error(space):
    tasks = "".join(f'task-{number} = "echo {number}"\n' for number in range(5000))
    space.write({"conda.toml": f"[tasks]\n{tasks}"})
    command = f'"{sys.executable}" -m doit list | head -1'
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=space.root,
        env=space.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "task-0      echo 0\n", "")


def test_a_name_that_is_no_task_is_an_error(listed):
    assert listed.fails("list", "biuld") == (
        "error: task 'biuld' is not defined\n"
        "hint: did you mean 'build'? Available tasks: all, build, docs, long, test, zebra\n"
    )


def test_a_workspace_without_tasks_says_so(space):
    space.write({"pixi.toml": PIXI, "sub/file": ""})
    expected = f"no tasks in {space.root}/pixi.toml\n"
    assert space.doit("list") == space.doit() == space.doit("list", cwd="sub") == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("conda.toml", '[tasks]\nt = "echo t"\n', id="conda"),
        pytest.param("pixi.toml", PIXI + '[tasks]\nt = "echo t"\n', id="pixi"),
        pytest.param(
            "pyproject.toml", '[project]\nname = "x"\n[tool.conda.tasks]\nt = "echo t"\n', id="pyproject-conda"
        ),
        pytest.param(
            "pyproject.toml",
            '[project]\nname = "x"\n[tool.pixi.workspace]\nchannels = []\nplatforms = ["linux-64"]\n[tool.pixi.tasks]\nt = "echo t"\n',
            id="pyproject-pixi",
        ),
    ],
)
def test_each_kind_of_manifest_is_found(space, name: str, text: str):
    space.write({name: text, "sub/file": ""})
    assert space.doit("list", cwd="sub") == "t   echo t\n"


def test_a_pyproject_without_tasks_does_not_hide_the_workspace_above(space):
    space.write({"conda.toml": '[tasks]\nt = "echo t"\n', "member/pyproject.toml": '[project]\nname = "m"\n'})
    assert space.doit("list", cwd="member") == "t   echo t\n"


def test_a_list_is_never_an_old_one(space):
    space.write({"conda.toml": '[tasks]\nt = { cmd = "echo 1", inputs = ["conda.toml"] }\n'})
    space.doit("t")  # now there is a folder in which something could be remembered
    assert [space.doit("list"), space.doit("list")] == ["t   echo 1\n"] * 2
    path = space.root / "conda.toml"
    before = path.stat()
    path.write_text(path.read_text().replace("echo 1", "echo 2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert space.doit("list") == "t   echo 2\n"
    space.write({"pyproject.toml": '[tool.conda.tasks]\nother = "echo other"\n'})
    path.unlink()
    assert space.doit("list") == "other   echo other\n"


def test_warnings_of_the_manifest_are_shown_each_time(space):
    space.write({"conda.toml": '[tasks.t]\ncmd = "true"\ninputs = ["conda.toml"]\ninput = ["x"]\n'})
    said = [space.run("t").stderr, space.run("list").stderr, space.run("list").stderr, space.run("t").stderr]
    assert all(text.startswith("warning: conda.toml: tasks.t") for text in said), said
    assert len(set(said)) == 1


def test_a_workspace_that_breaks_is_told_also_after_a_list_of_it_was_shown(space):
    space.write({"conda.toml": '[tasks]\nt = { cmd = "true", inputs = ["conda.toml"] }\n'})
    space.doit("t")
    space.doit("list")
    space.write({"conda.toml": "[tasks]\nt = 1\n"})
    assert space.fails("list").startswith("error: conda.toml: tasks.t: ")
