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
    with suppress(FileExistsError), open(os.path.join(directory, ".gitignore"), "x", encoding="utf-8") as file:
        file.write("*\n")
