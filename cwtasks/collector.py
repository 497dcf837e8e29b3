"""The cyclic garbage collector in programs that live a moment: it finds nothing, and looking costs them a tenth."""

from __future__ import annotations

import atexit
import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the collector away: it would walk everything that was read again and again, and once more at the end."""
    was_enabled = gc.isenabled()
    gc.disable()
    # When the interpreter is taken down, the collector runs even where it is disabled.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        if was_enabled:
            _let_all_be_old()
            gc.enable()


def _let_all_be_old() -> None:
    """Count all there is as looked at before: new objects make the collector run, and so many would at once.

    Freezing moves objects without looking at them, and what is unfrozen is of the oldest generation.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
