"""Names of variables: which ones scripts see, which ones a shell can set, and what a change of them is. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The shell's own: it sets them itself, and what it sets them to says nothing of the scripts.
_SHELLS_OWN = frozenset(("PWD", "OLDPWD", "SHLVL", "_", "SHELLOPTS", "BASHOPTS", "BASH_XTRACEFD"))
#: Would change how the shell works: run a file first, set options.
_STEERING = frozenset(("BASH_ENV", "ENV", "POSIXLY_CORRECT", "PROMPT"))
#: Differ from one folder, terminal window or pane to the next.
_VOLATILE = frozenset(
    (
        "INIT_CWD",
        "COLUMNS",
        "LINES",
        "WINDOWID",
        "WINDOW",
        "STY",
        "TMUX_PANE",
        "TERM_SESSION_ID",
        "ITERM_SESSION_ID",
        "SHELL_SESSION_ID",
        "KITTY_WINDOW_ID",
        "WEZTERM_PANE",
        "WT_SESSION",
        "GNOME_TERMINAL_SCREEN",
    )
)
WITHHELD = _SHELLS_OWN | _STEERING | _VOLATILE
"""Variables that no script sees. What a script cannot see need not stand in the key of what is remembered of it, so
the answer of one terminal is right in all others; that is why volatile names are withheld rather than only ignored."""

SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
"""Names that a shell can set."""

_FUNCTION = "BASH_FUNC_"


class Effect(NamedTuple):
    """What scripts changed."""

    set: dict[str, str]
    """New and changed variables."""
    unset: tuple[str, ...]
    """Variables that are gone, sorted."""


def visible(base: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that scripts see of those there are."""
    return {name: value for name, value in base.items() if name not in WITHHELD}


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> Effect:
    """Return what scripts changed.

    Args:
        before: What they saw.
        after: What the shell had when they were through.
    """
    changed = {
        name: value
        for name, value in after.items()
        if before.get(name) != value and name not in _SHELLS_OWN and not name.startswith(_FUNCTION)
    }
    # Some shells do not hand on a name they could not have set; that is not the scripts' doing.
    gone = tuple(sorted(name for name in before if name not in after and SHELL_NAME.match(name)))
    return Effect(changed, gone)
