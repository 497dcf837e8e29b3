"""Asks for what opens a private key: a variable, else whoever sits at the terminal."""

from __future__ import annotations

import os
import sys

from cwtasks import settings


def passphrase() -> bytes | None:
    """Return the passphrase of the key that signs; ``None`` when there is no way to know it."""
    told = settings.passphrase(os.environ)
    if told is not None or not sys.stdin.isatty():
        return told
    from getpass import getpass

    return getpass("passphrase of the key that signs: ").encode()
