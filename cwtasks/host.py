"""The machine tasks run on, in conda's words."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def this_host(environ: Mapping[str, str]) -> Host:
    """Return the machine we run on.

    Args:
        environ: ``CONDA_OVERRIDE_CUDA`` is used.
    """
    machine = os.uname().machine if hasattr(os, "uname") else environ.get("PROCESSOR_ARCHITECTURE", "AMD64")
    has_cuda = bool(environ.get("CONDA_OVERRIDE_CUDA")) or os.path.exists("/proc/driver/nvidia/version")
    return Host(host_subdir(sys.platform, machine), has_cuda)
