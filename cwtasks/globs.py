"""Input and output patterns -> files, with one directory walk for all steps.

Patterns are pixi's, which are gitignore-like, and always relative to the workspace root with ``/`` between names:

* without a wildcard a pattern is a path: a file is that file, a directory is every file below it;
* ``*``, ``?``, ``[..]``, ``[!..]``, ``{a,b}`` and ``**`` are wildcards; ``*.py`` (no slash, or only a trailing one)
  matches at any depth, ``src/*.py`` in that directory only; a trailing slash means everything below;
* wildcards and directories leave out hidden names and ``__pycache__`` (interpreters write there while a task reads its
  sources) unless the pattern itself starts that name with a dot, or spells it;
* ``!pattern`` takes out what earlier patterns brought in, hidden names too, and all that is below a directory it
  matches.

Knows no state, no step and no doit: text in, paths out. What cannot be read counts as empty; no pattern is an error.
"""

# Paths are text here and in cwtasks.state: importing pathlib and building its objects would cost more than all the rest
# of a null build.

from __future__ import annotations

import os
import re
import time
from functools import cache
from itertools import pairwise
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["PatternIndex", "Tree", "is_literal", "is_settled", "may_overlap", "normalise"]

_IS_WINDOWS = os.name == "nt"
_DEEP = "**"
_NEVER_MATCHED = "__pycache__"
_SECOND_NS = 1_000_000_000
_COARSE_TICK_NS = 2 * _SECOND_NS  # FAT counts in steps of two seconds
_FINE_TICK_NS = 20_000_000  # kernels stamp files with a clock that ticks every 1 to 16 ms
# Possessive, so that "[!]" stays unclosed instead of becoming a class of "!".
_CLASS = r"\[[!^]?+(?:\][^\]/]*|[^\]/]+)\]"


def is_literal(pattern: str) -> bool:
    """Whether a pattern has no wildcard; an unclosed bracket or brace is an ordinary character."""
    if "*" in pattern or "?" in pattern:
        return False
    if "[" in pattern and re.search(_CLASS, pattern):
        return False
    return "{" not in pattern or _alternatives(pattern) == [pattern]


def normalise(pattern: str) -> str:
    """Return a pattern without ``.``, empty names and ``name/..``; a leading ``!`` and a trailing ``/`` are kept.

    The workspace root itself is ``"."``; the empty pattern, which names nothing, stays empty.
    """
    if "./" not in pattern and "//" not in pattern and not pattern.endswith(("/.", "/..")):
        return pattern
    mark, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    names: list[str] = []
    for name in body.split("/"):
        # A brace may hold slashes, so the names around ".." are not certain to be whole ones.
        if name == ".." and names and names[-1] != ".." and "{" not in body and is_literal(names[-1]):
            names.pop()
        elif name not in ("", "."):
            names.append(name)
    path = ("/" if body.startswith("/") else "") + "/".join(names)
    below = "/" if names and body.endswith(("/", "/.")) else ""
    return mark + (path or ".") + below


def is_settled(status: os.stat_result, now_ns: int) -> bool:
    """Whether any change made after ``now_ns`` must give the file another stamp.

    File stamps come from a clock that ticks slowly: what is written twice within one tick has one stamp. So a stamp
    may stand for what was read only when it was older than a tick at that moment. A stamp in the future never is.

    Args:
        status: Taken before the content was read.
        now_ns: Nanoseconds since the epoch, taken before the content was read.
    """
    newest = max(status.st_mtime_ns, status.st_ctime_ns)
    tick = _FINE_TICK_NS if newest % _SECOND_NS else _COARSE_TICK_NS
    return newest + tick < now_ns


class _Route(NamedTuple):
    """A pattern with its braces written out, split where the wildcards begin."""

    start: str
    """Directory before the first wildcard, with its trailing slash; empty for the root."""
    names: tuple[str, ...]
    """What follows, one pattern per name; ``**`` stands for any number of directories. Never empty."""


class _Listing(NamedTuple):
    """What a directory held when it was read."""

    stamp: tuple[int, ...]
    """Of the directory; equal stamps mean equal content when ``reusable``."""
    reusable: bool
    """Whether the stamp was settled and no entry is a symlink, whose target may change unseen."""
    directories: tuple[list[str], list[str]]
    """Names of visible and of hidden directories."""
    files: tuple[list[str], list[str]]
    """Names of visible and of hidden regular files."""

    @property
    def identity(self) -> tuple[int, ...]:
        """Which directory it is, whatever path led there."""
        return self.stamp[2:]


_NO_LISTING = _Listing((), reusable=False, directories=([], []), files=([], []))


