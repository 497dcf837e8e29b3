"""``environment-yaml``: what the manifest asks for in one environment, as conda's ``environment.yml``.

Such a file knows one environment, no platforms, no scripts. Tasks are no part of an environment and are not missed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cwtasks.exchange.asked import Exported
from cwtasks.exchange.spelling import conda_text, requirement_text
from cwtasks.models import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cwtasks.exchange.asked import Asked
    from cwtasks.requirements import Requirements


def export(name: str, asked: Asked) -> Exported:
    """Return one environment; without a platform named, what it asks for on each of its platforms.

    Args:
        name: Of the format, for errors.
        asked: What of which workspace.

    Raises:
        CwtasksError: the workspace has no such environment or platform.
    """
    slices = asked.of_one_environment(name)
    conda = _Shared({one.platform: [conda_text(spec) for spec in one.specs] for one in slices})
    pypi = _Shared({one.platform: [requirement_text(dependency) for dependency in one.pypi] for one in slices})
    variables = _Shared({one.platform: _variables(asked, one) for one in slices})
    losses = [
        *asked.not_exported(),
        *conda.losses,
        *pypi.losses,
        *variables.losses,
        *dict.fromkeys(loss for one in slices for loss in _losses(asked, one)),
    ]
    lines = [
        f"name: {_scalar(_name(asked, slices[0]))}",
        *_block("channels", [channel.canonical_name for channel in slices[0].channels]),
        *_dependencies(conda.texts, pypi.texts),
        *_block("variables", variables.texts, is_table=True),
    ]
    return Exported("\n".join([*lines, ""]), tuple(losses))


class _Shared:
    """What is the same on every platform, and what is not."""

    def __init__(self, by_platform: Mapping[str, Sequence[str]]) -> None:
        first, *others = by_platform.values()
        self.texts = [text for text in first if all(text in other for other in others)]
        self.losses = [
            f"for {platform} only: {', '.join(only)}"
            for platform, texts in by_platform.items()
            if (only := [text for text in texts if text not in self.texts])
        ]


def _variables(asked: Asked, one: Requirements) -> list[str]:
    """Return the lines of the variables; a value that a shell would expand is none that conda sets."""
    from cwtasks.activation.declared import activation_of

    workspace = asked.manifest.workspace
    declared = activation_of(workspace, one.environment, platform=one.platform, subdir=one.subdir)
    return [
        f"{_scalar(name)}: {_scalar(value)}"
        for name, value in declared.env
        if not (declared.env_expands and "$" in value)
    ]


def _losses(asked: Asked, one: Requirements) -> Iterator[str]:
    from cwtasks.activation.declared import activation_of

    workspace = asked.manifest.workspace
    yield from asked.activation(one, can_say_variables=True)
    declared = activation_of(workspace, one.environment, platform=one.platform, subdir=one.subdir)
    expanded = [name for name, value in declared.env if declared.env_expands and "$" in value]
    if expanded:
        yield f"variables that a shell expands: {', '.join(expanded)}"
    yield from asked.solving(one)
    for dependency in one.pypi:
        if dependency.index_url:
            yield f"index of PyPI dependency '{dependency.name}'"


def _name(asked: Asked, one: Requirements) -> str:
    workspace = asked.manifest.workspace
    name = workspace.name or os.path.basename(workspace.root) or "workspace"
    return name if one.environment == DEFAULT else f"{name}-{one.environment}"


def _dependencies(conda: Sequence[str], pypi: Sequence[str]) -> Iterator[str]:
    has_pip = any(text.partition(" ")[0].rpartition("::")[2].partition("[")[0] == "pip" for text in conda)
    # Conda hands the section to the pip of the environment, and wants it to be asked for.
    yield from _block("dependencies", [*conda, *(["pip"] if pypi and not has_pip else [])], empty=" []")
    if pypi:
        yield "  - pip:"
        yield from (f"      - {_scalar(text)}" for text in pypi)


def _block(key: str, items: Sequence[str], *, is_table: bool = False, empty: str | None = None) -> Iterator[str]:
    """Yield a key and what belongs to it; nothing for nothing, unless ``empty`` says what stands for it."""
    if items:
        yield f"{key}:"
        yield from (f"  {item}" if is_table else f"  - {_scalar(item)}" for item in items)
    elif empty is not None:
        yield f"{key}:{empty}"


def _scalar(text: str) -> str:
    from cwtasks.lockfile.yaml_subset import write_scalar

    return write_scalar(text)
