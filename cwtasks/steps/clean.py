"""Removing what a step has written, and nothing else.

Knows no doit and no state; which files the step left behind comes in as an argument.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from cwtasks.globs import is_literal, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cwtasks.globs import Tree
    from cwtasks.graph.step import Step


def clean(step: Step, *, root: str, recorded: Iterable[str], tree: Tree, dry_run: bool = False) -> list[str]:
    """Remove the outputs of a step.

    Files named literally and files the last success left behind. In a declared directory or behind a wildcard, files
    that no run of ours wrote stay. So does a file that the step also reads, such as a lock file it refreshes.

    Args:
        step: Whose outputs.
        root: Workspace folder, absolute.
        recorded: Files the last success left, relative to ``root``.
        tree: The files of the workspace.
        dry_run: Change nothing.

    Returns:
        What was (or would be) removed: files in reverse order of name, then folders that became empty.
    """
    literal = [normalise(pattern) for pattern in step.outputs if is_literal(pattern) and not pattern.startswith("!")]
    kept = set(tree.expand(step.inputs))
    files = sorted({*literal, *recorded} - kept, reverse=True)
    removed = [path for path in files if _is_inside(path, root) and _remove(os.path.join(root, path), dry_run=dry_run)]
    folders = {path for path in literal if os.path.isdir(os.path.join(root, path))}
    for path in removed:
        folders.update(folder for folder in _parents(path) if any(_is_below(folder, top) for top in literal))
    if not dry_run:
        for folder in sorted(folders, reverse=True):
            with suppress(OSError):  # not empty: it holds files of somebody else
                os.rmdir(os.path.join(root, folder))
                removed.append(f"{folder}/")
    tree.changed()
    return removed


def _is_inside(path: str, root: str) -> bool:
    """Say whether a file is really in the folder its path says: what is behind a link belongs to somebody else."""
    folder = os.path.join(os.path.realpath(root), os.path.dirname(path))
    return os.path.realpath(folder) == os.path.normpath(folder)


def _remove(path: str, *, dry_run: bool) -> bool:
    if not os.path.isfile(path) and not os.path.islink(path):
        return False
    if not dry_run:
        os.remove(path)
    return True


def _parents(path: str) -> Iterable[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")
