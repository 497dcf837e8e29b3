"""What is asked of an export, checked against the workspace, and what comes of it. Knows no format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import CwtasksError, LockfileStaleError, PlatformError
from cwtasks.models import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from cwtasks.lockfile import Lock, LockedPackage
    from cwtasks.models import Manifest
    from cwtasks.requirements import Requirements


class Exported(NamedTuple):
    """A text in another format."""

    text: str
    losses: tuple[str, ...]
    """What the workspace says and the text does not, one line each."""


class LockedSlice(NamedTuple):
    """What a lock holds of one environment on one platform."""

    asked: Requirements
    channels: tuple[str, ...]
    packages: tuple[LockedPackage, ...]
    others: tuple[str, ...]
    """What is no conda package: those of a Python index, and what would have to be built."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What of a workspace is to be exported."""

    manifest: Manifest
    requirements: tuple[Requirements, ...]
    """Of every environment on every platform, with channels as the manifest has them."""
    host: str
    """Conda platform of this machine."""
    lock_path: str
    lock: Callable[[], Lock]
    """Reads the lock that answers the manifest; refuses another one."""
    environments: tuple[str, ...] = ()
    """Names of those asked for; empty when none was named."""
    platforms: tuple[str, ...] = ()
    """Names of platforms, or conda platforms behind them; empty when none was named."""

    def check(self) -> None:
        """Check what is named.

        Raises:
            EnvironmentNotFoundError, PlatformError: the workspace has none of that name.
        """
        workspace = self.manifest.workspace
        for name in self.environments:
            workspace.get_environment(name)
        declared = list(dict.fromkeys(one.platform for one in self.requirements))
        for platform in self.platforms:
            workspace.resolve_platform_name(platform, declared)

    def slices(self) -> tuple[Requirements, ...]:
        """Return what is asked for: the environments named, or all, on the platforms named, or all they have.

        Raises:
            PlatformError: an environment that is named does not exist on a platform that is.
        """
        if self.environments:
            return tuple(one for name in self.environments for one in self._slices_of(name))
        names = dict.fromkeys(one.environment for one in self.requirements)
        return tuple(one for name in names for one in self._slices_of(name, must_exist=False))

    def of_one_environment(self, format_name: str) -> tuple[Requirements, ...]:
        """Return the slices of the only environment that is asked for; ``default`` when none is named.

        Args:
            format_name: Of a format that can hold no more; named in errors.

        Raises:
            CwtasksError: several are named, or it has none of the platforms.
        """
        if len(self.environments) > 1:
            raise CwtasksError(f"format '{format_name}' holds one environment", hints=["name one with -e"])
        return self._slices_of(self.environments[0] if self.environments else DEFAULT)

    def of_one_platform(self, format_name: str) -> Requirements:
        """Return the only slice that is asked for; on this machine's platform when none is named.

        Args:
            format_name: As for :meth:`of_one_environment`.

        Raises:
            CwtasksError: several are named, or the environment does not exist there.
        """
        if len(self.platforms) > 1:
            raise CwtasksError(f"format '{format_name}' holds one platform", hints=["name one with --platform"])
        slices = self.of_one_environment(format_name)
        here = slices if self.platforms else [one for one in slices if one.subdir == self.host]
        if not here:
            raise CwtasksError(
                f"environment '{slices[0].environment}' is not for this machine ({self.host})",
                hints=[f"name a platform: --platform {slices[0].platform}"],
            )
        return here[0]

    def _slices_of(self, name: str, *, must_exist: bool = True) -> tuple[Requirements, ...]:
        mine = [one for one in self.requirements if one.environment == name]
        if not self.platforms:
            return tuple(mine)
        declared = [one.platform for one in mine]
        wanted = set()
        for platform in self.platforms:
            try:
                wanted.add(self.manifest.workspace.resolve_platform_name(platform, declared))
            except PlatformError:
                if must_exist:
                    raise
        return tuple(one for one in mine if one.platform in wanted)

    def locked(self, asked: Requirements) -> LockedSlice:
        """Return what the lock holds of one slice.

        Raises:
            LockfileNotFoundError, LockfileIntegrityError: the lock cannot be used.
            LockfileStaleError: it does not answer the manifest, or has no such slice.
        """
        lock = self.lock()
        environment = lock.environments.get(asked.environment)
        name = lock.platform_name(asked.platform, asked.subdir, asked.virtual_packages)
        if environment is None or name is None or name not in environment.packages:
            if not asked.specs:
                return LockedSlice(asked, tuple(channel.public_url for channel in asked.channels), (), ())
            reason = f"environment '{asked.environment}' is not locked for {asked.platform}"
            raise LockfileStaleError(self.manifest.path, self.lock_path, reason)
        others = (*map(str, environment.pypi.get(name, ())), *environment.sources.get(name, ()))
        return LockedSlice(asked, environment.channels, environment.packages[name], others)

    def not_exported(self) -> list[str]:
        """Return what stays behind because a file holds one environment, and nobody said which."""
        if self.environments:
            return []
        others = [name for name in self.manifest.workspace.environments if name != DEFAULT]
        return [f"environments beside 'default' (-e names one): {', '.join(others)}"] if others else []

    def solving(self, asked: Requirements) -> list[str]:
        """Return what decides about packages beside what is asked for, and formats of one environment cannot say."""
        from cwtasks.environments import features_of

        workspace = self.manifest.workspace
        environment = workspace.get_environment(asked.environment)
        required = dict(workspace.platform_system_requirements.get(asked.platform, {}))
        for feature in features_of(workspace, environment):
            required.update(feature.system_requirements)
        found = []
        if required:
            found.append(f"system requirements: {', '.join(f'{name} {version}' for name, version in required.items())}")
        if workspace.channel_priority:
            found.append(f"channel priority: {workspace.channel_priority}")
        if environment.solve_group:
            found.append(f"solve group: {environment.solve_group}")
        return found

    def activation(self, asked: Requirements, *, can_say_variables: bool) -> list[str]:
        """Return what of the activation of an environment a format without scripts would lose.

        Args:
            asked: Which environment.
            can_say_variables: Whether it has a place for variables.
        """
        from cwtasks.activation.declared import activation_of

        workspace = self.manifest.workspace
        declared = activation_of(workspace, asked.environment, platform=asked.platform, subdir=asked.subdir)
        losses = [f"activation scripts: {', '.join(declared.scripts)}"] if declared.scripts else []
        if declared.env and not can_say_variables:
            losses.append(f"variables: {', '.join(name for name, _ in declared.env)}")
        return losses
