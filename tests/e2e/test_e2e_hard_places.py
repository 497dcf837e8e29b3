"""Where nothing can be written, where the disk is full, and where what was written has been damaged."""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest
from disks import mounted

from cwtasks.globs import Tree
from cwtasks.graph.step import Step
from cwtasks.state import StateStore

DAY_NS = 86_400 * 10**9
COPY = """
[tasks.{name}]
cmd = "cp {name}.in {name}.out"
inputs = ["{name}.in"]
outputs = ["{name}.out"]
"""
NAMES = [f"t{number}" for number in range(10)]
NOT_KEPT = {"CWTASKS_KEEP_OUTPUTS": "off"}


def fill(folder: Path) -> Path:
    """Take all the space that a file system has left; return the file that takes it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                pass
    return filler


def unfinished(folder: Path) -> list[str]:
    """Return the names of files that were begun and have nothing in them, or are not yet in their places."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "journal"]
    return [path.name for path in files if path.stat().st_size == 0 or path.suffix[1:].isdigit()]


@pytest.fixture
def copies(space):
    space.write({"conda.toml": "".join(COPY.format(name=name) for name in NAMES)})
    space.write({f"{name}.in": name for name in NAMES})
    return space


def warned(space, *words: str, env: dict[str, str] | None = None) -> tuple[list[str], list[str]]:
    """Run doit, expect success, and return the names of what ran and the lines on stderr."""
    done = space.run(*words, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return [line[3:] for line in done.stdout.splitlines() if line.startswith(".  ")], done.stderr.splitlines()


def cannot_write(space, reason: str) -> list[str]:
    folder = space.root / ".conda/cwtasks"
    return [f"warning: {folder}: cannot write records: {reason}; steps may run again without need"]


# Read-only


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        pytest.param(".conda", "Not a directory", id="file-in-place-of-conda"),
        pytest.param(".conda/cwtasks", "File exists", id="file-in-place-of-the-state"),
    ],
)
def test_without_a_place_for_records_everything_runs_and_one_line_says_why(copies, place: str, reason: str):
    copies.write({place: ""})
    for _ in range(2):
        assert warned(copies, "t*", env=NOT_KEPT) == (NAMES, cannot_write(copies, reason))
    assert copies.read("t3.out") == "t3"


def test_a_folder_in_place_of_the_records_is_said_and_costs_runs_only(copies):
    (copies.root / ".conda/cwtasks/journal").mkdir(parents=True)
    ran, lines = warned(copies, "t*", env=NOT_KEPT)
    assert ran == NAMES
    assert lines
    assert all("cannot" in line for line in lines)


