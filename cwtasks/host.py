"""The machine tasks run on, in conda's words. Asks the system nothing: what it says comes in as arguments."""

from __future__ import annotations

from typing import NamedTuple


class Host(NamedTuple):
    """The machine tasks run on."""

    subdir: str
    """Conda platform name, for example ``linux-64``."""
    has_cuda: bool = False
    """Whether a CUDA driver is there, which rich platforms may ask for."""


def host_subdir(sysname: str, machine: str) -> str:
    """Return the conda platform name of a machine.

    Args:
        sysname: ``sys.platform``: ``linux``, ``darwin``, ``win32``.
        machine: What the system calls its processor: ``x86_64``, ``aarch64``, ``arm64``, ``AMD64``.
    """
    family = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(sysname, sysname)
    processor = machine.lower()
    if processor in {"x86_64", "amd64"}:
        return f"{family}-64"
    if processor in {"arm64", "aarch64"}:
        return f"{family}-{'aarch64' if family == 'linux' else 'arm64'}"
    return f"{family}-32" if processor in {"i386", "i686", "x86"} else f"{family}-{processor}"
