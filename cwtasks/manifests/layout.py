"""Where in the text of a TOML document each table and each entry stands.

Knows the shape of TOML and offsets. Knows no meaning of any table, and trusts that the text is valid: it has been
parsed before it is looked at here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import tomli

if TYPE_CHECKING:
    from collections.abc import Iterator

KeyPath = tuple[str, ...]
"""Address of a table or an entry: one name for each level, from the root."""

_BASIC = r'"(?:\\.|[^"\\\n])*"'
_LITERAL = r"'[^'\n]*'"
_STRING = rf'"""(?:\\.|[^\\])*?"""(?:"{{0,2}})|\'\'\'.*?\'\'\'(?:\'{{0,2}})|{_BASIC}|{_LITERAL}'
_TOKEN = re.compile(rf"(?P<skipped>{_STRING}|#[^\n]*)|(?P<open>[\[{{])|(?P<close>[\]}}])|[^\"'#\[\]{{}}]+", re.DOTALL)
_STRING_HERE = re.compile(_STRING, re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_KEY_PART = re.compile(rf"[ \t]*({_BASIC}|{_LITERAL}|[^\s\"'=.\[\]#{{}},]+)[ \t]*")
_BLANK = re.compile(r"[ \t]*")
_BLANKS_AND_COMMENTS = re.compile(r"(?:[\s]+|#[^\n]*)*")


class Entry(NamedTuple):
    """One ``key = value``, in a table or in an inline table."""

    path: KeyPath
    """From the root of the document."""
    key: str
    """As it is written."""
    start: int
    """Where the key begins."""
    value: int
    """Where the value begins."""
    end: int
    """Just after the value; a comment may follow."""


class Block(NamedTuple):
    """A table header and the entries below it, up to the next header; the first block has no header."""

    path: KeyPath
    is_array: bool
    """Whether it is one of an array of tables; its path then has a last part that no key can be."""
    start: int
    """Beginning of the header's line."""
    header_end: int
    """Just after the closing bracket."""
    entries: tuple[Entry, ...]

    @property
    def content_end(self) -> int:
        """Just after the last value, or after the header when there is none."""
        return self.entries[-1].end if self.entries else self.header_end


@lru_cache(maxsize=4)
def blocks(text: str) -> tuple[Block, ...]:
    """Split a document.

    Args:
        text: Valid TOML.
    """
    found: list[Block] = []
    place, header, entries = 0, Block((), False, 0, 0, ()), list[Entry]()
    arrays = 0
    while (place := _after(_BLANKS_AND_COMMENTS, text, place)) < len(text):
        if text[place] == "[":
            found.append(header._replace(entries=tuple(entries)))
            is_array = text.startswith("[[", place)
            path, end = _key(text, place + 1 + is_array)
            end += 1 + is_array
            arrays += is_array
            header = Block((*path, f"\0{arrays}") if is_array else path, is_array, line_start(text, place), end, ())
            entries = []
            place = end
        else:
            entries.append(_entry(text, place, header.path))
            place = entries[-1].end
    return (*found, header._replace(entries=tuple(entries)))


def inline_entries(text: str, entry: Entry) -> list[Entry] | None:
    """Return the entries of an inline table, ``None`` when the value is something else.

    Args:
        text: The document.
        entry: Whose value to look into.
    """
    if text[entry.value] != "{":
        return None
    found = []
    place = _after(_BLANKS_AND_COMMENTS, text, entry.value + 1)
    while text[place] != "}":
        if text[place] == ",":
            place += 1
        else:
            found.append(_entry(text, place, entry.path))
            place = found[-1].end
        place = _after(_BLANKS_AND_COMMENTS, text, place)
    return found


def all_entries(text: str) -> Iterator[tuple[Block, Entry]]:
    """Yield every entry that does not stand in an inline table, with its block."""
    for block in blocks(text):
        for entry in block.entries:
            yield block, entry


def line_start(text: str, place: int) -> int:
    """Return where the line begins that a place is in."""
    return text.rfind("\n", 0, place) + 1


def line_end(text: str, place: int) -> int:
    """Return where the line ends that a place is in, its newline included."""
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _entry(text: str, place: int, table: KeyPath) -> Entry:
    path, equals = _key(text, place)
    value = _after(_BLANK, text, equals + 1)
    return Entry((*table, *path), text[place:equals].rstrip(), place, value, _after_value(text, value))


def _key(text: str, place: int) -> tuple[KeyPath, int]:
    """Return the parts of a key, bare or quoted, and the place after it."""
    parts = []
    while True:
        part = _KEY_PART.match(text, place)
        if part is None:  # pragma: no cover - only in a text that is no TOML
            raise ValueError(f"no key at {place}")
        written, place = part[1], part.end()
        parts.append(str(tomli.loads(f"x = {written}")["x"]) if written[0] in "\"'" else written)
        if text[place] != ".":
            return tuple(parts), place
        place += 1


def _after_value(text: str, place: int) -> int:
    string = _STRING_HERE.match(text, place)
    if string:
        return string.end()
    if text[place] not in "[{":
        return place + len((_SCALAR.match(text, place) or [""])[0].rstrip())
    depth = 0
    while True:
        token = _TOKEN.match(text, place)
        if token is None:  # pragma: no cover - only in a text that is no TOML
            raise ValueError(f"no value at {place}")
        depth += (token["open"] is not None) - (token["close"] is not None)
        place = token.end()
        if depth == 0:
            return place


def _after(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place