class Tree:
    """The files below a workspace, read as few times as the steps that ask allow.

    What was looked up is believed until :meth:`changed` is called.
    """

    def __init__(self, root: str) -> None:
        self._root = root.replace(os.sep, "/").rstrip("/") + "/"
        self._stats: dict[str, os.stat_result | None] = {}
        self._expanded: dict[tuple[str, ...], list[str]] = {}
        self._fresh: dict[str, _Listing] = {}
        self._listings: dict[str, _Listing] = {}
        self._defined: dict[str, Callable[[], Iterable[str]]] = {}

    def define(self, pattern: str, find: Callable[[], Iterable[str]]) -> None:
        """Say which files a pattern stands for that no wildcard can express.

        Args:
            pattern: Whatever no file can be called.
            find: Gives paths as :meth:`expand` does; asked again after :meth:`changed`.
        """
        self._defined[pattern] = find

    def changed(self) -> None:
        """Say that a command ran, so files may differ from now on."""
        self._stats.clear()
        self._expanded.clear()
        self._fresh.clear()

    def path(self, path: str) -> str:
        """Return where a path of this tree is, for the system."""
        # `os.path.isabs`, or a function around this, costs a third of the system call that follows.
        return path if path.startswith("/") or (_IS_WINDOWS and os.path.isabs(path)) else self._root + path

    def stat(self, path: str) -> os.stat_result | None:
        """Return the status of what a path leads to, or ``None`` when nothing can be reached there."""
        if path in self._stats:
            return self._stats[path]
        try:
            status = os.stat(self._root + path if path[:1] != "/" and not _IS_WINDOWS else self.path(path))
        except (OSError, ValueError):  # ValueError: a null character, which no file name has
            status = None
        self._stats[path] = status
        return status

    def expand(self, patterns: Sequence[str]) -> list[str]:
        """Return the regular files that patterns name.

        Args:
            patterns: In written order: the last one that matches a file decides about it.

        Returns:
            Sorted paths, each once, relative to the root with ``/``; absolute or with ``..`` when outside of it.
        """
        key = tuple(patterns)
        files = self._expanded.get(key)
        if files is None:
            found: set[str] = set()
            for pattern in key:
                if pattern.startswith("!"):
                    excludes = _exclusion(self._relative(normalise(pattern[1:])))
                    found = {path for path in found if not excludes(path)}
                else:
                    found.update(self._files(self._relative(normalise(pattern))))
            files = self._expanded[key] = sorted(found)
        return files.copy()

    def unmatched(self, patterns: Sequence[str]) -> list[str]:
        """Return the patterns, exclusions aside, that name no file by themselves."""
        return [pattern for pattern in patterns if not pattern.startswith("!") and not self.expand((pattern,))]

    def _relative(self, pattern: str) -> str:
        """Write an absolute pattern below the root like all others, so that one file has one name."""
        if pattern.startswith(self._root):
            return pattern.removeprefix(self._root) or "."
        return "." if pattern + "/" == self._root else pattern

    def _files(self, pattern: str) -> Iterable[str]:
        found: set[str] = set()
        if not pattern:
            return ()
        if pattern in self._defined:
            return self._defined[pattern]()
        if not is_literal(pattern):
            for start, names in _routes(pattern):
                self._match(start, names, found)
            return found
        status = self.stat(pattern)
        if status is None:
            return ()
        if S_ISREG(status.st_mode):
            return (pattern,)
        if S_ISDIR(status.st_mode):
            self._match("" if pattern == "." else pattern.rstrip("/") + "/", (_DEEP,), found)
        return found

    def _match(self, directory: str, names: tuple[str, ...], found: set[str]) -> None:
        """Add the files below ``directory`` that match ``names``, one pattern per level."""
        name, *rest = names
        further = tuple(rest)
        if name == _DEEP:
            for below in self._directories_below(directory, ()):
                if further:
                    self._match(below, further, found)
                else:
                    found.update([below + file for file in self._list(below).files[0]])
        elif is_literal(name):
            if further:
                self._match(directory + name + "/", further, found)
            else:
                status = self.stat(directory + name)
                if status is not None and S_ISREG(status.st_mode):
                    found.add(directory + name)
        else:
            matches = _name_matcher(name)
            listing, hidden = self._list(directory), name.startswith(".")
            if further:
                for entry in filter(matches, listing.directories[hidden]):
                    self._match(directory + entry + "/", further, found)
            else:
                found.update([directory + entry for entry in filter(matches, listing.files[hidden])])

    def _directories_below(self, directory: str, above: tuple[tuple[int, ...], ...]) -> Iterator[str]:
        """Yield a directory and every visible one below, through symlinks but never into one it is in already."""
        listing = self._list(directory)
        if listing.identity in above:
            return
        yield directory
        inside = (*above, listing.identity)
        for name in listing.directories[0]:
            yield from self._directories_below(directory + name + "/", inside)

    def _list(self, directory: str) -> _Listing:
        """Return what a directory holds, from memory when its stamp proves that nothing came or went."""
        listing = self._fresh.get(directory)
        if listing is None:
            listing = self._fresh[directory] = self._read_directory(self.path(directory), self._listings.get(directory))
            self._listings[directory] = listing
        return listing

    @staticmethod
    def _read_directory(path: str, known: _Listing | None) -> _Listing:
        now_ns = time.time_ns()
        try:
            status = os.stat(path)
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
            if known is not None and known.reusable and known.stamp == stamp:
                return known
            entries = list(os.scandir(path))
        except (OSError, ValueError):
            return _NO_LISTING
        reusable = is_settled(status, now_ns)
        listing = _Listing(stamp, reusable=reusable, directories=([], []), files=([], []))
        for entry in entries:
            name = entry.name
            if name == _NEVER_MATCHED:
                continue
            try:
                kind = listing.directories if entry.is_dir() else listing.files if entry.is_file() else None
            except OSError:  # a symlink in a loop of symlinks
                kind = None
            if kind is not None:
                kind[name.startswith(".")].append(name)
            reusable = reusable and not entry.is_symlink()
        return listing._replace(reusable=reusable)


