"""Environments as conda knows them -> a manifest that asks for the same.

An environment is whatever has the attributes of :class:`EnvironmentLike`: conda's own class fits. Knows how
environments of several platforms fold into one set of tables, and which words of pip a manifest cannot say. Knows no
file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from cwtasks.exceptions import LossyConversionError
from cwtasks.manifests.dependencies import parse_requirement
from cwtasks.manifests.spec_values import Written, channel_value, conda_value, exact_spec, pypi_value
from cwtasks.manifests.writing import written_tables
from cwtasks.models import MatchSpec, PyPIDependency, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cwtasks.manifests.spec_values import SpecValue
    from cwtasks.models import DialectName

Row = dict[str, Any]
"""Name of a package to its value in a manifest."""


class EnvironmentLike(Protocol):
    """What is asked of an environment."""

    @property
    def name(self) -> str | None:
        """What it is called; the name of the workspace."""

    @property
    def platform(self) -> str:
        """Conda platform it is for."""

    @property
    def config(self) -> Any:  # noqa: ANN401 - conda's, or any object with ``channels``
        """Its ``channels`` count; ``None`` for none."""

    @property
    def requested_packages(self) -> Iterable[Any]:
        """Match specs, ours, conda's or as text."""

    @property
    def external_packages(self) -> Mapping[str, Iterable[Any]]:
        """Of these those of ``pip``: requirements as text, or ours."""

    @property
    def explicit_packages(self) -> Iterable[Any]:
        """Records of packages; they count only where nothing is requested."""


@dataclass(slots=True)
class _Folding:
    """Rows of one environment after another, and what could not be said."""

    dialect: DialectName
    losses: list[str] = field(default_factory=list)

    def conda_row(self, environment: EnvironmentLike) -> Row:
        specs = list(environment.requested_packages or ())
        if not specs:
            specs = [exact_spec(record) for record in getattr(environment, "explicit_packages", None) or ()]
        row: Row = {}
        for spec in specs:
            spec = MatchSpec(spec) if isinstance(spec, str) else spec  # noqa: PLW2901 - text is one way to write it
            self._add(row, spec.name, conda_value(spec, self.dialect), environment.platform)
        return row

    def pypi_row(self, environment: EnvironmentLike) -> Row:
        row: Row = {}
        for item in (environment.external_packages or {}).get("pip", ()):
            requirement = item if isinstance(item, PyPIDependency) else _requirement(str(item))
            if requirement is None:
                self.losses.append(f"pip: {without_credentials(str(item))}")
            else:
                self._add(row, requirement.name, pypi_value(requirement, self.dialect), environment.platform)
        return row

    def _add(self, row: Row, name: str, written: Written, platform: str) -> None:
        self.losses += written.losses
        before = row.get(name)
        if before is None or before == written.value:
            row[name] = written.value
        elif (both := _both(before, written.value)) is not None:
            row[name] = both
        else:
            self.losses.append(f"{name}: asked for twice for {platform}; only the last one stays")
            row[name] = written.value


def manifest_data(
    environments: Iterable[EnvironmentLike], *, dialect: DialectName, format_name: str, allow_loss: bool = False
) -> dict[str, Any]:
    """Fold environments, one for each platform, into what a manifest says.

    Args:
        environments: Of two for one platform the later one counts.
        dialect: Of the manifest.
        format_name: What an error calls it.
        allow_loss: Leave out what the manifest cannot say.

    Returns:
        ``name``, ``platforms`` (sorted), ``channels`` (of the first environment), ``conda_deps`` and ``pypi_deps`` that
        all platforms share, and ``target``: for each platform, under ``conda`` and ``pypi``, what only it has.

    Raises:
        ValueError: no environment.
        LossyConversionError: the manifest cannot say everything, and ``allow_loss`` is not given.
    """
    envs = list(environments)
    if not envs:
        raise ValueError("At least one Environment is needed for an export")
    folding = _Folding(dialect)
    conda = {env.platform: folding.conda_row(env) for env in envs}
    pypi = {env.platform: folding.pypi_row(env) for env in envs}
    if folding.losses and not allow_loss:
        raise LossyConversionError(format_name, folding.losses)
    platforms = sorted(conda)
    conda_deps, pypi_deps = shared_row(conda), shared_row(pypi)
    return {
        "name": next((env.name for env in envs if env.name), None),
        "platforms": platforms,
        "channels": [channel_value(channel) for channel in getattr(envs[0].config, "channels", None) or ()],
        "conda_deps": conda_deps,
        "pypi_deps": pypi_deps,
        "target": {
            platform: {"conda": _delta(conda[platform], conda_deps), "pypi": _delta(pypi[platform], pypi_deps)}
            for platform in platforms
        },
    }


def shared_row(rows: Mapping[str, Row]) -> Row:
    """Return what all rows have with the same value, in the order of the first.

    Args:
        rows: Platform to row; at least one.
    """
    first, *others = rows.values()
    return {name: value for name, value in first.items() if all(row.get(name) == value for row in others)}


def manifest_text(data: Mapping[str, Any], at: Sequence[str] = ()) -> str:
    """Return the text of a manifest.

    Args:
        data: As :func:`manifest_data` returns it.
        at: Address of the table that holds the workspace.
    """
    name = {} if data["name"] is None else {"name": data["name"]}
    workspace = {**name, "channels": data["channels"], "platforms": data["platforms"]}
    tables: dict[tuple[str, ...], Mapping[str, Any]] = {
        (*at, "workspace"): workspace,
        (*at, "dependencies"): _sorted(data["conda_deps"]),
    }
    if data["pypi_deps"]:
        tables[*at, "pypi-dependencies"] = _sorted(data["pypi_deps"])
    for platform, delta in sorted(data["target"].items()):
        for kind, key in (("conda", "dependencies"), ("pypi", "pypi-dependencies")):
            if delta[kind]:
                tables[*at, "target", platform, key] = _sorted(delta[kind])
    return written_tables(tables)


def _delta(row: Row, shared: Row) -> Row:
    return {name: value for name, value in row.items() if name not in shared}


def _sorted(row: Row) -> Row:
    return dict(sorted(row.items()))


def _both(first: SpecValue, second: SpecValue) -> str | None:
    """Return the version that satisfies two, ``None`` where a version cannot say that."""
    if not isinstance(first, str) or not isinstance(second, str) or "|" in first + second:
        return None
    return ",".join(version for version in (first, second) if version != "*") or "*"


def _requirement(text: str) -> PyPIDependency | None:
    requirement = parse_requirement(text)
    if requirement is None:
        any_version = re.fullmatch(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*\*\s*", text)
        return PyPIDependency(any_version[1]) if any_version else None
    return _with_revision(requirement) if requirement.git else requirement


def _with_revision(requirement: PyPIDependency) -> PyPIDependency:
    """Return a requirement whose revision and folder stand beside the repository, not in its URL."""
    url, _, fragment = (requirement.git or "").partition("#")
    subdirectory = dict(part.partition("=")[::2] for part in fragment.split("&")).get("subdirectory")
    # An "@" before the path belongs to the user.
    repository, at, revision = url.rpartition("@")
    if not at or "/" not in repository.partition("://")[2] or "://" not in repository:
        repository, revision = url, ""
    return requirement._replace(git=repository, rev=revision or None, subdirectory=subdirectory)
