import os
import time

import pytest

from cwtasks.globs import PatternIndex, Tree, is_literal, may_overlap, normalise

FILES = [
    "README.md",
    "setup.py",
    ".env",
    "src/app.py",
    "src/app.c",
    "src/lib/util.py",
    "src/lib/util.c",
    "src/lib/.hidden.py",
    "src/__pycache__/app.pyc",
    ".github/workflows/ci.yml",
    ".github/.cache/x.yml",
    "build-a/one.o",
    "build-a/deep/two.o",
    "build-b/three.o",
    "logs/run.log",
]


@pytest.fixture
def workspace(tmp_path):
    for name in FILES:
        write(tmp_path, name)
    return tmp_path


def write(root, name, text=""):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def expand(root, *patterns):
    return Tree(str(root)).expand(patterns)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param(["README.md"], ["README.md"], id="literal-file"),
        pytest.param(["./README.md", "README.md", "src/../README.md"], ["README.md"], id="one-file-many-spellings"),
        pytest.param(["app.py"], [], id="literal-without-slash-is-not-any-depth"),
        pytest.param(["README.md/"], [], id="a-file-is-no-directory"),
        pytest.param(["missing", "also/missing/*.c"], [], id="missing"),
        pytest.param([""], [], id="empty-pattern-names-nothing"),
        pytest.param([], [], id="no-patterns"),
        pytest.param(["src"], ["src/app.c", "src/app.py", "src/lib/util.c", "src/lib/util.py"], id="directory"),
        pytest.param(["src/lib/"], ["src/lib/util.c", "src/lib/util.py"], id="directory-with-slash"),
        pytest.param(["*.py"], ["setup.py", "src/app.py", "src/lib/util.py"], id="no-slash-any-depth"),
        pytest.param(["src/*.py"], ["src/app.py"], id="anchored"),
        pytest.param(["src/**/*.c"], ["src/app.c", "src/lib/util.c"], id="zero-or-more-directories"),
        pytest.param(["**/lib/**"], ["src/lib/util.c", "src/lib/util.py"], id="trailing-double-star"),
        pytest.param(["src/*"], ["src/app.c", "src/app.py"], id="star-is-files-only"),
        pytest.param(["build-*/"], ["build-a/deep/two.o", "build-a/one.o", "build-b/three.o"], id="wildcard-directory"),
        pytest.param(["build-*"], [], id="wildcard-without-slash-is-no-directory"),
        pytest.param(["src/app.?"], ["src/app.c"], id="question-mark"),
        pytest.param(["build-[a]/*.o"], ["build-a/one.o"], id="class"),
        pytest.param(["build-[!a]/*.o"], ["build-b/three.o"], id="negated-class"),
        pytest.param(["build-[b-z]/*.o"], ["build-b/three.o"], id="range"),
        pytest.param(["build-[z-b]/*.o"], [], id="backward-range-has-no-members"),
        pytest.param(["src/app.{c,py}"], ["src/app.c", "src/app.py"], id="braces"),
        pytest.param(["src/{app,lib/{util,x}}.c"], ["src/app.c", "src/lib/util.c"], id="nested-braces"),
        pytest.param(["src/[ap.py", "src/{app.py"], [], id="unclosed-is-literal"),
        pytest.param([".env"], [".env"], id="hidden-by-name"),
        pytest.param([".*"], [".env", "src/lib/.hidden.py"], id="dot-star-is-hidden-names"),
        pytest.param([".github/**"], [".github/workflows/ci.yml"], id="hidden-directory-by-name"),
        pytest.param([".github/"], [".github/workflows/ci.yml"], id="hidden-directory-literal"),
        pytest.param(["src/__pycache__/*"], ["src/__pycache__/app.pyc"], id="pycache-by-name"),
        pytest.param(["**/*.pyc"], [], id="pycache-left-out"),
        pytest.param(["src/", "!*.c"], ["src/app.py", "src/lib/util.py"], id="exclude"),
        pytest.param(["src/", "!src/lib"], ["src/app.c", "src/app.py"], id="exclude-literal-directory"),
        pytest.param(["src/", "!**/lib"], ["src/app.c", "src/app.py"], id="exclude-directory-by-wildcard"),
        pytest.param(["*.py", "!setup.py"], ["src/app.py", "src/lib/util.py"], id="exclude-root-file"),
        pytest.param(["*.py", "!util.py"], ["setup.py", "src/app.py", "src/lib/util.py"], id="exclude-is-anchored"),
        pytest.param(["*.c", "!src/", "src/app.c"], ["src/app.c"], id="last-match-wins"),
        pytest.param(["!*.c", "src/app.c"], ["src/app.c"], id="order-matters"),
        pytest.param([".env", "README.md", "!*"], [], id="exclusions-see-hidden-names"),
        pytest.param(["src/lib", "!."], [], id="exclude-everything"),
    ],
)
def test_patterns_name_files(workspace, patterns, expected):
    assert expand(workspace, *patterns) == expected


