"""A command that inherits the terminal really has it: prompts, Ctrl-C, Ctrl-Z, and ours again afterwards."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

import cwtasks

pexpect = pytest.importorskip("pexpect")

HOUSE = Path(cwtasks.__file__).parents[1]

DRIVER = """
import os, sys, termios
from cwtasks.steps.command import Invocation
from cwtasks.steps.process import Output, run
from cwtasks.steps.signals import signals

output = Output[sys.argv[1]]
with signals():
    outcome = run(Invocation(("bash", "-c", sys.argv[2]), os.getcwd(), dict(os.environ)), output=output, name="task")
print("outcome", outcome.exit_status, outcome.interrupted, flush=True)
print("echo", bool(termios.tcgetattr(0)[3] & termios.ECHO), flush=True)
print("answer", input("ours again? "), flush=True)
"""


# Ctrl-C before the command has the terminal is ours and forwarded, so a test about its own Ctrl-C must wait for that.
IN_FOREGROUND = "until ps -o stat= -p $$ | grep -q +; do sleep 0.01; done; "


@pytest.fixture
def driver(tmp_path):
    """Return the words that start a program which runs one bash script."""
    program = tmp_path / "driver.py"
    program.write_text(DRIVER)
    return lambda script, output="INHERIT": [sys.executable, str(program), output, script]


@pytest.fixture
def spawn(tmp_path):
    """Start a program at a terminal of its own."""
    terminals = []

    def start(words):
        env = {**os.environ, "PYTHONPATH": str(HOUSE), "PS1": "prompt> ", "TERM": "dumb", "HISTFILE": ""}
        terminal = pexpect.spawn(words[0], words[1:], cwd=str(tmp_path), env=env, timeout=20, encoding="utf-8")
        terminal.delaybeforesend = None
        terminals.append(terminal)
        return terminal

    yield start
    for terminal in terminals:
        terminal.close(force=True)


@pytest.fixture
def shell(spawn):
    """An interactive bash, which has job control."""
    terminal = spawn(["bash", "--norc", "--noprofile", "--noediting", "-i"])
    terminal.setecho(False)
    terminal.expect("prompt> ")
    return terminal


def expect_outcome(terminal, status, *, interrupted=False):
    terminal.expect_exact(f"outcome {status} {interrupted}")
    terminal.expect_exact("ours again? ")
    terminal.sendline("yes")
    terminal.expect_exact("answer yes")


def test_a_command_can_ask_and_read_the_answer(spawn, driver):
    terminal = spawn(driver("test -t 0 && test -t 1 && test -t 2 && read -p 'name? ' name && echo hello $name"))
    terminal.expect_exact("name? ")
    terminal.sendline("Ada")
    terminal.expect_exact("hello Ada")

    expect_outcome(terminal, 0)


def test_ctrl_c_ends_the_command_and_not_us(spawn, driver):
    terminal = spawn(driver(IN_FOREGROUND + "echo ready; sleep 300"))
    terminal.expect_exact("ready")
    terminal.sendintr()

    expect_outcome(terminal, 130, interrupted=True)


def test_a_command_may_handle_ctrl_c_itself(spawn, driver):
    terminal = spawn(driver(IN_FOREGROUND + "trap 'echo caught; exit 0' INT; echo ready; while :; do sleep 0.01; done"))
    terminal.expect_exact("ready")
    terminal.sendintr()
    terminal.expect_exact("caught")

    expect_outcome(terminal, 0)


def test_ctrl_c_while_output_is_read_is_forwarded(spawn, driver):
    terminal = spawn(driver("echo ready; sleep 300 & wait", "PREFIX"))
    terminal.expect_exact("task | ready")
    terminal.sendintr()

    expect_outcome(terminal, 130, interrupted=True)


def test_a_command_whose_output_is_read_cannot_wait_for_the_terminal(spawn, driver):
    terminal = spawn(driver("cat < /dev/tty", "PREFIX"))
    terminal.expect_exact("task | ")

    expect_outcome(terminal, 1)


def test_the_terminal_is_put_right_after_a_command_was_killed(spawn, driver):
    terminal = spawn(driver("stty -echo; kill -9 $$"))
    terminal.expect_exact("outcome 137 False")
    terminal.expect_exact("echo True")


def test_what_a_command_sets_on_purpose_stays(spawn, driver):
    terminal = spawn(driver("stty -echo"))
    terminal.expect_exact("outcome 0 False")
    terminal.expect_exact("echo False")


def test_ctrl_z_without_job_control_changes_nothing(spawn, driver):
    terminal = spawn(driver("echo ready; read line; echo got $line"))
    terminal.expect_exact("ready")
    terminal.sendcontrol("z")
    terminal.sendline("on")
    terminal.expect_exact("got on")

    expect_outcome(terminal, 0)


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_continues(shell, driver):
    # A tick says that the command runs; Ctrl-Z before that may be lost, as with every job of a shell.
    shell.sendline(shlex.join(driver("until read -t 0.02 line; do echo tick; done; echo got $line")))
    for _ in range(2):
        shell.expect_exact("tick\r\n")
        shell.sendcontrol("z")
        shell.expect_exact("Stopped")
        shell.expect_exact("prompt> ")
        shell.sendline("fg")
    shell.expect_exact("tick\r\n")
    shell.sendline("on")
    shell.expect_exact("got on")

    expect_outcome(shell, 0)
    shell.expect_exact("prompt> ")


def test_in_the_background_it_stops_when_the_command_wants_to_read(shell, driver):
    shell.sendline(shlex.join(driver("read line; echo got $line")) + " &")
    shell.expect_exact("prompt> ")
    shell.sendline("until jobs -s | grep -q driver.py; do sleep 0.01; done; fg")
    shell.expect_exact("driver.py")
    shell.sendline("on")
    shell.expect_exact("got on")

    expect_outcome(shell, 0)


def test_in_a_pipeline_the_terminal_is_lent_when_it_is_asked_for(shell, driver):
    shell.sendline(shlex.join(driver("echo ready; read line; echo got $line")) + " | cat")
    shell.expect_exact("ready")
    shell.sendline("on")
    shell.expect_exact("got on")
    shell.expect_exact("outcome 0 False")
    shell.sendline("yes")
    shell.expect_exact("answer yes")


def test_in_a_pipeline_ctrl_c_is_forwarded(shell, driver):
    shell.sendline(shlex.join(driver("echo ready; sleep 300")) + " | (trap '' INT; cat)")
    shell.expect_exact("ready")
    shell.sendintr()
    shell.expect_exact("outcome 130 True")
    shell.sendline("yes")
