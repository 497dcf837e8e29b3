"""Versions as conda orders them, and the constraints written on them.

Where conda and rattler read a constraint differently, ours is rattler's reading: it is the engine that solves. Text in,
answers out; knows no package, no spec and no lock.
"""

from __future__ import annotations

import operator
import re
from functools import lru_cache, total_ordering
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Constraint = Callable[["Version"], bool]

_Atom = tuple[int, int | str]
"""A run of digits or of letters, so made that tuples compare as conda compares: dev < letters < numbers < post."""
_Component = tuple[_Atom, ...]

_ZERO: _Atom = (1, 0)
_POST: _Atom = (2, 0)
_DEV: _Atom = (0, "")
_MAX_LENGTH = 4096
_MAX_NESTING = 32
_MAX_DIGITS = 100

_WRITTEN = re.compile(r"(?:([0-9]+)!)?([0-9a-z][0-9a-z._]*)(?:\+([0-9a-z][0-9a-z._]*))?")
_ATOMS = re.compile(r"[0-9]+|[a-z]+|_")
_TERM = re.compile(r"(==|!=|<=|>=|~=|=|<|>)?([^()<>=!~,|\s]+(?:![^()<>=!~,|\s]+)?)")
_COMPARISONS: dict[str, Callable[[Version, Version], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


@total_ordering
class Version:
    """A conda version: epoch, components and local part; ``1.0`` equals ``1``."""

    __slots__ = ("_canonical", "_local", "_written", "_written_local", "epoch", "text")

    def __init__(self, text: str) -> None:
        """Parse a version.

        Args:
            text: For example ``1.10``, ``2!1.0a1``, ``1.1.1w``, ``1.0+cu118``; case does not matter.

        Raises:
            ValueError: not a version.
        """
        lower = text.strip().lower()
        if "-" in lower:
            if "_" in lower:
                raise ValueError(f"'{text}' is no version: it has both '-' and '_'")
            lower = lower.replace("-", "_")
        found = _WRITTEN.fullmatch(lower) if len(lower) <= _MAX_LENGTH else None
        if not found:
            raise ValueError(f"'{text[:80]}' is no version")
        self.text = text
        self.epoch = _number(found[1] or "0")
        self._written = _components(found[2], text)
        self._written_local = _components(found[3], text) if found[3] else ()
        self._canonical = _without_zeros(self._written)
        self._local = _without_zeros(self._written_local)

    def starts_with(self, prefix: Version) -> bool:
        """Whether ``<prefix>.*`` allows this version; missing components count as zero."""
        if self.epoch != prefix.epoch or not _begins(self._canonical, prefix._written):
            return False
        return not prefix._written_local or _begins(self._local, prefix._written_local)

    def is_compatible_with(self, other: Version) -> bool:
        """Whether ``~=<other>`` allows this version: not older, and equal up to the last component but one."""
        if self.epoch != other.epoch or self < other:
            return False
        if other._written_local and not _begins(self._local, other._written_local):
            return False
        return len(other._written) == 1 or _begins(self._canonical, other._written[:-1])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        if self.epoch != other.epoch:
            return self.epoch < other.epoch
        order = _compare(self._canonical, other._canonical) or _compare(self._local, other._local)
        return order < 0

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[int, tuple[_Component, ...], tuple[_Component, ...]]:
        return self.epoch, self._canonical, self._local

    def __repr__(self) -> str:
        return f"Version({self.text!r})"


def _number(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("a number in a version is too long")
    return int(digits)


def _components(lower: str, text: str) -> tuple[_Component, ...]:
    # A "_" separates as "." does; only the last one means itself (openssl's 1.0.1_ comes before 1.0.1a).
    body = f"{lower[:-1].replace('_', '.')}_" if lower.endswith("_") else lower.replace("_", ".")
    components = []
    for part in body.split("."):
        if not part:
            raise ValueError(f"'{text[:80]}' is no version: a component is empty")
        atoms = [_atom(atom) for atom in _ATOMS.findall(part)]
        components.append(tuple(atoms if part[0].isdigit() else [_ZERO, *atoms]))
    return tuple(components)


def _atom(text: str) -> _Atom:
    if text.isdigit():
        return (1, _number(text))
    if text == "post":
        return _POST
    return _DEV if text == "dev" else (0, text)


def _without_zeros(components: tuple[_Component, ...]) -> tuple[_Component, ...]:
    """Drop zeros at the end of components and empty components at the end: what is equal becomes the same."""
    shortened = []
    for component in components:
        end = len(component)
        while end and component[end - 1] == _ZERO:
            end -= 1
        shortened.append(component[:end])
    while shortened and not shortened[-1]:
        shortened.pop()
    return tuple(shortened)


def _compare(left: tuple[_Component, ...], right: tuple[_Component, ...]) -> int:
    for mine, theirs in zip_longest(left, right, fillvalue=()):
        if mine != theirs:
            for one, other in zip_longest(mine, theirs, fillvalue=_ZERO):
                if one != other:
                    return -1 if one < other else 1
    return 0


def _begins(components: tuple[_Component, ...], prefix: tuple[_Component, ...]) -> bool:
    *whole, last = prefix
    for index, wanted in enumerate(whole):
        mine = components[index] if index < len(components) else ()
        if any(one != other for one, other in zip_longest(mine, wanted, fillvalue=_ZERO)):
            return False
    mine = components[len(whole)] if len(whole) < len(components) else ()
    return all((mine[index] if index < len(mine) else _ZERO) == atom for index, atom in enumerate(last))


@lru_cache(maxsize=65536)
def parse_version(text: str) -> Version | None:
    """Return a version, or ``None`` for text that is none; remembered."""
    try:
        return Version(text)
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def parse_constraint(text: str) -> Constraint:
    """Return the test that a version constraint stands for; remembered.

    Args:
        text: ``,`` is "and", ``|`` is "or" and binds less; parentheses; ``1.2.*``, ``=1.2``, ``==1.2``, ``1.2``,
            ``!=``, ``~=``, ``<``, ``<=``, ``>``, ``>=``, ``*`` within, ``*`` alone for any version.

    Raises:
        ValueError: not a constraint.
    """
    if len(text) > _MAX_LENGTH:
        raise ValueError("a version constraint is too long")
    parser = _Parser(text)
    test = parser.alternatives(0)
    parser.end()
    return test


def version_matches(version: str, constraint: str) -> bool:
    """Whether a constraint allows a version; text that is no version is allowed by ``*`` and by itself only.

    Args:
        version: Of a package.
        constraint: As for :func:`parse_constraint`.

    Raises:
        ValueError: not a constraint.
    """
    if constraint in ("*", ""):
        return True
    parsed = parse_version(version)
    if parsed is None:
        return version == constraint.removeprefix("==")
    return parse_constraint(constraint)(parsed)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def alternatives(self, nesting: int) -> Constraint:
        tests = [self._conjunction(nesting)]
        while self._take("|"):
            tests.append(self._conjunction(nesting))
        return tests[0] if len(tests) == 1 else lambda version: any(test(version) for test in tests)

    def _conjunction(self, nesting: int) -> Constraint:
        tests = [self._term(nesting)]
        while self._take(","):
            tests.append(self._term(nesting))
        return tests[0] if len(tests) == 1 else lambda version: all(test(version) for test in tests)

    def _term(self, nesting: int) -> Constraint:
        if self._take("("):
            if nesting >= _MAX_NESTING:
                raise self._mistake()
            inner = self.alternatives(nesting + 1)
            if not self._take(")"):
                raise self._mistake()
            return inner
        found = _TERM.match(self._text, self._at)
        if not found:
            raise self._mistake()
        self._at = found.end()
        return _single(found[1] or "", found[2])

    def end(self) -> None:
        self._skip_blanks()
        if self._at < len(self._text):
            raise self._mistake()

    def _take(self, sign: str) -> bool:
        self._skip_blanks()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += 1
        self._skip_blanks()
        return True

    def _skip_blanks(self) -> None:
        while self._text.startswith(" ", self._at):
            self._at += 1

    def _mistake(self) -> ValueError:
        return ValueError(f"'{self._text[:80]}' is no version constraint")


def _single(sign: str, written: str) -> Constraint:
    stem = written.rstrip("*").rstrip(".") if written.endswith("*") else written
    if not stem:
        if sign in (">", "<", "!="):
            raise ValueError(f"'{sign}{written}' is no version constraint")
        return lambda _version: True
    if "*" in stem:
        return _glob(sign, written)
    return _relation(sign, Version(stem), is_fuzzy=stem != written)


def _relation(sign: str, wanted: Version, *, is_fuzzy: bool) -> Constraint:
    if sign == "~=":
        return lambda version: version.is_compatible_with(wanted)
    if sign == "=" or (is_fuzzy and sign == ""):
        return lambda version: version.starts_with(wanted)
    if sign == "!=":
        return lambda version: not (version.starts_with(wanted) if is_fuzzy else version == wanted)
    # After an order, ".*" says nothing, but ">1.2.*" is ">=1.2" to rattler.
    compare = _COMPARISONS[">=" if is_fuzzy and sign == ">" else sign or "=="]
    return lambda version: compare(version, wanted)


def _glob(sign: str, written: str) -> Constraint:
    if sign not in ("", "=", "==", "!="):
        raise ValueError(f"'{sign}{written}' is no version constraint: '*' within a version has no order")
    return lambda version: glob_matches(version.text.lower(), written.lower()) is not (sign == "!=")


def glob_matches(text: str, pattern: str) -> bool:
    """Whether a pattern in which only ``*`` means something matches a whole text.

    No regular expression: a hostile pattern of many stars would keep one busy for ever; here the time is bounded by
    the product of the lengths.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(rest[-1]) and text.endswith(rest[-1])
