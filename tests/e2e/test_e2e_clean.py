"""``doit clean``: removes what tasks have written, and nothing else."""

import pytest

MANIFEST = """
[tasks.make]
cmd = "echo 1 > made.txt"
outputs = ["made.txt"]
[tasks.many]
cmd = "mkdir -p gen dir/deep; echo > gen/a.o; echo > gen/b.o; echo > dir/one; echo > dir/deep/two"
depends-on = ["make"]
outputs = ["gen/*.o", "dir"]
[tasks.format]
cmd = "echo formatted > source.txt; echo > log.txt"
inputs = ["source.txt"]
outputs = ["source.txt", "log.txt"]
[tasks.copy]
cmd = "echo {{ name }} > {{ name }}.copy"
args = [{ arg = "name", default = "x" }]
outputs = ["{{ name }}.copy"]
"""
KEPT = {"conda.toml", "source.txt", ".conda"}


@pytest.fixture
def built(space):
    space.write({"conda.toml": MANIFEST, "source.txt": "1"})
    space.doit("many", "format", "copy")
    return space


def files(space) -> set[str]:
    return {path.name for path in space.root.iterdir()}


def test_clean_without_a_name_removes_the_outputs_of_all(built):
    assert built.doit("clean").splitlines() == [
        "copy - removing x.copy",
        "format - removing log.txt",
        "many - removing gen/b.o",
        "many - removing gen/a.o",
        "many - removing dir/one",
        "many - removing dir/deep/two",
        "many - removing dir/deep/",
        "many - removing dir/",
        "make - removing made.txt",
    ]
    assert files(built) == KEPT | {"gen"}
    assert built.doit("clean") == ""


def test_clean_removes_only_what_is_named(built):
    assert built.doit("clean", "copy", "x") == "copy - removing x.copy\n"
    built.doit("clean", "many")
    assert {"made.txt", "log.txt"} <= files(built)
    assert not built.exists("gen/a.o")


def test_clean_with_dependencies(built):
    assert built.doit("clean", "-c", "many").splitlines()[-1] == "make - removing made.txt"
    assert built.exists("log.txt")


def test_clean_keeps_files_of_others(built):
    built.write({"gen/mine.o": "", "gen/notes.txt": "", "dir/deep/mine": ""})
    built.doit("clean", "many")
    assert {path.name for path in (built.root / "gen").iterdir()} == {"mine.o", "notes.txt"}
    assert [path.name for path in (built.root / "dir").rglob("*") if path.is_file()] == ["mine"]


def test_clean_keeps_a_file_that_is_also_an_input(built):
    assert built.doit("clean", "format") == "format - removing log.txt\n"
    assert built.read("source.txt") == "formatted\n"


def test_a_dry_run_of_clean_removes_nothing(built):
    before = files(built)
    shown = built.doit("clean", "-n", "make", "copy")
    assert shown == "copy - removing x.copy\nmake - removing made.txt\n"
    assert files(built) == before


def test_what_was_cleaned_is_made_again(built):
    built.doit("clean", "make")
    assert built.ran("make", "copy") == ["make"]


def test_clean_can_forget(built):
    built.doit("clean", "--forget", "make")
    done = built.run("info", "make")
    assert "was forgotten" in done.stdout


def test_clean_without_a_name_cleans_the_task_default(space):
    space.write({"conda.toml": MANIFEST + '[tasks.default]\ndepends-on = ["make"]\n', "source.txt": "1"})
    space.doit("make", "copy")
    assert space.doit("clean") == "make - removing made.txt\n"
    assert space.doit("clean", "-a") == "copy - removing x.copy\n"


def test_clean_of_an_unknown_task_removes_nothing(built):
    before = files(built)
    assert built.fails("clean", "make", "nosuch").startswith("error: task 'nosuch' is not defined\n")
    assert files(built) == before


def test_clean_removes_a_link_and_not_what_it_points_to(space, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("precious")
    space.write(
        {
            "conda.toml": """
[tasks.t]
cmd = "ln -sfn ../outside/file file; ln -sfn ../outside folder"
outputs = ["file", "folder"]
"""
        }
    )
    space.doit("t")
    space.doit("clean")
    assert (tmp_path / "outside" / "file").read_text() == "precious"
    assert not (space.root / "file").is_symlink()


@pytest.mark.parametrize("outputs", [pytest.param("src/*.c", id="wildcard"), pytest.param("src", id="folder")])
def test_clean_keeps_files_that_were_there_before_the_task_ran(space, outputs: str):
    space.write(
        {"conda.toml": f'[tasks.t]\ncmd = "echo > src/made.c"\noutputs = ["{outputs}"]\n', "src/hand.c": "mine"}
    )
    space.doit("t")
    space.doit("-a", "t")
    space.doit("clean")
    assert [path.name for path in (space.root / "src").iterdir()] == ["hand.c"]
