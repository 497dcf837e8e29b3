"""A task runs again when, and only when, something its result depends on has changed."""

import os
from collections.abc import Callable

import pytest

MANIFEST = """
[tasks.join]
cmd = "cat src/*.txt > all.txt; cp all.txt copy.txt"
inputs = ["src"]
outputs = ["all.txt", "copy.txt"]
"""
SOURCES = {"conda.toml": MANIFEST, "src/a.txt": "a\n", "src/b.txt": "b\n", "src/run.sh": "true\n"}


@pytest.fixture
def built(space):
    space.write(SOURCES)
    assert space.doit("join") == ".  join\n"
    return space


def touch(space) -> None:
    os.utime(space.root / "src/a.txt", ns=(1, 1))


def change_behind_the_clock(space) -> None:
    path = space.root / "src/a.txt"
    before = path.stat()
    path.write_text("z\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_link(space) -> None:
    (space.root / "src/a.txt").rename(space.root / "elsewhere.txt")
    (space.root / "src/a.txt").symlink_to("../elsewhere.txt")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda space: space.write({"src/a.txt": "longer\n"}), id="an-input-is-edited"),
        pytest.param(change_behind_the_clock, id="an-input-is-edited-with-equal-size-and-time"),
        pytest.param(lambda space: space.write({"src/c.txt": "c\n"}), id="a-file-is-new-in-an-input-folder"),
        pytest.param(lambda space: space.write({"src/deep/er/c.txt": "c\n"}), id="a-file-is-new-deep-below"),
        pytest.param(lambda space: space.write({"src/c.txt": ""}), id="an-empty-file-is-new"),
        pytest.param(lambda space: (space.root / "src/b.txt").unlink(), id="an-input-is-removed"),
        pytest.param(
            lambda space: (space.root / "src/b.txt").rename(space.root / "src/z.txt"), id="an-input-is-renamed"
        ),
        pytest.param(lambda space: (space.root / "src/run.sh").chmod(0o755), id="an-input-becomes-executable"),
        pytest.param(lambda space: space.write({"all.txt": "mine\n"}), id="an-output-is-edited"),
        pytest.param(lambda space: (space.root / "all.txt").unlink(), id="an-output-is-deleted"),
        pytest.param(lambda space: (space.root / "copy.txt").unlink(), id="the-second-output-is-deleted"),
        pytest.param(lambda space: space.doit("forget", "join"), id="it-is-forgotten"),
    ],
)
def test_a_task_runs_once_more_when(built, change: Callable[[object], object]):
    change(built)
    assert built.doit("join") == ".  join\n"
    assert built.doit("join") == "-- join\n"
    sources = sorted((built.root / "src").glob("*.txt"))
    assert built.read("all.txt") == built.read("copy.txt") == "".join(path.read_text() for path in sources)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: None, id="nothing-happened"),
        pytest.param(touch, id="an-input-is-touched"),
        pytest.param(
            lambda space: space.write({"src/a.txt": "a\n"}), id="an-input-is-written-again-with-equal-content"
        ),
        pytest.param(
            lambda space: space.write({"all.txt": "a\nb\n"}), id="an-output-is-written-again-with-equal-content"
        ),
        pytest.param(replace_by_link, id="an-input-becomes-a-link-to-equal-content"),
        pytest.param(lambda space: space.write({"other.txt": "x\n"}), id="a-file-elsewhere-is-new"),
        pytest.param(lambda space: (space.root / "src/empty").mkdir(), id="an-empty-folder-is-new"),
        pytest.param(
            lambda space: space.write({"conda.toml": f'{MANIFEST}description = "Join"\n'}),
            id="only-the-description-changed",
        ),
        pytest.param(
            lambda space: space.write({"conda.toml": f'[tasks]\nother = "true"\n{MANIFEST}'}),
            id="another-task-was-added",
        ),
    ],
)
def test_a_task_does_not_run_again_when(built, change: Callable[[object], object]):
    change(built)
    assert built.doit("join") == "-- join\n"


