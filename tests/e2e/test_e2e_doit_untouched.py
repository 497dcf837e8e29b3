"""Where no workspace is meant, doit is what it would be without us."""

import sys

import pytest

#: Hides our entry points, so that doit behaves as where cwtasks is not installed.
WITHOUT_US = """
import importlib.metadata as metadata
everything = metadata.entry_points
metadata.entry_points = lambda **only: [point for point in everything(**only) if not point.value.startswith("cwtasks.")]
"""
DODO = """
def task_hello():
    "Say hello"
    return {"actions": ["echo hello"], "verbosity": 2}

def task_copy():
    return {"actions": ["cp in.txt out.txt"], "file_dep": ["in.txt"], "targets": ["out.txt"], "clean": True}

def task_fail():
    return {"actions": ["exit 7"]}
"""
MANIFEST = '[tasks]\nmanifest-task = "echo from the manifest"\n'


@pytest.fixture
def without(space, tmp_path) -> dict[str, str]:
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(WITHOUT_US)
    return {"PYTHONPATH": str(shim)}


def test_the_comparison_compares_with_a_doit_without_us(space, without):
    space.write({"conda.toml": MANIFEST})
    assert "Could not find dodo file" in space.run("list", env=without).stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["list"],
        ["list", "--all", "--status"],
        ["copy"],
        ["-n", "2", "copy"],
        ["hello", "fail"],
        ["info", "copy"],
        ["ignore", "hello"],
        ["forget", "copy"],
        ["reset-dep"],
        ["clean", "-n"],
        ["help", "copy"],
        ["help", "list"],
        ["nosuch"],
        ["list", "nosuch"],
        ["-f", "other.py", "list"],
        ["list", "--json"],
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_beside_a_dodo_file_doit_is_untouched(space, without, words: list[str]):
    space.write(
        {"conda.toml": MANIFEST, "dodo.py": DODO, "other.py": "def task_other():\n    return {'actions': None}\n"}
    )
    space.write({"in.txt": "1"})
    own = space.run(*words, env=without)
    for database in space.root.glob(".doit*"):
        database.unlink()
    (space.root / "out.txt").unlink(missing_ok=True)
    ours = space.run(*words)
    assert (ours.returncode, ours.stdout, ours.stderr) == (own.returncode, own.stdout, own.stderr)
    assert not space.exists(".conda")


def test_beside_a_dodo_file_help_is_that_of_doit(space, without):
    # A command that doit has not may be added to its list; nothing else may change.
    space.write({"conda.toml": MANIFEST, "dodo.py": DODO})
    own, ours = space.doit("help", env=without).splitlines(), space.doit("help").splitlines()
    assert [line for line in own if line not in ours] == []


def test_a_dodo_file_wins_over_a_manifest(space):
    space.write(
        {"conda.toml": MANIFEST, "dodo.py": DODO, "sub/dodo.py": "def task_sub():\n    return {'actions': None}\n"}
    )
    assert [line.split()[0] for line in space.doit("list").splitlines()] == ["copy", "fail", "hello"]
    assert space.doit("list", cwd="sub").split() == ["sub"]


@pytest.mark.parametrize(
    ("words", "env"),
    [
        pytest.param(["-f", "other.py", "list"], {}, id="option-before-the-command"),
        pytest.param(["list", "-f", "other.py"], {}, id="option-after-the-command"),
        pytest.param(["list", "--file=other.py"], {}, id="long-option"),
        pytest.param(["list"], {"DOIT_FILE": "other.py"}, id="variable"),
    ],
)
def test_a_dodo_file_of_another_name_is_used_in_a_workspace(space, words: list[str], env: dict[str, str]):
    space.write({"conda.toml": MANIFEST, "other.py": "def task_other():\n    return {'actions': None}\n"})
    assert space.doit(*words, env=env).split() == ["other"]


@pytest.mark.parametrize("words", [["-k", "list"], ["list", "-k"], ["list", "--seek-file"]], ids=" ".join)
def test_seeking_finds_the_dodo_file_above(space, without, words: list[str]):
    space.write({"conda.toml": MANIFEST, "dodo.py": DODO, "sub/file": ""})
    own, ours = space.run(*words, cwd="sub", env=without), space.run(*words, cwd="sub")
    assert (ours.returncode, ours.stdout, ours.stderr) == (own.returncode, own.stdout, own.stderr)


def test_a_variable_makes_doit_seek_the_dodo_file_above(space):
    space.write({"conda.toml": MANIFEST, "dodo.py": DODO, "sub/file": ""})
    assert "Say hello" in space.doit("list", cwd="sub", env={"DOIT_SEEK_FILE": "1"})


@pytest.mark.parametrize("words", [[], ["list"], ["info", "x"], ["clean"], ["forget", "-a"]], ids=str)
@pytest.mark.parametrize("files", [pytest.param({}, id="empty"), pytest.param({"pyproject.toml": ""}, id="pyproject")])
def test_without_a_workspace_the_error_is_doits_own(space, without, files: dict[str, str], words: list[str]):
    space.write(files)
    own, ours = space.run(*words, env=without), space.run(*words)
    assert (ours.returncode, ours.stdout, ours.stderr) == (own.returncode, own.stdout, own.stderr)


PROGRAM = """
import sys
from doit.cmd_base import Command, ModuleTaskLoader
from doit.cmd_run import Run
from doit.doit_cmd import DoitMain

class Clean(Command):
    name, doc_purpose, doc_usage, doc_description = "clean", "", "", None
    def execute(self, params, args):
        print("own clean", args)

class List(Clean):
    name = "list"
    def execute(self, params, args):
        print("own list", args)

class Program(DoitMain):
    BIN_NAME = "program"
    DOIT_CMDS = DoitMain.DOIT_CMDS + (Clean, List) if {appended} else (Clean, List, Run)

def task_hello():
    return {{"actions": ["echo hello"], "verbosity": 2}}

sys.exit(Program(ModuleTaskLoader(globals())).run(sys.argv[1:]))
"""


@pytest.mark.parametrize("appended", [pytest.param(False, id="instead-of"), pytest.param(True, id="behind")])
def test_a_program_built_on_doit_keeps_its_commands(space, appended: bool):
    space.write({"conda.toml": MANIFEST, "program.py": PROGRAM.format(appended=appended)})
    space.command = lambda *words, **_: [sys.executable, "program.py", *words]
    assert space.doit("clean") == "own clean []\n"
    assert space.doit("list", "x") == "own list ['x']\n"
    assert space.doit("hello") == space.doit("run") == ".  hello\nhello\n"


def test_a_program_with_tasks_of_its_own_does_not_see_the_workspace(space):
    program = (
        "import doit\ndef task_mine():\n    return {'actions': ['echo mine'], 'verbosity': 2}\ndoit.run(globals())\n"
    )
    space.write({"conda.toml": MANIFEST, "program.py": program})
    space.command = lambda *words, **_: [sys.executable, "program.py", *words]
    assert space.doit("list").split() == ["mine"]
    assert space.doit() == ".  mine\nmine\n"
