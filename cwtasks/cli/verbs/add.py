"""``cwt add``: add dependencies to the manifest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cwtasks.cli.editing import add_place, manifests_may_vanish, tell, tell_what_follows, workspace_of

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cwtasks.manifests.drafts import Edit


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="for example numpy, 'numpy>=2', conda-forge::numpy")
    parser.add_argument("--pypi", action="store_true", help="packages of a Python index: 'requests[socks]>=2'")
    add_place(parser)


def run(arguments: Namespace) -> int:
    """Change the manifest of this workspace.

    Returns:
        0.

    Raises:
        CwtasksError: a spec is none, the package is there and asked for in another way, or the file cannot be written.
    """
    from cwtasks.manifests import detect_workspace_file, find_parser
    from cwtasks.manifests.spec_words import conda_spec, pypi_spec

    specs = [pypi_spec(text) if arguments.pypi else conda_spec(text) for text in arguments.specs]
    with manifests_may_vanish():
        path = detect_workspace_file()
        edit = find_parser(path).add_dependencies(
            path, specs, feature=arguments.feature, platform=arguments.platform, is_dry_run=arguments.dry_run
        )
    tell(edit, "added", is_dry_run=arguments.dry_run)
    _warn_of_unused_feature(edit, arguments.feature)
    tell_what_follows(edit, is_dry_run=arguments.dry_run)
    return 0


def _warn_of_unused_feature(edit: Edit, feature: str | None) -> None:
    if feature is None:
        return
    workspace = workspace_of(edit)
    if workspace and not any(feature in environment.features for environment in workspace.environments.values()):
        sys.stderr.write(f"warning: no environment has feature '{feature}'; list it in [environments]\n")