def test_records_that_cannot_be_written_can_still_be_read(copies):
    state = copies.root / ".conda"
    copies.doit("t*", env=NOT_KEPT)
    saved = shutil.copytree(state, copies.root.parent / "saved")
    copies.write({"t3.in": "new"})
    with mounted(state, "size=256k"):
        shutil.copytree(saved, state, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        assert warned(copies, "t*", env=NOT_KEPT) == (["t3"], cannot_write(copies, "Read-only file system"))
        assert copies.read("t3.out") == "new"
        assert "t3" in copies.doit("list")
    # Where nothing changed, nothing has to be written either, and there is nothing to complain of.
    assert copies.ran("t*", env=NOT_KEPT) == ["t3"]


def test_in_a_workspace_that_is_read_only_checks_can_be_run(space):
    saved = space.root.parent / "saved"
    saved.mkdir()
    (saved / "conda.toml").write_text('[tasks.check]\ncmd = "test -s in.txt"\ninputs = ["in.txt"]\n')
    (saved / "in.txt").write_text("1")
    with mounted(space.root, "size=64k"):
        shutil.copytree(saved, space.root, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", space.root], check=True)
        for _ in range(2):
            assert warned(space, "check") == (["check"], cannot_write(space, "Read-only file system"))


@pytest.mark.skipif(os.name != "posix", reason="modes of folders are POSIX")
def test_a_state_folder_without_permission_to_write_costs_runs_only(copies):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    state = copies.root / ".conda/cwtasks"
    state.mkdir(parents=True)
    state.chmod(0o555)
    try:
        assert warned(copies, "t*", env=NOT_KEPT) == (NAMES, cannot_write(copies, "Permission denied"))
    finally:
        state.chmod(0o755)


# A full disk


def test_on_a_full_disk_a_build_succeeds_and_says_once_that_nothing_is_recorded(copies):
    state = copies.root / ".conda"
    with mounted(state, "size=64k"):
        filler = fill(state)
        assert warned(copies, "t*", env=NOT_KEPT) == (NAMES, cannot_write(copies, "No space left on device"))
        assert [copies.read(f"{name}.out") for name in NAMES] == NAMES
        filler.unlink()
        assert unfinished(state) == []
        assert copies.ran("t*", env=NOT_KEPT) == NAMES
        assert copies.ran("t*", env=NOT_KEPT) == []


def test_on_a_disk_that_filled_up_nothing_unfinished_is_left(copies):
    state = copies.root / ".conda"
    with mounted(state, "size=64k"):
        (state / "cwtasks").mkdir()
        (state / "cwtasks/.gitignore").write_text("*\n")
        filler = fill(state)
        warned(copies, "t*", env=NOT_KEPT)
        filler.unlink()
        assert unfinished(state) == []


def test_a_disk_that_fills_up_during_a_build_keeps_what_was_recorded(copies):
    state = copies.root / ".conda"
    with mounted(state, "size=64k"):
        # Room for the folder and some of the records.
        (state / "cwtasks").mkdir()
        (state / "cwtasks/.gitignore").write_text("*\n")
        (state / "cwtasks/journal").touch()
        filler = fill(state)
        os.truncate(filler, filler.stat().st_size - 4096)
        # So many variables that ten records are more than a page.
        manifest = copies.read("conda.toml").replace("[tasks", "\n[tasks").split("\n\n")
        variables = ", ".join(f"V{number} = '{number:020}'" for number in range(40))
        tasks = [f"{task.strip()}\nenv = {{ {variables} }}\n" for task in manifest if task.strip()]
        copies.write({"conda.toml": "".join(tasks)})
        # A manifest from the future is read each time: nothing but records is written.
        os.utime(copies.root / "conda.toml", ns=(1, time.time_ns() + DAY_NS))
        ran, lines = warned(copies, "t*", env=NOT_KEPT)
        assert (ran, lines) == (NAMES, cannot_write(copies, "No space left on device"))
        journal = (state / "cwtasks/journal").read_bytes()
        assert intact(journal)
        assert journal.endswith(b"\n")
        filler.unlink()
        recorded = {name for name in NAMES if b'"run:%s"' % name.encode() in journal}
        assert 0 < len(recorded) < len(NAMES)
        assert set(copies.ran("t*", env=NOT_KEPT)) == set(NAMES) - recorded
        assert copies.ran("t*", env=NOT_KEPT) == []


def test_on_a_full_disk_nothing_is_kept_and_nothing_else_suffers(copies):
    cache = copies.root.parent / "cache"
    environ = {"CWTASKS_CACHE": str(cache)}
    with mounted(cache, "size=64k"):
        filler = fill(cache)
        assert copies.ran("t*", env=environ) == NAMES
        filler.unlink()
        assert unfinished(cache) == []
        switch(copies, "2")
        assert copies.ran("t0", env=environ) == ["t0"]
        switch(copies, "1")
        assert copies.ran("t0", env=environ) == ["t0"]
        switch(copies, "2")
        assert copies.doit("t0", env=environ) == "-- t0 (restored)\n"
        # Not even restoring needs space there.
        fill(cache)
        switch(copies, "1")
        assert copies.doit("t0", env=environ) == "-- t0 (restored)\n"
        switch(copies, "3")
        assert copies.ran("t0", env=environ) == ["t0"]


# Damaged records


def intact(journal: bytes) -> list[bytes]:
    """Return the entries of a journal that are whole; an opinion of its own, not that of the program."""
    entries = []
    for line in journal.split(b"\n")[:-1]:
        check, _, entry = line.partition(b" ")
        if check == b"%08x" % crc32(entry):
            entries.append(entry)
    return entries


def truncated(journal: bytes, chance: random.Random) -> bytes:
    return journal[: chance.randrange(1, len(journal))]


def flipped(journal: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(journal)
    for _ in range(chance.randrange(1, 5)):
        damaged[chance.randrange(len(damaged))] ^= chance.randrange(1, 256)
    return bytes(damaged)


def with_garbage(journal: bytes, chance: random.Random) -> bytes:
    return journal + chance.randbytes(chance.randrange(1, 500))


def with_a_hole(journal: bytes, chance: random.Random) -> bytes:
    """Return what a power cut leaves: the length is there, a page in the middle is not."""
    start = chance.randrange(len(journal))
    page = journal[start : start + 512]
    return journal[:start] + b"\0" * len(page) + journal[start + 512 :]


@pytest.mark.parametrize("damage", [truncated, flipped, with_garbage, with_a_hole])
@pytest.mark.parametrize("seed", range(3))
def test_of_damaged_records_the_good_ones_count(copies, damage: Callable[..., bytes], seed: int):
    copies.doit("t*", env=NOT_KEPT)
    path = copies.root / ".conda/cwtasks/journal"
    before = path.read_bytes()
    damaged = damage(before, random.Random(seed))
    path.write_bytes(damaged)
    good = [name for name in NAMES if any(entry.startswith(b'"run:%s" ' % name.encode()) for entry in intact(damaged))]
    ran, lines = warned(copies, "t*", env=NOT_KEPT)
    assert ran == [name for name in NAMES if name not in good]
    is_cut_between_records = before.startswith(damaged) and damaged.endswith(b"\n")
    if not is_cut_between_records:
        assert len(lines) == 1
        assert lines[0].startswith(f"warning: {path}: ")
        assert lines[0].endswith("damaged record(s) left out; what they stood for runs again")
    assert copies.ran("t*", env=NOT_KEPT) == []


def test_lost_records_do_not_lose_what_is_kept(copies):
    copies.doit("t*")
    (copies.root / ".conda/cwtasks/journal").unlink()
    assert copies.doit("t*") == "".join(f"-- {name} (restored)\n" for name in NAMES)


# Clocks


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead_ns


@pytest.mark.parametrize("days", [-3650, -1, 1, 3650])
def test_a_clock_that_jumps_changes_nothing(tmp_path, days: int):
    clock, tree = Clock(), Tree(str(tmp_path))
    step = Step(id="s", task="s", environment=None, command="x", inputs=("in",), outputs=("out",))
    source, target = tmp_path / "in", tmp_path / "out"

    def opened() -> StateStore:
        return StateStore(str(tmp_path / "state"), root=str(tmp_path), platform="linux-64", clock=clock)

    def why() -> list[str]:
        tree.changed()
        return [reason.text for reason in opened().check(step, tree).reasons]

    def run() -> None:
        before = opened().snapshot(step, tree)
        target.write_text(source.read_text())
        opened().succeeded(step, tree, before, started_ns=clock(), duration_ns=1)

    source.write_text("1")
    run()
    time.sleep(0.03)
    assert why() == []
    clock.ahead_ns = days * DAY_NS
    assert why() == []
    source.write_text("2")
    assert why() == ["input in changed"]
    run()
    clock.ahead_ns = 0
    assert why() == []
    source.write_text("1")
    assert why() == ["input in changed"]


@pytest.mark.parametrize("days", [-3650, 3650])
def test_stamps_of_another_time_change_nothing(copies, days: int):
    def restamp() -> None:
        for path in copies.root.glob("*"):
            os.utime(path, ns=(1, time.time_ns() + days * DAY_NS))

    restamp()
    assert copies.ran("t*") == NAMES
    restamp()
    assert copies.ran("t*") == []
    copies.write({"t3.in": "3t"})
    restamp()
    assert copies.ran("t*") == ["t3"]
    assert copies.ran("t*") == []


# Kept outputs

BUILD = """
[tasks.t0]
cmd = "cp in.txt app; chmod +x app; rm -rf out; mkdir out; for f in src/*; do cp $f in.txt out; done"
inputs = ["in.txt", "src"]
outputs = ["app", "out"]
"""


def switch(space, text: str) -> None:
    space.write({"t0.in": text})


@pytest.fixture
def branches(space):
    """A workspace that was built on two branches; the present one is the second."""
    space.write({"conda.toml": BUILD, "in.txt": "one\n", "src/a": "a\n", "src/b": "b\n"})
    assert space.ran("t0") == ["t0"]
    space.branches = {"one": outputs_of(space)}
    space.write({"in.txt": "two\n"})
    assert space.ran("t0") == ["t0"]
    space.branches["two"] = outputs_of(space)
    return space


def outputs_of(space) -> dict[str, tuple[str, int]]:
    paths = [space.root / "app", *sorted((space.root / "out").iterdir())]
    return {path.name: (path.read_text(), path.stat().st_mode) for path in paths}


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and ".conda" not in path.parts)


def blobs_of(space) -> list[Path]:
    return files_below(space.home / ".cache/cwtasks/blobs")


def blob_of(space, text: str) -> Path:
    return next(path for path in blobs_of(space) if path.read_text() == text)


def test_going_back_and_forth_restores_bytes_and_modes(branches):
    for name in ["one", "two", "one"]:
        branches.write({"in.txt": f"{name}\n"})
        assert branches.doit("t0") == "-- t0 (restored)\n"
        assert outputs_of(branches) == branches.branches[name]
        assert branches.doit("t0") == "-- t0\n"
    assert branches.branches["one"]["app"][1] & 0o111


def test_what_was_restored_is_a_file_of_its_own(branches):
    branches.write({"in.txt": "one\n"})
    branches.doit("t0")
    with (branches.root / "app").open("r+") as file:
        file.write("EVIL")
    branches.write({"in.txt": "two\n"})
    assert branches.ran("t0") == ["t0"]
    branches.write({"in.txt": "one\n"})
    assert branches.doit("t0") == "-- t0 (restored)\n"
    assert outputs_of(branches) == branches.branches["one"]


def test_outputs_that_the_other_branch_does_not_have_go_away(branches):
    branches.write({"src/c": "c\n"})
    assert branches.ran("t0") == ["t0"]
    (branches.root / "src/c").unlink()
    assert branches.doit("t0") == "-- t0 (restored)\n"
    assert outputs_of(branches) == branches.branches["two"]
    branches.write({"src/c": "c\n"})
    assert branches.doit("t0") == "-- t0 (restored)\n"
    assert "c" in outputs_of(branches)


def test_where_something_unknown_stands_among_the_outputs_the_task_runs(branches):
    branches.write({"in.txt": "one\n", "out/mine": "mine\n"})
    assert branches.ran("t0") == ["t0"]


def test_a_file_of_the_user_among_the_outputs_is_never_taken_back_to_an_old_version(space):
    space.write({"conda.toml": '[tasks.t]\ncmd = "cp in.txt out/app"\ninputs = ["in.txt"]\noutputs = ["out/*"]\n'})
    for text in ["1", "2", "1"]:
        space.write({"in.txt": text, "out/README": f"of my own, {text}{text}"})
        assert space.ran("t") == ["t"]
        space.write({"out/README": f"edited after {text}"})
        assert space.ran("t") == ["t"]
        assert space.read("out/README") == f"edited after {text}"
    space.write({"in.txt": "2"})
    assert space.ran("t") == ["t"]
    assert space.read("out/README") == "edited after 1"


def test_a_source_that_the_task_edits_is_never_taken_back(space):
    command = "for f in src/*; do tr a-z A-Z < $f > tmp && mv tmp $f; done"
    space.write({"conda.toml": f'[tasks.t]\ncmd = "{command}"\ninputs = ["src"]\noutputs = ["src"]\n', "src/a": "one"})
    assert space.ran("t") == ["t"]
    space.write({"src/a": "two"})
    assert space.ran("t") == ["t"]
    space.write({"src/a": "one"})
    assert space.ran("t") == ["t"]
    assert space.read("src/a") == "ONE"


def test_what_a_task_made_of_an_input_edited_meanwhile_is_not_kept(space):
    # The command does what an editor may do at that moment.
    command = "if [ -e edit ]; then cp edit in.txt; fi; cp in.txt out.txt"
    manifest = f'[tasks.t]\ncmd = "{command}"\ninputs = ["in.txt"]\noutputs = ["out.txt"]\n'
    space.write({"conda.toml": manifest, "in.txt": "1", "edit": "2"})
    assert space.ran("t") == ["t"]
    (space.root / "edit").unlink()
    assert space.ran("t") == ["t"]
    space.write({"in.txt": "1"})
    assert space.ran("t") == ["t"]
    assert space.read("out.txt") == "1"


def test_a_damaged_blob_is_dropped_and_the_task_runs(branches):
    blob = blob_of(branches, "one\n")
    blob.write_text("ONE\n")
    branches.write({"in.txt": "one\n"})
    assert branches.ran("t0") == ["t0"]
    assert outputs_of(branches) == branches.branches["one"]
    assert blob.read_text() == "one\n"
    branches.write({"in.txt": "two\n"})
    assert branches.doit("t0") == "-- t0 (restored)\n"
    branches.write({"in.txt": "one\n"})
    assert branches.doit("t0") == "-- t0 (restored)\n"


@pytest.mark.parametrize("text", ["one\n", "a\n", "b\n"])
@pytest.mark.parametrize("damage", ["edited", "cut", "missing"])
def test_of_damaged_blobs_nothing_comes_into_the_workspace(branches, text: str, damage: str):
    blob = blob_of(branches, text)
    if damage == "missing":
        blob.unlink()
    else:
        blob.write_text("EVIL\n" if damage == "edited" else "")
    branches.write({"in.txt": "one\n"})
    before = {path: path.read_bytes() for path in files_below(branches.root)}
    # A command that finds no program changes nothing, so what differs afterwards is what restoring has done.
    branches.fails("t0", status=127, env={"PATH": "/nowhere"})
    assert {path: path.read_bytes() for path in files_below(branches.root)} == before
    assert branches.ran("t0") == ["t0"]
    assert outputs_of(branches) == branches.branches["one"]


def test_a_damaged_result_costs_a_run(branches):
    (branches.home / ".cache/cwtasks/results").write_text("{")
    branches.write({"in.txt": "one\n"})
    assert branches.ran("t0") == ["t0"]
    branches.write({"in.txt": "two\n"})
    branches.doit("t0")
    branches.write({"in.txt": "one\n"})
    assert branches.doit("t0") == "-- t0 (restored)\n"


def test_beyond_the_limit_what_was_not_used_for_longest_goes(space):
    limit = {"CWTASKS_CACHE_SIZE": "11K"}
    space.write({"conda.toml": COPY.format(name="t")})
    for letter in "ab":
        space.write({"t.in": letter * 4096})
        assert space.ran("t", env=limit) == ["t"]
    space.write({"t.in": "a" * 4096})
    assert space.doit("t", env=limit) == "-- t (restored)\n"
    space.write({"t.in": "c" * 4096})
    assert space.ran("t", env=limit) == ["t"]
    assert [path.read_text()[0] for path in blobs_of(space)] in (["a", "c"], ["c", "a"])
    space.write({"t.in": "a" * 4096})
    assert space.doit("t", env=limit) == "-- t (restored)\n"
    space.write({"t.in": "b" * 4096})
    assert space.ran("t", env=limit) == ["t"]


def test_switched_off_nothing_is_kept_and_nothing_restored(branches):
    before = blobs_of(branches)
    branches.write({"in.txt": "one\n"})
    assert branches.ran("t0", env=NOT_KEPT) == ["t0"]
    branches.write({"in.txt": "three\n"})
    assert branches.ran("t0", env=NOT_KEPT) == ["t0"]
    assert blobs_of(branches) == before


@pytest.mark.parametrize(
    ("before", "options"),
    [
        pytest.param(lambda space: space.doit("forget", "t0"), [], id="forgotten"),
        pytest.param(lambda _: None, ["-a"], id="asked-to-run-always"),
        pytest.param(lambda space: space.write({"app": "mine\n"}), [], id="output-edited"),
        pytest.param(lambda space: (space.root / "app").unlink(), [], id="output-deleted"),
        pytest.param(lambda space: (space.root / "out/b").chmod(0o755), [], id="output-made-executable"),
        pytest.param(
            lambda space: space.fails("t0", status=127, env={"PATH": "/nowhere", **NOT_KEPT}), [], id="last-run-failed"
        ),
    ],
)
def test_who_has_reason_to_doubt_gets_a_run(branches, before: Callable[[object], object], options: list[str]):
    branches.write({"in.txt": "one\n"})
    before(branches)
    assert branches.ran(*options, "t0") == ["t0"]
    assert outputs_of(branches)["app"] == branches.branches["one"]["app"]


def test_another_workspace_gets_nothing_of_it(branches, tmp_path):
    branches.root = shutil.copytree(branches.root, tmp_path / "other", ignore=shutil.ignore_patterns(".conda"))
    assert branches.ran("t0") == ["t0"]


def test_asking_restores_nothing(branches):
    branches.write({"in.txt": "one\n"})
    before = outputs_of(branches)
    branches.run("list", "--status")
    branches.run("info", "t0")
    assert outputs_of(branches) == before
