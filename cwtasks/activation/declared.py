"""What the manifest says of activation, for one environment on one platform. Pure: opens no file, starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cwtasks.environments import Dialect
    from cwtasks.models import Environment, Feature, TargetTable, WorkspaceConfig


class Activation(NamedTuple):
    """What the manifest adds when an environment is activated."""

    environment: str
    """Name of the environment, for messages."""
    scripts: tuple[str, ...] = ()
    """Paths as written, relative to the workspace, in the order they run."""
    env: tuple[tuple[str, str], ...] = ()
    """Names, each once, and values, in the order they are set."""
    env_expands: bool = False
    """Whether a shell expands ``$NAME`` and ``$(…)`` in the values of ``env``."""


def activation_of(
    workspace: WorkspaceConfig, environment: Environment | str, *, platform: str, subdir: str
) -> Activation:
    """Return what the features of an environment say of its activation, each dialect in its own precedence.

    Args:
        workspace: What the manifest says.
        environment: A declared environment, or its name.
        platform: Declared platform name.
        subdir: The conda subdir behind it.

    Raises:
        EnvironmentNotFoundError: no environment has that name.
        FeatureNotFoundError: the environment lists a feature that is not defined.
    """
    from cwtasks.environments import DIALECTS, features_of  # a start that remembers the answer needs neither

    found = workspace.get_environment(environment) if isinstance(environment, str) else environment
    dialect = DIALECTS[workspace.dialect]
    weakest_first = features_of(workspace, found)
    env: dict[str, str] = {}
    matching = [(feature, _targets(feature, platform, subdir, dialect)) for feature in weakest_first]
    for feature, targets in matching:
        env.update(_env(feature, targets))
    # Scripts run in the order of the features, which for pixi ends with the default one: its scripts run last and
    # may overwrite what those of a stronger feature set.
    in_order = matching[::-1] if dialect.first_feature_wins else matching
    scripts = [script for feature, targets in in_order for script in _scripts(feature, targets)]
    return Activation(found.name, tuple(scripts), tuple(env.items()), dialect.env_expands)


def _targets(feature: Feature, platform: str, subdir: str, dialect: Dialect) -> list[TargetTable]:
    """Return the targets that apply, in the order of the file: the last one is the strongest."""
    from cwtasks.environments import selector_matches

    return [
        target
        for selector, target in feature.targets.items()
        if selector_matches(selector, platform, subdir, dialect=dialect)
    ]


def _scripts(feature: Feature, targets: list[TargetTable]) -> list[str]:
    """Return the list of the strongest table that has one; lists of one feature are never joined."""
    for target in reversed(targets):
        if target.activation_scripts is not None:
            return target.activation_scripts
    return feature.activation_scripts


def _env(feature: Feature, targets: list[TargetTable]) -> dict[str, str]:
    """Return the variables of a feature, those of its strongest table first, as pixi orders them.

    The order shows where a value names another variable.
    """
    env: dict[str, str] = {}
    for table in (*(target.activation_env for target in reversed(targets)), feature.activation_env):
        for name, value in table.items():
            env.setdefault(name, value)
    return env
