"""Waiting for what another process does."""

import threading
from pathlib import Path

import pytest


def wait_for(condition) -> None:
    """Wait until a condition holds, ten seconds at most."""
    pause = threading.Event()
    for _ in range(500):
        if condition():
            return
        pause.wait(0.02)
    pytest.fail("waited in vain")


def is_running(pid: int) -> bool:
    """Say whether a process is there, other than as a zombie that nobody collects."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
