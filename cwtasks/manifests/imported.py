"""A manifest made of what another tool's file says of one environment: records in, TOML out.

Knows how specs are written in both dialects, and where the tables stand in each format. Knows no other format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.manifests.dependencies import CONDA_FIELDS
from cwtasks.models import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cwtasks.models import MatchSpec, PyPIDependency

PLACES: Mapping[str, tuple[str, ...]] = {"conda": (), "pixi": (), "pyproject": ("tool", "conda")}
"""Short name of each format to the tables around its own."""
_OPERATORS = "<>=!~*,|^$ "


class Imported(NamedTuple):
    """One environment, and what the workspace around it is called."""

    name: str | None
    channels: tuple[str, ...]
    conda: Mapping[str, MatchSpec]
    pypi: Mapping[str, PyPIDependency]
    variables: Mapping[str, str]


def manifest_text(imported: Imported, alias: str, *, platforms: tuple[str, ...]) -> str:
    """Return the tables of a manifest.

    Args:
        imported: What they say.
        alias: ``conda``, ``pixi`` or ``pyproject``; for the last, tables that can stand behind others.
        platforms: Conda platforms of the workspace.
    """
    import tomlkit

    document = tomlkit.document()
    own: Any = document
    for key in PLACES[alias]:
        own[key] = table = tomlkit.table(is_super_table=True)
        own = table
    own["workspace"] = _table(
        {"name": imported.name, "channels": list(imported.channels), "platforms": list(platforms)}
    )
    own["dependencies"] = _table({name: _spec(spec) for name, spec in imported.conda.items()})
    if imported.pypi:
        own["pypi-dependencies"] = _table({name: _requirement(one) for name, one in imported.pypi.items()})
    if imported.variables:
        own["activation"] = activation = tomlkit.table(is_super_table=True)
        activation["env"] = _table(imported.variables)
    return tomlkit.dumps(document)


def _table(content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - tomlkit's own
    import tomlkit

    table = tomlkit.table()
    for key, value in content.items():
        if value is not None:
            table[key] = value
    return table


def _inline(content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - tomlkit's own
    import tomlkit

    table = tomlkit.inline_table()
    table.update(content)
    return table


def _spec(spec: MatchSpec) -> Any:  # noqa: ANN401 - text or tomlkit's own
    """Return a spec as both dialects read it: text for a version alone, otherwise a table."""
    version = _exact(spec.version) if spec.version else None
    keys = {field: key for key, field in reversed(CONDA_FIELDS.items())}
    table: dict[str, Any] = {"version": version} if version else {}
    for field, key in keys.items():
        value = spec.get_raw_value(field)
        if value is not None:
            table[key] = sorted(value) if isinstance(value, frozenset) else value
    if "channel" in table:
        table["channel"] = Channel(table["channel"]).canonical_name
    return _inline(table) if table.keys() - {"version"} else version or "*"


def _exact(version: str) -> str:
    """Return a version with an operator: one without is exact here, and a beginning elsewhere."""
    return version if any(sign in version for sign in _OPERATORS) else f"=={version}"


def _requirement(dependency: PyPIDependency) -> Any:  # noqa: ANN401 - text or tomlkit's own
    table: dict[str, Any] = {}
    is_located = dependency.path or dependency.git or dependency.url
    if not is_located:
        table["version"] = dependency.spec or "*"
    for key in ("path", "git", "url", "branch", "tag", "rev", "subdirectory"):
        table |= {key: value} if (value := getattr(dependency, key)) else {}
    if dependency.editable:
        table["editable"] = True
    if dependency.extras:
        table["extras"] = list(dependency.extras)
    if dependency.env_markers:
        table["env-markers"] = dependency.env_markers
    return _inline(table) if table.keys() - {"version"} else table["version"]
