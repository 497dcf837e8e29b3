"""A signal to the program reaches every command and what it started, and nothing is left behind."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import cwtasks
from cwtasks.steps.signals import _CAUGHT, Interrupted, forward, kill_all, signals, stopping

HOUSE = Path(cwtasks.__file__).parents[1]

DRIVER = """
import os, sys, threading, time
from cwtasks.steps.command import Invocation
from cwtasks.steps.process import Output, run
from cwtasks.steps.signals import Interrupted, _live, forward, signals

def bash(script, output, **options):
    invocation = Invocation(("bash", "-c", script), os.getcwd(), dict(os.environ))
    return run(invocation, output=Output[output], name="task", **options)

"""


@pytest.fixture
def drive(tmp_path):
    """Start a program that runs commands in ``tmp_path``; whatever it leaves is ended after the test."""
    started = []

    def start(body: str) -> subprocess.Popen:
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER + body],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(HOUSE)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.kill()
        driver.communicate()
    for noted in tmp_path.glob("pids*"):
        for pid in noted.read_text().split():
            if not is_gone(int(pid)):
                os.kill(int(pid), signal.SIGKILL)


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; a zombie has, whoever adopted it takes its time to collect it."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True).stdout
    return not state or state.startswith("Z")


def until(condition) -> bool:
    """Wait until something holds; a test that fails waits long, one that passes does not."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def noted_pids(folder: Path, count: int) -> list[int]:
    def pids():
        return [int(pid) for noted in folder.glob("pids*") for pid in noted.read_text().split()]

    assert until(lambda: len(pids()) == count)
    return pids()


def outcome(driver: subprocess.Popen):
    """Return what the driver printed in its last line."""
    output, _ = driver.communicate(timeout=20)
    return ast.literal_eval(output.splitlines()[-1])


@pytest.mark.parametrize("output", ["INHERIT", "CAPTURE", "GROUP", "PREFIX"])
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_what_the_command_started(drive, tmp_path, output, signum):
    driver = drive(f"""
with signals():
    outcome = bash("sleep 300 & echo $$ $! > pids; wait", "{output}")
print(tuple(outcome)[:2])
""")
    pids = noted_pids(tmp_path, 2)
    driver.send_signal(signum)

    assert outcome(driver) == (128 + signum, True)
    assert all(map(is_gone, pids))


def test_output_of_an_interrupted_command_is_kept_with_its_last_words(drive, tmp_path):
    driver = drive("""
with signals():
    outcome = bash("trap 'echo cleaned; exit 9' TERM; echo begun; echo $$ > pids; sleep 300 & wait", "GROUP")
print(tuple(outcome)[:4])
""")
    noted_pids(tmp_path, 1)
    driver.send_signal(signal.SIGTERM)

    assert outcome(driver) == (9, True, b"begun\ncleaned\n", b"")


def test_a_signal_to_the_main_thread_reaches_commands_of_other_threads(drive, tmp_path):
    driver = drive("""
outcomes = {}
ready = threading.Event()
def work(name):
    ready.wait()
    outcomes[name] = tuple(bash(f"sleep 300 & echo $$ $! > pids-{name}; wait", "GROUP"))[:2]

with signals():
    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    try:
        ready.set()
        while True:
            time.sleep(60)
    except Interrupted as interrupted:
        for thread in threads:
            thread.join()
        work("c")
        print((interrupted.signum, outcomes))
""")
    pids = noted_pids(tmp_path, 4)
    driver.send_signal(signal.SIGTERM)

    # The third one was asked for after the signal, and was never started.
    assert outcome(driver) == (signal.SIGTERM, dict.fromkeys("abc", (143, True)))
    assert all(map(is_gone, pids))


@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_command_that_ignores_the_signal_is_killed_after_the_grace_time(drive, tmp_path, where):
    driver = drive(f"""
from concurrent.futures import ThreadPoolExecutor

ready = threading.Event()
def work():
    ready.wait()
    return bash("trap '' TERM; echo $$ > pids; while :; do sleep 0.05; done", "CAPTURE")

with signals(grace_seconds=0.1), ThreadPoolExecutor() as pool:
    if "{where}" == "main":
        ready.set()
        outcome = work()
    else:
        future = pool.submit(work)
        try:
            ready.set()
            outcome = future.result()
        except Interrupted:
            outcome = future.result()
print(tuple(outcome)[:2])
""")
    noted_pids(tmp_path, 1)
    driver.send_signal(signal.SIGTERM)

    assert outcome(driver) == (128 + signal.SIGKILL, True)


def test_a_second_interrupt_kills_at_once(drive, tmp_path):
    driver = drive("""
with signals(grace_seconds=600):
    outcome = bash("trap 'touch asked' INT; echo $$ > pids; while :; do sleep 0.01; done", "INHERIT")
print(tuple(outcome)[:2])
""")
    noted_pids(tmp_path, 1)
    driver.send_signal(signal.SIGINT)
    assert until((tmp_path / "asked").exists)
    driver.send_signal(signal.SIGINT)

    assert outcome(driver) == (128 + signal.SIGKILL, True)


def test_without_the_handlers_an_interrupt_unwinds_the_run_and_ends_the_command(drive, tmp_path):
    # Only under signals() may the interrupt come while the process is being started.
    driver = drive("""
def let_go():
    while not _live:
        time.sleep(0.01)
    open("go", "w").close()

threading.Thread(target=let_go).start()
try:
    bash("until test -e go; do sleep 0.01; done; sleep 300 & echo $$ $! > pids; wait", "CAPTURE")
except KeyboardInterrupt:
    print("'unwound'")
""")
    pids = noted_pids(tmp_path, 2)
    driver.send_signal(signal.SIGINT)

    assert outcome(driver) == "unwound"
    assert all(map(is_gone, pids))


def test_commands_can_be_ended_from_the_program(drive):
    driver = drive("""
thread = threading.Thread(target=lambda: print(tuple(bash("sleep 300", "CAPTURE"))[:2]))
thread.start()
while not _live:
    time.sleep(0.01)
forward(15)
thread.join()
""")

    # A command ended from inside, as when another one failed, is not an interruption by the user.
    assert outcome(driver) == (143, False)


def test_a_signal_that_is_ignored_stays_ignored(drive, tmp_path):
    driver = drive("""
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with signals():
    outcome = bash("echo $$ > pids; until test -e go; do sleep 0.01; done", "CAPTURE")
print(tuple(outcome)[:2])
""")
    noted_pids(tmp_path, 1)
    driver.send_signal(signal.SIGHUP)
    (tmp_path / "go").touch()

    assert outcome(driver) == (0, False)


def handlers():
    return [signal.getsignal(signum) for signum in (*_CAUGHT, signal.SIGALRM)]


def test_handlers_are_set_for_the_block_only():
    before = handlers()
    with signals():
        assert handlers() != before

    assert handlers() == before


def test_a_signal_outside_a_run_raises_where_it_comes():
    before = handlers()
    with pytest.raises(Interrupted, match="interrupted by SIGTERM") as caught, signals():
        os.kill(os.getpid(), signal.SIGTERM)

    assert caught.value.signum == signal.SIGTERM
    assert handlers() == before
    assert stopping() is None
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_outside_the_main_thread_no_handlers_are_set():
    seen = []

    def enter():
        with signals():
            seen.append(handlers())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()

    assert seen == [handlers()]


def test_nothing_runs_and_nothing_is_signalled():
    forward(signal.SIGTERM)
    kill_all()
