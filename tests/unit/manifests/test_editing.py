"""Entries put into a text and taken out of it: the lines that change, and no others."""

import difflib

import pytest
import tomli

from cwtasks.manifests.editing import (
    NotEditableError,
    newline_of,
    with_entry,
    with_tables,
    without,
    without_empty_header,
)


def changes(before, after):
    """The lines that differ, as `-old` and `+new`; all others are the same, in the same order."""
    lines = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line[0] + line[2:] for line in lines if line[0] in "+-"]


ADDED = {
    "behind the last of its table": (
        "[tasks]\na = 'x'  # why\n# b = 'off'\n\n[other]\n",
        ("tasks", "n"),
        ["+n = 1\n"],
        "[tasks]\na = 'x'  # why\nn = 1\n",
    ),
    "into an empty table": ("[tasks]\n\n[other]\n", ("tasks", "n"), ["+n = 1\n"], "[tasks]\nn = 1\n\n"),
    "with the indent of the line before": ("[tasks]\n    a = 'x'\n", ("tasks", "n"), ["+    n = 1\n"], "\n    n = 1\n"),
    "behind a value of several lines": (
        "[tasks]\na = '''\nx\n'''\n[other]\n",
        ("tasks", "n"),
        ["+n = 1\n"],
        "'''\nn = 1\n[other]",
    ),
    "as a dotted key where the others are": (
        "[pixi]\ntasks.a = 'x'\nb = 1\n",
        ("pixi", "tasks", "n"),
        ["+tasks.n = 1\n"],
        "tasks.a = 'x'\ntasks.n = 1\nb",
    ),
    "into an inline table": (
        "tasks = { a = 'x' }  # all\n",
        ("tasks", "n"),
        ["-tasks = { a = 'x' }  # all\n", "+tasks = { a = 'x', n = 1 }  # all\n"],
        "",
    ),
    "into an empty inline table": ("tasks = {}\n", ("tasks", "n"), ["-tasks = {}\n", "+tasks = { n = 1 }\n"], ""),
    "into an inline table inside another": (
        "feature = { t = { tasks = { a = 'x' } } }\n",
        ("feature", "t", "tasks", "n"),
        ["-feature = { t = { tasks = { a = 'x' } } }\n", "+feature = { t = { tasks = { a = 'x', n = 1 } } }\n"],
        "",
    ),
    "as a dotted key in an inline table that lacks the way": (
        "feature = { t = { } }\n",
        ("feature", "t", "tasks", "n"),
        ["-feature = { t = { } }\n", "+feature = { t = { tasks.n = 1 } }\n"],
        "",
    ),
    "on a line of its own where entries have one": (
        "tasks = {\n  a = 'x', # first\n  b = 'y',\n}\n",
        ("tasks", "n"),
        ["+  n = 1,\n"],
        "  b = 'y',\n  n = 1,\n}",
    ),
    "without the comment of the one before": (
        "tasks = {\n  a = 'x' # of a\n}\n",
        ("tasks", "n"),
        ["-  a = 'x' # of a\n", "+  a = 'x', # of a\n", "+  n = 1\n"],
        "",
    ),
    "under a header of its own": (
        "a = 1\n",
        ("tasks", "n"),
        ["+\n", "+[tasks]\n", "+n = 1\n"],
        "a = 1\n\n[tasks]\nn = 1\n",
    ),
    "under a header next to its kin": (
        "[tool.pixi.workspace]\nx = 1\n# of x\n\n[tool.ruff]\ny = 1\n",
        ("tool", "pixi", "tasks", "n"),
        ["+[tool.pixi.tasks]\n", "+n = 1\n", "+\n"],
        "# of x\n\n[tool.pixi.tasks]\nn = 1\n\n[tool.ruff]",
    ),
    "under a header that leaves a comment to the next table": (
        "[a]\nx = 1\n# of b\n[b]\n[c]\n",
        ("a", "t", "n"),
        ["+\n", "+[a.t]\n", "+n = 1\n"],
        "x = 1\n\n[a.t]\nn = 1\n# of b\n[b]",
    ),
    "under a header before the tables of single tasks": (
        "[tasks.a]\ncmd = 'x'\n",
        ("tasks", "n"),
        ["+\n", "+[tasks]\n", "+n = 1\n"],
        "cmd = 'x'\n\n[tasks]\nn = 1\n",
    ),
    "with a key in quotes where it needs them": ("[tasks]\n", ("tasks", "n m"), ['+"n m" = 1\n'], ""),
    "into an empty file": ("", ("tasks", "n"), ["+[tasks]\n", "+n = 1\n"], "[tasks]\nn = 1\n"),
    "behind a last line without an end": ("[tasks]\na = 'x'", ("tasks", "n"), ["-a = 'x'", "+a = 'x'\n", "+n = 1"], ""),
    "with the line ends of the file": ("[tasks]\r\na = 'x'\r\n", ("tasks", "n"), ["+n = 1\r\n"], ""),
}


