"""For people who mix Python tasks with manifest tasks: ``from cwtasks.dodo import *`` in a ``dodo.py``.

Defines what doit looks for in a dodo file: a task creator that yields every task of the workspace, and the settings
that let its commands be seen.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cwtasks.doit_plugin.standalone import make_standalone_tasks
from cwtasks.doit_plugin.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.doit_plugin.tasks import StepTask

__all__ = ["DOIT_CONFIG", "task_workspace"]

DOIT_CONFIG = {"verbosity": 2}
"""doit hides the output of commands unless told otherwise."""


def task_workspace() -> Iterator[StepTask]:
    """Yield the doit tasks of the workspace that governs the current folder.

    Raises:
        NoTaskFileError: there is none.
        ManifestError: it is broken.
    """
    workspace = Workspace(environ=os.environ)
    workspace.warn(workspace.manifest.warnings)
    yield from make_standalone_tasks(workspace.compile_all().steps.values(), workspace)