def test_the_whole_workspace_is_a_dot(workspace):
    visible = sorted(name for name in FILES if "/." not in f"/{name}" and "__pycache__" not in name)
    assert (
        expand(workspace, ".")
        == expand(workspace, "./")
        == expand(workspace, "**")
        == expand(workspace, "*")
        == visible
    )


def test_paths_outside_keep_their_spelling(workspace):
    inner = workspace / "src"
    assert expand(inner, "../setup.py") == ["../setup.py"]
    assert expand(inner, "../build-*/*.o") == ["../build-a/one.o", "../build-b/three.o"]
    assert expand(inner, f"{workspace}/setup.py") == [f"{workspace}/setup.py"]
    assert expand(inner, f"{workspace}/build-*/*.o") == [f"{workspace}/build-a/one.o", f"{workspace}/build-b/three.o"]


def test_an_absolute_path_below_the_root_is_the_relative_one(workspace):
    assert expand(workspace, f"{workspace}/setup.py", "setup.py") == ["setup.py"]
    assert expand(workspace, f"{workspace}/src/*.c") == ["src/app.c"]
    assert expand(workspace, str(workspace)) == expand(workspace, ".")


def test_unmatched_names_the_patterns_that_match_nothing(workspace):
    tree = Tree(str(workspace))
    assert tree.unmatched(["*.py", "nothing.txt", "!*.zip", "x/**"]) == ["nothing.txt", "x/**"]


def test_symlinked_directories_are_followed_and_cycles_end(workspace):
    (workspace / "linked").symlink_to("src/lib", target_is_directory=True)
    (workspace / "src/lib/up").symlink_to("..", target_is_directory=True)
    assert expand(workspace, "linked/*.c") == ["linked/util.c"]
    assert "linked/util.c" in expand(workspace, "**/*.c")
    assert expand(workspace, "src/**/util.c") == ["src/lib/util.c"]


def test_only_regular_files_count(workspace):
    (workspace / "src/broken.c").symlink_to("nowhere")
    (workspace / "src/loop.c").symlink_to("loop.c")
    (workspace / "src/good.c").symlink_to("app.c")
    os.mkfifo(workspace / "src/pipe.c")
    assert expand(workspace, "src/*.c") == ["src/app.c", "src/good.c"]
    assert expand(workspace, "src/pipe.c", "src/broken.c", "src/loop.c") == []


def test_strange_patterns_are_never_an_error(workspace):
    for pattern in [
        "[",
        "]",
        "{",
        "}",
        "{}",
        "{,}",
        "[!]",
        "[]",
        "[]]",
        "***",
        "a\0b",
        "*\0",
        "!",
        "{a,b",
        "[[:x:]]",
        "[a&&b]",
    ]:
        Tree(str(workspace)).expand([pattern, f"!{pattern}"])


def test_what_was_looked_up_is_believed_until_a_command_ran(workspace):
    tree = Tree(str(workspace))
    before = tree.expand(["src/*.c"]), tree.expand(["new.txt"])
    write(workspace, "src/new.c")
    write(workspace, "new.txt")
    assert (tree.expand(["src/*.c"]), tree.expand(["new.txt"])) == before
    tree.changed()
    assert tree.expand(["src/*.c"]) == ["src/app.c", "src/new.c"]
    assert tree.expand(["new.txt"]) == ["new.txt"]


def test_a_result_belongs_to_the_caller(workspace):
    tree = Tree(str(workspace))
    tree.expand(["*.py"]).clear()
    assert tree.expand(["*.py"])


