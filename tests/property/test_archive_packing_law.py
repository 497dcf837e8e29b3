"""Laws of packing: trees come out as they went in, what is packed is never refused, and ignored is what git ignores."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trees import MANIFEST, Link, Script, fill, git, tree_of

from cwtasks.archive import WorkspaceArchive
from cwtasks.archive.errors import MemberRefusedError
from cwtasks.archive.limits import ArchiveLimits
from cwtasks.archive.members import MemberRules, check_name, check_tree, folded
from cwtasks.archive.selection import MADE_AGAIN, MADE_AGAIN_UNTRACKED, SENSITIVE, matching, select
from cwtasks.archive.tarstream import FILE, FOLDER, SYMLINK, Header
from cwtasks.exceptions import ArchiveError
from cwtasks.models.workspace import ArchiveConfig


def raised(ask):
    """Return the class of our error that something raises."""
    try:
        ask()
    except ArchiveError as error:
        return type(error)
    return None


# What has a meaning of its own: it is left out, or decides about others. Hypothesis tries words of our code, too.
MEANT = (
    *(*SENSITIVE, *MADE_AGAIN, *MADE_AGAIN_UNTRACKED, ".git*", ".conda", ".config"),
    *("*.receipt.json", "space.*", "conda.*", "pixi.*", "pyproject.*"),
)
PARTS = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=8).filter(
    lambda part: raised(lambda: check_name(part)) is None and not matching(MEANT, [part], anywhere=True, folds=True)
)
FILES = st.binary(max_size=1500)
# Targets that stay inside wherever the link is, and some that do not.
LINKS = st.lists(st.sampled_from(["a", "b", "..", ".", "nowhere"]), min_size=1, max_size=3).map("/".join).map(Link)
LEAVES = st.one_of(FILES, FILES.map(Script), LINKS, st.none())
NAMES = st.one_of(PARTS, st.sampled_from(["a", "b", "long" * 40, "\u00e9" * 100]))
TREES = st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=5), max_leaves=12).filter(
    lambda tree: isinstance(tree, dict) and apart(tree)
)


def apart(tree):
    inner = all(apart(entry) for entry in tree.values() if isinstance(entry, dict))
    return inner and len({folded(name) for name in tree}) == len(tree)


def flat(tree, above=""):
    """Return the table of a tree, with whole names."""
    found = {}
    for name, entry in tree.items():
        found.update(flat(entry, f"{above}{name}/") if isinstance(entry, dict) else {above + name: entry})
    return found


def admitted(table):
    """Admit the members of a table one by one, as who unpacks them does."""
    rules = MemberRules()
    for name, entry in sorted(table.items()):
        kind = SYMLINK if isinstance(entry, Link) else FOLDER if entry is None else FILE
        rules.admit(Header(name, kind, 0o644, 0, 0, entry.target if isinstance(entry, Link) else ""))
    rules.check_links()


@settings(deadline=None, max_examples=60)
@given(TREES, st.sampled_from([".tar.zst", ".tar.gz", ".tar.bz2"]))
@example({"a": Link("a")}, ".tar.zst")
@example({"a": {"b": Link("../..")}}, ".tar.zst")
def test_a_tree_comes_out_as_it_went_in_or_is_refused_before(tree, suffix):
    table = {"conda.toml": MANIFEST, **flat(tree)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = fill(folder / "space", table)
        refused = raised(lambda: admitted(table))
        if refused is not None:
            with pytest.raises(MemberRefusedError):
                WorkspaceArchive.create(workspace=root, output=folder / f"x{suffix}")
            assert [path.name for path in folder.iterdir()] == ["space"]
            return
        archive = WorkspaceArchive.create(workspace=root, output=folder / f"x{suffix}")
        archive.extract(target=folder / "target")
        assert tree_of(folder / "target") == tree_of(root)
        for member in archive.members():
            if member.kind == "file":
                assert archive.read(member.name) == (root / member.name).read_bytes()
                assert (folder / "target" / member.name).stat().st_mode & 0o777 == (
                    0o755 if member.is_executable else 0o644
                )


# Judging a whole tree at once

TRICKY = st.sampled_from(
    [
        *("a", "A", "b", "ab", "a.b", "a-b", "_", "-", "+", "c" * 255, "c" * 256, "d" * 300, "..", ".", "", "a.", ".a", "a..b"),
        *("con", "CON", "con.txt", "Con.A", "xcon", "conx", "nul", "com1", "COM9.c", "com0", "com", "lpt5", "aux", "prn.", "nul."),
        *("a b", "a ", "a:b", "a\\b", "a\nb", "a\tb", "\u00e9", "e\u0301", "\u212a", "k", "K", "stra\u00dfe", "STRASSE", "*", "C:"),
    ]
)  # fmt: skip
TRICKY_NAMES = st.lists(TRICKY, min_size=1, max_size=4).map("/".join)
DEEP = st.tuples(st.integers(250, 260), st.sampled_from("ab")).map(lambda told: "/".join([told[1]] * told[0]))
LIMITS = st.builds(
    ArchiveLimits,
    members=st.sampled_from([1, 2, 3, 5, 8, 1_000_000]),
    path_depth=st.sampled_from([1, 2, 3, 256]),
    path_bytes=st.sampled_from([3, 8, 4095]),
    component_bytes=st.sampled_from([1, 2, 255]),
)


def one_by_one(names, links, folders, limits):
    rules = MemberRules(limits)
    for name in folders:
        rules.admit(Header(name, FOLDER, 0o755, 0, 0, ""))
    for name in names:
        rules.admit(Header(name, SYMLINK if name in links else FILE, 0o644, 0, 0, links.get(name, "")))
    rules.check_links()


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.one_of(TRICKY_NAMES, DEEP), unique=True, max_size=6).map(sorted),
    st.lists(TRICKY_NAMES, unique=True, max_size=2).map(sorted),
    st.dictionaries(TRICKY_NAMES, st.sampled_from(["a", "../a", "/a", "b/../..", "A"]), max_size=1),
    st.one_of(st.just(ArchiveLimits()), LIMITS),
)
@example(["a/b/c/d/e"], [], {}, ArchiveLimits(members=4))
@example(["a"], ["A"], {}, ArchiveLimits())
@example(["a/b", "A/c"], [], {}, ArchiveLimits())
@example(["a", "a/b"], [], {}, ArchiveLimits())
@example(["con/a"], [], {}, ArchiveLimits())
def test_a_tree_judged_at_once_is_judged_like_its_members_one_by_one(names, folders, links, limits):
    names = sorted({*names, *links})
    folders = [name for name in folders if name not in names]
    at_once = raised(lambda: check_tree(names, links, folders=folders, limits=limits))
    assert at_once == raised(lambda: one_by_one(names, links, folders, limits))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.lists(st.sampled_from(["a", "b", "A", "c.d", "con", "e-f"]), min_size=1, max_size=3).map("/".join),
        unique=True,
        max_size=8,
    )
)
def test_plain_names_are_refused_only_where_two_are_one_or_a_file_is_a_folder(names):
    names = sorted(names)
    every = {"/".join(name.split("/")[:end]) for name in names for end in range(1, name.count("/") + 2)}
    meet = len({folded(name) for name in every}) < len(every)
    below = any(other.startswith(f"{name}/") for name in names for other in names)
    device = any("con" in name.split("/") for name in names)
    assert (raised(lambda: check_tree(names, {})) is not None) == (meet or below or device)


# What git ignores

PATTERNS = st.sampled_from(
    [
        *("*", "*/", "*.py", "a", "/a", "a/", "a/b", "a/*", "a/**", "**/b", "a/**/c", "/b/", "b/c/", "**/", "c.py", "b/*.py"),
        *("[ab]", "a?", "/*", "a/**/", "b*/", " a", "a ", "**", "/**", "a/**/b/", "[!a]"),
    ]
)  # fmt: skip
IGNORING = st.lists(st.tuples(st.sampled_from(["", "!"]), PATTERNS).map("".join), max_size=5).map("\n".join)
SPACES = st.recursive(
    st.just(""),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c", "c.py", "ab"]), inner, min_size=1),
    max_leaves=14,
).filter(lambda tree: isinstance(tree, dict))


@pytest.fixture(scope="module")
def gits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("git")
    git(folder, "init", "-q")
    return folder


@settings(deadline=None, max_examples=60)
@given(SPACES, IGNORING, IGNORING)
@example({"a": {"c.py": "", "b": ""}}, "*\n!*/\n!*.py", "")
@example({"a": {"b": {"c": ""}}}, "a/*\n!a/b", "")
def test_without_git_ignored_is_what_git_ignores(gits, tree, above, below):
    table = flat(tree)
    inside = next((name for name, entry in tree.items() if isinstance(entry, dict)), None)
    table.update({".gitignore": above, **({f"{inside}/.gitignore": below} if inside else {})})
    with tempfile.TemporaryDirectory() as plain, tempfile.TemporaryDirectory(dir=gits) as tracked:
        fill(Path(tracked), table)
        told = git(Path(tracked), "ls-files", "-z", "--others", "--exclude-standard").split("\0")[:-1]
        assert list(select(str(fill(Path(plain), table).resolve()), ArchiveConfig()).names) == sorted(told)
