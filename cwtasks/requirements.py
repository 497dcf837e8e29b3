"""Environment x platform -> what a solve has to satisfy. Pure; knows no engine and no lock.

The counterpart of ``environments`` for packages: which channels, which specs, and which virtual packages stand for a
machine of that platform. Nothing of the machine we run on enters, so a lock is the same wherever it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.environments import DIALECTS, features_of, platforms_of, selector_matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cwtasks.models import Channel, Environment, Feature, MatchSpec, PyPIDependency, WorkspaceConfig


class VirtualPackage(NamedTuple):
    """A property of machines that packages may depend on."""

    name: str
    """With its two underscores: ``__glibc``."""
    version: str
    build: str = "0"


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the packages of one environment on one platform must satisfy."""

    environment: str
    platform: str
    """Declared platform name."""
    subdir: str
    """The conda platform behind it."""
    channels: tuple[Channel, ...]
    """The first asked first."""
    specs: tuple[MatchSpec, ...]
    """All must hold. In the pixi dialect a package may stand there more than once."""
    pypi: tuple[PyPIDependency, ...]
    virtual_packages: tuple[VirtualPackage, ...]
    """Sorted by name."""
    channel_priority: str
    """``strict``, ``flexible`` or ``disabled``."""
    solve_group: str | None
    """Environments of one group share their versions."""


#: What a machine of each family has at least.
_DEFAULTS = {
    "linux": {"__unix": "0", "__linux": "4.18", "__glibc": "2.28"},
    "osx": {"__unix": "0", "__osx": "13.0"},
    "win": {"__win": "0"},
}
_ARCHSPECS = {"64": "x86_64", "32": "x86", "aarch64": "aarch64", "arm64": "m1", "ppc64le": "ppc64le"}
#: Variables that say otherwise, and the families they are for.
_OVERRIDES = {
    "CONDA_OVERRIDE_CUDA": ("__cuda", ("linux", "win")),
    "CONDA_OVERRIDE_GLIBC": ("__glibc", ("linux",)),
    "CONDA_OVERRIDE_LINUX": ("__linux", ("linux",)),
    "CONDA_OVERRIDE_OSX": ("__osx", ("osx",)),
    "CONDA_OVERRIDE_WIN": ("__win", ("win",)),
    "CONDA_OVERRIDE_ARCHSPEC": ("__archspec", ("linux", "osx", "win")),
}


def requirements_of(workspace: WorkspaceConfig, *, environ: Mapping[str, str]) -> Iterator[Requirements]:
    """Yield the requirements of every environment on every platform it can exist on, in the order of the manifest.

    Args:
        workspace: What the manifest says.
        environ: ``CONDA_OVERRIDE_*`` are used.

    Raises:
        FeatureNotFoundError: an environment lists a feature that is not defined.
    """
    for environment in workspace.environments.values():
        for platform in platforms_of(workspace, environment):
            yield requirements(workspace, environment, platform, environ=environ)


def requirements(
    workspace: WorkspaceConfig, environment: Environment, platform: str, *, environ: Mapping[str, str]
) -> Requirements:
    """Return the requirements of one environment on one platform.

    Args:
        workspace: What the manifest says.
        environment: One of its environments.
        platform: Declared platform name.
        environ: ``CONDA_OVERRIDE_*`` are used.

    Raises:
        FeatureNotFoundError: it lists a feature that is not defined.
    """
    features = features_of(workspace, environment)
    subdir = workspace.platform_subdir(platform)
    tables = [_on_platform(feature, workspace, platform, subdir) for feature in features]
    return Requirements(
        environment=environment.name,
        platform=platform,
        subdir=subdir,
        channels=_channels(workspace, features),
        specs=_specs(workspace, [conda for conda, _ in tables]),
        pypi=tuple({name: dependency for _, pypi in tables for name, dependency in pypi.items()}.values()),
        virtual_packages=_virtual_packages(workspace, features, platform, subdir, environ),
        channel_priority=workspace.channel_priority or "strict",
        solve_group=environment.solve_group if DIALECTS[workspace.dialect].shares_solves else None,
    )


def _on_platform(
    feature: Feature, workspace: WorkspaceConfig, platform: str, subdir: str
) -> tuple[dict[str, MatchSpec], dict[str, PyPIDependency]]:
    """Return the dependencies of one feature: its own, then those of each matching target in the order of the file."""
    dialect = DIALECTS[workspace.dialect]
    conda, pypi = dict(feature.conda_dependencies), dict(feature.pypi_dependencies)
    for selector, target in feature.targets.items():
        if selector_matches(selector, platform, subdir, dialect=dialect):
            conda.update(target.conda_dependencies)
            pypi.update(target.pypi_dependencies)
    return conda, pypi


def _specs(workspace: WorkspaceConfig, tables: Sequence[Mapping[str, MatchSpec]]) -> tuple[MatchSpec, ...]:
    if DIALECTS[workspace.dialect].keeps_all_specs:
        specs = [spec for table in tables for spec in table.values()]
    else:
        specs = list({name: spec for table in tables for name, spec in table.items()}.values())
    return tuple(dict.fromkeys(sorted(specs, key=str)))


def _channels(workspace: WorkspaceConfig, features: Sequence[Feature]) -> tuple[Channel, ...]:
    if DIALECTS[workspace.dialect].first_feature_wins:
        # The strongest feature first; one without channels of its own asks those of the workspace.
        lists = [feature.channels or workspace.channels for feature in reversed(features)]
        channels = sorted((channel for some in lists for channel in some), key=lambda channel: -channel.priority)
    else:
        channels = [*workspace.channels, *(channel for feature in features for channel in feature.channels)]
    return tuple(dict.fromkeys(channels))


def _virtual_packages(
    workspace: WorkspaceConfig, features: Sequence[Feature], platform: str, subdir: str, environ: Mapping[str, str]
) -> tuple[VirtualPackage, ...]:
    family, _, processor = subdir.partition("-")
    found = {name: VirtualPackage(name, version) for name, version in _DEFAULTS.get(family, {}).items()}
    if processor in _ARCHSPECS:
        found["__archspec"] = VirtualPackage("__archspec", "1", _ARCHSPECS[processor])
    for wanted in [*(feature.system_requirements for feature in features), _declared(workspace, platform)]:
        for key, version in wanted.items():
            name = f"__{key.removeprefix('__')}"
            # Requirements of another family, such as macOS on Linux, are met by not being there.
            if name not in {"__linux", "__glibc", "__osx", "__win"} or name in found:
                found[name] = _virtual(name, version)
    for variable, (name, families) in _OVERRIDES.items():
        value = environ.get(variable)
        if value is None or family not in families:
            continue
        if value:
            found[name] = _virtual(name, value)
        else:
            found.pop(name, None)
    return tuple(sorted(found.values()))


def _declared(workspace: WorkspaceConfig, platform: str) -> Mapping[str, str]:
    return workspace.platform_system_requirements.get(platform, {})


def _virtual(name: str, version: str) -> VirtualPackage:
    if name == "__archspec":
        return VirtualPackage(name, "1", version)
    number, _, build = version.partition("=")
    return VirtualPackage(name, number, build or "0")
