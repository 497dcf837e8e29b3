"""How a worker starts: as a copy of a process that does nothing else, as an interpreter of its own anywhere else."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from channels import Channel, Package
from waiting import is_running, wait_for

linux = pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="copies are made where Linux tells of threads")
ROOT = Path(__file__).resolve().parents[3]
BEGIN = """
import json, os, sys, threading
from pathlib import Path
from cwtasks import engines

given = json.loads(sys.argv[1])
pids, commands = [], []
engine = engines.choose(
    "rattler",
    cache_folder=given["cache"],
    environ={"HOME": given["cache"]},
    start_worker=pids.append,
)
request = engines.SolveRequest(channels=(given["channel"],), specs=("leaf",), platform="linux-64")


def told(_):
    commands.append(Path(f"/proc/{pids[-1]}/cmdline").read_bytes().decode())


def solve():
    return [record["name"] for record in engine.solve(request, report=told)]

"""


@pytest.fixture
def run(tmp_path):
    """Run a program in a process of its own and return its standard output."""
    channel = Channel(tmp_path / "channel").with_packages(Package(name="leaf"))
    given = json.dumps({"cache": str(tmp_path / "cache"), "channel": channel.url, "folder": str(tmp_path)})

    def run(body: str, *, before: str = "") -> str:
        program = tmp_path / "program.py"
        program.write_text(before + BEGIN + body)
        done = subprocess.run(
            [sys.executable, program, given],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@linux
def test_a_process_that_does_nothing_else_is_copied(run):
    assert run("print(solve(), 'program.py' in commands[0])") == "['leaf'] True\n"


@linux
def test_a_process_with_a_thread_is_not_copied(run):
    text = "stop = threading.Event(); threading.Thread(target=stop.wait).start(); print(solve(), commands); stop.set()"
    said = run(text)
    assert said.startswith("['leaf'] ")
    assert "rattler_worker.py" in said
    assert "program.py" not in said


@linux
def test_a_copy_does_not_import_what_the_program_put_in_front_of_the_library(run, tmp_path):
    """As a dodo file does with the folder it is in."""
    (tmp_path / "front").mkdir()
    for name in ("logging", "selectors", "rattler_worker"):
        (tmp_path / "front" / f"{name}.py").write_text("raise SystemExit('not meant')")
    text = "sys.path.insert(0, given['folder'] + '/front'); print(solve(), 'program.py' in commands[0])"
    assert run(text) == "['leaf'] True\n"


@linux
def test_a_process_with_a_module_in_the_place_of_the_librarys_is_not_copied(run, tmp_path):
    (tmp_path / "front").mkdir()
    (tmp_path / "front" / "logging.py").touch()
    text = (
        "sys.path.insert(0, given['folder'] + '/front'); import logging\n"
        "print(solve(), 'rattler_worker.py' in commands[0])\n"
    )
    assert run(text) == "['leaf'] True\n"


@linux
def test_where_there_is_no_room_for_a_copy_an_interpreter_is_started(run):
    text = (
        "def fork(): raise OSError(12, 'Cannot allocate memory')\n"
        "os.fork = fork\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "print(solve(), 'rattler_worker.py' in commands[0], len(os.listdir('/proc/self/fd')) - before)\n"
    )
    assert run(text) == "['leaf'] True 0\n"


@linux
def test_a_copy_writes_nothing_of_what_its_parent_still_holds_back(run, tmp_path):
    text = "file = open(given['folder'] + '/out', 'w'); file.write('once\\n'); print('begun'); print(solve())"
    assert run(text) == "begun\n['leaf']\n"
    assert (tmp_path / "out").read_text() == "once\n"


@linux
def test_a_copy_holds_neither_files_nor_locks(tmp_path):
    """One that waits for its request must not keep a lock that its parent gave back."""
    (tmp_path / "lock").touch()
    text = (
        "import fcntl\n"
        "file = open(given['folder'] + '/lock'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "engine.get_ready(); file.close(); print('given back', flush=True); sys.stdin.read()\n"
    )
    program = tmp_path / "program.py"
    program.write_text(BEGIN + text)
    given = json.dumps({"cache": str(tmp_path / "cache"), "channel": "", "folder": str(tmp_path)})
    process = subprocess.Popen(
        [sys.executable, program, given],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process, open(tmp_path / "lock") as file:
        assert process.stdout.readline() == b"given back\n"
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process.stdin.close()
    assert process.returncode == 0


@linux
def test_a_program_without_standard_streams_gets_its_answer(run, tmp_path):
    run(
        "Path(given['folder'], 'answer').write_text(repr(solve()))",
        before="import os\nfor number in (0, 1, 2): os.close(number)\n",
    )
    assert (tmp_path / "answer").read_text() == "['leaf']"


@linux
def test_a_signal_handler_of_the_program_is_not_run_in_the_copy(run, tmp_path):
    text = (
        "import signal\n"
        "signal.signal(signal.SIGTERM, lambda *_: Path(given['folder'], str(os.getpid())).touch())\n"
        "engine.get_ready()\n"
        "for line in Path(f'/proc/self/task/{os.getpid()}/children').read_text().split(): os.kill(int(line), 15)\n"
        "try: solve()\n"
        "except Exception as error: print(error.exit_code)\n"
    )
    assert run(text) == f"{-signal.SIGTERM}\n"
    assert [path.name for path in tmp_path.iterdir() if path.name.isdigit()] == []


@linux
def test_what_goes_wrong_in_a_copy_is_said_and_ends_it(run):
    text = (
        "from cwtasks.engines.worker import Worker\n"
        "worker = Worker([], lambda: 1 / 0)\n"
        "answer = worker.ask({}, lambda _: None, ())\n"
        "worker.end()\n"
        "print(answer.document, answer.exit_code, answer.stderr.splitlines()[-1])\n"
    )
    assert run(text) == "None 1 ZeroDivisionError: division by zero\n"


@linux
def test_workers_that_are_not_needed_end(run):
    text = "engine.get_ready(); engine.dismiss(); print([os.path.exists(f'/proc/{pid}') for pid in pids])"
    assert run(text) == "[False]\n"
    left = int(run("engine.get_ready(); print(pids[0])"))
    wait_for(lambda: not is_running(left))
