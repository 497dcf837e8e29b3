"""The part of YAML that lock files are written in: block mappings and sequences, scalars on one or several lines.

A general YAML reader in Python takes seconds for a lock of a megabyte. Locks are regular: nearly every line is
``key: value``, ``- value`` or ``- key: value``, so one regular expression cuts the whole text into lines, and equal
values are read once. What lock files never hold is an error with its line: anchors, aliases, tags, several documents,
flow collections that are not empty, and equal keys. Scalars mean what YAML 1.2 says.

Text in, values out; knows no lock. A message never repeats what it found: it may be a secret.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Scalar = str | int | float | bool | None
Value = Scalar | list["Value"] | dict[str, "Value"]


class YamlLimits(NamedTuple):
    """How much a text may hold before it counts as an attack."""

    lines: int = 2_000_000
    depth: int = 64
    """Collections within each other."""
    items: int = 100_000
    """Of one collection."""


class YamlMistake(ValueError):  # noqa: N818 - a mistake in a text; the error that names the file is made of it
    """Text outside of the subset.

    Attributes:
        line: Counted from 1.
        reason: What was expected, and what kind of thing was found.
    """

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"line {line}: {reason}")


_Line = tuple[str, str, str, str]
"""Blanks at the beginning, ``- `` or nothing, key or nothing, and the rest."""

_LINE = re.compile(r"^( *)(- +|-$)?(?:([A-Za-z0-9_][A-Za-z0-9_.-]*):(?: +|$))?(.*)$", re.MULTILINE)
_QUOTED = re.compile(r"'(?:[^']|'')*'(?!')|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_QUOTED_KEY = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"):(?: +(.*)|)$")
_LONG_KEY = re.compile(r"((?:[^\s\-?:,\[\]{}#&*!|>'\"%@`]|[-?:](?=\S))(?:[^:#]|:(?=\S)|(?<! )#)*):(?: +(.*)|)$")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\n)[ \t]*|(.))", re.DOTALL)
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_MAX_DIGITS = 30
_MAX_QUOTED_LINES = 200
_FOUND = {
    "&": "an anchor",
    "*": "an alias",
    "!": "a tag",
    "|": "an unusual block of text",
    ">": "a folded block of text",
    "[": "a list in brackets",
    "{": "a mapping in braces",
    "?": "a key marked with '?'",
    "%": "a directive",
    "\t": "a tab",
}
_MARKS = ("- ", ": ", "--- ", "... ")
_END: _Line = ("", "", "", "...")
_MISSING = object()


def parse_yaml(text: str, *, limits: YamlLimits | None = None) -> Value:
    """Read one document.

    Args:
        text: Whole file; line ends may be those of Windows.
        limits: Against hostile files.

    Raises:
        YamlMistake: outside of the subset, or beyond the limits.
    """
    limits = limits or YamlLimits()
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if found := _CONTROL.search(text):
        raise YamlMistake(text.count("\n", 0, found.start()) + 1, "expected text, found a control character")
    if text.count("\n") >= limits.lines:
        raise YamlMistake(limits.lines, f"expected at most {limits.lines} lines")
    return _Reader(text, limits).document()


class _Reader:
    """Walks over the lines; ``at`` is the index of the next one to be read."""

    def __init__(self, text: str, limits: YamlLimits) -> None:
        self._lines: list[_Line] = _LINE.findall(text)
        self._lines.append(_END)
        self._text = text
        self._texts: list[str] = []
        self._limits = limits
        self._at = 0
        self._scalars: dict[str, Value] = {}
        self._keys: set[str] = set()

    def document(self) -> Value:
        self._skip_empty()
        lead, dash, key, rest = self._lines[self._at]
        if not (lead or dash or key) and rest.rstrip(" ") == "---":
            self._at += 1
            self._skip_empty()
        value = self._block(0, depth=0)
        self._skip_empty()
        if self._at < len(self._lines) - 1 and self._lines[self._at] == _END:
            self._at += 1
            self._skip_empty()
        if self._at < len(self._lines) - 1:
            raise self._mistake("expected the end of the file, found more")
        return value

    # What a block is made of

    def _block(self, column: int, *, depth: int) -> Value:
        """Read what stands below a key or a dash, indented by at least ``column``; nothing is null."""
        self._skip_empty()
        line = self._lines[self._at]
        lead, dash, key, rest = line
        if len(lead) < column or line == _END:
            return None
        if depth > self._limits.depth:
            raise self._mistake(f"expected at most {self._limits.depth} levels, found more")
        if dash:
            return self._sequence(lead, depth=depth)
        if key or _split_key(rest):
            return self._mapping(lead, depth=depth)
        self._at += 1
        return self._scalar(rest, column - 1)

    def _mapping(self, own: str, *, depth: int) -> Value:  # noqa: C901 - a call for each line would double the time
        """Read a mapping whose first key stands on the current line, possibly after the dash of a sequence."""
        lines, known, keys = self._lines, self._scalars, self._keys
        mapping: dict[str, Value] = {}
        at = self._at
        _, _, key, rest = lines[at]
        while True:
            if not key:
                self._at = at
                key, rest = self._unusual_key(rest)
            elif key not in keys:
                self._at = at
                self._learn_key(key)
            if key in mapping:
                self._at = at
                raise self._mistake("expected each key once, found one twice")
            at += 1
            if rest:
                value = known.get(rest, _MISSING)
                if value is _MISSING:
                    self._at = at
                    is_comment = rest[0] == "#"
                    value = self._below_key(own, depth=depth + 1) if is_comment else self._scalar(rest, len(own))
                    at = self._at
            else:
                self._at = at
                value = self._below_key(own, depth=depth + 1)
                at = self._at
            mapping[key] = value  # type: ignore[assignment]  # _MISSING never stays
            lead, dash, key, rest = lines[at]
            if lead != own or dash or not key:
                self._at = at
                if self._is_deeper(len(own)):
                    mapping[next(reversed(mapping))] = self._longer(own)
                if not self._continues(own, is_sequence=False):
                    break
                at = self._at
                _, _, key, rest = lines[at]
        if len(mapping) > self._limits.items:
            raise self._mistake(f"expected at most {self._limits.items} keys, found more")
        return mapping

    def _sequence(self, own: str, *, depth: int) -> Value:
        lines, known = self._lines, self._scalars
        items: list[Value] = []
        at = self._at
        _, dash, key, rest = lines[at]
        while True:
            value: object
            if not key and rest and (value := known.get(rest, _MISSING)) is not _MISSING:
                at += 1
            else:
                self._at = at
                value = self._item(own + " " * len(dash), depth=depth + 1)
                at = self._at
            items.append(value)  # type: ignore[arg-type]  # _MISSING never stays
            lead, dash, key, rest = lines[at]
            if lead != own or not dash:
                self._at = at
                if self._is_deeper(len(own)):
                    items[-1] = self._longer(own)
                if not self._continues(own, is_sequence=True):
                    break
                at = self._at
                _, dash, key, rest = lines[at]
        if len(items) > self._limits.items:
            raise self._mistake(f"expected at most {self._limits.items} items, found more")
        return items

    def _item(self, own: str, *, depth: int) -> Value:
        """Read what follows the dash of the current line; ``own`` is as long as the line up to there."""
        _, dash, key, rest = self._lines[self._at]
        if key or _split_key(rest):
            if depth > self._limits.depth:
                raise self._mistake(f"expected at most {self._limits.depth} levels, found more")
            return self._mapping(own, depth=depth)
        if rest.startswith("- ") or rest == "-":
            raise self._mistake("expected a value, found a list that begins on the line of another")
        column = len(own) - len(dash)
        self._at += 1
        if rest.startswith("#") or not rest:
            return self._block(column + 1, depth=depth)
        return self._scalar(rest, column)

    def _below_key(self, own: str, *, depth: int) -> Value:
        self._skip_empty()
        lead, dash, _, _ = self._lines[self._at]
        # A list may stand as far to the left as the key it belongs to.
        return self._block(len(own) + (not (dash and lead == own)), depth=depth)

    def _continues(self, own: str, *, is_sequence: bool) -> bool:
        """Whether the collection goes on at the current line, after empty lines and the rest of a long scalar."""
        self._skip_empty()
        line = self._lines[self._at]
        lead, dash, key, rest = line
        if len(lead) != len(own) or line is _END or (rest == "..." and not key and not dash):
            return False
        if is_sequence:
            return bool(dash)
        if not dash and (key or _split_key(rest)):
            return True
        raise self._mistake("expected 'key: value'" + (", found a list item" if dash else ""))

    def _skip_empty(self) -> None:
        last = len(self._lines) - 1
        while self._at < last:
            _, dash, key, rest = self._lines[self._at]
            if dash or key or (rest and not rest.startswith("#")):
                if rest.startswith("\t") and not rest.strip():
                    self._at += 1
                    continue
                break
            self._at += 1

    # Keys

    def _learn_key(self, key: str) -> None:
        try:
            is_text = isinstance(_resolve(key), str)
        except ValueError:
            is_text = False
        if not is_text:
            raise self._mistake("expected a key that is text, found a number or a word with a meaning: quote it")
        self._keys.add(key)

    def _unusual_key(self, rest: str) -> tuple[str, str]:
        split = _split_key(rest)
        if not split:
            raise self._mistake("expected 'key: value'")
        key, after = split
        if f"{key} ".startswith(_MARKS):
            raise self._mistake("expected a key, found signs that have to be quoted")
        if key[0] in "'\"":
            return self._unquoted(key), after
        self._learn_key(key)
        return key, after

    # Scalars

    def _scalar(self, rest: str, column: int) -> Value:
        """Read the value that begins with ``rest``, the end of the line before ``at``; more lines are deeper."""
        first = rest[0]
        if first in "'\"":
            return self._quoted(rest, column)
        if first == "|" and (style := rest.partition(" #")[0].rstrip()) in ("|", "|-", "|+"):
            return self._literal(style, column)
        plain = _without_comment(rest)
        if plain in ("[]", "{}"):
            return [] if plain == "[]" else {}
        self._check_plain(plain)
        if len(plain) == len(rest.rstrip()) and self._is_deeper(column):
            return self._resolved(self._folded(plain, column))
        value = self._resolved(plain)
        self._scalars[rest] = value
        return value

    def _longer(self, own: str) -> Scalar:
        """Read the last value again, whose first line was known already and which goes on at the current one."""
        at = self._at - 1
        while not any(self._lines[at][1:]):
            at -= 1
        lead, dash, _, rest = self._lines[at]
        plain = _without_comment(rest)
        is_ours = lead == own or len(lead) + len(dash) == len(own)
        if not is_ours or plain[:1] in "'\"#|" or plain in ("[]", "{}") or len(plain) < len(rest.rstrip()):
            raise self._mistake("expected the end of a value, found an indented line")
        self._at = at + 1
        return self._resolved(self._folded(plain, len(own)))

    def _check_plain(self, plain: str) -> None:
        found = _FOUND.get(plain[0])
        if plain[0] in ",]}@`" or (found and not (plain[0] == "?" and plain[1:2].strip())):
            raise self._before(f"expected a value, found {found or 'a sign that has to be quoted'}")
        if ": " in plain or plain.endswith(":") or f"{plain} ".startswith(_MARKS) or "\t" in plain:
            raise self._before("expected one value, found signs that have to be quoted")

    def _resolved(self, plain: str) -> Scalar:
        try:
            return _resolve(plain)
        except ValueError:
            raise self._before("expected a smaller number") from None

    def _is_deeper(self, column: int) -> bool:
        """Whether the next line that is not empty goes on with a scalar of a collection at ``column``."""
        at = self._at
        while at < len(self._lines) - 1:
            lead, dash, key, rest = self._lines[at]
            if dash or key or rest:
                return len(lead) > column and not rest.startswith("#")
            at += 1
        return False

    def _folded(self, plain: str, column: int) -> str:
        """Join the lines of a plain scalar: a blank for a line end, a line end for each empty line."""
        while self._is_deeper(column):
            breaks = 0
            while not any(self._lines[self._at][1:]):
                breaks += 1
                self._at += 1
            written = self._written(self._at).strip(" ")
            more = _without_comment(written)
            self._at += 1
            if ": " in more or more.endswith(":"):
                raise self._before("expected more of a value, found a key")
            if f"{more} ".startswith(("--- ", "... ")) or "\t" in more:
                raise self._before("expected more of a value, found signs that have to be quoted")
            plain += ("\n" * breaks or " ") + more
            if len(more) < len(written):
                break  # nothing may follow a comment
        return plain

    def _quoted(self, rest: str, column: int) -> str:
        pieces = [rest]
        found = _QUOTED.match(rest)
        start = self._at
        while not found:
            if self._at >= len(self._lines) - 1 or self._at - start >= _MAX_QUOTED_LINES:
                self._at = start
                raise self._before("expected a closing quote")
            written = self._written(self._at)
            if written.strip() and len(written) - len(written.lstrip(" ")) <= column:
                self._at = start
                raise self._before("expected a closing quote")
            pieces.append(written)
            self._at += 1
            # A match is tried only where it can succeed: trying at each line would take the square of the lines.
            if rest[0] in written:
                found = _QUOTED.match("\n".join(pieces))
        after = "\n".join(pieces)[found.end() :].strip()
        if after and not after.startswith("#"):
            raise self._before("expected the end of the line after a quoted value")
        value = self._unquoted(found[0])
        if len(pieces) == 1:
            self._scalars[rest] = value
        return value

    def _unquoted(self, quoted: str) -> str:
        inner = quoted[1:-1]
        is_single = quoted[0] == "'"
        if "\n" in inner:
            inner = _fold_quoted(inner, is_single=is_single)
        if is_single:
            return inner.replace("''", "'")
        try:
            return _ESCAPE.sub(_escaped, inner)
        except (KeyError, ValueError, OverflowError):
            raise self._before("expected a known escape after '\\'") from None

    def _literal(self, style: str, column: int) -> str:
        taken: list[str] = []
        depth = 0
        while self._at < len(self._lines) - 1:
            written = self._written(self._at)
            indent = len(written) - len(written.lstrip(" "))
            if written.strip(" "):
                depth = depth or indent
                if indent < depth or indent <= max(column, 0):
                    break
            taken.append(written[depth:] if depth else "")
            self._at += 1
        text = "\n".join(taken)
        stripped = text.rstrip("\n")
        if style == "|-":
            return stripped
        if style == "|+":
            return f"{text}\n" if taken else ""
        return f"{stripped}\n" if stripped else ""

    def _written(self, at: int) -> str:
        if not self._texts:
            self._texts = [*self._text.split("\n"), ""]
        return self._texts[at]

    def _mistake(self, reason: str) -> YamlMistake:
        return YamlMistake(self._at + 1, reason)

    def _before(self, reason: str) -> YamlMistake:
        return YamlMistake(self._at, reason)


def _split_key(rest: str) -> tuple[str, str] | None:
    """Return a key that is quoted or not a plain word, and what follows it; ``None`` where there is none."""
    if ":" not in rest:
        return None
    found = _QUOTED_KEY.match(rest) or _LONG_KEY.match(rest)
    return (found[1].rstrip(), found[2] or "") if found else None


def _without_comment(rest: str) -> str:
    return (rest.partition(" #")[0] if " #" in rest else rest).rstrip(" ")


def _resolve(plain: str) -> Scalar:
    if plain in _WORDS:
        return _WORDS[plain]
    if plain[0] in "0123456789+-.":
        if _INTEGER.fullmatch(plain):
            if len(plain) > _MAX_DIGITS:
                raise ValueError("too long")
            return int(plain, 0) if plain[:2] in ("0x", "0o") else int(plain)
        if _FLOAT.fullmatch(plain):
            return float(plain.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return plain


def _fold_quoted(inner: str, *, is_single: bool) -> str:
    first, *middle = inner.split("\n")
    text = first
    breaks = 0
    for index, line in enumerate(middle):
        is_last = index == len(middle) - 1
        stripped = line.lstrip(" \t") if is_last else line.strip(" \t")
        if not stripped and not is_last:
            breaks += 1
            continue
        # An odd number of "\" before the line end takes the line end away.
        is_joined = not is_single and not breaks and (len(text) - len(text.rstrip("\\"))) % 2
        text = text[:-1] + stripped if is_joined else text.rstrip(" \t") + ("\n" * breaks or " ") + stripped
        breaks = 0
    return text


def _escaped(found: re.Match[str]) -> str:
    number = found[1] or found[2] or found[3]
    if number:
        return chr(int(number, 16))
    return "" if found[4] else _ESCAPES[found[5]]


# Writing

_SAFE = re.compile(r"[A-Za-z0-9_./<][!-~ ]*(?<! )")
_OTHER_MEANING = re.compile(
    r"""
    ~ | null | true | false | yes | no | on | off | y | n | <<
    | [-+]? [0-9][0-9_]* (?: :[0-5]?[0-9] )* (?: \.[0-9_]* )?
    | [-+]? 0[xX] [0-9a-fA-F_]+ | [-+]? 0[oObB] [0-9_]+
    | [-+]? (?: \.[0-9_]+ | [0-9][0-9_]* (?: \.[0-9_]* )? ) (?: [eE][-+]?[0-9]+ )?
    | [-+]? \. (?: inf | nan )
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} .*
    | \.\.\. .*
    """,
    re.VERBOSE | re.IGNORECASE,
)


def write_scalar(value: str | int) -> str:
    """Return a value as YAML of one line that readers of YAML 1.1 and of 1.2 take for exactly this value.

    Args:
        value: Any text, or a whole number.
    """
    if isinstance(value, int):
        return str(value)
    if _SAFE.fullmatch(value) and ": " not in value and " #" not in value and not value.endswith(":"):
        # Nearly every text holds a sign that no number, date or word has; the long expression is for the others.
        return f"'{value}'" if _OTHER_MEANING.fullmatch(value) else value
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(map(_escape, value)) + '"'


def _escape(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    if sign.isprintable():
        return sign
    code = ord(sign)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
