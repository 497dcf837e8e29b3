"""A workspace that was finished elsewhere is finished here: what is remembered holds no place, no time and no name.

``tests/workspaces/finished`` is committed with its records. When their layout or the manifest changes, build it anew::

    cd tests/workspaces/finished
    rm -rf .conda out
    CWTASKS_KEEP_OUTPUTS=off doit
    rm -f .conda/cwtasks/.gitignore .conda/cwtasks/answer-*
"""

import getpass
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cwtasks.host import host_subdir

FINISHED = Path(__file__).resolve().parents[1] / "workspaces/finished"
JOURNAL = ".conda/cwtasks/journal"
STEPS = ["join", "count", "count(option=-l)", "copies", "program", "check"]

pytestmark = pytest.mark.skipif(
    host_subdir(sys.platform, platform.machine()) != "linux-64", reason="it was finished on linux-64"
)


@pytest.fixture
def finished(space):
    """A copy in another place, in which every file is as old as a checkout makes it."""
    space.root = space.root / "some where" / "else"
    shutil.copytree(FINISHED, space.root, copy_function=shutil.copyfile)
    (space.root / "out/greet").chmod(0o755)
    shutil.rmtree(space.root / ".conda/cwtasks")
    (space.root / ".conda/cwtasks").mkdir()
    shutil.copyfile(FINISHED / JOURNAL, space.root / JOURNAL)
    return space


def entries(journal: Path) -> dict[str, dict]:
    """Return the records of a journal, by key; the last of each counts."""
    lines = [line.split(" ", 2) for line in journal.read_text().splitlines()]
    return {json.loads(key): json.loads(record) for _, key, record in lines}


def test_everything_is_up_to_date(finished):
    assert finished.doit() == "".join(f"-- {step}\n" for step in STEPS)
    assert finished.doit() == "".join(f"-- {step}\n" for step in STEPS)


@pytest.mark.parametrize("seconds", [0, 1_000_000_000, 4_000_000_000])
def test_times_do_not_count(finished, seconds: int):
    for path in finished.root.rglob("*"):
        os.utime(path, (seconds, seconds))
    assert finished.ran() == []


def test_it_is_finished_for_whoever_runs_it(finished):
    environ = {"HOME": "/nowhere", "USER": "somebody", "LOGNAME": "somebody", "HOSTNAME": "far-away", "LANG": "C"}
    assert finished.ran(env=environ) == []
    assert finished.ran("-n", "4") == []
    assert finished.ran(cwd="src/parts") == []


def test_it_is_not_finished_when_something_is_changed(finished):
    finished.write({"src/parts/first.txt": "uno\n"})
    assert finished.ran() == ["join", "count", "count(option=-l)", "copies"]
    (finished.root / "out/greet").chmod(0o644)
    assert finished.ran() == ["program"]


def test_what_is_remembered_names_no_place_and_nobody():
    text = (FINISHED / JOURNAL).read_text()
    names = [str(FINISHED.parent), str(Path.home()), platform.node(), getpass.getuser()]
    assert [name for name in names if name in text] == []
    paths = [
        path for record in entries(FINISHED / JOURNAL).values() for path in [*record["inputs"], *record["outputs"]]
    ]
    assert len(paths) > 10
    assert [path for path in paths if path.startswith(("/", "."))] == []
    assert "<workspace>/conda.toml" in text


def test_what_is_remembered_is_what_a_build_here_remembers(space):
    shutil.copytree(FINISHED, space.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".conda", "out"))
    assert space.ran() == STEPS
    built, committed = (
        {key: _without_times(record) for key, record in entries(root / JOURNAL).items()}
        for root in (space.root, FINISHED)
    )
    assert built == committed
    for path in (FINISHED / "out").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (space.root / path.relative_to(FINISHED)).read_bytes()


def _without_times(record: dict) -> dict:
    files = {role: {path: digest for path, (digest, _) in record[role].items()} for role in ("inputs", "outputs")}
    return {**record, **files, "started": None, "duration": None}


def test_the_records_are_under_version_control():
    done = subprocess.run(["git", "check-ignore", JOURNAL], cwd=FINISHED, capture_output=True, text=True, check=False)
    if done.returncode == 128:
        pytest.skip(f"no repository here: {done.stderr.strip()}")
    assert done.stdout == ""
