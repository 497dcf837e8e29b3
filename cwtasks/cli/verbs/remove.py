"""``cwt remove``: remove dependencies from the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.cli.editing import add_place, manifests_may_vanish, tell, tell_what_follows

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="name of a package; a version behind it is ignored")
    parser.add_argument("--pypi", action="store_true", help="packages of a Python index")
    add_place(parser)


def run(arguments: Namespace) -> int:
    """Change the manifest of this workspace.

    Returns:
        0.

    Raises:
        CwtasksError: a package is not there, or the file cannot be written.
    """
    from cwtasks.manifests import detect_workspace_file, find_parser
    from cwtasks.manifests.spec_words import conda_spec, pypi_spec

    names = [(pypi_spec(text) if arguments.pypi else conda_spec(text)).name for text in arguments.specs]
    with manifests_may_vanish():
        path = detect_workspace_file()
        edit = find_parser(path).remove_dependencies(
            path,
            names,
            feature=arguments.feature,
            platform=arguments.platform,
            is_pypi=arguments.pypi,
            is_dry_run=arguments.dry_run,
        )
    tell(edit, "removed", is_dry_run=arguments.dry_run)
    tell_what_follows(edit, is_dry_run=arguments.dry_run)
    return 0
