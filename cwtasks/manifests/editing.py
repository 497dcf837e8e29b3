"""Changing a manifest that a person wrote: one entry put in or taken out, every other byte as it was.

Works on the text, by the places of :mod:`cwtasks.manifests.layout`, and then reads the result: an edit that would mean
anything but what was asked is refused, never written. Knows no meaning of any table. Reading and writing the file
stand in :mod:`cwtasks.manifests.drafts`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import tomli

from cwtasks.manifests.layout import KeyPath, all_entries, blocks, inline_entries, line_end, line_start
from cwtasks.manifests.writing import written_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cwtasks.manifests.layout import Block, Entry


class NotEditableError(Exception):
    """The text cannot be changed as asked without changing what else it says."""


def parsed(text: str) -> dict[str, Any]:
    """Read a document for comparing: floats stay text, so that what is no number equals itself.

    Args:
        text: Valid TOML.
    """
    return tomli.loads(text, parse_float=str)


def with_entry(text: str, path: KeyPath, value: str) -> str:
    """Put in an entry that is not there.

    It goes behind the last entry of its table, in the form that table has: under its header, in an inline table, or as
    a dotted key. A table that is not there gets a header, behind the tables it is nearest to.

    Args:
        text: Valid TOML.
        path: Table and key.
        value: As TOML writes it, on one line.

    Raises:
        NotEditableError: it cannot be put in without changing something else.
    """
    edited = (
        _under_header(text, path, value)
        or _in_inline_table(text, path, value)
        or _as_dotted_key(text, path, value)
        or _with_header(text, path, value)
    )
    expected = parsed(text)
    try:
        table = expected
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = parsed(f"x = {value}")["x"]
        if parsed(edited) == expected:
            return edited
    except (tomli.TOMLDecodeError, AttributeError, TypeError) as error:
        raise NotEditableError from error
    raise NotEditableError


def without(text: str, path: KeyPath) -> str:
    """Take out an entry or a table with everything in it; nothing happens when it is not there.

    A comment behind an entry goes with it. The table it was in still exists when it has nothing left.

    Args:
        text: Valid TOML.
        path: What to take out.

    Raises:
        NotEditableError: it cannot be taken out without changing something else.
    """
    expected = parsed(text)
    table: Any = expected
    for key in path[:-1]:
        table = table.get(key, {}) if isinstance(table, dict) else {}
    if not isinstance(table, dict) or table.pop(path[-1], None) is None:
        return text
    places = sorted(_places(text, path), reverse=True)
    # Where only the entry says that its table exists, something must go on saying so: it may be all of a feature.
    for stub in ("", places[-1].stub if places else ""):
        edited = _without_places(text, places, stub)
        with suppress(tomli.TOMLDecodeError):
            if parsed(edited) == expected:
                return edited
    raise NotEditableError


def _without_places(text: str, places: list[_Place], stub: str) -> str:
    edited = text
    for place in places[:-1] if stub else places:
        edited = _cut(edited, place.start, place.end)
    if stub:
        edited = edited[: places[-1].start] + stub + edited[places[-1].stub_end :]
        return edited if text.endswith("\n") else edited.removesuffix("\n").removesuffix("\r")
    if places and places[0].end == len(text) and text[places[0].start :].lstrip().startswith("["):
        # The blank lines before a table that was the last one go with it.
        edited = re.sub(r"(\r?\n[ \t]*)+$", "", edited)
        edited += newline_of(text) if edited and text.endswith("\n") else ""
    return edited


def without_empty_header(text: str, path: KeyPath) -> str:
    """Take out the header of a table that has nothing in it, when it is one that :func:`with_entry` would have made.

    Args:
        text: Valid TOML.
        path: The table.
    """
    for block in blocks(text):
        if block.path == path and not block.entries:
            above = text[line_start(text, block.start - 1) if block.start else 0 : block.start]
            start = block.start - (0 if above.strip() else len(above))
            cut = _cut(text, start, line_end(text, block.header_end))
            # One that stands elsewhere, or with a comment, was written by a person and may be meant to be filled.
            return cut if _inserted_tables(cut, [f"[{_dotted(path)}]"], path) == text else text
    return text


def with_tables(text: str, tables: str, near: KeyPath) -> str:
    """Put in whole tables, behind those they are nearest to.

    Args:
        text: Valid TOML.
        tables: Headers and entries, one newline at the end.
        near: Address that says which tables are near.

    Raises:
        NotEditableError: they cannot be put in without changing something else.
    """
    edited = _inserted_tables(text, tables.removesuffix("\n").split("\n"), near)
    expected = _merged(parsed(text), parsed(tables))
    try:
        if parsed(edited) == expected:
            return edited
    except tomli.TOMLDecodeError as error:
        raise NotEditableError from error
    raise NotEditableError


def newline_of(text: str) -> str:
    """Return how the lines of a text end; the first one decides."""
    end = text.find("\n")
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


def _under_header(text: str, path: KeyPath, value: str) -> str | None:
    for block in blocks(text):
        if block.path == path[:-1] and (block.header_end or block.entries):
            return _line_after(text, block, written_key(path[-1]), value)
    return None


def _line_after(text: str, block: Block, key: str, value: str, *, entry: Entry | None = None) -> str:
    """Insert a line behind an entry of a block, behind the last one when none is given."""
    last = entry or (block.entries[-1] if block.entries else None)
    start = line_start(text, last.start if last else block.start)
    indent = re.match(r"[ \t]*", text[start:])
    lines = [f"{indent[0] if indent and last else ''}{key} = {value}"]
    return _insert_lines(text, last.end if last else block.header_end, lines)


def _insert_lines(text: str, place: int, lines: Iterable[str]) -> str:
    """Insert whole lines behind the line of a place; a last line without a newline stays one."""
    end = line_end(text, place)
    newline = newline_of(text)
    if end and text[end - 1] != "\n":
        return text + "".join(f"{newline}{line}" for line in lines)
    return text[:end] + "".join(f"{line}{newline}" for line in lines) + text[end:]


def _in_inline_table(text: str, path: KeyPath, value: str) -> str | None:
    """Insert into the inline table that holds the address, the innermost one."""
    entries = [entry for _, entry in all_entries(text)]
    holder: Entry | None = None
    inside: list[Entry] = []
    while True:
        within = [entry for entry in entries if entry.path == path[: len(entry.path)] and len(entry.path) < len(path)]
        found = next(((entry, held) for entry in within if (held := inline_entries(text, entry)) is not None), None)
        if found is None:
            break
        holder, inside = found
        entries = inside
    if holder is None:
        return None
    addition = f"{_dotted(path[len(holder.path) :])} = {value}"
    if not inside:
        return f"{text[: holder.value + 1]} {addition} {text[holder.value + 1 :].lstrip(' ')}"
    last = inside[-1]
    line = _own_line(text, last)
    if line is None:
        return f"{text[: last.end]}, {addition}{text[last.end :]}"
    # In a table with one entry a line, the new one gets a line, too, and a comment stays behind what it is about.
    start, end, comma = line
    after = "" if comma else ","
    new = f"{text[start : last.start]}{addition}{comma}{newline_of(text)}"
    return f"{text[: last.end]}{after}{text[last.end : end]}{new}{text[end:]}"


def _own_line(text: str, entry: Entry) -> tuple[int, int, str] | None:
    """Return where the line of an entry begins and ends, and its comma; ``None`` when it shares it with others."""
    start = line_start(text, entry.start)
    behind = re.match(r"[ \t]*(,?)[ \t]*(#[^\n]*)?\r?\n", text[entry.end :])
    if behind is None or text[start : entry.start].strip():
        return None
    return start, entry.end + behind.end(), behind[1]


def _as_dotted_key(text: str, path: KeyPath, value: str) -> str | None:
    """Insert behind the last dotted key that leads into the same table."""
    table = path[:-1]
    found = [
        (block, entry)
        for block, entry in all_entries(text)
        if entry.path[: len(table)] == table and len(block.path) < len(table)
    ]
    if not found:
        return None
    block, entry = found[-1]
    return _line_after(text, block, _dotted(path[len(block.path) :]), value, entry=entry)


def _with_header(text: str, path: KeyPath, value: str) -> str:
    if len(path) == 1:
        # What is in no table must stand before the first one.
        return f"{written_key(path[0])} = {value}{newline_of(text)}{text}"
    return _inserted_tables(text, [f"[{_dotted(path[:-1])}]", f"{written_key(path[-1])} = {value}"], path[:-1])


def _inserted_tables(text: str, lines: list[str], near: KeyPath) -> str:
    block = _nearest(text, near)
    if not text.strip("\r\n \t"):
        newline = newline_of(text)
        return "".join(f"{line}{newline}" for line in lines)
    place = block.content_end if block.header_end or block.entries else len(text)
    return _insert_lines(text, _after_own_comments(text, place), ["", *lines])


def _nearest(text: str, path: KeyPath) -> Block:
    """Return the last block with the longest beginning in common; where none has one, the last of all."""

    def common(block: Block) -> int:
        shared = 0
        for ours, theirs in zip(path, block.path, strict=False):
            if ours != theirs:
                break
            shared += 1
        return shared

    return max(enumerate(blocks(text)), key=lambda numbered: (common(numbered[1]), numbered[0]))[1]


def _after_own_comments(text: str, place: int) -> int:
    """Return a place in the last of the comment lines that follow at once, unless they lead to the next table."""
    end = line_end(text, place)
    last = place
    while end < len(text):
        line = text[end : line_end(text, end)].strip()
        if line.startswith("["):
            return place
        if not line.startswith("#"):
            return last
        last, end = end, line_end(text, end)
    return last


class _Place(NamedTuple):
    """What is to be cut, and what could stand there instead so that the table it is in still exists."""

    start: int
    end: int
    stub: str
    stub_end: int
    """Where the stub ends what it replaces."""


def _places(text: str, path: KeyPath) -> Iterable[_Place]:
    """Yield from where to where to cut: no two overlap."""
    size, newline = len(path), newline_of(text)
    for block in blocks(text):
        if block.path[:size] == path:
            stub_end = line_end(text, block.content_end)
            yield _Place(block.start, _block_end(text, block), f"[{_dotted(path[:-1])}]{newline}", stub_end)
            continue
        for entry in block.entries:
            if entry.path[:size] == path:
                start, end = line_start(text, entry.start), line_end(text, entry.end)
                yield _Place(start, end, f"{_empty_table(path, block.path)}{newline}", end)
            elif entry.path == path[: len(entry.path)]:
                yield from _inline_places(text, entry, path)


def _block_end(text: str, block: Block) -> int:
    """Return where the lines end that go with a block: of blank lines before and behind it, one goes, too."""
    end = line_end(text, block.content_end)
    above = text[line_start(text, block.start - 1) : block.start] if block.start else "\n"
    below = text[end : line_end(text, end)]
    return end + (len(below) if not above.strip() and not below.strip() else 0)


def _inline_places(text: str, holder: Entry, path: KeyPath) -> Iterable[_Place]:
    inside = inline_entries(text, holder) or []
    is_leaving = [entry.path[: len(path)] == path for entry in inside]
    # Those at the end leave together, with the comma before the first of them.
    kept = next((index for index in range(len(inside), 0, -1) if not is_leaving[index - 1]), 0)
    stub = _empty_table(path, holder.path)
    for index, entry in enumerate(inside[:kept]):
        if is_leaving[index]:
            line = _own_line(text, entry)
            start, end = (line[0], line[1]) if line else (entry.start, inside[index + 1].start)
            yield _Place(start, end, text[start : entry.start] + stub, entry.end)
        elif entry.path == path[: len(entry.path)]:
            yield from _inline_places(text, entry, path)
    if kept < len(inside):
        first, last = inside[kept], inside[-1]
        line = _own_line(text, last) if kept and first == last else None
        if line is None:
            start, end = (inside[kept - 1].end, last.end) if kept else (holder.value + 1, holder.end - 1)
            yield _Place(start, end, text[start : first.start] + stub, last.end)
            return
        start, end, comma = line
        yield _Place(start, end, text[start : first.start] + stub, last.end)
        if not comma:
            # The one before it is the last one now.
            before = text.index(",", inside[kept - 1].end)
            yield _Place(before, before + 1, "", before)


def _empty_table(path: KeyPath, above: KeyPath) -> str:
    return f"{_dotted(path[len(above) : -1])} = {{}}"


def _dotted(path: KeyPath) -> str:
    return ".".join(map(written_key, path))


def _cut(text: str, start: int, end: int) -> str:
    if end == len(text) and not text.endswith("\n") and start:
        # The last line had no newline: neither has the one that is last now.
        return text[:start].removesuffix("\n").removesuffix("\r")
    return text[:start] + text[end:]


def _merged(data: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    both = {key for key in data if isinstance(data[key], dict) and isinstance(more.get(key), dict)}
    return {**data, **more, **{key: _merged(data[key], more[key]) for key in both}}