def test_files_made_within_one_clock_tick_are_seen(tmp_path):
    tree = Tree(str(tmp_path))
    for number in range(200):
        write(tmp_path, f"{number}.txt")
        tree.changed()
        assert len(tree.expand(["*.txt"])) == number + 1


def test_files_that_come_into_a_directory_read_long_ago_are_seen(workspace):
    time.sleep(0.05)
    tree = Tree(str(workspace))
    assert tree.expand(["src/**/*.c"]) == ["src/app.c", "src/lib/util.c"]
    tree.changed()
    assert tree.expand(["src/**/*.c"]) == ["src/app.c", "src/lib/util.c"]
    write(workspace, "src/lib/more.c")
    (workspace / "src/app.c").unlink()
    tree.changed()
    assert tree.expand(["src/**/*.c"]) == ["src/lib/more.c", "src/lib/util.c"]


def test_a_symlink_that_leads_elsewhere_is_seen(workspace):
    (workspace / "dir").mkdir()
    write(workspace, "target/a.txt")
    (workspace / "dir/link").symlink_to("../target/a.txt")
    time.sleep(0.05)
    tree = Tree(str(workspace))
    assert tree.expand(["dir/*"]) == ["dir/link"]
    (workspace / "target/a.txt").unlink()
    tree.changed()
    assert tree.expand(["dir/*"]) == []


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("a/b.c", "a/b.c"),
        ("./a", "a"),
        ("!./a", "!a"),
        ("a//b/", "a/b/"),
        ("a/./b/.", "a/b/"),
        ("a/../b", "b"),
        ("a/..", "."),
        ("../a", "../a"),
        ("../../a", "../../a"),
        ("*/../a", "*/../a"),
        ("/x//y", "/x/y"),
        (".", "."),
        ("./", "."),
        ("", ""),
        ("{a/../b,c}", "{a/../b,c}"),
    ],
)
def test_normalise(written, normal):
    assert normalise(written) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize("pattern", ["a/b", "a[b", "a]b", "{a", "a}", "[]", "[!]", "a[/]b"])
def test_literal(pattern):
    assert is_literal(pattern)


@pytest.mark.parametrize("pattern", ["*", "a?", "[a]", "[]]", "[!a]", "{a,b}", "{a}", "{{a}"])
def test_not_literal(pattern):
    assert not is_literal(pattern)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "./a/b", True),
        ("a/b", "a/c", False),
        ("a", "a/b", True),
        ("a/", "a/b", True),
        ("a", "ab/c", False),
        (".", "a/b", True),
        ("src/a.c", "src/*.c", True),
        ("src/a.h", "src/*.c", False),
        ("src/x/a.c", "src/*.c", False),
        ("src/x/a.c", "*.c", True),
        ("src/.a.c", "*.c", False),
        ("src/gen", "src/gen/*.c", True),
        ("src", "src/gen/*.c", True),
        ("src/", "**/*.c", True),
        ("docs", "src/*.c", False),
        ("src/*.c", "src/*.c", True),
        ("src/*.c", "src/*.o", False),
        ("src/test_*.py", "src/lib_*.py", False),
        ("src/a*.py", "src/*b.py", True),
        ("src/**", "src/*.o", True),
        ("src/**", "docs/**", False),
        ("src/**/*.c", "src/gen/*.c", True),
        ("{src,docs}/*.c", "docs/*.c", True),
        ("{src,docs}/*.c", "lib/*.c", False),
        ("/data/*.csv", "/data/a.csv", True),
        ("/data/*.csv", "data/a.csv", False),
    ],
)
def test_may_overlap(one, other, expected):
    assert may_overlap(one, other) is expected
    assert may_overlap(other, one) is expected


def test_an_index_finds_the_keys_that_may_overlap():
    index = PatternIndex()
    index.add("compile", ["build/app.o", "!build/x.o"])
    index.add("docs", ["site/"])
    index.add("lint", ["*.py"])
    index.add("again", ["./build/app.o"])
    assert index.overlapping(["build/app.o"]) == {"compile", "again"}
    assert index.overlapping(["build"]) == {"compile", "again", "lint"}
    assert index.overlapping(["site/index.html", "src/a.py"]) == {"docs", "lint"}
    assert index.overlapping(["!site/index.html", "", "none.txt"]) == set()
    assert index.overlapping(["**/*.o"]) == {"compile", "again", "docs"}
