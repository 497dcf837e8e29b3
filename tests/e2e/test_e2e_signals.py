"""A signal to doit reaches everything a running command has started."""

import os
import signal

import pytest

#: The command starts a child of its own, tells both process ids, and waits.
TREE = """
[tasks.first]
cmd = "cp in first"
inputs = ["in"]
outputs = ["first"]
[tasks.tree]
cmd = "sleep 60 & echo $! > child.part; echo $$ > own.part; mv child.part child; mv own.part own; wait"
depends-on = ["first"]
[tasks.other]
cmd = "echo $$ > other.part; mv other.part other; exec sleep 60"
"""


def is_alive(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{int(number)}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("options", [pytest.param([], id="serial"), pytest.param(["-n", "2"], id="parallel")])
def test_the_whole_process_tree_ends(space, options: list[str], number: signal.Signals):
    space.write({"conda.toml": TREE, "in": "1"})
    process = space.start(*options, "tree", "other")
    names = ["own", "child", "other"] if options else ["own", "child"]
    space.wait_for(*names)
    process.send_signal(number)
    assert process.wait() == 128 + number
    assert process.stderr.read() == f"interrupted by {number.name}; what had finished is recorded\n"
    space.wait_until(lambda: not any(is_alive(space.read(name)) for name in names))
    assert space.doit("first") == "-- first\n"


def test_a_command_that_ignores_the_signal_is_ended_by_a_second_one(space):
    space.write(
        {"conda.toml": "[tasks]\nt = \"trap '' INT TERM; echo $$ > p; mv p own; while :; do sleep 0.05; done\"\n"}
    )
    process = space.start("t")
    space.wait_for("own")
    process.send_signal(signal.SIGINT)
    # The handler must have seen the first before the second comes, or they are one.
    with pytest.raises(Exception, match="timed out"):
        process.wait(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait() in {130, 137}
    space.wait_until(lambda: not is_alive(space.read("own")))
    assert "Traceback" not in process.stderr.read()


def test_an_interrupted_task_runs_again(space):
    space.write(
        {"conda.toml": '[tasks.t]\ncmd = "touch started; test -e go || sleep 60"\ninputs = ["in"]\n', "in": "1"}
    )
    process = space.start("t")
    space.wait_for("started")
    process.terminate()
    assert process.wait() == 143
    space.write({"go": ""})
    assert [space.ran("t"), space.ran("t")] == [["t"], []]


PATIENT = """
import pathlib, signal, sys, time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(sys.argv[1])))
pathlib.Path("started").touch()
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize("status", [0, 3])
@pytest.mark.parametrize("options", [pytest.param([], id="serial"), pytest.param(["-n", "2"], id="parallel")])
def test_a_command_that_ends_in_its_own_way_when_told_to_stop_stops_the_run(space, options: list[str], status: int):
    task = f'[tasks.t]\ncmd = ["python3", "patient.py", "{status}"]\n[tasks]\nnext = {{ cmd = "touch no", depends-on = ["t"] }}\n'
    space.write({"conda.toml": task, "patient.py": PATIENT})
    process = space.start(*options, "next")
    space.wait_for("started")
    process.terminate()
    assert process.wait() == 143
    assert process.stderr.read() == "interrupted by SIGTERM; what had finished is recorded\n"
    assert not space.exists("no")
