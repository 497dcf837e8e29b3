"""The open workspace: manifest, tasks, files and state of one invocation, made where first needed."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cwtasks import __version__
from cwtasks.doit_plugin.memo import Memo
from cwtasks.host import Host, this_host
from cwtasks.places import STATE_FOLDER
from cwtasks.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from cwtasks.doit_plugin.archiving import Archiving
    from cwtasks.environments import Catalog
    from cwtasks.globs import Tree
    from cwtasks.graph.compiler import Graph, Request, Surroundings
    from cwtasks.graph.step import Step
    from cwtasks.graph.workspace_steps import WorkspaceSteps
    from cwtasks.models import Manifest
    from cwtasks.provision.plan import Plan
    from cwtasks.provision.provision import Provision
    from cwtasks.state import StateStore, Verdict
    from cwtasks.state.kept import KeptOutputs

#: Variables beside the caller's place on which the meaning of a manifest depends.
_VARIABLES = (
    "PIXI_IN_SHELL",
    "PIXI_PROJECT_ROOT",
    "PIXI_ENVIRONMENT_NAME",
    "CWTASKS_INSTALL",
)
#: Begins the names of those that say what machines have.
_OVERRIDE = "CONDA_OVERRIDE_"


class Workspace:
    """One workspace as one invocation sees it. Reads the manifest only when it is asked something not yet known."""

    def __init__(
        self,
        start: str | Path | None = None,
        *,
        environ: Mapping[str, str],
        wish: str | None = None,
        is_read_only: bool = False,
    ) -> None:
        """Choose where to look; nothing is read yet.

        Args:
            start: Folder the user called from; the current one by default.
            environ: Variables of the caller.
            wish: Environment asked for on the command line.
            is_read_only: Keep no answers about locks and prefixes on disk: for those who only look.
        """
        self._is_read_only = is_read_only
        self.init_cwd = os.path.abspath(start or os.curdir)
        self.environ = environ
        self._asked_wish = wish
        self.kept_plan: tuple[Any, ...] | None = None
        """The plan as plain data, where it is remembered; see :attr:`plan`."""
        self._memo = Memo.find(os.path.realpath(self.init_cwd), STATE_FOLDER, environ)
        self._warned = False
        self._logged: set[str] = set()
        self._environment_facts: dict[str, dict[str, str | None]] = {}
        self._archiving: dict[str, Archiving] = {}

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
        return this_host(self.environ)

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
        variables = [self.environ.get(name) for name in _VARIABLES]
        overrides = sorted(item for item in self.environ.items() if item[0].startswith(_OVERRIDE))
        question = (*question, self.init_cwd, self._asked_wish, *self.host, *variables, tuple(overrides))
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
        # Whoever listens has imported it; for nobody it would be a thirtieth of a null build.
        logging = sys.modules.get("logging")
        if logging is not None and fact not in self._logged:
            self._logged.add(fact)
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
        return StateStore(
            folder,
            root=self.root,
            platform=self.host.subdir,
            kept=self._kept_outputs,
            environment_facts=self._facts_of_environment,
        )

    @cached_property
    def settings_table(self) -> Mapping[str, Any]:
        """``[tool.cwtasks]`` of the manifest, as it stands there."""
        return self.manifest.settings

    @cached_property
    def settings(self) -> Settings:
        """What the user chose.

        Raises:
            CwtasksError: a value means nothing.
        """
        return Settings.read(self.environ, self.settings_table)

    def _kept_outputs(self) -> KeptOutputs | None:
        from cwtasks.state.kept import KeptOutputs, Limits

        settings = self.settings
        sys.stderr.writelines(f"warning: {self.manifest.path.name}: {warning}\n" for warning in settings.warnings)
        if not settings.keeps_outputs:
            return None
        return KeptOutputs(settings.cache_folder, limits=Limits(total_bytes=settings.cache_bytes))

    @cached_property
    def plan(self) -> Plan:
        """What the environments need before tasks can run in them.

        Raises:
            FeatureNotFoundError: an environment lists a feature that is not defined.
        """
        from cwtasks.provision.plan import Plan, plan_of

        if self.kept_plan is not None:
            return Plan.from_plain(self.kept_plan)
        return plan_of(self.catalog, root=self.root, environ=self.environ)

    @cached_property
    def provision(self) -> Provision:
        """The lock and the installed environments."""
        from cwtasks.provision.plan import requirements_here
        from cwtasks.provision.provision import Provision
        from cwtasks.steps.signals import forget, register

        return Provision(
            self.plan,
            root=self.root,
            manifest=lambda: str(self.manifest.path),
            requirements=lambda: requirements_here(self.catalog, environ=self.environ),
            settings=self.settings,
            environ=self.environ,
            state_folder=os.path.join(self.root, STATE_FOLDER),
            start_worker=register,
            end_worker=forget,
            is_read_only=self._is_read_only,
        )

    @cached_property
    def workspace_steps(self) -> WorkspaceSteps:
        """The steps the workspace has beside its tasks."""
        from cwtasks.graph.workspace_steps import NO_WORKSPACE_STEPS, WorkspaceSteps
        from cwtasks.models import ArchiveConfig
        from cwtasks.settings import ArchiveSettings

        if not self.manifest.has_workspace:
            return NO_WORKSPACE_STEPS
        installed, archive = self.plan.installed, self.settings.archive
        return WorkspaceSteps(
            frozenset(self.catalog.names()),
            tuple(self.plan.environments),
            installed,
            installed if self.settings.installs else (),
            is_workspace=True,
            archives=archive != ArchiveSettings() or self.manifest.workspace.archive != ArchiveConfig(),
            bundles=archive.bundle,
            locks=archive.lock,
        )

    def _facts_of_environment(self, name: str) -> Mapping[str, str | None]:
        """Return what the result of a step depends on in its environment, worked out once until one is installed."""
        facts = self._environment_facts.get(name)
        if facts is None:
            facts = {}
            plan = self.plan.environments.get(name)
            if plan is not None and (plan.prefix or plan.activation.scripts or plan.activation.env):
                if plan.prefix and self.settings.installs:
                    facts[f"packages {name}"] = self.provision.packages_digest(name)
                facts[f"activation {name}"] = self.provision.activation_digest(name)
            self._environment_facts[name] = facts
        return facts

    def environments_changed(self) -> None:
        """Look at locks and prefixes anew."""
        self._environment_facts.clear()
        self._archiving.clear()

    def check(self, step: Step) -> Verdict:
        """Decide whether a step has to run; see :meth:`cwtasks.state.StateStore.check`.

        Raises:
            CwtasksError: the lock or the environment it needs is damaged.
        """
        if step.kind in {"task", "archive", "verify"}:
            return self.store.check(self.seen(step), self.tree)
        from cwtasks.state import Reason, Verdict

        reasons = []
        record = self.store.record(step.id)
        if record is not None and record.status in {"failed", "forgotten"}:
            reasons.append(Reason("failed" if record.status == "failed" else "forgotten"))
        if step.kind == "lock":
            fact = self.provision.why_lock() or ("asked for" if step.arguments else None)
        elif step.kind == "bundle":
            fact = self._why_bundle(step)
        else:
            fact = self.provision.why_install(step.environment or "default")
        if fact:
            reasons.append(Reason("lock" if step.kind == "lock" else "prefix", fact))
        return Verdict(not reasons, tuple(reasons), None)

    def _why_bundle(self, step: Step) -> str | None:
        from cwtasks.doit_plugin.archiving import bundle_wish_of

        if not os.path.exists(self.provision.lock_path):
            return "nothing is locked"
        return None if self.provision.is_bundled(bundle_wish_of(step, self)) else "package files are missing"

    def archiving(self, step: Step) -> Archiving:
        """Return what a step ``archive`` or ``verify`` is to do, as things are now."""
        found = self._archiving.get(step.id)
        if found is None:
            from cwtasks.doit_plugin.archiving import Archiving

            found = self._archiving[step.id] = Archiving(step, self)
        return found

    def seen(self, step: Step) -> Step:
        """Return a step as the state sees it: with all that its result depends on.

        Raises:
            CwtasksError: what it depends on cannot be told.
        """
        if step.kind not in {"archive", "verify"}:
            return step
        archiving = self.archiving(step)
        return step if archiving.is_listing else archiving.seen

    def compile(self, requests: Iterable[Request], *, alone: bool = False) -> Graph:
        """Compile the tasks asked for; see :func:`cwtasks.graph.compiler.compile_steps`."""
        from cwtasks.graph.compiler import compile_steps

        return compile_steps(
            self.catalog, requests, self.surroundings, alone=alone, workspace_steps=self.workspace_steps
        )

    def compile_all(self) -> Graph:
        """Compile every task that needs no argument."""
        from cwtasks.graph.compiler import compile_all

        return compile_all(self.catalog, self.surroundings, wish=self.wish, workspace_steps=self.workspace_steps)

    def variables(self, step: Step) -> dict[str, str]:
        """Return the variables a command runs with, without those of its task.

        Raises:
            CwtasksError: its environment is not installed, or cannot be activated.
        """
        from cwtasks.steps.command import seen_of_outside

        return self.variables_of(step.environment, seen_of_outside(self.environ, clean=step.clean_env))

    def variables_of(self, environment: str | None, outside: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of an environment.

        Args:
            environment: Its name; ``None`` when the manifest has no workspace.
            outside: Variables of the caller, as far as they are seen.

        Raises:
            CwtasksError: it is not installed, or cannot be activated.
        """
        from cwtasks.steps.command import workspace_variables

        config = self.manifest.workspace
        statics = workspace_variables(
            root=self.root,
            name=config.name or os.path.basename(self.root),
            version=config.version,
            manifest=str(self.manifest.path),
            environment=environment,
            platforms=config.platforms,
            init_cwd=self.init_cwd,
        )
        if environment is None:
            return {**outside, **statics}
        prefix = self.plan.environments[environment].prefix if self.settings.installs else ""
        self.log(f"environment '{environment}' is {prefix or 'the one it is called from'}")
        return self.provision.variables(environment, statics=statics, outside=outside, warn=self._warn_once)

    def _warn_once(self, fact: str) -> None:
        if fact not in self._logged:
            self._logged.add(fact)
            sys.stderr.write(f"warning: {fact}\n")
