"""A program that is not there: the reason is said once, however the output of the command is shown."""

import pytest

MANIFEST = """
[tasks]
lost = { cmd = ["no-such-program"] }
"""
REASON = "task 'lost' failed with exit status 127: program 'no-such-program' was not found"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="inherit"),
        pytest.param(["-v", "0"], id="capture"),
        pytest.param(["-n", "2"], id="whole"),
        pytest.param(["-n", "2", "--output", "prefix"], id="prefix"),
    ],
)
def test_a_missing_program_is_named_once(space, options: list[str]):
    space.write({"conda.toml": MANIFEST})
    assert space.fails("run", *options, "lost", status=127) == f"error: {REASON}\n"


def test_a_missing_program_is_named_once_beside_a_dodo_file(space):
    space.write({"conda.toml": MANIFEST, "dodo.py": "from cwtasks.dodo import *\n"})
    done = space.run("lost")
    assert done.returncode == 1
    assert (done.stdout + done.stderr).count(REASON) == 1
    assert (done.stdout + done.stderr).count("not found") == 1


def test_what_a_shell_says_of_a_missing_program_is_not_said_again(space):
    space.write({"conda.toml": "[tasks]\nlost = 'no-such-program'\n"})
    message = space.fails("-v", "0", "lost", status=127)
    assert message.count("not found") == 1
    assert message.endswith("error: task 'lost' failed with exit status 127\n")
