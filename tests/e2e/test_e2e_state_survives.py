"""What a run finished stays known: after a kill, beside a second process, in a copied folder."""

import os
import shutil
import signal

import pytest

STAGES = """
[tasks.first]
cmd = "cp in.txt first.txt"
inputs = ["in.txt"]
outputs = ["first.txt"]
[tasks.second]
cmd = "test -e go && cp first.txt second.txt || { echo $$ > pid.part; mv pid.part pid; exec sleep 60; }"
depends-on = ["first"]
inputs = ["first.txt"]
outputs = ["second.txt"]
"""


@pytest.mark.parametrize("options", [pytest.param([], id="serial"), pytest.param(["-n", "2"], id="parallel")])
def test_what_finished_before_a_kill_is_not_run_again(space, options: list[str]):
    space.write({"conda.toml": STAGES, "in.txt": "1"})
    process = space.start(*options, "second")
    space.wait_for("pid")
    process.kill()
    process.wait()
    os.kill(int(space.read("pid")), signal.SIGKILL)
    space.write({"go": ""})
    assert space.doit("second") == "-- first\n.  second\n"
    assert space.doit("second") == "-- first\n-- second\n"


def test_two_processes_in_one_workspace_both_succeed_and_lose_nothing(space):
    task = (
        '[tasks.{name}]\ncmd = "sleep 0.1; cp {name}.in {name}.out"\ninputs = ["{name}.in"]\noutputs = ["{name}.out"]\n'
    )
    names = [f"{side}{number}" for side in "ab" for number in range(4)]
    space.write({"conda.toml": "".join(task.format(name=name) for name in names)})
    space.write({f"{name}.in": name for name in names})
    processes = [space.start("-n", "2", f"{side}*") for side in "ab"]
    assert [(process.wait(), process.stderr.read()) for process in processes] == [(0, ""), (0, "")]
    assert space.ran("*") == []


def test_two_processes_that_run_the_same_task_both_succeed(space):
    # Not with cp, which fails when somebody else creates the file at the same time.
    stages = STAGES.replace("test -e go", "sleep 0.1").replace("cp in.txt ", "cat in.txt > ")
    space.write({"conda.toml": stages.replace("cp first.txt ", "cat first.txt > "), "in.txt": "1"})
    processes = [space.start("second"), space.start("second")]
    assert [(process.wait(), process.stderr.read()) for process in processes] == [(0, ""), (0, "")]
    assert space.ran("second") == []


def test_a_copied_workspace_is_up_to_date(space, tmp_path):
    manifest = """
[tasks.t]
cmd = "cp {{ root }}/in.txt out.txt"
args = [{ arg = "root", default = "." }]
inputs = ["in.txt", "src/**"]
outputs = ["out.txt"]
[tasks.place]
cmd = "echo {{ pixi.manifest_path }} > place.txt"
outputs = ["place.txt"]
"""
    space.write({"conda.toml": manifest, "in.txt": "1", "src/a": "1"})
    assert space.ran("place", "t") == ["place", "t"]
    space.root = shutil.copytree(space.root, tmp_path / "other" / "name")
    assert space.doit("place", "t") == "-- place\n-- t\n"
    space.write({"src/a": "2"})
    assert space.ran("place", "t") == ["t"]
    space.doit("-a", "place")
    assert space.read("place.txt") == f"{space.root}/conda.toml\n"


def test_the_state_keeps_itself_out_of_version_control(space):
    space.write({"conda.toml": STAGES, "in.txt": "1", "go": ""})
    space.doit("second")
    assert space.read(".conda/cwtasks/.gitignore") == "*\n"
    assert {path.name for path in space.root.iterdir()} == {
        "conda.toml", "in.txt", "go", "first.txt", "second.txt", ".conda",
    }  # fmt: skip


def test_listing_and_explaining_leave_no_trace(space):
    space.write({"conda.toml": STAGES, "in.txt": "1"})
    space.doit("list", "--status")
    space.run("info", "first")
    assert not space.exists(".conda")


def test_a_workspace_that_cannot_be_written_still_runs(space):
    # A file where the folder should be; taking permissions away would not stop root.
    space.write({"conda.toml": '[tasks.t]\ncmd = "true"\ninputs = ["conda.toml"]\n', ".conda": ""})
    done = space.run("t")
    assert (done.returncode, done.stdout) == (0, ".  t\n")
    assert done.stderr.startswith("warning: ")
    assert "cannot write records: Not a directory; steps may run again without need\n" in done.stderr


def test_damaged_records_cost_a_run_and_nothing_else(space):
    space.write({"conda.toml": STAGES, "in.txt": "1", "go": ""})
    space.doit("second")
    (space.root / ".conda/cwtasks/journal").write_bytes(b"\x00garbage\xff" * 100)
    done = space.run("second")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert space.ran("second") == []
