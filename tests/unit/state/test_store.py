import hashlib
import os
import shutil
import time

import pytest

from cwtasks.globs import Tree
from cwtasks.graph.step import Step
from cwtasks.state import Record, StateStore

STEP = Step(id="build", task="build", environment="default", command="make", inputs=("src/*.c",), outputs=("app",))


class Desk:
    """A workspace with a store, and a hand that runs steps."""

    def __init__(self, root, *, clock=time.time_ns, platform="linux-64"):
        self.root = root
        self.clock = clock
        self.platform = platform
        self.reopen()

    def reopen(self):
        self.tree = Tree(str(self.root))
        self.store = StateStore(
            str(self.root / ".conda/cwtasks"), root=str(self.root), platform=self.platform, clock=self.clock
        )
        return self

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.tree.changed()

    def run(self, step=STEP, **made):
        before = self.store.snapshot(step, self.tree)
        for name, text in made.items():
            self.write(name, text)
        return self.store.succeeded(step, self.tree, before, started_ns=7, duration_ns=3)

    def why(self, step=STEP):
        self.tree.changed()
        verdict = self.store.check(step, self.tree)
        assert verdict.up_to_date is (not verdict.reasons)
        return [reason.text for reason in verdict.reasons]


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    desk.write("src/a.c", "int a;")
    desk.write("src/b.c", "int b;")
    return desk


def changed(step=STEP, **fields):
    values = {name: getattr(step, name) for name in step.__dataclass_fields__}
    return Step(**{**values, **fields})


def test_a_step_runs_once_and_is_then_up_to_date(desk):
    assert desk.why() == ["never ran"]
    assert desk.run(app="binary") == []
    assert desk.why() == []
    assert desk.reopen().why() == []


def test_asking_leaves_no_trace(desk):
    desk.why()
    desk.store.is_ignored("build")
    desk.store.forget_all()
    assert not (desk.root / ".conda").exists()


def test_the_folder_stays_out_of_version_control(desk):
    desk.run(app="binary")
    assert (desk.root / ".conda/cwtasks/.gitignore").read_text() == "*\n"


def test_every_change_of_a_file_is_told(desk):
    desk.write("src/c.c", "int c;")
    desk.run(app="binary")
    desk.write("src/a.c", "int A;")
    desk.write("src/new.c", "")
    (desk.root / "src/c.c").unlink()
    desk.write("app", "edited")
    assert desk.why() == [
        "input src/a.c changed",
        "input src/c.c is gone",
        "input src/new.c is new",
        "output app was edited",
    ]
    (desk.root / "app").unlink()
    assert desk.why()[-1] == "output app is missing"


def test_every_change_of_the_step_is_told(desk):
    desk.run(app="binary")
    assert desk.why(changed(command="make -j")) == ["command changed"]
    assert desk.why(changed(env=(("CC", "clang"),))) == ["variable CC is new"]
    desk.platform = "osx-64"
    assert desk.reopen().why() == ["platform changed: linux-64 → osx-64"]


def test_an_output_declared_later_and_missing_is_told(desk):
    desk.run(app="binary")
    assert desk.why(changed(outputs=("app", "app.map"))) == ["output app.map is missing"]


def test_a_new_file_among_the_outputs_does_not_matter(desk):
    step = changed(outputs=("dist/*",))
    desk.write("dist/one", "1")
    desk.run(step)
    desk.write("dist/two", "2")
    assert desk.why(step) == []
    desk.write("dist/one", "2")
    assert desk.why(step) == ["output dist/one was edited"]


