"""What the caller of doit sees when a command fails, and what happens to the rest."""

import pytest

MANIFEST = """
[tasks]
ok = "echo fine"
seven = "echo said; echo complained >&2; exit 7"
one = "exit 1"
high = "exit 200"
killed = "kill -9 $$"
terminated = "kill -TERM $$"
notfound = "no-such-program-anywhere"
after = { cmd = "echo never", depends-on = ["seven"] }
last = { cmd = "echo never", depends-on = ["after"] }
listed = { cmd = ["no-such-program-anywhere", "x"] }
"""


@pytest.fixture
def tasks(space):
    space.write({"conda.toml": MANIFEST})
    return space


@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(["ok"], 0, id="success"),
        pytest.param(["seven"], 7, id="that-of-the-command"),
        pytest.param(["high"], 200, id="also-a-high-one"),
        pytest.param(["killed"], 137, id="killed"),
        pytest.param(["terminated"], 143, id="terminated"),
        pytest.param(["notfound"], 127, id="not-found"),
        pytest.param(["listed"], 127, id="not-found-without-a-shell"),
        pytest.param(["ok", "seven", "one"], 7, id="the-first-failure-stops-the-run"),
        pytest.param(["-c", "seven", "ok"], 7, id="the-only-failure-of-a-run-that-goes-on"),
        pytest.param(["-c", "seven", "one"], 1, id="one-for-several-failures"),
        pytest.param(["-n", "2", "seven", "ok"], 7, id="side-by-side"),
        pytest.param(["-n", "2", "-c", "seven", "high"], 1, id="several-side-by-side"),
        pytest.param(["after"], 7, id="of-what-is-needed"),
        pytest.param(["-c", "last", "ok"], 7, id="of-what-is-needed-when-the-run-goes-on"),
    ],
)
def test_the_exit_status_is(tasks, words: list[str], status: int):
    done = tasks.run(*words)
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_a_failure_stops_the_rest_and_is_one_line(tasks):
    done = tasks.run("seven", "ok")
    assert done.stdout == ".  seven\nsaid\n"
    assert done.stderr == "complained\nerror: task 'seven' failed with exit status 7\n"


def test_option_continue_goes_on_and_says_what_did_not_run(tasks):
    done = tasks.run("-c", "last", "ok")
    assert done.stdout == ".  seven\nsaid\n.  ok\nfine\n"
    assert done.stderr == (
        "complained\n"
        "error: task 'seven' failed with exit status 7\n"
        "error: task 'after' not run: seven failed\n"
        "error: task 'last' not run: after failed\n"
        "error: 3 tasks failed or could not run: seven, after, last\n"
    )


def test_a_program_that_is_not_found_is_named(tasks):
    message = tasks.fails("listed", status=127)
    assert message == (
        "error: task 'listed' failed with exit status 127: program 'no-such-program-anywhere' was not found\n"
    )


def test_reporter_and_verbosity_of_doit_are_kept(tasks):
    assert tasks.doit("-v", "0", "ok") == ".  ok\n"
    assert tasks.doit("-r", "executed-only", "ok") == ".  ok\nfine\n"
    assert tasks.doit("-r", "zero", "ok") == "fine\n"
    done = tasks.run("-v", "0", "seven")
    assert "said\n" in done.stdout
    assert "complained\n" in done.stderr
    assert tasks.fails("-r", "nosuch", "ok").startswith("error: doit run: Error parsing parameter 'reporter'.")