DEFINED = """
[tasks.stamp]
cmd = "echo $WORD {{ name }} > $OUT/stamp.txt"
args = [{ arg = "name", default = "x" }]
cwd = "one"
env = { WORD = "hello", OUT = ".." }
outputs = ["stamp.txt"]
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("echo $WORD", "echo again $WORD", id="command"),
        pytest.param('WORD = "hello"', 'WORD = "bye"', id="value-of-a-variable"),
        pytest.param('OUT = ".."', 'OUT = "..", MORE = "1"', id="a-variable-is-new"),
        pytest.param('WORD = "hello", ', "", id="a-variable-is-gone"),
        pytest.param('cwd = "one"', 'cwd = "two"', id="cwd"),
        pytest.param('cwd = "one"', 'cwd = "one"\nclean-env = true', id="clean-env"),
        pytest.param('default = "x"', 'default = "y"', id="value-of-an-argument"),
        pytest.param(
            'outputs = ["stamp.txt"]', 'outputs = ["stamp.txt"]\ninputs = ["new.txt"]', id="an-input-is-declared"
        ),
    ],
)
def test_a_task_runs_once_more_when_it_is_defined_differently(space, old: str, new: str):
    space.write({"conda.toml": DEFINED, "one/x": "", "two/x": "", "new.txt": ""})
    assert [space.ran("stamp"), space.ran("stamp")] == [["stamp"], []]
    space.write({"conda.toml": DEFINED.replace(old, new)})
    assert [space.ran("stamp"), space.ran("stamp")] == [["stamp"], []]


def test_each_set_of_arguments_has_a_history_of_its_own(space):
    space.write(
        {
            "conda.toml": """
[tasks.copy]
cmd = "cp {{ name }}.in {{ name }}.out"
args = ["name"]
inputs = ["{{ name }}.in"]
outputs = ["{{ name }}.out"]
""",
            "a.in": "a",
            "b.in": "b",
        }
    )
    assert space.ran("copy", "a", "copy", "b") == ["copy(name=a)", "copy(name=b)"]
    assert space.doit("copy", "b", "copy", "a") == "-- copy(name=b)\n-- copy(name=a)\n"
    space.write({"b.in": "B"})
    assert space.ran("copy", "a", "copy", "b") == ["copy(name=b)"]


def test_appended_words_count_as_part_of_the_command(space):
    space.write({"conda.toml": '[tasks.say]\ncmd = "echo > out.txt said"\noutputs = ["out.txt"]\n'})
    first = [space.ran("say", "--", "one"), space.ran("say", "--", "one")]
    assert first == [["say(-- one)"], []]
    assert space.ran("say", "--", "two") == ["say(-- two)"]
    # Both write one file, which is not any more what the first left.
    assert space.ran("say", "--", "one") == ["say(-- one)"]


@pytest.mark.parametrize(
    ("declared", "runs"),
    [
        pytest.param("", [["t"], ["t"], ["t"]], id="neither-always-runs"),
        pytest.param('inputs = ["in.txt"]', [["t"], [], ["t"]], id="inputs-only"),
        pytest.param('outputs = ["out.txt"]', [["t"], [], []], id="outputs-only"),
        pytest.param('inputs = ["in.txt"]\noutputs = ["out.txt"]', [["t"], [], ["t"]], id="both"),
        pytest.param("inputs = []\noutputs = []", [["t"], ["t"], ["t"]], id="empty-lists-are-as-neither"),
    ],
)
def test_what_is_declared_decides_what_is_compared(space, declared: str, runs: list[list[str]]):
    space.write({"conda.toml": f'[tasks.t]\ncmd = "cp in.txt out.txt"\n{declared}\n', "in.txt": "1"})
    found = [space.ran("t"), space.ran("t")]
    space.write({"in.txt": "2"})
    assert [*found, space.ran("t")] == runs


def test_option_always_runs_what_is_up_to_date(built):
    assert built.doit("-a", "join") == ".  join\n"
    assert built.doit("join") == "-- join\n"


def test_a_failed_task_runs_again(space):
    space.write({"conda.toml": '[tasks.t]\ncmd = "test ! -e bad"\ninputs = ["in.txt"]\n', "in.txt": "1"})
    assert space.ran("t") == ["t"]
    space.write({"bad": "", "in.txt": "2"})
    space.fails("t", status=1)
    space.fails("t", status=1)
    (space.root / "bad").unlink()
    assert [space.ran("t"), space.ran("t")] == [["t"], []]


def test_a_failed_task_runs_again_even_when_all_is_as_at_the_last_success(space):
    space.write({"conda.toml": '[tasks.t]\ncmd = "test ! -e bad"\ninputs = ["in.txt"]\n', "in.txt": "1"})
    space.doit("t")
    space.write({"bad": "", "in.txt": "2"})
    space.fails("t", status=1)
    (space.root / "bad").unlink()
    space.write({"in.txt": "1"})
    assert space.ran("t") == ["t"]
