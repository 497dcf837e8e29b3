"""A manifest with mistakes: all of them in one report, and never a traceback."""

import pytest

COMMANDS = [["list"], ["a"], [], ["info", "a"], ["clean"], ["forget", "a"], ["ignore", "a"], ["reset-dep"]]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "nothing")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "[tasks]\na = 1\nb = { cmd = 2 }\n",
            ["error: conda.toml: tasks.a: ", "error: conda.toml: tasks.b.cmd: "],
            id="types",
        ),
        pytest.param("[tasks\n", ["error: conda.toml: "], id="no-toml"),
    ],
)
def test_every_command_reports_all_mistakes(space, words: list[str], text: str, message: list[str]):
    space.write({"conda.toml": text})
    done = space.run(*words)
    assert (done.returncode, done.stdout) == (3, "")
    errors = [line for line in done.stderr.splitlines() if not line.startswith("hint: ")]
    assert len(errors) == len(message)
    assert all(line.startswith(start) for line, start in zip(errors, message, strict=True)), done.stderr


def test_an_unknown_key_warns_with_the_nearest_known_one(space):
    space.write({"conda.toml": '[tasks.t]\ncmd = "echo t"\ndepend-on = ["x"]\n'})
    done = space.run("list")
    assert (done.returncode, done.stdout) == (0, "t   echo t\n")
    assert done.stderr.startswith("warning: conda.toml: tasks.t")
    assert "'depends-on'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_manifest_that_cannot_be_read_is_an_error(space):
    (space.root / "conda.toml").write_bytes(b'[tasks]\na = "\xff"\n')
    assert space.fails("list").startswith("error: conda.toml: ")


def test_a_broken_manifest_is_named_relative_to_the_caller(space):
    space.write({"conda.toml": "[tasks]\na = 1\n", "sub/file": ""})
    message = space.fails("list", cwd="sub")
    assert message.startswith(f"error: {space.root}/conda.toml: tasks.a: ")
