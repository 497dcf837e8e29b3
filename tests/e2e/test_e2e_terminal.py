"""A task in the foreground has the real terminal."""

import pexpect
import pytest


@pytest.fixture
def terminal(space):
    opened = []

    def start(*words: str) -> pexpect.spawn:
        program, *rest = space.command(*words)
        child = pexpect.spawn(program, rest, cwd=str(space.root), env=space.environ, encoding="utf-8", timeout=30)
        opened.append(child)
        return child

    yield start
    for child in opened:
        child.close(force=True)


def status_of(child: pexpect.spawn) -> int:
    child.expect(pexpect.EOF)
    child.wait()
    assert child.signalstatus is None
    return child.exitstatus


def test_a_task_sees_the_terminal(space, terminal):
    space.write({"conda.toml": '[tasks]\nt = "for n in 0 1 2; do test -t $n && echo yes-$n; done; stty size"\n'})
    child = terminal("t")
    child.expect_exact(["yes-0\r\nyes-1\r\nyes-2\r\n24 80\r\n"])
    assert status_of(child) == 0


def test_a_task_can_ask_the_user(space, terminal):
    space.write(
        {
            "conda.toml": "[tasks]\nt = \"read -p 'who? ' name; echo hello $name\"\nnext = \"read -p 'more? ' x; echo $x\"\n"
        }
    )
    child = terminal("t", "next")
    child.expect_exact("who? ")
    child.sendline("Bob")
    child.expect_exact("hello Bob")
    child.expect_exact("more? ")
    child.sendline("no")
    child.expect_exact("no\r\n")
    assert status_of(child) == 0


def test_without_a_terminal_a_task_has_none(space):
    space.write({"conda.toml": '[tasks]\nt = "test -t 1 || echo none; read line; echo $line"\n'})
    assert space.doit("t", stdin="piped\n") == ".  t\nnone\npiped\n"


STAGES = """
[tasks.first]
cmd = "cp in first"
inputs = ["in"]
outputs = ["first"]
[tasks.second]
cmd = "echo begun; sleep 60"
depends-on = ["first"]
[tasks.third]
cmd = "echo third"
depends-on = ["second"]
"""


@pytest.mark.parametrize(
    "options", [pytest.param([], id="serial"), pytest.param(["-n", "2", "--output", "prefix"], id="parallel")]
)
def test_control_c_ends_the_run_with_one_line(space, terminal, options: list[str]):
    space.write({"conda.toml": STAGES, "in": "1"})
    child = terminal(*options, "third")
    child.expect_exact("begun\r\n")
    child.sendintr()
    assert status_of(child) == 130
    rest = [line for line in child.before.replace("^C", "").splitlines() if line]
    assert rest == ["interrupted by SIGINT; what had finished is recorded"]
    assert space.doit("first") == "-- first\n"


def test_control_c_between_commands_is_one_line_too(space, terminal):
    # A run of many quick commands: the signal may come at any moment.
    tasks = "".join(f't{number} = "echo {number}"\n' for number in range(2000))
    space.write({"conda.toml": f"[tasks]\n{tasks}"})
    child = terminal("t*")
    child.expect_exact("20\r\n")
    # A key that is pressed in the moment a command ends goes to that command, and with it; people press again.
    for _ in range(30):
        child.sendintr()
        if child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=0.3) == 0:
            break
    said = child.before
    assert status_of(child) == 130
    assert "Traceback" not in said
    assert said.count("interrupted") == 1


#: A program that ends in its own way when it is told to stop. Not a shell: bash may lose a signal between two commands.
PATIENT = """
import signal, sys, time

def stop(number, frame):
    print("caught", flush=True)
    sys.exit(int(sys.argv[1]))

signal.signal(signal.SIGINT, stop)
print("begun", flush=True)
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize("status", [0, 3])
def test_a_task_that_handles_control_c_itself_decides(space, terminal, status: int):
    space.write(
        {"conda.toml": f'[tasks]\nt = {{ cmd = ["python3", "patient.py", "{status}"] }}\n', "patient.py": PATIENT}
    )
    child = terminal("t")
    child.expect_exact("begun")
    child.sendintr()
    child.expect_exact("caught")
    assert status_of(child) == status
