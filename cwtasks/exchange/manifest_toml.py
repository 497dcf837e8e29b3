"""``conda-toml``, ``pixi-toml`` and ``pyproject-toml``: what one environment asks for, as a manifest of its own.

Between dialects, too: what the other one cannot say is told. Tasks and features do not come along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cwtasks.exceptions import LossyConversionError
from cwtasks.exchange.asked import Exported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cwtasks.exchange.asked import Asked
    from cwtasks.models import Channel, MatchSpec, PyPIDependency
    from cwtasks.requirements import Requirements


@dataclass(frozen=True, slots=True)
class _Config:
    channels: Sequence[Channel]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Environment:
    """One environment on one platform, with the attributes that exports of manifests look at."""

    name: str | None
    platform: str
    config: _Config
    requested_packages: Sequence[MatchSpec]
    external_packages: Mapping[str, Sequence[PyPIDependency]]
    explicit_packages: Sequence[object] = ()


def export(name: str, asked: Asked) -> Exported:
    """Return a manifest.

    Args:
        name: Of the format.
        asked: What of which workspace.

    Raises:
        CwtasksError: the workspace has no such environment or platform.
    """
    from cwtasks.manifests.base import ManifestParser

    parser = ManifestParser.for_exporter_format(name)
    assert parser is not None  # noqa: S101 - the table of formats names those there are
    slices = asked.of_one_environment(name)
    environments = [_environment(asked, one) for one in slices]
    losses = [
        *asked.not_exported(),
        *_tasks(asked),
        *dict.fromkeys(
            loss for one in slices for loss in (*asked.activation(one, can_say_variables=False), *asked.solving(one))
        ),
    ]
    try:
        text = parser.export(environments)
    except LossyConversionError as error:
        losses += error.losses
        text = parser.export(environments, allow_loss=True)
    return Exported(text, tuple(losses))


def _environment(asked: Asked, one: Requirements) -> _Environment:
    return _Environment(
        name=asked.manifest.workspace.name,
        platform=one.platform,
        config=_Config(one.channels),
        requested_packages=one.specs,
        external_packages={"pip": one.pypi},
    )


def _tasks(asked: Asked) -> list[str]:
    from cwtasks.manifests.scopes import flat_tasks

    names = sorted(flat_tasks(asked.manifest.workspace))
    return [f"tasks ('cwt task export' writes them): {', '.join(names)}"] if names else []
