"""One process: its output, its exit status, and what happens when it cannot be started."""

from __future__ import annotations

import io
import itertools
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cwtasks.steps import process
from cwtasks.steps.command import Invocation
from cwtasks.steps.process import Outcome, Output, run

MEGABYTES = 50
READ = [Output.CAPTURE, Output.GROUP, Output.PREFIX]


def invocation(command, cwd="/", **env) -> Invocation:
    argv = ("bash", "-c", command) if isinstance(command, str) else tuple(command)
    return Invocation(argv, str(cwd), {"PATH": os.environ["PATH"], **env})


def ran(command, output=Output.CAPTURE, **fields) -> Outcome:
    return run(invocation(command, **fields), output=output, name="task")


def ends(pid: int) -> bool:
    """Wait until a process has ended; a test that fails waits long, one that passes does not."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
        ).stdout
        # A zombie has ended; whoever adopted it takes its time to collect it.
        if not state or state.startswith("Z"):
            return True
        time.sleep(0.01)
    return False


def test_captured_streams_are_kept_apart():
    assert ran("echo out; echo err >&2") == Outcome(0, interrupted=False, stdout=b"out\n", stderr=b"err\n")


def test_grouped_output_is_one_stream_in_order_of_arrival():
    assert ran("for i in 1 2 3; do echo o$i; echo e$i >&2; done", Output.GROUP).stdout == b"o1\ne1\no2\ne2\no3\ne3\n"


def test_inherited_output_goes_where_ours_goes(capfd):
    print("before")
    outcome = ran("echo out; echo err >&2", Output.INHERIT)

    assert outcome == Outcome(0)
    assert capfd.readouterr() == ("before\nout\n", "err\n")


def test_prefixed_lines_carry_the_name(capsysbinary):
    assert ran("echo a; echo b >&2; printf 'no end'", Output.PREFIX) == Outcome(0)
    assert capsysbinary.readouterr().out == b"task | a\ntask | b\ntask | no end\n"


def test_prefixed_lines_are_shown_before_the_command_ends(capsysbinary, tmp_path):
    seen = tmp_path / "seen"

    def wait_for_line():
        shown = b""
        while b"first" not in shown:
            shown += capsysbinary.readouterr().out
            time.sleep(0.005)
        seen.touch()

    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(wait_for_line)
        assert ran("echo first; until test -e seen; do sleep 0.01; done", Output.PREFIX, cwd=tmp_path) == Outcome(0)
        watcher.result()


def test_prefixed_lines_of_parallel_commands_never_mix(capsysbinary):
    command = "for i in {1..200}; do printf $NAME-; printf '%s\\n' $i; done"
    names = ["one", "two", "three", "four"]
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(run, invocation(command, NAME=name), output=Output.PREFIX, name=name) for name in names]
    lines = capsysbinary.readouterr().out.decode().splitlines()

    assert [future.result() for future in runs] == [Outcome(0)] * 4
    for name in names:
        assert [line for line in lines if line.startswith(name)] == [f"{name} | {name}-{i}" for i in range(1, 201)]
    assert len(lines) == 800


def test_prefixed_lines_need_no_binary_stdout(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    ran("printf 'a\\xff\\n'", Output.PREFIX)

    assert sys.stdout.getvalue() == "task | a\ufffd\n"


@pytest.mark.parametrize("output", READ)
def test_much_output_does_not_block(output, capsysbinary):
    script = f"head -c {MEGABYTES}000000 /dev/zero; head -c {MEGABYTES}000000 /dev/zero >&2"

    outcome = ran(script, output)

    shown = len(capsysbinary.readouterr().out) - len("task | \n") * (output is Output.PREFIX)
    assert outcome.exit_status == 0
    assert max(len(outcome.stdout) + len(outcome.stderr), shown) == 2 * MEGABYTES * 1_000_000


def test_bytes_that_are_no_text_survive():
    assert ran("printf '\\xff\\x00\\xfe'").stdout == b"\xff\x00\xfe"


@pytest.mark.parametrize("output", READ)
def test_a_command_that_is_read_from_has_no_input(output):
    assert ran("! read line", output).exit_status == 0


@pytest.mark.parametrize("output", Output)
@pytest.mark.parametrize(
    ("command", "status"),
    [
        pytest.param("exit 0", 0, id="good"),
        pytest.param("exit 3", 3, id="bad"),
        pytest.param("kill -TERM $$", 128 + signal.SIGTERM, id="signal"),
        pytest.param("exec >&- 2>&-; exit 4", 4, id="closes-its-output-first"),
    ],
)
def test_the_exit_status_is_that_of_a_shell(output, command, status):
    outcome = ran(command, output)

    assert (outcome.exit_status, outcome.interrupted) == (status, False)


@pytest.mark.parametrize("output", READ)
def test_a_daemon_left_behind_is_neither_waited_for_nor_ended(output, tmp_path):
    outcome = ran("sleep 100 & echo $! > pid", output, cwd=tmp_path)
    pid = int((tmp_path / "pid").read_text())

    assert outcome.exit_status == 0
    os.kill(pid, signal.SIGKILL)
    assert ends(pid)


def test_a_daemon_that_writes_on_is_listened_to_for_a_limited_time(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "_LINGER_SECONDS", 0.05)
    outcome = ran("(while echo on; do sleep 0.01; done) & echo $! > pid", cwd=tmp_path)

    assert outcome.exit_status == 0
    # Nobody reads any more: the daemon gets SIGPIPE at its next line.
    assert ends(int((tmp_path / "pid").read_text()))


def test_what_a_child_of_the_command_writes_last_is_read():
    assert ran("(sleep 0.05; echo late) & echo early").stdout == b"early\nlate\n"


@pytest.mark.parametrize("output", Output)
def test_a_missing_program_is_an_outcome(output):
    assert ran(["no-such-program", "x"], output) == Outcome(127, not_started="program 'no-such-program' was not found")


def test_a_missing_folder_is_named_and_not_the_program(tmp_path):
    assert ran("true", cwd=tmp_path / "gone").not_started == f"folder '{tmp_path}/gone' was not found"


def test_a_file_that_is_not_executable_is_an_outcome(tmp_path):
    (tmp_path / "data").touch(mode=0o644)
    outcome = ran([str(tmp_path / "data")])

    assert outcome.exit_status == 126
    assert outcome.not_started == f"program '{tmp_path}/data' cannot be started: Permission denied"


def test_an_argument_no_process_can_have_is_an_outcome():
    assert ran(["echo", "a\0b"]) == Outcome(126, not_started="program 'echo' cannot be started: embedded null byte")


def test_a_program_is_found_on_the_path_of_the_command(tmp_path):
    (tmp_path / "mine").write_text("#!/bin/sh\necho mine\n")
    (tmp_path / "mine").chmod(0o755)

    assert run(Invocation(("mine",), "/", {"PATH": str(tmp_path)}), output=Output.CAPTURE, name="").stdout == b"mine\n"


def test_a_run_that_is_unwound_ends_its_command_and_what_it_started(monkeypatch, tmp_path):
    class ClosedPipe:
        def write(self, text):
            raise BrokenPipeError

        flush = write

    monkeypatch.setattr(sys, "stdout", ClosedPipe())
    with pytest.raises(BrokenPipeError):
        ran("trap '' HUP; sleep 100 & echo $$ $! > pids; echo line; wait", Output.PREFIX, cwd=tmp_path)

    assert all(ends(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_a_command_that_ignores_being_ended_is_killed_after_the_grace_time(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdout", None)
    script = "trap '' TERM; echo $$ > pid; echo line; while :; do sleep 0.05; done"
    with pytest.raises(AttributeError):
        run(invocation(script, tmp_path), output=Output.PREFIX, name="", grace_seconds=0.1)

    assert ends(int((tmp_path / "pid").read_text()))


def test_windows_pipes_are_read_by_threads():
    with (
        subprocess.Popen(["bash", "-c", "echo out; echo err >&2"], stdout=-1, stderr=-1) as child,
        process._threaded_arrivals([child.stdout, child.stderr]) as arrive,
    ):
        arrived = [arrive() for _ in range(4)]

        assert sorted(itertools.chain.from_iterable(arrived)) == [(0, b""), (0, b"out\n"), (1, b""), (1, b"err\n")]
        assert arrive() == []


def test_windows_hands_text_to_cmd_between_one_pair_of_quotes():
    text = Invocation(("cmd", "/d", "/s", "/c", 'echo "a b" & dir'), "C:\\", {})

    assert process._popen_arguments(text, "win32") == 'cmd /d /s /c "echo "a b" & dir"'


def test_windows_looks_a_program_up_on_the_path_of_the_command(tmp_path):
    (tmp_path / "tool").touch(mode=0o755)
    found = process._popen_arguments(Invocation(("tool", "x"), "/", {"PATH": str(tmp_path)}), "win32")

    assert found == (str(tmp_path / "tool"), "x")
