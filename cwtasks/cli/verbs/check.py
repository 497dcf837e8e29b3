"""``cwt check``: read the manifest and tell every mistake in it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from cwtasks.exceptions import (
    CwtasksError,
    CyclicDependencyError,
    FeatureNotFoundError,
    shown_path,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from cwtasks.doit_plugin.workspace import Workspace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("path", nargs="?", help="manifest, or a folder of the workspace [default: this one]")


def run(arguments: Namespace) -> int:
    """Read the manifest; its mistakes are errors, what is merely odd are warnings.

    Returns:
        0 when the manifest can be used, 3 when something in it cannot.

    Raises:
        CwtasksError: it cannot be read, or there is none.
    """
    from cwtasks.doit_plugin.workspace import Workspace

    path = arguments.path
    if path is not None and not os.path.exists(path):
        raise CwtasksError(f"{path}: no such file or folder", hints=["name a manifest, or a folder of the workspace"])
    workspace = Workspace(path, environ=os.environ, is_read_only=True)
    manifest = workspace.manifest
    workspace.warn(manifest.warnings)
    mistakes = [*_settings(workspace), *_features(workspace)]
    if not any(isinstance(mistake, FeatureNotFoundError) for mistake in mistakes):
        mistakes += _tasks(workspace)
    sys.stderr.writelines(f"{mistake.render()}\n" for mistake in mistakes)
    if mistakes:
        return CwtasksError.exit_code
    sys.stdout.write(f"{shown_path(manifest.path)}: no mistakes\n")
    return 0


def _settings(workspace: Workspace) -> Iterator[CwtasksError]:
    """Yield what is wrong with the settings of the manifest, those of the caller left aside."""
    from cwtasks.settings import Settings

    name = workspace.manifest.path.name
    # One at a time: the first that is wrong would hide the others.
    for key, value in workspace.settings_table.items():
        try:
            settings = Settings.read({}, {key: value})
        except CwtasksError as error:
            yield CwtasksError(f"{name}: {error.error_message}", hints=error.hints)
        else:
            sys.stderr.writelines(f"warning: {name}: {warning}\n" for warning in settings.warnings)


def _features(workspace: Workspace) -> Iterator[CwtasksError]:
    """Yield the features that environments name and nobody defines."""
    config = workspace.manifest.workspace
    for environment in config.environments.values():
        for feature in environment.features:
            if feature not in config.features:
                yield FeatureNotFoundError(feature, environment.name, config.features)


def _tasks(workspace: Workspace) -> Iterator[CwtasksError]:
    """Yield what keeps tasks from ever running, each thing once.

    What a call could still give, such as an argument or an environment, is no mistake; what a task gives to another is.
    """
    graph = workspace.compile_all()
    sys.stderr.writelines(f"warning: {warning}\n" for warning in graph.warnings)
    seen: set[object] = set()
    # The shortest way to a mistake is told, not that of everyone who needs the task.
    for error in sorted(graph.broken.values(), key=lambda error: len(getattr(error, "needed_by", ()))):
        chain = getattr(error, "needed_by", None)
        if chain == ():
            continue
        mistake: object = str(error)
        if isinstance(error, CyclicDependencyError):
            mistake = frozenset(error.cycle)
        elif chain:
            mistake = (type(error), getattr(error, "name", None) or getattr(error, "task", None), chain[-1])
        if mistake not in seen:
            seen.add(mistake)
            yield error
