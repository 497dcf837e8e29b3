"""The open workspace: manifest, tasks, files and state of one invocation, made where first needed."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from cwtasks import __version__
from cwtasks.environments import Catalog, Host, host_subdir
from cwtasks.manifests import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cwtasks.globs import Tree
    from cwtasks.graph.compiler import Graph, Request, Surroundings
    from cwtasks.graph.step import Step
    from cwtasks.models import Manifest
    from cwtasks.state import StateStore

#: Folder of the state, below the workspace.
STATE_FOLDER = ".conda/cwtasks"


class Workspace:
    """One workspace as one invocation sees it."""

    def __init__(
        self, manifest: Manifest, *, init_cwd: str, environ: Mapping[str, str], wish: str | None = None
    ) -> None:
        """Take what was read.

        Args:
            manifest: The workspace's manifest.
            init_cwd: Folder the user called from, absolute.
            environ: Variables of the caller.
            wish: Environment asked for on the command line.

        Raises:
            EnvironmentNotFoundError: ``wish`` names no environment.
            FeatureNotFoundError: an environment lists a feature that is not defined.
        """
        self.manifest = manifest
        self.init_cwd = init_cwd
        self.environ = environ
        only_user_tasks = manifest.path == manifest.user_path
        self.root = init_cwd if only_user_tasks else os.path.dirname(manifest.path)
        self.catalog = Catalog(manifest, _this_machine(environ))
        self.wish = wish or self._wish_of_shell()
        if self.wish is not None:
            self.catalog.environment(self.wish)

    @classmethod
    def open(cls, start: str | Path | None = None, *, wish: str | None = None) -> Workspace:
        """Find and read the manifest that governs a folder.

        Raises:
            NoTaskFileError: there is none.
            ManifestError: it is broken.
        """
        here = os.path.abspath(start or os.curdir)
        return cls(load(start), init_cwd=here, environ=os.environ, wish=wish)

    def _wish_of_shell(self) -> str | None:
        """Return the environment of the activated shell we run in, if it belongs to this workspace."""
        environ = self.environ
        if not environ.get("PIXI_IN_SHELL") or environ.get("PIXI_PROJECT_ROOT") != self.root:
            return None
        name = environ.get("PIXI_ENVIRONMENT_NAME")
        return name if name in self.catalog.environments and name != "default" else None

    @cached_property
    def surroundings(self) -> Surroundings:
        """What templates may know of this invocation."""
        from cwtasks.graph.compiler import Surroundings

        return Surroundings(
            manifest_path=str(self.manifest.path),
            version=__version__,
            init_cwd=self.init_cwd,
            root=self.root,
            envs_dir=self.manifest.workspace.envs_dir,
        )

    @cached_property
    def tree(self) -> Tree:
        """The files of the workspace."""
        from cwtasks.globs import Tree

        return Tree(self.root)

    @cached_property
    def store(self) -> StateStore:
        """What is remembered of earlier runs."""
        from cwtasks.state import StateStore

        folder = os.path.join(self.root, STATE_FOLDER)
        return StateStore(folder, root=self.root, platform=self.catalog.host.subdir)

    def compile(self, requests: Iterable[Request], *, alone: bool = False) -> Graph:
        """Compile the tasks asked for; see :func:`cwtasks.graph.compiler.compile_steps`."""
        from cwtasks.graph.compiler import compile_steps

        return compile_steps(self.catalog, requests, self.surroundings, alone=alone)

    def compile_all(self) -> Graph:
        """Compile every task that needs no argument."""
        from cwtasks.graph.compiler import compile_all

        return compile_all(self.catalog, self.surroundings, wish=self.wish)

    def variables(self, step: Step) -> dict[str, str]:
        """Return the variables a command gets beside those of the caller and its own."""
        from cwtasks.steps.command import workspace_variables

        config = self.manifest.workspace
        return workspace_variables(
            root=self.root,
            name=config.name or os.path.basename(self.root),
            version=config.version,
            manifest=str(self.manifest.path),
            environment=step.environment,
            platforms=config.platforms,
            init_cwd=self.init_cwd,
        )


def _this_machine(environ: Mapping[str, str]) -> Host:
    machine = os.uname().machine if hasattr(os, "uname") else environ.get("PROCESSOR_ARCHITECTURE", "AMD64")
    has_cuda = bool(environ.get("CONDA_OVERRIDE_CUDA")) or os.path.exists("/proc/driver/nvidia/version")
    return Host(host_subdir(sys.platform, machine), has_cuda)