def may_overlap(pattern_a: str, pattern_b: str) -> bool:
    """Whether two patterns may name a common file, judged by their text alone.

    Nearly exact when one side has no wildcard: a path without a dot in its last name may be a directory. Between two
    wildcard patterns a ``True`` may be wrong, a ``False`` never is.

    Args:
        pattern_a: Without a leading ``!``.
        pattern_b: Likewise.
    """
    index = PatternIndex()
    index.add("", (pattern_a,))
    return bool(index.overlapping((pattern_b,)))


class _Reach(NamedTuple):
    """What a pattern can touch."""

    place: str
    """The path itself, or the directory before the first wildcard; without a trailing slash, empty for the root."""
    pattern: str
    """Normalised."""
    last: str | None
    """Pattern of the file name; ``None`` when the pattern has no wildcard."""


class PatternIndex:
    """Patterns of many steps, to find those that may overlap without comparing each with each."""

    def __init__(self) -> None:
        self._at: dict[str, list[tuple[str, _Reach]]] = {}
        self._under: dict[str, list[tuple[str, _Reach]]] = {}

    def add(self, key: str, patterns: Sequence[str]) -> None:
        """Remember patterns under a key; exclusions are passed over."""
        for reach in _reaches(patterns):
            place, *ancestors = _upwards(reach.place)
            self._at.setdefault(place, []).append((key, reach))
            for ancestor in ancestors:
                self._under.setdefault(ancestor, []).append((key, reach))

    def overlapping(self, patterns: Sequence[str]) -> set[str]:
        """Return the keys with a pattern that may name a file which ``patterns`` name; see :func:`may_overlap`."""
        keys: set[str] = set()
        for reach in _reaches(patterns):
            for place in _upwards(reach.place):
                keys.update(key for key, other in self._at.get(place, ()) if _meet(other, reach))
            keys.update(key for key, other in self._under.get(reach.place, ()) if _meet(reach, other))
        return keys


def _reaches(patterns: Sequence[str]) -> Iterator[_Reach]:
    for written in patterns:
        pattern = normalise(written)
        if pattern.startswith("!") or not pattern:
            continue
        if is_literal(pattern):
            yield _Reach("" if pattern == "." else pattern.rstrip("/"), pattern, None)
        else:
            for start, names in _routes(pattern):
                yield _Reach(start.rstrip("/"), pattern, names[-1])


def _upwards(place: str) -> Iterator[str]:
    """Yield a place and every directory above it, the root (empty) last."""
    yield place
    while place:
        place = place.rpartition("/")[0]
        yield place


def _meet(upper: _Reach, lower: _Reach) -> bool:
    """Whether two patterns may name one file, when the place of ``lower`` is that of ``upper`` or below it."""
    if upper.last is None:
        return True  # the same path, or a directory with all that is below it
    if lower.last is None:
        # Pure text cannot tell whether `build` is a directory; what looks like a file name with an ending is not.
        may_be_directory = lower.pattern.endswith("/") or "." not in lower.place.rpartition("/")[2]
        return (
            lower.place == upper.place
            or may_be_directory
            or _path_matcher(upper.pattern, exclude=False)(lower.pattern) is not None
        )
    return _names_meet(upper.last, lower.last)


