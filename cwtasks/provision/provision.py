"""One workspace's lock and prefixes: what is to be done about them, doing it, and what commands in them run with."""

from __future__ import annotations

import os
from functools import cache, cached_property
from typing import TYPE_CHECKING

from cwtasks.exceptions import (
    EnvironmentNotInstalledError,
    LockfileNotFoundError,
    LockfileStaleError,
    PlatformNotRunnableError,
)
from cwtasks.provision.memory import LockAnswer, LockMemory, LockStamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cwtasks.engines import Engine, Report
    from cwtasks.lockfile import Lock, LockedPackage, WantedEnvironment
    from cwtasks.provision.bundling import Bundled, BundleWish
    from cwtasks.provision.plan import EnvironmentPlan, Plan
    from cwtasks.provision.prefix import Wanted
    from cwtasks.provision.wish import Wish
    from cwtasks.requirements import Requirements
    from cwtasks.settings import Settings

LOCK, PIXI_LOCK = "conda.lock", "pixi.lock"


class Provision:
    """Locks and installs the environments of one workspace."""

    def __init__(
        self,
        plan: Plan,
        *,
        root: str,
        manifest: Callable[[], str],
        requirements: Callable[[], Sequence[Requirements]],
        settings: Settings,
        environ: Mapping[str, str],
        state_folder: str,
        start_worker: Callable[[int], None] | None = None,
        end_worker: Callable[[int], None] | None = None,
        is_read_only: bool = False,
        engine: Engine | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            plan: What follows from the manifest.
            root: Workspace directory, absolute.
            manifest: Gives the path of the manifest, for messages.
            requirements: Gives what a lock has to answer; asked when there is need.
            settings: The user's.
            environ: Variables of the caller.
            state_folder: Where answers are kept, absolute.
            start_worker: Told the process group of each process an engine starts, so that signals reach it.
            end_worker: Told when it has ended.
            is_read_only: Keep no answers on disk: for those who only look.
            engine: What solves and installs, where a caller has it already and the settings ask for no other.
        """
        self.plan = plan
        self.settings = settings
        self._root = root
        self._manifest = manifest
        self._ask_requirements = requirements
        self._environ = environ
        self._state_folder = state_folder
        self._workers = (start_worker, end_worker)
        self._is_read_only = is_read_only
        self._memory = LockMemory(state_folder, is_read_only=is_read_only)
        if engine is not None and engine.name == settings.engine:
            self.engine = engine

    @cached_property
    def engine(self) -> Engine:
        """What solves and installs."""
        from cwtasks import engines

        begin, end = self._workers
        return engines.choose(
            self.settings.engine,
            cache_folder=self.settings.cache_folder,
            environ=self._environ,
            start_worker=begin,
            end_worker=end,
        )

    @property
    def lock_path(self) -> str:
        """The lock that counts: ``conda.lock``, or ``pixi.lock`` where there is no other."""
        own, theirs = (os.path.join(self._root, name) for name in (LOCK, PIXI_LOCK))
        return theirs if not os.path.exists(own) and os.path.exists(theirs) else own

    def why_lock(self) -> str | None:
        """Return why the lock does not answer the manifest, in one line; ``None`` when it does, or need not.

        Raises:
            LockfileIntegrityError: it is damaged.
            FeatureNotFoundError: the manifest cannot be resolved.
        """
        if not self.plan.question:
            return None
        stamp = LockStamp.of(self.lock_path)
        if stamp is None:
            return f"there is no {LOCK}"
        if self.settings.frozen:
            return None
        question = self._question
        if self._answer(stamp).question == question:
            return None
        from cwtasks.lockfile import why_stale

        reason = why_stale(self._lock(), self._wanted())
        if reason is None:
            self._memory.answers(stamp, question)
        return reason

    def lock(self, wish: Wish, report: Report) -> tuple[str, ...]:
        """Make the lock answer the manifest, and do what else is wished.

        Returns:
            What there is to say of it, one line each.

        Raises:
            LockfileStaleError: it does not, and must not be changed here.
            LockfileNotFoundError: there is none, and none must be made here.
            EnvironmentNotFoundError, PlatformError: the wish names something that is not there.
            CwtasksError: it cannot be solved, see :func:`cwtasks.provision.solving.relock`; nothing is written.
        """
        self._check_wish(wish)
        reason = self.why_lock()
        if wish.is_plain:
            if reason is None:
                return ()
            self._check_may_lock(reason)
        from cwtasks.lockfile import stale_slices, write_lock
        from cwtasks.provision.changes import changes
        from cwtasks.provision.solving import relock

        old = self._old_lock()
        asked = self.requirements
        every = {(one.environment, one.platform): "there is no lock" for one in asked}
        done = relock(
            old,
            asked,
            stale=every if old is None else stale_slices(old, self._wanted()),
            wish=wish._replace(skips_unsolvable=wish.skips_unsolvable or self.settings.skip_unsolvable),
            engine=self.engine,
            offline=self.settings.offline,
            report=report,
        )
        write_lock(os.path.join(self._root, LOCK), done.lock)
        return tuple(changes(old, done, asked))

    def _check_wish(self, wish: Wish) -> None:
        from cwtasks.exceptions import EnvironmentNotFoundError, PlatformError

        for name in wish.environments:
            if name not in self.plan.environments:
                raise EnvironmentNotFoundError(name, self.plan.environments)
        known = {name for one in self.requirements for name in (one.platform, one.subdir)} if wish.platforms else set()
        for platform in wish.platforms:
            if platform not in known:
                raise PlatformError(platform, known)

    def _check_may_lock(self, reason: str) -> None:
        if self.settings.frozen:
            raise LockfileNotFoundError("default", self.lock_path)
        if self.settings.locked:
            if not os.path.exists(self.lock_path):
                raise LockfileNotFoundError("default", self.lock_path)
            raise LockfileStaleError(self._manifest(), self.lock_path, reason)

    def _old_lock(self) -> Lock | None:
        """Return what is locked now, as far as it can be used."""
        return self._lock() if os.path.exists(self.lock_path) else None

    def _lock(self) -> Lock:
        from cwtasks.lockfile import read_lock

        return read_lock(self.lock_path, cache_folder=self._state_folder, keeps=not self._is_read_only)

    @cached_property
    def requirements(self) -> Sequence[Requirements]:
        """What a lock has to answer, with channels where the user's configuration says they are."""
        from dataclasses import replace

        from cwtasks.engines.channels import read_settings
        from cwtasks.models import Channel

        configured = read_settings(self._environ)
        found = []
        for one in self._ask_requirements():
            names = [self._located(channel.value) for channel in one.channels] or configured.channels
            urls = dict.fromkeys(url for name in names for url in configured.urls_of(name))
            found.append(replace(one, channels=tuple(map(Channel, urls))))
        return tuple(found)

    def _channels(self, environment: str | None = None) -> list[str]:
        """Return the URLs of the channels of an environment, or of all."""
        asked = [one for one in self.requirements if environment in {None, one.environment}]
        return list(dict.fromkeys(channel.base_url for one in asked for channel in one.channels))

    def _located(self, channel: str) -> str:
        """Return a channel as written, a folder beside the manifest by its absolute path."""
        return os.path.normpath(os.path.join(self._root, channel)) if channel.startswith(("./", "../")) else channel

    def _wanted(self) -> tuple[WantedEnvironment, ...]:
        """Return what the lock is compared with; what could not be solved elsewhere is not asked for where skipped."""
        from cwtasks.lockfile import wanted_of

        asked = self.requirements
        if self.settings.skip_unsolvable and os.path.exists(self.lock_path):
            lock = self._lock()
            here = {(plan.name, plan.platform) for plan in self.plan.environments.values()}
            asked = [
                one
                for one in asked
                if (one.environment, one.platform) in here
                or lock.environments.get(one.environment) is None
                or lock.platform_name(one.platform, one.subdir, one.virtual_packages)
                in lock.environments[one.environment].packages
            ]
        return wanted_of(asked)

    @cached_property
    def _question(self) -> str:
        """What the lock has to answer: the manifest's part, and the configuration that says where channels are."""
        from cwtasks.engines.places import VARIABLES, condarc_files, rattler_files

        stamps = [(path, LockStamp.of(path)) for path in (*condarc_files(self._environ), *rattler_files(self._environ))]
        variables = [self._environ.get(name) for name in VARIABLES]
        return repr(
            (self.plan.question, [stamp for _, stamp in stamps if stamp], variables, self.settings.skip_unsolvable)
        )

    def _answer(self, stamp: LockStamp) -> LockAnswer:
        plans = self.plan.environments.values()
        machine = repr([(plan.name, plan.platform, plan.virtual_packages) for plan in plans if plan.prefix])

        def work_out() -> LockAnswer:
            from cwtasks.lockfile import digest_of

            lock = self._lock()
            found = {plan.name: _packages_of(lock, plan) for plan in plans if plan.prefix}
            return LockAnswer(
                {name: digest_of(packages) for name, packages in found.items() if packages is not None}, ""
            )

        return self._memory.answer(stamp, machine, work_out)

    def packages_digest(self, environment: str) -> str | None:
        """Return what changes whenever the packages of an environment would; ``None`` when they are not locked.

        Raises:
            LockfileIntegrityError: the lock is damaged.
        """
        stamp = LockStamp.of(self.lock_path)
        return self._answer(stamp).digests.get(environment) if stamp else None

    def why_install(self, environment: str) -> str | None:
        """Return why an environment has to be installed; ``None`` when it holds what is locked, or has no prefix.

        Raises:
            LockfileIntegrityError: the lock is damaged.
        """
        plan = self.plan.environments[environment]
        if not plan.prefix:
            return None
        digest = self.packages_digest(environment)
        if digest is None:
            return "it is not locked"
        from cwtasks.provision.prefix import why_not_installed

        return why_not_installed(plan.prefix, self._wanted_prefix(plan, digest), takes_note=not self._is_read_only)

    def install(
        self,
        environment: str,
        report: Report,
        *,
        waiting: Callable[[], None],
        is_forced: bool = False,
        prefix: str | None = None,
        runtime_prefix: str | None = None,
    ) -> tuple[str, ...]:
        """Make an environment hold what is locked.

        Args:
            environment: Its name.
            report: Is told of progress.
            waiting: Called before waiting for another process that installs it.
            is_forced: Have the engine look even if nothing seems to be missing.
            prefix: Where, absolute; the place of the workspace's own environment by default.
            runtime_prefix: The path written into files, where the prefix is moved before it is used.

        Returns:
            What there is to say of it, one line each.

        Raises:
            PlatformNotRunnableError: it is for other machines.
            LockfileNotFoundError: it is not locked.
            CwtasksError: it cannot be installed, see :func:`cwtasks.provision.prefix.install`.
        """
        from cwtasks.files import make_folder
        from cwtasks.provision.prefix import install

        plan = self.plan.environments[environment]
        if not plan.is_runnable:
            raise PlatformNotRunnableError(environment, plan.platform)
        if prefix is not None:
            plan = plan._replace(prefix=prefix)
        digest = self.packages_digest(environment)
        if digest is None:
            raise LockfileNotFoundError(environment, self.lock_path)
        wanted = self._wanted_prefix(plan, digest)
        folder = os.path.dirname(plan.prefix)
        self.engine.get_ready()
        # While the engine starts: what there will be to say.
        left_out = sorted({*plan.left_out, *self._left_out(plan)})
        count = len(wanted.packages())
        if folder.startswith(os.path.join(self._root, "")):
            make_folder(folder)
        is_changed = install(
            plan.prefix,
            wanted,
            engine=self.engine,
            subdir=plan.subdir,
            channels=lambda: self._channels(environment),
            requested=plan.specs,
            link_scripts=self.settings.link_scripts,
            offline=self.settings.offline,
            report=report,
            waiting=waiting,
            is_forced=is_forced,
            runtime_prefix=runtime_prefix,
        )
        place = plan.prefix if prefix is not None else os.path.relpath(plan.prefix, self._root)
        said = [f"{count} package{'' if count == 1 else 's'} in {place}"]
        if left_out:
            listed = ", ".join(left_out)
            said.append(f"warning: PyPI dependencies are not supported yet and were left out: {listed}")
        return tuple(said if is_changed else said[1:])

    def _left_out(self, plan: EnvironmentPlan) -> tuple[str, ...]:
        """Return what a ``pixi.lock`` holds beside conda packages and the manifest does not name itself."""
        lock = self._lock()
        name = lock.platform_name(plan.platform, plan.subdir, plan.virtual_packages)
        if plan.left_out or name is None or plan.name not in lock.environments:
            return ()
        return lock.environments[plan.name].left_out(name)

    def _wanted_prefix(self, plan: EnvironmentPlan, digest: str) -> Wanted:
        from cwtasks.provision.prefix import Wanted

        return Wanted(digest, cache(lambda: _packages_of(self._lock(), plan) or ()))

    def _bundled_packages(self, wish: BundleWish) -> tuple[LockedPackage, ...]:
        from cwtasks.provision.bundling import packages_of

        if not os.path.exists(self.lock_path):
            raise LockfileNotFoundError("default", self.lock_path)
        return packages_of(self._lock(), wish, environments=tuple(self.plan.environments))

    def is_bundled(self, wish: BundleWish) -> bool:
        """Say whether the package files of the lock are together already, for what is wished for.

        Raises:
            LockfileNotFoundError: there is no lock.
            LockfileIntegrityError: the lock is damaged.
            EnvironmentNotFoundError, PlatformNotLockedError: the wish names something that is not there.
        """
        from cwtasks.provision.bundling import is_bundled

        return is_bundled(self._bundled_packages(wish), engine=self.engine)

    def bundle(self, wish: BundleWish, report: Report) -> tuple[Bundled, ...]:
        """Get the package files of the lock together, for all environments and platforms that are wished for.

        Raises:
            LockfileNotFoundError: there is no lock.
            EnvironmentNotFoundError, PlatformNotLockedError: the wish names something that is not there.
            CwtasksError: a package cannot be had, see :func:`cwtasks.provision.bundling.bundle`.
        """
        from cwtasks.provision.bundling import bundle

        return bundle(
            self._bundled_packages(wish),
            engine=self.engine,
            channels=self._channels,
            offline=self.settings.offline,
            report=report,
        )

    def activation_digest(self, environment: str) -> str | None:
        """Return what changes whenever activating an environment would do something else.

        ``None`` while that cannot be told, because the environment is still to be installed.

        Raises:
            ActivationError: a file of it cannot be read.
        """
        from cwtasks.activation.digest import content_digest

        plan = self.plan.environments[environment]
        prefix = self._prefix_in_use(plan)
        if prefix and not _is_prefix(prefix):
            return None
        return content_digest(prefix, plan.activation, self._root)

    def variables(
        self,
        environment: str,
        *,
        statics: Mapping[str, str],
        outside: Mapping[str, str],
        warn: Callable[[str], None] | None = None,
    ) -> dict[str, str]:
        """Return all variables a command in an environment runs with.

        Args:
            environment: Its name.
            statics: What every command is told, such as names of the workspace.
            outside: Variables of the caller, without those a command with a clean environment may not see.
            warn: Called with one sentence for everything that was left out.

        Raises:
            EnvironmentNotInstalledError: it is still to be installed.
            ActivationError: a script fails, or a file cannot be read.
        """
        from cwtasks.activation.effective import variables

        plan = self.plan.environments[environment]
        prefix = self._prefix_in_use(plan)
        if prefix and not _is_prefix(prefix):
            raise EnvironmentNotInstalledError(environment)
        return variables(
            prefix,
            activation=plan.activation,
            statics=statics,
            outside=outside,
            root=self._root,
            cache_folder=self._state_folder,
            warn=warn,
        )

    def _prefix_in_use(self, plan: EnvironmentPlan) -> str:
        """Return the prefix commands run in, empty for the environment we are called from."""
        return plan.prefix if self.settings.installs else ""

    def remove(self, environment: str, *, dry_run: bool = False) -> str | None:
        """Remove the prefix of an environment.

        Args:
            environment: Its name.
            dry_run: Change nothing.

        Returns:
            Its path, relative to the workspace where it is in it; ``None`` when there was none.

        Raises:
            PrefixNotOursError: what is there is no environment.
        """
        from cwtasks.provision.prefix import remove

        prefix = self.plan.environments[environment].prefix
        if not prefix or not os.path.lexists(prefix) or not (dry_run or remove(prefix)):
            return None
        return os.path.relpath(prefix, self._root)


def _is_prefix(prefix: str) -> bool:
    return os.path.isdir(os.path.join(prefix, "conda-meta"))


def _packages_of(lock: Lock, plan: EnvironmentPlan) -> tuple[LockedPackage, ...] | None:
    """Return the packages of an environment on this machine, ``None`` when they are not locked."""
    environment = lock.environments.get(plan.name)
    if environment is None:
        return None
    name = lock.platform_name(plan.platform, plan.subdir, plan.virtual_packages)
    found = environment.packages.get(name or "")
    if found is None and lock.format == PIXI_LOCK and not environment.packages:
        return ()
    return found
