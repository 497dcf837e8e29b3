"""Runs a task of another workspace, as its user would: in a process of its own, with nothing of ours around it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Variables that would lead the other process into this workspace.
_OURS = ("PIXI_", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_SHLVL")


def run_task(task: str, workspace: Path, *, environ: Mapping[str, str], offline: bool = True) -> int:
    """Run a task of a workspace.

    Args:
        task: Its name.
        workspace: Folder.
        environ: Variables of the caller.
        offline: Whether only caches may be used.

    Returns:
        The exit status.
    """
    variables = {name: value for name, value in environ.items() if not name.startswith(_OURS)}
    if offline:
        variables["CWTASKS_OFFLINE"] = "on"
    variables["CWTASKS_FROZEN"] = "on"
    command = [sys.executable, "-m", "cwtasks", "run", task]
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    sys.stdout.flush()
    return subprocess.run(command, cwd=workspace, env=variables, check=False).returncode
