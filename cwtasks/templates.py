"""Rendering of ``{{ … }}``: the only door to minijinja, the template engine pixi itself uses.

Knows no manifest and no task: text and names in, text out. Text without a template is handed back untouched, and the
engine is imported only when the first real template turns up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cwtasks.exceptions import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from minijinja import Environment

_engine: Environment | None = None


def has_template(text: str) -> bool:
    """Say whether rendering could change ``text``."""
    return "{{" in text or "{%" in text or "{#" in text


def render(text: str, names: Mapping[str, Any], *, place: str) -> str:
    """Render one template, strict about names that are not defined.

    Args:
        text: Any text; what holds no template comes back as it is.
        names: What the template may refer to.
        place: Where the text stands, for errors: ``task 'build': cmd``.

    Raises:
        TemplateError: a syntax error, an unknown name or filter, a wrong operation.
    """
    if not has_template(text):
        return text
    import minijinja

    try:
        return _get_engine().render_str(text, **names)
    except (minijinja.TemplateError, TypeError) as error:
        # The engine lets a TypeError through when a template calls a namespace, or an argument is called `self`.
        raise TemplateError(place, text, _reason(error), known=names) from error


def _get_engine() -> Environment:
    global _engine  # noqa: PLW0603 - one engine per process, made when first needed
    if _engine is None:
        from minijinja import Environment

        _engine = Environment()
        _engine.undefined_behavior = "strict"
    return _engine


def _reason(error: Exception) -> str:
    """Return what the engine says in one line, without its picture of the source."""
    return getattr(error, "detail", None) or str(error).strip().splitlines()[0]