def _names_meet(name_a: str, name_b: str) -> bool:
    """Whether the fixed beginnings and endings of two name patterns leave room for a common name."""
    if _DEEP in (name_a, name_b):
        return True
    (head_a, tail_a), (head_b, tail_b) = _fixed_ends(name_a), _fixed_ends(name_b)
    return (head_a.startswith(head_b) or head_b.startswith(head_a)) and (
        tail_a.endswith(tail_b) or tail_b.endswith(tail_a)
    )


@cache
def _fixed_ends(name: str) -> tuple[str, str]:
    pieces = re.split(rf"\*+|\?|{_CLASS}", name)
    return pieces[0], pieces[-1]


def _exclusion(pattern: str) -> Callable[[str], object]:
    """Return a test for the paths that ``!pattern`` takes out."""
    if not is_literal(pattern):
        return _path_matcher(pattern, exclude=True)
    if pattern == ".":
        return lambda path: not os.path.isabs(path) and not path.startswith("../")
    name = pattern.rstrip("/")
    return lambda path: path == pattern or path.startswith(name + "/")


@cache
def _routes(pattern: str) -> tuple[_Route, ...]:
    """Split a normalised wildcard pattern into the ways to walk for it."""
    at_any_depth = "/" not in pattern.rstrip("/")
    routes = []
    for text in map(normalise, _alternatives(pattern)):
        names = text.split("/")
        if text.endswith("/"):
            names[-1] = _DEEP
        if at_any_depth:
            names.insert(0, _DEEP)
        names = [name for name, following in pairwise([*names, ""]) if not name == following == _DEEP]
        fixed = 0
        while fixed < len(names) - 1 and is_literal(names[fixed]):
            fixed += 1
        routes.append(_Route("".join(name + "/" for name in names[:fixed]), tuple(names[fixed:])))
    return tuple(routes)


def _alternatives(pattern: str) -> list[str]:
    """Write out every ``{a,b}``, inner ones too."""
    start = pattern.find("{")
    while start >= 0:
        cuts = _brace(pattern, start)
        if cuts:
            before, after = pattern[:start], pattern[cuts[-1] + 1 :]
            chosen = (before + pattern[left + 1 : right] + after for left, right in pairwise(cuts))
            return [text for choice in chosen for text in _alternatives(choice)]
        start = pattern.find("{", start + 1)
    return [pattern]


def _brace(pattern: str, start: int) -> list[int]:
    """Return where the brace at ``start`` opens, its own commas, and where it closes; empty when it does not."""
    cuts, depth = [], 0
    for position in range(start, len(pattern)):
        character = pattern[position]
        depth += (character == "{") - (character == "}")
        if depth == 0 or position == start or (character == "," and depth == 1):
            cuts.append(position)
        if depth == 0:
            return cuts
    return []


@cache
def _name_matcher(name: str) -> Callable[[str], object]:
    return re.compile(_name_source(name), re.DOTALL).fullmatch


@cache
def _path_matcher(pattern: str, *, exclude: bool) -> Callable[[str], object]:
    """Return a test for whole paths; exclusions see hidden names, and what is below a directory they match."""
    visible = "" if exclude else rf"(?!\.|{_NEVER_MATCHED}(?:/|\Z))"
    any_name = visible + r"[^/]+"
    sources = []
    for start, names in _routes(pattern):
        source = [re.escape(start)]
        for name in names[:-1]:
            if name == _DEEP:
                source.append(f"(?:{any_name}/)*")
            else:
                source.append(_guarded(name, visible) + "/")
        last = names[-1]
        source.append(f"(?:{any_name}/)*{any_name}" if last == _DEEP else _guarded(last, visible))
        sources.append("".join(source))
    return re.compile(f"(?:{'|'.join(sources)}){'(?:/.*)?' if exclude else ''}", re.DOTALL).fullmatch


def _guarded(name: str, visible: str) -> str:
    return _name_source(name) if name.startswith(".") or is_literal(name) else visible + _name_source(name)


def _name_source(name: str) -> str:
    """Translate the pattern of one name into a regular expression."""
    source, end = [], 0
    for token in re.finditer(rf"\*+|\?|{_CLASS}", name):
        source.append(re.escape(name[end : token.start()]))
        source.append({"*": "[^/]*", "?": "[^/]"}.get(token[0][0]) or _class_source(token[0][1:-1]))
        end = token.end()
    return "".join(source) + re.escape(name[end:])


def _class_source(members: str) -> str:
    """Translate what stands between brackets; a range that runs backwards has no members."""
    negated = members[0] in "!^"
    items = re.findall(r".-.|.", members[negated:], re.DOTALL)
    allowed = "".join(
        "-".join(map(re.escape, (item[0], item[-1]))) if len(item) == 3 else re.escape(item)
        for item in items
        if item[0] <= item[-1]
    )
    if not allowed:
        return "[^/]" if negated else "(?!)"
    return f"(?!/)[{'^' if negated else ''}{allowed}]"
