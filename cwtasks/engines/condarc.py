"""The part of YAML that ``.condarc`` files use: keys with text, lists and tables of text. Knows no key by name.

A library for all of YAML would be one more thing to install for ten keys; what this one does not read, it refuses
only when somebody asks for it.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Value: TypeAlias = "str | list[str] | dict[str, str | list[str]]"

_KEY = re.compile(r"""(?P<key>"[^"]*"|'[^']*'|[^\s#:'"\[{][^#]*?)\s*:(?:\s+(?P<rest>.*))?$""")


def parse(text: str, keys: frozenset[str]) -> dict[str, Value]:
    """Read some top-level keys.

    Args:
        text: The whole document.
        keys: The ones that are asked for; anything may stand under others.

    Raises:
        ValueError: one of them has a value of another form; the text says the line.
    """
    found: dict[str, Value] = {}
    for number, key, block in _blocks(text):
        if key in keys:
            try:
                value = _value(block)
            except ValueError as error:
                raise ValueError(f"line {number}: {key}: {error}") from error
            if value not in ("", "null", "~"):
                found[key] = value
    return found


def _blocks(text: str) -> list[tuple[int, str, list[str]]]:
    """Split a document at its top-level keys: line number from 1, key, and what follows it line by line."""
    blocks: list[tuple[int, str, list[str]]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _without_comment(raw).rstrip()
        if not line or line in ("---", "..."):
            continue
        matched = None if line[0] in " \t-]}" else _KEY.match(line)
        if matched:
            blocks.append((number, _plain(matched["key"]), [matched["rest"] or ""]))
        elif blocks:
            blocks[-1][2].append(line)
    return blocks


def _without_comment(line: str) -> str:
    quote = ""
    for index, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and (index == 0 or line[index - 1] in " \t[,{:-"):
            quote = letter
        elif letter == "#" and (index == 0 or line[index - 1] in " \t"):
            return line[:index]
    return line


def _value(block: list[str]) -> Value:
    first, rest = block[0].strip(), block[1:]
    if first[:1] in ("[", "{"):
        return _flow(" ".join([first, *map(str.strip, rest)]))
    if first and rest:
        raise ValueError("text of several lines is not understood")
    if first or not rest:
        return _plain(first)
    if rest[0].lstrip().startswith("-"):
        return _items(rest)
    return _table(rest)


def _items(lines: list[str]) -> list[str]:
    items = []
    for line in lines:
        stripped = line.strip()
        if stripped != "-" and not stripped.startswith("- "):
            raise ValueError(f"expected '- …', found '{stripped}'")
        items.append(_plain(stripped[1:].strip()))
    return items


def _table(lines: list[str]) -> dict[str, str | list[str]]:
    indent = len(lines[0]) - len(lines[0].lstrip())
    table: dict[str, str | list[str]] = {}
    key, below = "", list[str]()
    for line in lines:
        stripped = line.strip()
        matched = _KEY.match(stripped)
        if len(line) - len(line.lstrip()) <= indent and not stripped.startswith("-"):
            if not matched:
                raise ValueError(f"expected 'name: …', found '{stripped}'")
            key, below = _plain(matched["key"]), []
            rest = matched["rest"] or ""
            table[key] = [_plain(item) for item in _split(rest)] if rest.startswith("[") else _plain(rest)
        else:
            below.append(line)
            table[key] = _items(below)
    return table


def _flow(text: str) -> Value:
    if text.startswith("["):
        return [_plain(item) for item in _split(text)]
    table: dict[str, str | list[str]] = {}
    for item in _split(text):
        matched = _KEY.match(item)
        if not matched:
            raise ValueError(f"expected 'name: …', found '{item}'")
        table[_plain(matched["key"])] = _plain(matched["rest"] or "")
    return table


def _split(text: str) -> list[str]:
    if text[-1:] != {"[": "]", "{": "}"}[text[0]]:
        raise ValueError(f"'{text[0]}' is never closed")
    items = re.findall(r"""(?:"[^"]*"|'[^']*'|[^,'"])+""", text[1:-1])
    return [item.strip() for item in items if item.strip()]


def _plain(text: str) -> str:
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "'\"":
        return stripped[1:-1]
    return stripped
