"""Law: a tree finds exactly the files that a slow and obvious reading of the rules allows."""

import os
import tempfile

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cwtasks.globs import Tree, may_overlap

SETTINGS = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])

names = st.sampled_from(["a", "b", "ab", "a.c", "b.c", ".a", ".b.c", "__pycache__", "[a"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
pieces = st.one_of(
    names,
    st.sampled_from(
        [
            "*",
            "**",
            "?",
            "a*",
            "*.c",
            "[ab]",
            "[!a]",
            "[a-b]*",
            ".*",
            "{a,b}",
            "{a,b}.c",
            "a{b,.{c,d}}",
            "{a/b,b}",
            "***",
            ".",
            "[b-a]",
        ]
    ),
)
bodies = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "", "", "./"]),
    st.lists(pieces, min_size=1, max_size=4),
    st.sampled_from(["", "", "", "/", "//"]),
)
patterns = st.builds(str.__add__, st.sampled_from(["", "", "!"]), bodies)


@SETTINGS
@given(st.sets(paths, max_size=12), st.lists(patterns, min_size=1, max_size=4))
def test_expand_agrees_with_the_reference(wanted, written):
    with tempfile.TemporaryDirectory() as root:
        files = make(root, wanted)
        assert Tree(root).expand(written) == reference(files, written)


@SETTINGS
@given(
    st.lists(st.tuples(st.sets(paths, max_size=6), st.sets(paths, max_size=6)), max_size=4),
    st.lists(patterns, min_size=1, max_size=3),
)
def test_a_tree_that_was_told_sees_what_a_new_one_sees(changes, written):
    with tempfile.TemporaryDirectory() as root:
        tree = Tree(root)
        for made, removed in changes:
            make(root, made)
            for path in removed:
                if os.path.isfile(os.path.join(root, path)):
                    os.unlink(os.path.join(root, path))
            tree.changed()
            assert tree.expand(written) == Tree(root).expand(written)


@SETTINGS
@given(st.sets(paths, max_size=12), bodies, bodies)
def test_patterns_that_share_a_file_may_overlap(wanted, one, other):
    with tempfile.TemporaryDirectory() as root:
        make(root, wanted)
        tree = Tree(root)
        shared = set(tree.expand([one])) & set(tree.expand([other]))
        # The text of a path does not tell that it is a directory; a trailing slash does.
        assume(not any(os.path.isdir(os.path.join(root, p)) and not p.endswith("/") for p in (one, other)))
        assert not shared or may_overlap(one, other)


def make(root, wanted):
    """Create what can be: a name is a file or a directory, whichever came first."""
    for path in sorted(wanted, key=len):
        try:
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w"):
                pass
        except OSError:
            pass
    return {os.path.relpath(os.path.join(folder, name), root) for folder, _, found in os.walk(root) for name in found}


def reference(files, written):
    chosen = set()
    for pattern in written:
        if pattern.startswith("!"):
            chosen -= {path for path in files if excluded(pattern[1:], path.split("/"))}
        else:
            chosen |= {path for path in files if included(pattern, path.split("/"))}
    return sorted(chosen)


def included(pattern, path):
    if not has_wildcard(pattern):
        named = parts_of(pattern)
        below = path[len(named) :]
        if path[: len(named)] != named:
            return False
        return all(map(visible, below)) if below else not is_directory(pattern)
    return any(match(parts, path, hidden=False) for parts in routes(pattern))


def excluded(pattern, path):
    ways = routes(pattern) if has_wildcard(pattern) else [parts_of(pattern) + (["**"] if is_directory(pattern) else [])]
    return any(match(parts, path[:length], hidden=True) for parts in ways for length in range(len(path) + 1))


def has_wildcard(pattern):
    return any(mark in pattern for mark in ("*", "?", "{", "]"))


def is_directory(pattern):
    return pattern.endswith(("/", "/.")) or parts_of(pattern) == []


def parts_of(pattern):
    return [part for part in pattern.split("/") if part not in ("", ".")]


def routes(pattern):
    anywhere = len(parts_of(pattern)) == 1 and "/" not in "/".join(parts_of(pattern))
    for text in braces(pattern):
        yield (["**"] if anywhere else []) + parts_of(text) + (["**"] if is_directory(text) else [])


def braces(text):
    """Write out the innermost brace first, until there is none."""
    close = text.find("}")
    if close < 0:
        return [text]
    start = text.rfind("{", 0, close)
    return [
        whole
        for choice in text[start + 1 : close].split(",")
        for whole in braces(text[:start] + choice + text[close + 1 :])
    ]


def visible(name):
    return not name.startswith(".") and name != "__pycache__"


def match(parts, path, *, hidden):
    if not parts:
        return not path
    first, rest = parts[0], parts[1:]
    if first == "**" and not rest:
        return bool(path) and (hidden or all(map(visible, path)))
    if first == "**":
        return any(
            match(rest, path[skipped:], hidden=hidden)
            for skipped in range(len(path) + 1)
            if hidden or all(map(visible, path[:skipped]))
        )
    if not path:
        return False
    allowed = hidden or visible(path[0]) or not has_wildcard(first) or first.startswith(".")
    return allowed and match_name(first, path[0]) and match(rest, path[1:], hidden=hidden)


def match_name(pattern, name):
    if not pattern:
        return not name
    if pattern[0] == "*":
        return match_name(pattern[1:], name) or (bool(name) and match_name(pattern, name[1:]))
    if pattern[0] == "[" and "]" in pattern:
        members, rest = pattern[1:].split("]", 1)
        ranges = {"ab": "ab", "!a": None, "a-b": "ab", "b-a": ""}[members]
        return bool(name) and (name[0] != "a" if ranges is None else name[0] in ranges) and match_name(rest, name[1:])
    return bool(name) and pattern[0] in ("?", name[0]) and match_name(pattern[1:], name[1:])
