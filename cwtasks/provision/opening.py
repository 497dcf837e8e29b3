"""A manifest -> the lock and prefixes of its workspace, for callers that have no open workspace of their own.

Imports what it will need at once: who imports this is about to call it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cwtasks.environments import Catalog
from cwtasks.host import this_host
from cwtasks.places import STATE_FOLDER
from cwtasks.provision.plan import plan_of, requirements_here
from cwtasks.provision.provision import Provision
from cwtasks.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cwtasks.engines import Engine
    from cwtasks.models import Manifest


def open_provision(
    manifest: Manifest,
    *,
    environ: Mapping[str, str] = os.environ,
    change: Callable[[Settings], Settings] | None = None,
    engine: Engine | None = None,
) -> Provision:
    """Return what locks and installs the environments of a workspace.

    Args:
        manifest: Of the workspace.
        environ: Variables of the caller.
        change: Gives the settings to use instead of the user's.
        engine: What solves and installs, where the caller has it already.

    Raises:
        FeatureNotFoundError: an environment lists a feature that is not defined.
        CwtasksError: a setting means nothing.
    """
    root = os.path.dirname(os.path.realpath(manifest.path))
    catalog = Catalog(manifest, this_host(environ))
    settings = Settings.read(environ, manifest.settings)
    return Provision(
        plan_of(catalog, root=root, environ=environ),
        root=root,
        manifest=lambda: str(manifest.path),
        requirements=lambda: requirements_here(catalog, environ=environ),
        settings=change(settings) if change else settings,
        environ=environ,
        state_folder=os.path.join(root, STATE_FOLDER),
        engine=engine,
    )
