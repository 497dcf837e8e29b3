"""Several doit at once in one workspace: all succeed, and no record is lost."""

import time

import pytest

from cwtasks.globs import Tree
from cwtasks.graph.step import Step
from cwtasks.state import StateStore

#: Whoever is first, the same file with the same content comes into place whole.
TASK = """
[tasks.t{number}]
cmd = "cat {inputs} > .t{number}.$$ && mv .t{number}.$$ out/t{number}"
inputs = {inputs_list}
outputs = ["out/t{number}"]
depends-on = {needs}
"""
COUNT = 24


def manifest() -> str:
    text = ""
    for number in range(COUNT):
        needs = [number - 6] if number >= 6 else []
        inputs = ["in.txt", *(f"out/t{needed}" for needed in needs)]
        needs_text = [f"t{needed}" for needed in needs]
        text += TASK.format(number=number, inputs=" ".join(inputs), inputs_list=inputs, needs=needs_text)
    return text


@pytest.fixture
def busy(space):
    space.write({"conda.toml": manifest(), "in.txt": "1\n", "out/.keep": ""})
    return space


def all_at_once(space, command_lines: list[list[str]]) -> None:
    """Run several doit at the same time; each must succeed and have nothing to complain of."""
    processes = [space.start(*words) for words in command_lines]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


def assert_finished(space) -> None:
    assert space.doit("t*") == "".join(f"-- t{number}\n" for number in range(COUNT))
    assert [space.read(f"out/t{number}") for number in range(COUNT)] == [
        space.read("in.txt") * (number // 6 + 1) for number in range(COUNT)
    ]


@pytest.mark.parametrize("processes", [2, 4])
@pytest.mark.parametrize("options", [pytest.param([], id="serial"), pytest.param(["-n", "4"], id="parallel")])
def test_processes_that_run_the_same_tasks_all_succeed(busy, processes: int, options: list[str]):
    all_at_once(busy, [[*options, "t*"]] * processes)
    assert_finished(busy)
    busy.write({"in.txt": "2\n"})
    all_at_once(busy, [[*options, "t*"]] * processes)
    assert_finished(busy)


def test_processes_that_share_some_tasks_lose_no_record(busy):
    ends = range(COUNT - 6, COUNT)
    all_at_once(busy, [[f"t{end}", f"t{other}"] for end, other in zip(ends, [*ends][::-1], strict=True)])
    assert_finished(busy)


def test_no_record_is_lost_while_another_process_rewrites_the_records(busy):
    # Five times all tasks are more lines than are kept, so some of these processes write the file anew.
    for _ in range(3):
        all_at_once(busy, [["-a", "t*"]] * 4)
    journal = busy.root / ".conda/cwtasks/journal"
    assert len(journal.read_bytes().splitlines()) < 3 * 4 * COUNT
    assert_finished(busy)
    assert busy.ran("t*") == []


def test_a_process_that_only_asks_disturbs_nobody(busy):
    asking = [["list", "--status"], ["info", "t23"]]
    processes = [busy.start(*words) for words in [["t*"], *asking * 3]]
    outcomes = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    assert outcomes[0] == ("", 0)
    assert all(errors == "" for errors, _ in outcomes)
    assert_finished(busy)


def test_who_believes_the_record_of_another_process_sees_what_that_one_wrote(tmp_path):
    """What a store saw before another one ran a step must not become the input of the step that follows."""
    first = Step(id="first", task="first", environment=None, command="x", inputs=("in",), outputs=("middle",))
    second = Step(id="second", task="second", environment=None, command="x", inputs=("in", "middle"), outputs=("out",))

    def opened() -> tuple[StateStore, Tree]:
        return StateStore(str(tmp_path / "state"), root=str(tmp_path), platform="linux-64"), Tree(str(tmp_path))

    def run(step: Step, text: str) -> None:
        store, tree = opened()
        before = store.snapshot(step, tree)
        (tmp_path / step.outputs[0]).write_text(text)
        store.succeeded(step, tree, before, started_ns=1, duration_ns=1)

    (tmp_path / "in").write_text("1")
    run(first, "1")
    run(second, "1")
    time.sleep(0.03)
    for step in (first, second):
        store, tree = opened()
        assert store.check(step, tree).up_to_date  # and from now on known by its settled stamp
    (tmp_path / "in").write_text("2")
    store, tree = opened()
    assert not store.check(first, tree).up_to_date
    run(first, "2")
    assert store.check(first, tree).up_to_date
    subjects = [reason.subject for reason in store.check(second, tree).reasons]
    assert subjects == ["in", "middle"]
