"""Reading TOML values one at a time: the type each must have, and what is said when it has another.

Knows TOML's types and dotted keys. Knows no table of any manifest: which keys there are, and what they mean, is for
the readers beside this module.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, TypeGuard

import tomli

from cwtasks.exceptions import ManifestError, Mistake, TaskParseError, WorkspaceParseError, nearest
from cwtasks.models import without_credentials

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

TomlTable = dict[str, Any]
"""A table as the TOML reader gives it; its values are whatever the file holds until a getter has looked at them."""

MAX_SHOWN_CHARS = 40
"""A longer value is named by its type only."""

_TYPE_WORDS: tuple[tuple[type, str], ...] = (
    (str, "string"),
    (bool, "boolean"),
    (int, "integer"),
    (float, "float"),
    (dict, "table"),
    (list, "array"),
    (dt.datetime, "date-time"),
    (dt.date, "date"),
    (dt.time, "time"),
)


def read_bytes(path: str | Path) -> bytes:
    """Read a manifest.

    Raises:
        FileNotFoundError: there is none.
        WorkspaceParseError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise WorkspaceParseError(path, f"cannot be read: {error.strerror or error}") from error


def parse_toml(raw: bytes, path: str | Path) -> TomlTable:
    """Parse a document; TOML 1.1, as pixi accepts it.

    Args:
        raw: The bytes of the file.
        path: Named in the error.

    Raises:
        WorkspaceParseError: no TOML, or no UTF-8; says line and column.
    """
    try:
        return tomli.loads(raw.decode("utf-8-sig"))
    except tomli.TOMLDecodeError as error:
        fact = error.msg[:1].lower() + error.msg[1:]
        mistake = Mistake(f"line {error.lineno}, column {error.colno}", fact)
        raise WorkspaceParseError(path, [mistake]) from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        mistake = Mistake(f"line {line}", f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        raise WorkspaceParseError(path, [mistake]) from error
    except RecursionError as error:
        raise WorkspaceParseError(path, "tables or arrays are nested too deeply") from error


def type_word(value: object) -> str:
    """Return TOML's word for the type of a value."""
    return next((word for kind, word in _TYPE_WORDS if isinstance(value, kind)), type(value).__name__)


def found(value: object) -> str:
    """Describe a value in an error: type, and the value itself when it is short. Credentials of URLs are left out."""
    word = type_word(value)
    if isinstance(value, (dict, list)):
        empty = "" if value else "empty "
        return f"{'an' if empty or word == 'array' else 'a'} {empty}{word}"
    shown = f"'{without_credentials(value)}'" if isinstance(value, str) else toml_text(value)
    return f"{word} {shown}" if is_short(shown) else f"a {word}"


def is_short(text: str) -> bool:
    """Tell whether a text can stand in a sentence."""
    return len(text) <= MAX_SHOWN_CHARS and text.isprintable()


def toml_text(value: object) -> str:
    """Return a scalar as TOML writes it, near enough to be recognised."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def dotted(place: str, key: str) -> str:
    """Return the address of ``key`` in the table at ``place``; the key is quoted when TOML needs it."""
    if not (key.isascii() and key.replace("-", "").replace("_", "").isalnum()):
        key = _quoted(without_credentials(key))
    return f"{place}.{key}" if place else key


def _quoted(key: str) -> str:
    """Return a key as a basic string of TOML; one line, whatever is in it."""
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in escaped) + '"'


def is_texts(value: object) -> TypeGuard[list[str]]:
    """Tell whether a value is an array of nothing but strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


class Report:
    """Everything wrong or doubtful in one manifest: filled by readers, raised once.

    The getters return the value when it has the right type. Otherwise they return ``None``, as they do for a missing
    value, and note the mistake, so a reader goes on and finds the next one.

    Attributes:
        path: The manifest.
        mistakes: In the order they were found.
        warnings: One sentence each, with the name of the file and the dotted key.
    """

    def __init__(self, path: str | Path, *, error: type[ManifestError] = WorkspaceParseError) -> None:
        """Start empty.

        Args:
            path: The manifest.
            error: What to raise when all mistakes are in the part this report is for.
        """
        self.path = path
        self.mistakes: list[Mistake] = []
        self.warnings: list[str] = []
        self._error = error
        self._errors: set[type[ManifestError]] = set()

    def for_tasks(self) -> Report:
        """Return a report that collects into this one, for mistakes in tasks."""
        part = Report(self.path, error=TaskParseError)
        part.mistakes, part.warnings, part._errors = self.mistakes, self.warnings, self._errors
        return part

    def raise_collected(self) -> None:
        """End the reading.

        Raises:
            WorkspaceParseError: there are mistakes, and not all of them in tasks.
            TaskParseError: there are mistakes, all of them in tasks.
        """
        if self.mistakes:
            error = WorkspaceParseError if WorkspaceParseError in self._errors else TaskParseError
            raise error(self.path, self.mistakes)

    def mistake(self, place: str, fact: str, hint: str = "") -> None:
        """Note something wrong."""
        self._errors.add(self._error)
        self.mistakes.append(Mistake(place, fact, hint))

    def unexpected(self, place: str, value: object, expected: str, hint: str = "") -> None:
        """Note a value that is of another type, or not among those allowed."""
        self.mistake(place, f"expected {expected}, found {found(value)}", hint)

    def warn(self, place: str, fact: str) -> None:
        """Note something doubtful."""
        name = str(self.path).replace("\\", "/").rpartition("/")[2]
        self.warnings.append(f"{name}: {place}: {fact}")

    def check_keys(self, table: Iterable[str], known: Collection[str], place: str) -> None:
        """Warn of every key that is not known: most likely a slip of the pen, but no reason to refuse the file."""
        for key in table:
            if key not in known:
                self.unknown_key(key, known, place)

    def unknown_key(self, key: str, known: Iterable[str], place: str) -> None:
        """Warn of one key that is not known."""
        likely = nearest(key, sorted(known))
        self.warn(dotted(place, key), "unknown key" + (f"; did you mean '{likely}'?" if likely else ""))

    def text(self, value: object, place: str) -> str | None:
        """Return a string."""
        if value is None or isinstance(value, str):
            return value
        hint = f'write "{toml_text(value)}"' if isinstance(value, (int, float)) else ""
        self.unexpected(place, value, "a string", hint)
        return None

    def texts(self, value: object, place: str) -> list[str] | None:
        """Return an array of strings."""
        if is_texts(value):
            return value
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.text(item, f"{place}[{index}]")
        else:
            self.array(value, place, "an array of strings")
        return None

    def array(self, value: object, place: str, expected: str) -> list[Any] | None:
        """Return an array of anything; ``expected`` describes it in the error."""
        if value is None or isinstance(value, list):
            return value
        # A hint is copied: it must neither show what a URL hides nor lead to a URL without it.
        quotable = isinstance(value, str) and is_short(value) and "://" not in value
        self.unexpected(place, value, expected, f'write ["{value}"]' if quotable else "")
        return None

    def boolean(self, value: object, place: str) -> bool | None:
        """Return ``true`` or ``false``."""
        if value is None or isinstance(value, bool):
            return value
        self.unexpected(place, value, "true or false", "remove the quotes" if value in ("true", "false") else "")
        return None

    def integer(self, value: object, place: str) -> int | None:
        """Return a whole number."""
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.unexpected(place, value, "an integer")
        return None

    def choice(self, value: object, allowed: tuple[str, ...], place: str) -> str | None:
        """Return a string that is one of ``allowed``."""
        if value is None or (isinstance(value, str) and value in allowed):
            return value
        likely = nearest(value, allowed) if isinstance(value, str) else None
        expected = "one of " + ", ".join(f"'{word}'" for word in allowed)
        self.unexpected(place, value, expected, f"did you mean '{likely}'?" if likely else "")
        return None

    def table(self, value: object, place: str) -> TomlTable | None:
        """Return a table."""
        if value is None or isinstance(value, dict):
            return value
        self.unexpected(place, value, "a table")
        return None

    def tables(self, value: object, place: str) -> Iterator[tuple[str, TomlTable, str]]:
        """Yield name, content and address of each table in a table of tables."""
        for name, item in (self.table(value, place) or {}).items():
            at = dotted(place, name)
            content = self.table(item, at)
            if content is not None:
                yield name, content, at

    def text_table(self, value: object, place: str) -> dict[str, str] | None:
        """Return a table of strings; entries of another type are mistakes and left out."""
        table = self.table(value, place)
        if table is None:
            return None
        checked = {key: self.text(item, dotted(place, key)) for key, item in table.items()}
        return {key: item for key, item in checked.items() if item is not None}
