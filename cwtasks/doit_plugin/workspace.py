"""The open workspace: manifest, tasks, files and state of one invocation, made where first needed."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cwtasks import __version__
from cwtasks.doit_plugin.memo import Memo
from cwtasks.host import Host, host_subdir
from cwtasks.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from cwtasks.environments import Catalog
    from cwtasks.globs import Tree
    from cwtasks.graph.compiler import Graph, Request, Surroundings
    from cwtasks.graph.step import Step
    from cwtasks.models import Manifest
    from cwtasks.state import StateStore
    from cwtasks.state.kept import KeptOutputs

#: Folder of the state, below the workspace.
STATE_FOLDER = ".conda/cwtasks"


class Workspace:
    """One workspace as one invocation sees it. Reads the manifest only when it is asked something not yet known."""

    def __init__(self, start: str | Path | None = None, *, environ: Mapping[str, str], wish: str | None = None) -> None:
        """Choose where to look; nothing is read yet.

        Args:
            start: Folder the user called from; the current one by default.
            environ: Variables of the caller.
            wish: Environment asked for on the command line.
        """
        self.init_cwd = os.path.abspath(start or os.curdir)
        self.environ = environ
        self._asked_wish = wish
        self._memo = Memo.find(os.path.realpath(self.init_cwd), STATE_FOLDER, environ)
        self._warned = False
        self._logged: set[str] = set()

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest that governs the folder.

        Raises:
            NoTaskFileError: there is none.
            ManifestError: it is broken.
        """
        from cwtasks.manifests import load

        return load(self.init_cwd)

    @cached_property
    def root(self) -> str:
        """The workspace, absolute, links resolved; for the user's own tasks alone, the folder called from."""
        only_user_tasks = self.manifest.path == self.manifest.user_path
        return self.init_cwd if only_user_tasks else os.path.dirname(self.manifest.path)

    @cached_property
    def host(self) -> Host:
        """This machine."""
        machine = os.uname().machine if hasattr(os, "uname") else self.environ.get("PROCESSOR_ARCHITECTURE", "AMD64")
        has_cuda = bool(self.environ.get("CONDA_OVERRIDE_CUDA")) or os.path.exists("/proc/driver/nvidia/version")
        return Host(host_subdir(sys.platform, machine), has_cuda)

    @cached_property
    def catalog(self) -> Catalog:
        """Every task of every environment.

        Raises:
            FeatureNotFoundError: an environment lists a feature that is not defined.
        """
        from cwtasks.environments import Catalog

        return Catalog(self.manifest, self.host)

    @cached_property
    def wish(self) -> str | None:
        """The environment asked for: on the command line, else by the activated shell we run in.

        Raises:
            EnvironmentNotFoundError: the command line names no environment.
        """
        if self._asked_wish:
            return self.catalog.environment(self._asked_wish).name
        environ = self.environ
        if not environ.get("PIXI_IN_SHELL") or environ.get("PIXI_PROJECT_ROOT") != self.root:
            return None
        name = environ.get("PIXI_ENVIRONMENT_NAME")
        return name if name in self.catalog.environments and name != "default" else None

    def remembered(self, question: tuple[Any, ...], answer: Callable[[], Any]) -> Any:
        """Return what follows from the manifest and a question, from memory where that is certain.

        Args:
            question: What is asked, complete: nothing else but manifest, machine and caller may matter.
            answer: Works it out; what it returns must be made of what marshal can write.
        """
        shell = [self.environ.get(name) for name in ("PIXI_IN_SHELL", "PIXI_PROJECT_ROOT", "PIXI_ENVIRONMENT_NAME")]
        question = (*question, self.init_cwd, self._asked_wish, *self.host, *shell)
        kept = self._memo.recall(question) if self._memo else None
        if kept is not None and self._memo is not None:
            self.root = self._memo.root
            warnings, value = kept
            self.warn(warnings)
            return value
        self.warn(self.manifest.warnings)
        value = answer()
        if self._memo is not None and self._memo.root == self.root:
            self._memo.keep(question, (self.manifest.warnings, value))
        return value

    def log(self, fact: str) -> None:
        """Say what happens inside, once, to those who asked for it with ``CWTASKS_LOG=debug``."""
        if fact not in self._logged:
            self._logged.add(fact)
            import logging

            logging.getLogger("cwtasks").debug(fact)

    def warn(self, warnings: Iterable[str]) -> None:
        """Show what is odd in the manifest, once."""
        if not self._warned:
            self._warned = True
            sys.stderr.writelines(f"warning: {warning}\n" for warning in warnings)

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
        return StateStore(folder, root=self.root, platform=self.host.subdir, kept=self._kept_outputs)

    def _kept_outputs(self) -> KeptOutputs | None:
        from cwtasks.state.kept import KeptOutputs, Limits

        settings = Settings.read(self.environ, self.manifest.settings)
        sys.stderr.writelines(f"warning: {self.manifest.path.name}: {warning}\n" for warning in settings.warnings)
        if not settings.keeps_outputs:
            return None
        return KeptOutputs(settings.cache_folder, limits=Limits(total_bytes=settings.cache_bytes))

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

        if step.environment is not None:
            self.log("environments are not installed yet: every task runs in the current one")
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