@pytest.mark.parametrize(
    ("before", "path", "expected", "part"), [pytest.param(*case, id=name) for name, case in ADDED.items()]
)
def test_an_entry_is_added(before, path, expected, part):
    after = with_entry(before, path, "1")
    assert changes(before, after) == expected
    assert part in after


#: Adding makes something that removing cannot tell from what a person wrote.
LASTING = {"as a dotted key in an inline table that lacks the way", "into an empty file"}


@pytest.mark.parametrize(
    ("before", "path", "expected"),
    [pytest.param(*case[:3], id=name) for name, case in ADDED.items() if name not in LASTING],
)
def test_what_was_added_and_removed_again_leaves_no_trace(before, path, expected):
    after = without(with_entry(before, path, "1"), path)
    has_new_header = "+\n" in expected
    assert (without_empty_header(after, path[:-1]) if has_new_header else after) == before


REMOVED = {
    "with the comment behind it": (
        "[t]\na = 1\nb = 2  # why\n# more\nc = 3\n",
        ("t", "b"),
        ["-b = 2  # why\n"],
    ),
    "with all lines of its value": (
        "[t]\nb = [\n  1, # x\n]\nc = 3\n",
        ("t", "b"),
        ["-b = [\n", "-  1, # x\n", "-]\n"],
    ),
    "with every dotted key": ("[t]\nb.x = 1\nc = 2\nb.y = 3\n", ("t", "b"), ["-b.x = 1\n", "-b.y = 3\n"]),
    "with the tables below it": (
        "[t.b]\nx = 1\n\n[t.b.env]\nA = '1'\n\n[[t.b.needs]]\nx = 1\n\n# of c\n[t.c]\n",
        ("t", "b"),
        ["-[t.b]\n", "-x = 1\n", "-\n", "-[t.b.env]\n", "-A = '1'\n", "-\n", "-[[t.b.needs]]\n", "-x = 1\n", "-\n"],
    ),
    "from a table, whose header stays": ("[t]\nb = 1\n\n[u]\n", ("t", "b"), ["-b = 1\n"]),
    "from the beginning of an inline table": (
        "t = { b = 1, c = 2 }\n",
        ("t", "b"),
        ["-t = { b = 1, c = 2 }\n", "+t = { c = 2 }\n"],
    ),
    "from the end of an inline table": (
        "t = { c = 2, b = 1 }\n",
        ("t", "b"),
        ["-t = { c = 2, b = 1 }\n", "+t = { c = 2 }\n"],
    ),
    "from an inline table of its own": ("t = { b = 1 }\n", ("t", "b"), ["-t = { b = 1 }\n", "+t = {}\n"]),
    "with every dotted key at the end of an inline table": (
        "t = { c = 2, b.x = 1, b.y = 3 }\n",
        ("t", "b"),
        ["-t = { c = 2, b.x = 1, b.y = 3 }\n", "+t = { c = 2 }\n"],
    ),
    "but not the only sign of its table": (
        "[feature.f.tasks.b]\ncmd = 'x'\n\n[a]\n",
        ("feature", "f", "tasks", "b"),
        ["-[feature.f.tasks.b]\n", "+[feature.f.tasks]\n", "-cmd = 'x'\n"],
    ),
    "but not the only dotted sign of its table": (
        "[feature]\nf.tasks.b = 'x'\n",
        ("feature", "f", "tasks", "b"),
        ["-f.tasks.b = 'x'\n", "+f.tasks = {}\n"],
    ),
    "but not the only sign of its table in an inline table": (
        "feature = { f.tasks.b = 'x', f.tasks.b2 = 'y' }\n",
        ("feature", "f"),
        ["-feature = { f.tasks.b = 'x', f.tasks.b2 = 'y' }\n", "+feature = {}\n"],
    ),
    "from deep inside": (
        "[t]\na = { x = { b = 1, c = 2 }, d = 3 }\n",
        ("t", "a", "x", "b"),
        ["-a = { x = { b = 1, c = 2 }, d = 3 }\n", "+a = { x = { c = 2 }, d = 3 }\n"],
    ),
    "with its line in an inline table of several": (
        "t = {\n  b = 1, # why\n  # of c\n  c = 2,\n}\n",
        ("t", "b"),
        ["-  b = 1, # why\n"],
    ),
    "from the end of a file without a last line end": (
        "[t]\na = 1\nb = 2",
        ("t", "b"),
        ["-a = 1\n", "+a = 1", "-b = 2"],
    ),
    "with its line end of two characters": ("[t]\r\na = 1\r\nb = 2\r\n", ("t", "a"), ["-a = 1\r\n"]),
    "with its line and the comma before it": (
        "t = {\n  b = 1, # of b\n  c = 2 # of c\n}\n",
        ("t", "c"),
        ["-  b = 1, # of b\n", "+  b = 1 # of b\n", "-  c = 2 # of c\n"],
    ),
    "not at all, when it is not there": ("[t]\na = 1\n", ("t", "b"), []),
    "not at all, when the way is no table": ("t = [1]\n", ("t", "b"), []),
}


