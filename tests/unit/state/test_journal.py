import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from cwtasks.state.journal import Journal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal"


def reopened(path):
    journal = Journal(str(path))
    journal.refresh()
    return journal


def contents(path):
    journal = reopened(path)
    return {key: journal.get(key) for key in journal.known_keys()}


def script(text, *arguments):
    """Start another process that has a journal at its first argument."""
    start = "import sys, os\nfrom cwtasks.state.journal import Journal\njournal = Journal(sys.argv[1])\n"
    return subprocess.Popen(
        [sys.executable, "-c", start + textwrap.dedent(text), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_reading_creates_nothing(path):
    assert contents(path) == {}
    assert not path.parent.exists()


def test_values_come_back_in_another_process_life(path):
    values = {"run:a b(c=ü)": {"x": [1, None, "\udc80\n"]}, "plain": "text", "": 0}
    Journal(str(path)).write(values)
    assert contents(path) == values


def test_the_last_value_of_a_key_wins_and_none_removes_it(path):
    journal = Journal(str(path))
    journal.write({"a": 1, "b": 1})
    journal.write({"a": 2})
    journal.write({"b": None, "never": None})
    assert contents(path) == {"a": 2} == {key: journal.get(key) for key in journal.known_keys()}


def test_what_another_process_appends_is_seen_after_a_refresh(path):
    mine, other = Journal(str(path)), Journal(str(path))
    mine.write({"a": 1})
    other.write({"b": 2})
    assert mine.get("b") is None
    mine.refresh()
    assert mine.get("b") == 2


def test_a_damaged_line_costs_only_itself(path):
    Journal(str(path)).write({"a": 1, "b": 2, "c": 3})
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"2", b"7") + b"\0\xff garbage\n\n" + lines[2])
    journal = reopened(path)
    assert (journal.get("a"), journal.get("b"), journal.get("c")) == (1, None, 3)
    assert journal.warnings == [f"{path}: 3 damaged record(s) left out; what they stood for runs again"]


def test_the_next_write_repairs_the_file(path):
    Journal(str(path)).write({"a": 1})
    path.write_bytes(path.read_bytes() + b"garbage\n")
    reopened(path).write({"b": 2})
    journal = reopened(path)
    assert journal.warnings == []
    assert (journal.get("a"), journal.get("b")) == (1, 2)


def test_an_unfinished_line_is_closed_before_the_next_one(path):
    Journal(str(path)).write({"a": 1, "b": 2})
    path.write_bytes(path.read_bytes()[:-4])
    journal = Journal(str(path))
    journal.write({"c": 3})
    assert len(journal.warnings) == 1
    assert contents(path) == {"a": 1, "c": 3}


def test_an_unfinished_line_found_later_does_not_swallow_the_next(path):
    journal = Journal(str(path))
    journal.write({"a": 1})
    with path.open("ab") as file:
        file.write(b"deadbeef half a li")
    journal.refresh()
    journal.write({"b": 2})
    assert contents(path) == {"a": 1, "b": 2}


def test_superseded_lines_are_compacted_away(path):
    journal = Journal(str(path))
    journal.write({f"key {number}": number for number in range(50)})
    for number in range(1000):
        journal.write({"hot": number})
    assert len(path.read_bytes().splitlines()) < 300
    assert contents(path) == {**{f"key {number}": number for number in range(50)}, "hot": 999}
    assert os.listdir(path.parent) == ["journal"]


def test_a_journal_compacted_by_another_process_is_followed(path):
    mine, other = Journal(str(path)), Journal(str(path))
    mine.write({"mine": 1})
    for number in range(500):
        other.write({"hot": number})
    mine.refresh()
    assert mine.get("hot") == 499
    for number in range(500):
        other.write({"hot": number})
    mine.write({"mine": 2})
    other.refresh()
    assert contents(path) == {"mine": 2, "hot": 499}
    assert other.get("mine") == 2


def test_a_journal_that_was_removed_is_begun_anew(path):
    journal = Journal(str(path))
    journal.write({"a": 1})
    path.unlink()
    path.parent.rmdir()
    journal.refresh()
    assert journal.get("a") is None
    journal.write({"b": 2})
    assert contents(path) == {"b": 2}


def test_a_journal_that_was_emptied_is_read_anew(path):
    journal = Journal(str(path))
    journal.write({"a": 1})
    path.write_bytes(b"")
    journal.refresh()
    assert journal.known_keys() == []


def test_a_folder_that_cannot_be_made_is_an_error_and_keeps_what_is_known(tmp_path):
    (tmp_path / "file").write_text("")
    journal = Journal(str(tmp_path / "file" / "journal"))
    journal.refresh()
    with pytest.raises(OSError):
        journal.write({"a": 1})


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_full_disk_leaves_the_file_as_it_was(path):
    Journal(str(path)).write({"a": 1, "b": 2})
    before = path.read_bytes()
    process = script(
        """
        import resource
        size = os.path.getsize(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
        for _ in range(2):
            try:
                journal.write({"c": "x" * 100})
            except OSError:
                print("refused", journal.get("a"), journal.get("c"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert os.path.getsize(sys.argv[1]) == size
        journal.write({"d": 4})
        """,
        path,
    )
    assert process.communicate()[0].splitlines() == ["refused 1 None"] * 2
    assert process.returncode == 0
    assert path.read_bytes().startswith(before)
    assert contents(path) == {"a": 1, "b": 2, "d": 4}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
def test_a_killed_process_loses_nothing_it_finished(path):
    process = script(
        """
        for number in range(1_000_000):
            journal.write({f"step {number % 300}": number, "x": "y" * 2000})
            os.write(1, b"%d\\n" % number)
        """,
        path,
    )
    finished = [int(process.stdout.readline()) for _ in range(700)]
    process.kill()
    finished += [int(line) for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdin.close()
    process.stdout.close()
    found = contents(path)
    newest = {f"step {number % 300}": number for number in finished}
    assert all(found[key] >= number for key, number in newest.items())
    Journal(str(path)).write({"after": 1})
    assert contents(path)["after"] == 1


def test_processes_that_write_at_once_lose_nothing(path):
    writers = [
        script(
            """
            print("ready", flush=True)
            sys.stdin.readline()
            for number in range(200):
                journal.write({f"{sys.argv[2]} {number}": number})
                for again in range(5):
                    journal.write({f"hot {sys.argv[2]}": again})
            """,
            path,
            name,
        )
        for name in "abc"
    ]
    for process in writers:
        process.stdout.readline()
    for process in writers:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    found = contents(path)
    assert {key: value for key, value in found.items() if "hot" not in key} == {
        f"{name} {number}": number for name in "abc" for number in range(200)
    }
    assert [found[f"hot {name}"] for name in "abc"] == [4, 4, 4]
    assert len(path.read_bytes().splitlines()) < 3 * 1200
    assert reopened(path).warnings == []


def test_a_large_journal_loads_much_faster_than_its_values_decode(path):
    Journal(str(path)).write({f"step {number}": {"facts": ["x" * 40] * 10} for number in range(10_000)})
    start = time.perf_counter()
    journal = reopened(path)
    loading = time.perf_counter() - start
    start = time.perf_counter()
    for number in range(10_000):
        journal.get(f"step {number}")
    assert loading < 2 * (time.perf_counter() - start)
