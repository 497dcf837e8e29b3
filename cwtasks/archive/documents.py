"""JSON from strangers: read with limits, refused when two readers could understand it differently.

Knows JSON; not what a receipt says.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from cwtasks.archive.receipt_errors import (
    DuplicateKeyError,
    ReceiptLimitError,
    ReceiptSyntaxError,
    ReceiptUnreadableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class DocumentLimits(NamedTuple):
    """The most that a document may ask for."""

    size_bytes: int = 64 * 1024 * 1024
    depth: int = 128
    items: int = 1_000_000
    """Values in all, at any depth."""


LIMITS = DocumentLimits()


def read_bytes(path: str | Path, limits: DocumentLimits = LIMITS) -> bytes:
    """Return what a file holds.

    Raises:
        ReceiptUnreadableError: it cannot be read.
        ReceiptLimitError: it is too large.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(limits.size_bytes + 1)
    except OSError as error:
        raise ReceiptUnreadableError(path, "", f"cannot be read: {error.strerror}") from error
    if len(content) > limits.size_bytes:
        raise ReceiptLimitError(path, "", f"expected at most {limits.size_bytes:,} bytes, found more")
    return content


def parse(content: bytes, path: str | Path, limits: DocumentLimits = LIMITS) -> object:
    """Return the value a JSON document stands for.

    Args:
        content: UTF-8.
        path: Where it is from, for errors.
        limits: What it may ask for.

    Raises:
        ReceiptSyntaxError: no JSON.
        DuplicateKeyError: an object has a key twice.
        ReceiptLimitError: too large, too deep or too long.
    """
    if len(content) > limits.size_bytes:
        raise ReceiptLimitError(path, "", f"expected at most {limits.size_bytes:,} bytes, found more")

    def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise DuplicateKeyError(path, "", "a JSON object has the same key twice")
        return found

    def _no_number(_: str) -> NoReturn:
        raise ReceiptSyntaxError(path, "", "expected JSON, found a number that JSON does not have")

    try:
        text = content.decode()
        value: object = json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise ReceiptSyntaxError(path, "", "expected UTF-8, found other bytes") from None
    except json.JSONDecodeError as error:
        raise ReceiptSyntaxError(path, "", f"line {error.lineno}: expected JSON: {error.msg}") from None
    except RecursionError:
        raise ReceiptLimitError(path, "", f"nested deeper than {limits.depth} levels") from None
    except ValueError:
        raise ReceiptSyntaxError(path, "", "expected JSON, found a number of too many digits") from None
    _check(value, path, limits)
    return value


def format_json(value: object) -> bytes:
    """Return the one form in which a value is written: sorted keys, two spaces, a newline at the end, UTF-8."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _check(value: object, path: str | Path, limits: DocumentLimits) -> None:
    level: list[object] = [value]
    items = depth = 0
    while level:
        items += len(level)
        depth += 1
        if items > limits.items:
            raise ReceiptLimitError(path, "", f"expected at most {limits.items:,} values, found more")
        if depth > limits.depth:
            raise ReceiptLimitError(path, "", f"nested deeper than {limits.depth} levels")
        if any(isinstance(item, str) and not _is_unicode(item) for item in level):
            raise ReceiptSyntaxError(path, "", "expected text, found half of a surrogate pair")
        level = [inner for item in level for inner in _inside(item)]


def _inside(item: object) -> Iterator[object]:
    if isinstance(item, dict):
        yield from item
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