@pytest.mark.parametrize(
    ("before", "path", "expected"), [pytest.param(*case, id=name) for name, case in REMOVED.items()]
)
def test_an_entry_is_removed(before, path, expected):
    after = without(before, path)
    assert changes(before, after) == expected
    tomli.loads(after)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("tasks = 'x'\n", ("tasks", "n"), id="a value where the table should be"),
        pytest.param("[[tasks]]\na = 1\n", ("tasks", "n"), id="an array of tables where the table should be"),
        pytest.param("feature.t = 1\n", ("feature", "t", "tasks", "n"), id="a value on the way"),
        pytest.param("[tasks]\nn = 2\n", ("tasks", "n"), id="the entry itself"),
        pytest.param("[tasks]\nn.m = 2\n", ("tasks", "n"), id="a table of that name"),
    ],
)
def test_an_edit_that_would_break_something_is_refused(text, path):
    with pytest.raises(NotEditableError):
        with_entry(text, path, "1")


def test_a_sequence_of_edits_leaves_every_other_line_alone():
    before = (
        "# The project.\n[workspace]  # of ours\nname = 'n'\nchannels = [ 'conda-forge', ]\n\n"
        "[dependencies]\nzlib   =   '*'   # aligned\n\n\n[tool.other]\n'key' = \"v\" # untouched\n"
    )
    text = with_entry(before, ("tasks", "a"), '"one"')
    text = with_entry(text, ("dependencies", "numpy"), '">=2"')
    text = with_entry(text, ("tasks", "b"), '{ cmd = "two" }')
    text = with_entry(text, ("feature", "test", "dependencies", "pytest"), '"*"')
    text = without(text, ("tasks", "a"))
    assert changes(before, text) == [
        '+numpy = ">=2"\n',
        "+\n",
        "+[tasks]\n",
        '+b = { cmd = "two" }\n',
        "+\n",
        "+[feature.test.dependencies]\n",
        '+pytest = "*"\n',
    ]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("[a]\nx = 1\n\n[t]\n", "[a]\nx = 1\n", id="with the blank line before it"),
        pytest.param("[t]\n", "", id="alone"),
        pytest.param("[t]\n[a]\nx = 1\n", None, id="not where nobody would have put it"),
        pytest.param("[a]\n[t]\n", None, id="not without a blank line before it"),
        pytest.param("[t]\nx = 1\n", None, id="not with an entry"),
        pytest.param("[t] # why\n", None, id="not with a comment behind it"),
        pytest.param("[b.a]\n\n[b.t]\n\n[c]\n", None, id="not another table"),
    ],
)
def test_an_empty_header_is_removed(text, after):
    assert without_empty_header(text, ("t",)) == (text if after is None else after)


def test_whole_tables_are_put_behind_their_kin():
    before = "[tool.a]\nx = 1\n\n[other]\n"
    after = with_tables(before, "[tool.b]\ny = 2\n\n[tool.b.c]\nz = 3\n", ("tool", "b"))
    assert after == "[tool.a]\nx = 1\n\n[tool.b]\ny = 2\n\n[tool.b.c]\nz = 3\n\n[other]\n"


def test_whole_tables_are_refused_where_they_cannot_be():
    with pytest.raises(NotEditableError):
        with_tables("tool = { a = 1 }\n", "[tool.b]\ny = 2\n", ("tool",))


def test_the_first_line_says_how_lines_end():
    assert [newline_of(text) for text in ("a\r\nb\n", "a\nb\r\n", "a", "")] == ["\r\n", "\n", "\n", "\n"]
