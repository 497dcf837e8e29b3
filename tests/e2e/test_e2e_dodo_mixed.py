"""Manifest tasks and Python tasks together, and doit's own settings."""

import pytest

MANIFEST = """
[tasks.copy]
cmd = "cp in.txt out.txt && echo copied"
description = "Copy a file"
inputs = ["in.txt"]
outputs = ["out.txt"]
[tasks]
all = [{ task = "copy" }]
"""
DODO = """
from cwtasks.dodo import *

def task_python():
    def shout():
        print(open("out.txt").read().upper())
    return {"actions": [shout], "file_dep": ["out.txt"], "verbosity": 2}
"""


@pytest.fixture
def mixed(space):
    space.write({"conda.toml": MANIFEST, "dodo.py": DODO, "in.txt": "word"})
    return space


def test_a_dodo_file_mixes_python_tasks_with_manifest_tasks(mixed):
    listed = mixed.doit("list", "--all")
    assert "copy     Copy a file\n" in listed
    assert "python" in listed
    assert mixed.doit("python") == ".  copy\ncopied\n.  python\nWORD\n"


def test_what_nobody_listens_to_imports_nothing(mixed):
    """The folder of a dodo file comes before the library."""
    workspace = '[workspace]\nchannels = []\nplatforms = ["linux-64", "osx-arm64", "linux-aarch64", "win-64"]\n'
    mixed.write({"conda.toml": workspace + MANIFEST, "logging.py": "raise SystemExit('not meant')"})
    assert mixed.doit("copy") == ".  copy\ncopied\n"


@pytest.mark.parametrize(
    "options", [[], ["-n", "2"], ["-n", "2", "-P", "thread"]], ids=lambda words: " ".join(words) or "serial"
)
def test_manifest_tasks_in_a_dodo_file_are_incremental(mixed, options: list[str]):
    assert mixed.ran(*options, "python") == ["copy", "python"]
    assert mixed.ran(*options, "python") == []
    mixed.write({"in.txt": "other"})
    assert mixed.ran(*options, "python") == ["copy", "python"]
    mixed.write({"out.txt": "edited"})
    assert mixed.ran(*options, "copy") == ["copy"]
    assert mixed.ran(*options) == []


def test_a_failing_manifest_task_in_a_dodo_file_shows_no_traceback(mixed):
    mixed.write({"conda.toml": MANIFEST.replace("cp in.txt", "cp gone.txt")})
    done = mixed.run("python")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "task 'copy' failed with exit status 1" in done.stdout + done.stderr
    mixed.write({"conda.toml": MANIFEST})
    assert mixed.ran("copy") == ["copy"]


def test_the_state_is_the_same_with_and_without_a_dodo_file(mixed):
    assert mixed.ran("copy") == ["copy"]
    (mixed.root / "dodo.py").unlink()
    assert mixed.ran("copy") == []


def test_a_broken_manifest_behind_a_dodo_file_is_told(mixed):
    mixed.write({"conda.toml": "[tasks]\na = 1\n"})
    done = mixed.run("list")
    assert done.returncode == 3
    assert "tasks.a" in done.stdout + done.stderr


def test_the_loader_can_be_named_in_the_settings(space):
    settings = '[tool.doit]\nloader = "cwtasks"\n'
    manifest = MANIFEST.replace("[tasks", "[tool.conda.tasks")
    space.write({"pyproject.toml": settings + manifest, "in.txt": "1"})
    assert space.doit("list") == "all    -> copy\ncopy   Copy a file\n"
    assert [space.ran("copy"), space.ran("copy")] == [["copy"], []]


def test_the_loader_named_in_the_settings_is_stronger_than_a_dodo_file(space):
    settings = '[tool.doit]\nloader = "cwtasks"\n'
    space.write({"conda.toml": MANIFEST, "pyproject.toml": settings, "in.txt": "1"})
    space.write({"dodo.py": "def task_python():\n    return {'actions': None}\n"})
    assert "Copy a file" in space.doit("list")
    assert [space.ran("copy"), space.ran("copy")] == [["copy"], []]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("pyproject.toml", "[tool.doit]\nverbosity = 0\ncontinue = true\n", id="pyproject"),
        pytest.param("doit.cfg", "[GLOBAL]\nverbosity = 0\ncontinue = True\n", id="cfg"),
        pytest.param(
            "pyproject.toml", "[tool.doit.commands.run]\nverbosity = 0\ncontinue = true\n", id="of-the-command"
        ),
    ],
)
@pytest.mark.parametrize("folder", [".", "sub"])
def test_settings_of_doit_apply_in_all_the_workspace(space, folder: str, name: str, text: str):
    space.write({"conda.toml": '[tasks]\nfail = "exit 7"\nsay = "echo said"\n', name: text, "sub/file": ""})
    done = space.run("fail", "say", cwd=folder)
    assert (done.returncode, done.stdout) == (7, ".  fail\n.  say\n")


def test_the_command_line_is_stronger_than_settings(space):
    space.write(
        {"conda.toml": '[tasks]\nsay = "echo said"\n', "pyproject.toml": "[tool.doit]\nverbosity = 0\n", "sub/x": ""}
    )
    assert space.doit("say") == ".  say\n"
    assert space.doit("-v", "2", "say", cwd="sub") == ".  say\nsaid\n"
