"""Words to command text: the quoting rules of pixi's lists, of POSIX shells and of Windows programs. Pure text.

Also command text to one line for the eye. Knows no shell that would read the text, no variable and no step.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("double_quoted", "list_text", "one_line", "posix_words", "windows_words")

_SPLITTING = re.compile(r"[ \t\r\n\[\]]")
_ESCAPED_IN_LIST = re.compile(r'(["\\])')
_BACKSLASHES_BEFORE_QUOTE = re.compile(r'(\\*)("|\Z)')
_OPEN_LINE = (";", "&&", "||", "|", "&", "{", "(", " then", " do", " else")


def list_text(words: Sequence[str]) -> str:
    """Join the items of a list command as pixi does.

    An item is double-quoted only if it is empty or contains a blank, tab, line end or square bracket; everything else
    reaches the shell raw, so ``["echo", "$HOME", "&&", "ls"]`` expands and chains.

    Args:
        words: Rendered items, in order.

    Returns:
        Shell text, possibly of several lines.
    """
    return " ".join(_list_item(word) for word in words)


def _list_item(word: str) -> str:
    if word and not _SPLITTING.search(word):
        return word
    return '"' + _ESCAPED_IN_LIST.sub(r"\\\1", word) + '"'


def posix_words(words: Sequence[str]) -> str:
    """Quote words so that a POSIX shell hands each of them on unchanged."""
    if not words:
        return ""
    from shlex import join

    return join(words)


def windows_words(words: Sequence[str]) -> str:
    """Quote words so that a Windows program reads each of them unchanged.

    ``%NAME%`` cannot be kept from ``cmd``, which expands it inside quotes as well.
    """
    return " ".join('"' + _BACKSLASHES_BEFORE_QUOTE.sub(_escape_for_windows, word) + '"' for word in words)


def _escape_for_windows(match: re.Match[str]) -> str:
    backslashes, quote = match.groups()
    return backslashes * 2 + (quote and '\\"')


def double_quoted(text: str) -> str:
    r"""Put text between double quotes for a POSIX shell that shall expand ``$NAME`` and ``$(…)`` in it.

    Only ``"`` is escaped: backslashes and backticks mean what they mean to the shell between double quotes. A single
    backslash left over before a ``"`` or at the end of the text stays a backslash instead of escaping the quote.

    Args:
        text: What stands between the quotes; any characters.

    Returns:
        One shell word, always closed by the quote that this function added.
    """
    return '"' + _BACKSLASHES_BEFORE_QUOTE.sub(_escape_for_shell, text) + '"'


def _escape_for_shell(match: re.Match[str]) -> str:
    backslashes, quote = match.groups()
    return backslashes + "\\" * (len(backslashes) % 2) + (quote and '\\"')


def one_line(text: str, width: int) -> str:
    """Show command text in one line, for lists and titles; not for a shell, which may read it differently.

    Lines are joined with ``;`` where a shell would end the command, with a blank where it would go on.

    Args:
        text: Command text of any number of lines.
        width: Characters at most, 1 or more; what is longer ends in ``…``.

    Returns:
        Text without a line end; empty when there was nothing but blanks.
    """
    joined = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if not joined:
            joined = line
        elif joined.endswith("\\"):
            joined = f"{joined[:-1].rstrip()} {line}"
        else:
            joined += (" " if joined.endswith(_OPEN_LINE) else "; ") + line
    return joined if len(joined) <= width else joined[: width - 1].rstrip() + "…"
