"""What the verbs that edit a manifest share: their options, and how they tell what they did. Knows no edit."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cwtasks.exceptions import CwtasksError, shown_path

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from cwtasks.manifests.drafts import Edit
    from cwtasks.models import WorkspaceConfig


def add_place(parser: ArgumentParser) -> None:
    """Declare where in the manifest something stands, and that nothing need be written."""
    parser.add_argument("--feature", metavar="F", help="table of this feature [default: the top-level tables]")
    parser.add_argument("--platform", metavar="P", help="table of this target: a platform, or linux, osx, win, unix")
    parser.add_argument("-d", "--dry-run", action="store_true", help="print what would change, and write nothing")


@contextmanager
def manifests_may_vanish() -> Iterator[None]:
    """Turn a file that is no longer there into an error for people.

    Raises:
        CwtasksError: it has vanished.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise CwtasksError(f"{shown_path(error.filename)}: no such file", hints=["run it again"]) from error


def tell(edit: Edit, did: str, *, is_dry_run: bool) -> None:
    """Print what changed, or what would.

    Args:
        edit: What was asked.
        did: For example ``added``.
        is_dry_run: Whether nothing was written.
    """
    if is_dry_run:
        sys.stdout.write(edit.draft.diff())
    path = shown_path(edit.draft.path)
    sys.stdout.writelines(f"{path}: {place} is there already\n" for place in edit.kept)
    if not is_dry_run:
        sys.stdout.writelines(f"{path}: {did} {place}\n" for place in edit.changed)


def tell_what_follows(edit: Edit, *, is_dry_run: bool) -> None:
    """Print what a change of dependencies leads to, when there was one."""
    if edit.has_changes and not is_dry_run:
        sys.stdout.write("'doit lock' and 'doit install' follow by themselves before the next task that needs them\n")


def workspace_of(edit: Edit) -> WorkspaceConfig | None:
    """Return what the manifest says after an edit, ``None`` when it has mistakes, which are not the edit's business."""
    from cwtasks.manifests import find_parser

    try:
        return find_parser(edit.draft.path).read_data(edit.draft.data, edit.draft.path).workspace
    except CwtasksError:
        return None
