"""The folder of a workspace's state. Knows nothing of what is kept in it."""

from __future__ import annotations

import os
from contextlib import suppress


def make_folder(directory: str) -> None:
    """Make the folder when it is not there, and keep it out of version control.

    Raises:
        OSError: it cannot be made.
    """
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, ".gitignore")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write("*\n")
    except FileExistsError:
        return
    except OSError:
        # On a full disk the file is there and empty, and would stay so.
        with suppress(OSError):
            os.unlink(path)
        raise
