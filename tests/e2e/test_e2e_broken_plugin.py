"""When our own modules cannot be imported, doit works on without them."""

import pytest


@pytest.fixture(params=["tomli", "cwtasks.doit_plugin.commands", "cwtasks.exceptions"])
def broken(request, tmp_path) -> dict[str, str]:
    """The environment of a process in which one module cannot be imported."""
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(f"import sys\nsys.modules[{request.param!r}] = None\n")
    return {"PYTHONPATH": str(shim)}


DODO = "def task_hello():\n    return {'actions': ['echo hello'], 'verbosity': 2}\n"


def test_a_dodo_file_works_in_silence(space, broken):
    space.write({"dodo.py": DODO, "conda.toml": "[tasks]\na = 'true'\n"})
    assert space.doit("hello", env=broken) == ".  hello\nhello\n"
    assert space.doit("list", env=broken) == "hello   \n"
    assert "list tasks" in space.doit("help", env=broken)


def test_a_dodo_file_given_by_name_works_in_a_workspace(space, broken):
    space.write({"other.py": DODO, "conda.toml": "[tasks]\na = 'true'\n"})
    done = space.run("-f", "other.py", "hello", env=broken)
    assert (done.returncode, done.stdout) == (0, ".  hello\nhello\n")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["list"], ["a"], ["help"]], ids=" ".join)
def test_a_workspace_says_why_and_shows_no_traceback(space, broken, words: list[str]):
    space.write({"conda.toml": "[tasks]\na = 'true'\n"})
    done = space.run(*words, env=broken)
    assert "Traceback" not in done.stdout + done.stderr
    assert "cwtasks cannot be loaded" in done.stderr


def test_outside_of_a_workspace_nothing_is_said(space, broken):
    assert "cwtasks" not in space.run("list", env=broken).stderr
