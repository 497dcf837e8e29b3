"""``-n``: several tasks at a time, each one's output in one piece."""

import re

import pytest

TALKERS = "".join(
    f"[tasks.t{number}]\ncmd = 'for i in 1 2 3 4; do echo {number}-out-$i; echo {number}-err-$i >&2; sleep 0.02; done'\n"
    for number in range(4)
)


def lines_of(number: int) -> list[str]:
    return [f"{number}-{stream}-{count}" for count in range(1, 5) for stream in ("out", "err")]


def test_the_output_of_each_task_comes_whole(space):
    space.write({"conda.toml": TALKERS})
    output = space.doit("-n", "4", "t*")
    blocks = {
        block.split("\n")[0]: block.split("\n")[1:-1] for block in re.split(r"^:: ", output, flags=re.MULTILINE)[1:]
    }
    announced = [f".  t{number}" for number in range(4)]
    found = {name: [line for line in lines if line not in announced] for name, lines in blocks.items()}
    assert found == {f"t{number}": lines_of(number) for number in range(4)}
    for block in blocks.values():
        first = next(index for index, line in enumerate(block) if line not in announced)
        assert not set(block[first : first + 8]) & set(announced)


def test_output_with_a_prefix_comes_line_by_line(space):
    space.write({"conda.toml": TALKERS})
    lines = space.doit("-n", "4", "--output", "prefix", "t*").splitlines()
    for number in range(4):
        prefix = f"t{number} | "
        assert [line.removeprefix(prefix) for line in lines if line.startswith(prefix)] == lines_of(number)
    assert len(lines) == 4 * 9


def test_commands_really_run_at_the_same_time(space):
    # Each waits for what the other one writes.
    meet = "touch {own}; for i in $(seq 500); do [ -e {other} ] && exit 0; sleep 0.02; done; exit 1"
    space.write(
        {"conda.toml": f"[tasks]\na = '{meet.format(own='1', other='2')}'\nb = '{meet.format(own='2', other='1')}'\n"}
    )
    assert sorted(space.ran("-n", "2", "a", "b")) == ["a", "b"]


def test_a_need_is_done_before_what_needs_it(space):
    space.write(
        {
            "conda.toml": """
[tasks]
a = "sleep 0.1; echo a >> log"
b = { cmd = "echo b >> log", depends-on = ["a"] }
c = { cmd = "echo c >> log", depends-on = ["b"] }
"""
        }
    )
    space.doit("-n", "4", "c", "b", "a")
    assert space.read("log") == "a\nb\nc\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param('outputs = ["f"]', 'inputs = ["f"]', id="written-then-read"),
        pytest.param('inputs = ["f"]', 'outputs = ["f"]', id="read-then-written"),
        pytest.param('outputs = ["f"]', 'outputs = ["f"]', id="written-twice"),
        pytest.param('outputs = ["d"]', 'inputs = ["d/*.txt"]', id="folder-and-wildcard"),
        pytest.param('outputs = ["d/a.txt"]', 'inputs = ["**/*.txt"]', id="file-and-wildcard"),
    ],
)
def test_tasks_that_name_the_same_files_keep_their_order(space, first: str, second: str):
    make = "mkdir -p d; echo 1 > d/a.txt; echo 1 > f"
    space.write(
        {
            "conda.toml": f'[tasks.one]\ncmd = "sleep 0.1; {make}; echo one >> log"\n{first}\n'
            f'[tasks.two]\ncmd = "{make}; echo two >> log"\n{second}\n',
            "f": "",
            "d/a.txt": "",
        }
    )
    assert space.run("-n", "4", "one", "two").returncode == 0
    assert space.read("log") == "one\ntwo\n"


FAILING = """
[tasks]
bad = "while [ ! -e made ]; do sleep 0.01; done; exit 7"
good = { cmd = "touch made; while [ ! -e bad-failed ]; do sleep 0.01; [ -e go ] && break; done; cp in good", inputs = ["in"], outputs = ["good"] }
rest = { cmd = "echo never", depends-on = ["bad"] }
other = "echo other"
"""


def test_a_failing_task_does_not_lose_what_others_finish(space):
    space.write({"conda.toml": FAILING, "in": "1", "go": ""})
    done = space.run("-n", "2", "bad", "good", "other")
    assert done.returncode == 7
    assert "error: task 'bad' failed with exit status 7\n" in done.stderr
    assert space.doit("good") == "-- good\n"


def test_option_continue_side_by_side_runs_what_it_can(space):
    space.write({"conda.toml": FAILING, "in": "1", "go": "", "made": ""})
    done = space.run("-n", "2", "-c", "rest", "other", "good")
    assert done.returncode == 7
    assert {"bad", "other", "good"} == {
        line.removeprefix(".  ") for line in done.stdout.splitlines() if line.startswith(".  ")
    }
    assert done.stderr.splitlines() == [
        "error: task 'bad' failed with exit status 7",
        "error: task 'rest' not run: bad failed",
        "error: 2 tasks failed or could not run: bad, rest",
    ]


def test_a_hundred_tasks_side_by_side_are_all_recorded(space):
    task = '[tasks.t{0}]\ncmd = "cp in o{0}"\ninputs = ["in"]\noutputs = ["o{0}"]\n'
    space.write({"conda.toml": "".join(map(task.format, range(100))), "in": "1"})
    assert len(space.ran("-n", "8", "t*")) == 100
    assert space.ran("-n", "8", "t*") == []


def test_a_large_output_is_complete(space):
    space.write({"conda.toml": '[tasks]\na = "seq 1 50000"\nb = "seq 1 50000"\n'})
    numbers = [line for line in space.doit("-n", "2", "a", "b").splitlines() if line.isdigit()]
    assert numbers == [str(number) for number in range(1, 50001)] * 2


def test_a_task_side_by_side_reads_no_input_of_ours(space):
    space.write({"conda.toml": '[tasks]\na = "cat"\nb = "cat"\n'})
    assert space.doit("-n", "2", "a", "b", stdin="typed\n") == ".  a\n.  b\n"


def test_a_failure_side_by_side_starts_nothing_new(space):
    tasks = "".join(f't{number} = "touch ran-{number}; exit 3"\n' for number in range(20))
    space.write({"conda.toml": f"[tasks]\n{tasks}"})
    done = space.run("-n", "2", "t*")
    assert done.returncode in {1, 3}
    assert len(list(space.root.glob("ran-*"))) <= 3