def test_a_change_that_keeps_size_and_time_is_seen(desk):
    desk.run(app="binary")
    status = os.stat(desk.root / "src/a.c")
    desk.write("src/a.c", "int z;")
    os.utime(desk.root / "src/a.c", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert desk.why() == ["input src/a.c changed"]


@pytest.mark.skipif(os.name != "posix", reason="an executable bit is POSIX")
def test_a_file_that_becomes_executable_is_changed(desk):
    desk.run(app="binary")
    (desk.root / "app").chmod(0o755)
    assert desk.why() == ["output app was edited"]


def test_a_touched_file_is_read_once_and_not_for_ever(tmp_path):
    reads = []

    def clock():
        reads.append(1)
        return time.time_ns() + 10_000_000_000

    desk = Desk(tmp_path, clock=clock)
    desk.write("src/a.c", "int a;")
    desk.run(app="binary")
    assert desk.reopen().why() == []
    assert len(reads) == 2
    time.sleep(0.03)
    os.utime(desk.root / "src/a.c")
    assert desk.reopen().why() == []
    assert len(reads) == 3
    assert desk.reopen().why() == []
    assert len(reads) == 3
    assert desk.store.record("build").started_ns == 7


def test_an_input_edited_during_the_run_makes_it_run_again(desk):
    before = desk.store.check(STEP, desk.tree).state
    desk.write("app", "binary")
    desk.write("src/a.c", "int newer;")
    desk.store.succeeded(STEP, desk.tree, before, started_ns=1, duration_ns=1)
    assert desk.why() == ["input src/a.c changed"]


def test_an_output_whose_digest_was_taken_while_it_was_written_is_not_read_again(desk, monkeypatch):
    before = desk.store.check(STEP, desk.tree).state
    desk.write("app", "binary")
    digest = hashlib.sha256(b"binary").hexdigest()
    with monkeypatch.context() as patch:
        patch.setattr("cwtasks.state.digests.read_state", lambda path, clock: pytest.fail(f"{path} was read"))
        desk.store.succeeded(STEP, desk.tree, before, started_ns=1, duration_ns=1, written={"app": digest})
    assert desk.why() == []
    desk.write("app", "others")
    assert desk.why() == ["output app was edited"]


def test_a_digest_taken_while_writing_does_not_stand_for_what_came_after(desk):
    before = desk.store.check(STEP, desk.tree).state
    desk.write("app", "another hand's")
    digest = hashlib.sha256(b"binary").hexdigest()
    desk.store.succeeded(STEP, desk.tree, before, started_ns=1, duration_ns=1, written={"app": digest})
    assert desk.why() == ["output app was edited"]


def test_a_formatter_settles_after_one_run(desk):
    step = Step(id="fmt", task="fmt", environment=None, command="fmt", inputs=("src/*.c",), outputs=("src/a.c",))
    before = desk.store.snapshot(step, desk.tree)
    desk.write("src/a.c", "formatted")
    desk.store.succeeded(step, desk.tree, before, started_ns=1, duration_ns=1)
    assert desk.why(step) == []
    desk.write("src/a.c", "badly  formatted")
    assert desk.why(step) == ["input src/a.c changed", "output src/a.c was edited"]


def test_a_step_that_makes_one_of_its_inputs_settles_after_one_run(desk):
    step = changed(outputs=("src/gen.c",))
    before = desk.store.snapshot(step, desk.tree)
    desk.write("src/gen.c", "generated")
    desk.store.succeeded(step, desk.tree, before, started_ns=1, duration_ns=1)
    assert desk.why(step) == []


def test_a_step_without_files_always_runs_but_its_run_is_known(desk):
    step = changed(inputs=(), outputs=())
    verdict = desk.store.check(step, desk.tree)
    assert (verdict.up_to_date, verdict.state) == (False, None)
    assert desk.run(step) == []
    assert desk.why(step) == ["declares neither inputs nor outputs"]
    assert desk.store.record("build").duration_ns == 3
    assert desk.why() == ["output app is missing"]


def test_a_step_that_begins_to_declare_files_runs(desk):
    desk.run(changed(inputs=(), outputs=()))
    desk.write("app", "binary")
    assert desk.why() == ["last run was not recorded"]


def test_inputs_that_match_nothing_prove_nothing(desk):
    step = changed(inputs=("*.rs", "Cargo.toml"), outputs=())
    assert desk.why(step) == ["never ran", "pattern '*.rs' matches nothing", "pattern 'Cargo.toml' matches nothing"]
    assert desk.run(step) == [
        "build: input pattern '*.rs' matches nothing, so it will run again next time",
        "build: input pattern 'Cargo.toml' matches nothing, so it will run again next time",
    ]
    assert desk.why(step) == ["pattern '*.rs' matches nothing", "pattern 'Cargo.toml' matches nothing"]


def test_a_literal_output_that_was_not_made_proves_nothing(desk):
    step = changed(outputs=("app", "app.map"))
    assert desk.run(step, app="binary") == [
        "build: output pattern 'app.map' matches nothing, so it will run again next time"
    ]
    assert desk.why(step) == ["output app.map is missing"]


def test_outputs_that_match_nothing_prove_nothing(desk):
    step = changed(outputs=("dist/*.whl",))
    assert desk.run(step) == ["build: output pattern 'dist/*.whl' matches nothing, so it will run again next time"]
    assert desk.why(step) == ["pattern 'dist/*.whl' matches nothing"]


def test_one_pattern_of_several_that_matches_nothing_is_only_a_warning(desk):
    step = changed(inputs=("src/*.c", "src/*.h"))
    assert desk.run(step, app="binary") == ["build: input pattern 'src/*.h' matches nothing"]
    assert desk.why(step) == []


def test_a_failure_runs_again_and_keeps_what_the_last_success_left(desk):
    desk.run(app="binary")
    desk.store.failed(STEP)
    assert desk.reopen().why() == ["last run failed"]
    assert desk.store.outputs("build") == ["app"]
    desk.write("src/a.c", "int A;")
    assert desk.why() == ["last run failed", "input src/a.c changed"]
    desk.run(app="binary")
    assert desk.why() == []


def test_a_first_run_that_fails_is_known_as_failed(desk):
    desk.store.failed(STEP)
    assert desk.why() == ["last run failed", "output app is missing"]


def test_accepting_takes_the_files_as_they_are(desk):
    desk.write("app", "made by hand")
    assert desk.store.accept(STEP, desk.tree) == []
    assert desk.why() == []
    assert desk.store.accept(changed(inputs=(), outputs=()), desk.tree) == []


def test_forgetting_clears_the_record_and_the_mark(desk):
    desk.run(app="binary")
    desk.store.ignore("build")
    assert desk.reopen().store.is_ignored("build")
    desk.store.forget("build")
    assert not desk.reopen().store.is_ignored("build")
    assert desk.why() == ["was forgotten"]


def test_forgetting_everything(desk):
    desk.run(app="binary")
    desk.store.ignore("other")
    desk.store.forget_all()
    assert desk.store.record("build").status == "forgotten"
    assert desk.store.outputs("build") == []
    assert not desk.store.is_ignored("other")


def test_steps_that_are_gone_are_pruned(desk):
    desk.run(app="binary")
    desk.run(changed(id="old: step"), app="binary")
    desk.store.prune(lambda step_id: step_id == "build")
    assert desk.reopen().store.record("old: step") is None
    assert desk.why() == []


def test_two_stores_see_each_other(desk):
    other = Desk(desk.root)
    assert other.why() == ["never ran"]
    desk.run(app="binary")
    assert other.why() == []


def test_records_of_another_layout_are_as_none(desk):
    assert Record.from_document({"layout": 999}) is None
    assert Record.from_document([1]) is None


def test_a_record_survives_being_written(desk):
    desk.run(app="binary")
    record = desk.store.record("build")
    assert Record.from_document(record.to_document()) == record
    assert (record.status, record.started_ns, record.duration_ns) == ("succeeded", 7, 3)


def test_a_moved_workspace_is_still_up_to_date(desk, tmp_path_factory):
    step = changed(command=f"make -C {desk.root}", inputs=("src/*.c", f"{desk.root}/Makefile"))
    desk.write("Makefile", "all:")
    desk.run(step, app="binary")
    moved = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(desk.root, moved)
    there = changed(step, command=f"make -C {moved}", inputs=("src/*.c", f"{moved}/Makefile"))
    assert Desk(moved).why(there) == []


def test_work_goes_on_where_nothing_can_be_recorded(tmp_path):
    desk = Desk(tmp_path)
    desk.write("src/a.c", "int a;")
    desk.write(".conda", "a file where the folder should be")
    assert desk.why() == ["never ran"]
    assert desk.run(app="binary") == []
    desk.store.failed(STEP)
    assert desk.why() == ["never ran"]
    assert desk.store.warnings == [
        f"{tmp_path}/.conda/cwtasks: cannot write records: Not a directory; steps may run again without need"
    ]


def test_damage_is_told_once(desk):
    desk.run(app="binary")
    journal = desk.root / ".conda/cwtasks/journal"
    journal.write_bytes(journal.read_bytes() + b"garbage\n")
    assert desk.reopen().why() == []
    assert desk.why() == []
    assert len(desk.store.warnings) == 1


def test_a_directory_among_inputs_and_outputs_means_its_files(desk):
    step = changed(inputs=("src",), outputs=("dist",))
    desk.write("dist/app", "binary")
    desk.run(step)
    assert desk.why(step) == []
    desk.write("src/deep/c.c", "")
    assert desk.why(step) == ["input src/deep/c.c is new"]
