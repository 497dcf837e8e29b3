"""Law: an edit of a manifest changes what was asked and not a byte elsewhere, or is refused."""

import tomli
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cwtasks.manifests.editing import NotEditableError, parsed, with_entry, with_tables, without
from cwtasks.manifests.layout import all_entries, inline_entries
from cwtasks.manifests.writing import written

DOCUMENT = """
# top
title = "x" # behind
[workspace]
channels = ["a", # one
  "b"]
dependencies = { numpy = "*" }
[dependencies]
  python = ">=3" # indented

"quoted.name" = { version = "1", build = "x" }

[feature.test]
tasks.a = "x"
tasks.b.cmd = "y"
dependencies = {
  # first
  pytest = "*", # why
  cov = "*",
}
# about tasks
[tasks.build]
cmd = '''
[tasks.not]
'''
[tasks.build.env]
A = "1"
[[tasks.build.depends-on]]
task = "x"

[target.linux-64]
tasks = { a = "x" , b = { cmd = "y" } }
"""
parts = st.sampled_from(
    [
        "tasks",
        "dependencies",
        "feature",
        "test",
        "target",
        "linux-64",
        "a",
        "b",
        "build",
        "env",
        "n.m",
        "workspace",
        "python",
    ]
)
addresses = st.lists(parts, min_size=1, max_size=5).map(tuple)
values = st.sampled_from(["x", {"cmd": "a'b\"c"}, ["a", "b"], True, {}])
endings = st.sampled_from(["\n", "\r\n"])


@given(steps=st.lists(st.tuples(addresses, st.none() | values), max_size=8), ending=endings, is_ended=st.booleans())
@settings(deadline=None)
def test_edits_change_what_was_asked_or_refuse(steps, ending, is_ended):
    text = DOCUMENT.replace("\n", ending)
    text = text if is_ended else text.removesuffix(ending)
    for path, value in steps:
        try:
            # Both compare what the result says with what was asked.
            edited = without(text, path) if value is None else with_entry(text, path, written(value))
        except NotEditableError:
            continue
        assert edited.endswith("\n") == is_ended or not edited
        assert edited.count("\n") == edited.count(ending)
        assert [line for line in edited.splitlines() if line.startswith("#")] == ["# top", "# about tasks"]
        text = edited
    assert tomli.loads(text).get("title", "x") == "x"


@given(data=st.data(), value=values)
@settings(deadline=None)
def test_what_is_added_beside_an_entry_and_removed_again_leaves_no_trace(data, value):
    entries = [entry.path for block, entry in all_entries(DOCUMENT) if not block.is_array]
    beside = data.draw(st.sampled_from(entries))
    path = (*beside[:-1], "new one")
    assert without(with_entry(DOCUMENT, path, written(value)), path) == DOCUMENT


keys = st.sampled_from(["a", "b", "tasks", '"q.k"', "'l'", "a.b", 'tasks . "q.k"', "b.'l'.a"])
blanks = st.sampled_from(["", "", " ", "\t"])
behind = st.sampled_from(["", "", "  # why = [", " #"])
scalars = st.sampled_from(
    [
        "1",
        "1.5",
        "nan",
        "true",
        "1979-05-27 07:32:00",
        '"s # [" ',
        "'l \\'",
        '"\\"\\\\"',
        '"""\n[a]\nb = "1"""""',
        "'''\n#\n''''",
    ]
)
spaces = st.sampled_from(["", " ", "\n  ", " # c ]}\n"])


@st.composite
def arrays(draw, inner):
    items = [draw(spaces) + item.strip() + draw(spaces) for item in draw(st.lists(inner, max_size=2))]
    return "[" + ",".join(items) + draw(st.sampled_from(["", ","] if items else [""])) + draw(spaces) + "]"


@st.composite
def inline_tables(draw, inner):
    items = [
        f"{draw(spaces)}{draw(keys)}{draw(blanks)}={draw(blanks)}{item.strip()}{draw(spaces)}"
        for item in draw(st.lists(inner, max_size=3))
    ]
    return "{" + ",".join(items) + draw(st.sampled_from(["", ","] if items else [""])) + draw(spaces) + "}"


toml_values = st.recursive(scalars, lambda inner: arrays(inner) | inline_tables(inner), max_leaves=5)


@st.composite
def documents(draw):
    """A document in any form that TOML allows, or None when what was drawn is none."""
    lines = []
    for kind in draw(
        st.lists(st.sampled_from(["entry", "entry", "entry", "table", "array", "comment", "blank"]), max_size=9)
    ):
        if kind == "entry":
            lines.append(f"{draw(blanks)}{draw(keys)}{draw(blanks)}={draw(blanks)}{draw(toml_values)}{draw(behind)}")
        elif kind == "table":
            lines.append(f"{draw(blanks)}[{draw(blanks)}{draw(keys)}{draw(blanks)}]{draw(behind)}")
        elif kind == "array":
            lines.append(f"[[{draw(keys)}]]{draw(behind)}")
        else:
            lines.append("# [x] = {" if kind == "comment" else draw(blanks))
    ending = draw(endings)
    text = "\n".join(lines).replace("\n", ending) + draw(st.sampled_from(["", ending]))
    try:
        tomli.loads(text)
    except tomli.TOMLDecodeError:
        return None
    return text


places = st.lists(st.sampled_from(["a", "b", "tasks", "q.k", "l"]), min_size=1, max_size=4).map(tuple)


def shared(text, other):
    """The beginning that two texts have in common."""
    differing = (at for at, (ours, theirs) in enumerate(zip(text, other, strict=False)) if ours != theirs)
    return text[: next(differing, min(len(text), len(other)))]


def value_at(document, path):
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


@given(text=documents())
@settings(deadline=None)
def test_every_entry_stands_where_the_layout_says(text):
    assume(text is not None)
    document = parsed(text)
    entries = [entry for _, entry in all_entries(text)]
    for entry in entries:
        value = parsed(f"x = {text[entry.value : entry.end]}")["x"]
        # What is in an array of tables has no address of its own.
        found = value_at(document, entry.path) if not any(part.startswith("\0") for part in entry.path) else value
        assert found in (value, None)
        entries += inline_entries(text, entry) or []


@given(text=documents(), path=places, value=values)
@settings(deadline=None)
def test_an_entry_is_added_and_everything_else_stays(text, path, value):
    assume(text is not None)
    try:
        after = with_entry(text, path, written(value))
    except NotEditableError:
        return
    # Everything is still there, in order; a blank before the brace that closes an empty table is ours to place.
    following = iter(after)
    assert all(char in following for char in text if not char.isspace())
    assert text.count("\n") <= after.count("\n") <= text.count("\n") + len(["", "[table]", "key = value"])


@given(text=documents(), path=places)
@settings(deadline=None)
def test_an_entry_is_removed_and_nothing_else(text, path):
    assume(text is not None)
    try:
        after = without(text, path)
    except NotEditableError:
        return
    assert parsed(after) == parsed(text) or value_at(parsed(after), path) is None
    assert (after == text) == (value_at(parsed(text), path) is None)
    # What is new is the table that goes on being there, empty.
    new = set(after.splitlines()) - set(text.splitlines())
    assert all("=" in line or "[" in line or "{" in line for line in new)


@given(text=documents())
@settings(deadline=None)
def test_whole_tables_are_added_in_one_place(text):
    assume(text is not None)
    try:
        after = with_tables(text, "[new]\nx = 1\n\n[new.a]\ny = 2\n", ("new",))
    except NotEditableError:
        return
    before = shared(text, after)
    assert len(before) + len(shared(text[::-1], after[::-1])) >= len(text) or not text.strip()
