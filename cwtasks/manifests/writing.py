"""Values as TOML writes them. Knows the types of TOML and how people write them, no table of any manifest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cwtasks.manifests.tables import TomlTable

Value = str | bool | int | list["Value"] | dict[str, "Value"]
"""What a manifest of ours may hold: no float, no date."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def written(value: object) -> str:
    """Return a value on one line.

    Args:
        value: Text, a boolean, a whole number, or arrays (lists, tuples) and tables of such.

    Raises:
        TypeError: it is of another type.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        entries = ", ".join(f"{written_key(key)} = {written(item)}" for key, item in value.items())
        return f"{{ {entries} }}" if entries else "{}"
    raise TypeError(f"a manifest cannot hold a {type(value).__name__}")


def written_key(key: str) -> str:
    """Return one part of a key, in quotes when it needs them."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _string(key)


def written_tables(tables: Mapping[tuple[str, ...], Mapping[str, object]]) -> str:
    """Return tables with their headers, a blank line between two.

    Args:
        tables: Address to content.
    """
    parts = []
    for path, content in tables.items():
        lines = [f"{written_key(key)} = {written(value)}" for key, value in content.items()]
        parts.append("\n".join([f"[{'.'.join(map(written_key, path))}]", *lines, ""]))
    return "\n".join(parts)


def table_at(data: object, path: tuple[str, ...]) -> TomlTable:
    """Return the table at an address, an empty one when there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _string(text: str) -> str:
    if ('"' in text or "\\" in text) and "'" not in text and text.isprintable():
        return f"'{text}'"
    return '"' + "".join(_ESCAPES.get(char) or (char if _is_plain(char) else _escaped(char)) for char in text) + '"'


def _is_plain(char: str) -> bool:
    return char.isprintable()


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04X}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08X}"
