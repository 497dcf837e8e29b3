"""A dodo.py for people who mix Python tasks with the tasks of a manifest. Copy it beside the manifest.

Where there is a dodo.py, doit is doit: this file alone says which tasks there are.
"""

from cwtasks.dodo import *


def task_summary():
    """Say how large the outputs are, once the manifest's task `default` is done."""

    def measure(targets):
        from pathlib import Path

        sizes = [f"{path}: {path.stat().st_size} bytes\n" for path in sorted(Path("build").glob("*.py*"))]
        Path(targets[0]).write_text("".join(sizes))

    return {
        "actions": [measure],
        "task_dep": ["default"],
        "file_dep": ["build/convert.pyz"],
        "targets": ["build/summary.txt"],
    }
