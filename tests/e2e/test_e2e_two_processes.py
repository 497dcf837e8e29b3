"""Several doit at once in one workspace: all succeed, and no record is lost."""

import pytest

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
