"""What follows from the manifest alone about locking and installing, as plain data that can be kept.

One record per environment, for the platform it has on this machine, and one digest of all that a lock has to answer.
Reads no lock, no prefix and no configuration, so that a start which finds everything up to date need not read the
manifest for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.activation.declared import Activation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cwtasks.environments import Catalog
    from cwtasks.requirements import Requirements


class EnvironmentPlan(NamedTuple):
    """One environment on this machine."""

    name: str
    platform: str
    """Declared platform name it has here; for one that cannot run here, the first it is declared for."""
    subdir: str
    """The conda platform behind it."""
    is_runnable: bool
    """Whether this machine can run it."""
    prefix: str
    """Where it is installed, absolute; empty for one that asks for no packages and so has no prefix."""
    specs: tuple[str, ...]
    """Conda dependencies, as text."""
    left_out: tuple[str, ...]
    """Dependencies that nobody installs yet: those of Python package indexes."""
    virtual_packages: tuple[tuple[str, str, str], ...]
    """What its platform promises: name, version and build of each."""
    activation: Activation


class Plan(NamedTuple):
    """What a workspace needs before its tasks can run."""

    environments: Mapping[str, EnvironmentPlan]
    """By name, in the order of the manifest."""
    question: str
    """Digest of all that a lock has to answer; empty when no environment asks for packages."""

    def warnings(self, environments: Iterable[str | None]) -> list[str]:
        """Return a sentence for each environment that has no prefix and yet asks for something.

        Args:
            environments: Names of those that are used; ``None`` counts for nothing.
        """
        used = [self.environments[name] for name in dict.fromkeys(environments) if name and name in self.environments]
        return [
            f"environment '{plan.name}': PyPI dependencies are not supported yet and are left out: "
            + ", ".join(plan.left_out)
            for plan in used
            if plan.left_out and not plan.prefix
        ]

    @property
    def installed(self) -> tuple[str, ...]:
        """Names of the environments that have a prefix."""
        return tuple(name for name, plan in self.environments.items() if plan.prefix)

    def to_plain(self) -> tuple[Any, ...]:
        """Return it as what marshal can write."""
        rows = [(tuple(plan[:-1]), tuple(plan.activation)) for plan in self.environments.values()]
        return rows, self.question

    @classmethod
    def from_plain(cls, plain: tuple[Any, ...]) -> Plan:
        """Return what :meth:`to_plain` was made of."""
        rows, question = plain
        plans = [EnvironmentPlan._make((*fields, Activation(*activation))) for fields, activation in rows]
        return cls({plan.name: plan for plan in plans}, question)


NO_PLAN = Plan({}, "")
"""Of a manifest without a workspace: its tasks run in the environment they are called from."""


def requirements_here(catalog: Catalog, *, environ: Mapping[str, str]) -> tuple[Requirements, ...]:
    """Return what a lock of a workspace has to answer: every environment on every platform it is declared for.

    A workspace that declares no platforms means the one it is on.

    Args:
        catalog: Of the workspace.
        environ: ``CONDA_OVERRIDE_*`` are used.

    Raises:
        FeatureNotFoundError: an environment lists a feature that is not defined.
    """
    from cwtasks.requirements import requirements, requirements_of

    workspace = catalog.manifest.workspace
    if workspace.platforms:
        return tuple(requirements_of(workspace, environ=environ))
    here = catalog.host.subdir
    return tuple(
        requirements(workspace, environment, here, environ=environ) for environment in workspace.environments.values()
    )


def plan_of(catalog: Catalog, *, root: str, environ: Mapping[str, str]) -> Plan:
    """Work out the plan of a workspace.

    Args:
        catalog: Every environment of the manifest.
        root: Workspace directory, absolute.
        environ: ``CONDA_OVERRIDE_*`` are used.

    Raises:
        FeatureNotFoundError: an environment lists a feature that is not defined.
    """
    if not catalog.manifest.has_workspace:
        return NO_PLAN
    asked = requirements_here(catalog, environ=environ)
    by_place = {(one.environment, one.platform): one for one in asked}
    plans = {
        name: _environment_plan(catalog, by_place[name, environment.platform], root=root)
        for name, environment in catalog.environments.items()
    }
    return Plan(plans, question_of(asked))


def _environment_plan(catalog: Catalog, asked: Requirements, *, root: str) -> EnvironmentPlan:
    from cwtasks.activation.declared import activation_of

    workspace = catalog.manifest.workspace
    return EnvironmentPlan(
        name=asked.environment,
        platform=asked.platform,
        subdir=asked.subdir,
        is_runnable=catalog.environments[asked.environment].runnable,
        prefix=prefix_path(root, workspace.envs_dir, asked.environment) if asked.specs else "",
        specs=tuple(map(str, asked.specs)),
        left_out=tuple(map(str, asked.pypi)),
        virtual_packages=tuple((one.name, one.version, one.build) for one in asked.virtual_packages),
        activation=activation_of(workspace, asked.environment, platform=asked.platform, subdir=asked.subdir),
    )


def prefix_path(root: str, envs_dir: str, environment: str) -> str:
    """Return where an environment is installed.

    Args:
        root: Workspace directory, absolute.
        envs_dir: As the manifest has it, relative to ``root`` unless absolute.
        environment: Its name.
    """
    return os.path.join(root, os.path.expanduser(envs_dir), environment)


def question_of(asked: Sequence[Requirements]) -> str:
    """Return a digest of all that a solve of a workspace depends on in its manifest; empty when nothing is asked for.

    Args:
        asked: Of every environment on every platform.
    """
    if not any(one.specs for one in asked):
        return ""
    from hashlib import sha256

    parts = [
        (
            one.environment,
            one.platform,
            one.subdir,
            [channel.public_url for channel in one.channels],
            list(map(str, one.specs)),
            [tuple(virtual) for virtual in one.virtual_packages],
            one.channel_priority,
            one.solve_group,
        )
        for one in asked
    ]
    return sha256(repr(parts).encode(), usedforsecurity=False).hexdigest()
