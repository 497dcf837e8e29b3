"""Dependencies and channels as a manifest holds them: specs to values of TOML, and what a dialect cannot say.

The counterpart of ``dependencies``. Takes conda's own classes as well as ours: of a spec it asks ``name`` and
``get_raw_value``, of a channel what it is called. Knows no file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cwtasks.models import Channel, MatchSpec, without_credentials

if TYPE_CHECKING:
    from cwtasks.models import DialectName, PyPIDependency

SpecValue = str | dict[str, Any]
"""A version, or a table."""

SPEC_KEYS = {
    "version": "version",
    "build": "build",
    "build_number": "build-number",
    "channel": "channel",
    "subdir": "subdir",
    "md5": "md5",
    "sha256": "sha256",
    "url": "url",
    "fn": "file-name",
    "license": "license",
    "license_family": "license-family",
    "features": "features",
    "track_features": "track-features",
}
"""Field of a match spec to its key in a detailed spec, in the order they are written."""
UNKNOWN_TO: dict[DialectName, frozenset[str]] = {
    "pixi": frozenset(("features",)),
    "conda": frozenset(("subdirectory", "index", "env-markers")),
}
"""Dialect to the keys that the tool it belongs to does not know."""


class SpecLike(Protocol):
    """What is asked of a match spec."""

    @property
    def name(self) -> str:
        """Name of the package."""

    def get_raw_value(self, field_name: str) -> Any:  # noqa: ANN401 - conda gives objects of its own
        """Return the value of one field, or ``None``."""


class Written(NamedTuple):
    """A value, and what it does not say."""

    value: SpecValue
    losses: tuple[str, ...] = ()
    """What the dialect cannot say, for example ``numpy: features``."""


def conda_value(spec: SpecLike, dialect: DialectName) -> Written:
    """Return a conda dependency: a plain version where that says all.

    Args:
        spec: Ours or conda's.
        dialect: Of the manifest it is for.
    """
    fields = {field: _field(field, spec.get_raw_value(field)) for field in SPEC_KEYS}
    table = {SPEC_KEYS[field]: value for field, value in fields.items() if value}
    return _written(spec.name, table, dialect)


def pypi_value(dependency: PyPIDependency, dialect: DialectName) -> Written:
    """Return a PyPI dependency: a plain specifier where that says all. Credentials in its URLs are lost.

    Args:
        dependency: What is asked for.
        dialect: Of the manifest it is for.
    """
    given: dict[str, Any] = {
        "version": dependency.spec,
        "extras": list(dependency.extras),
        "path": dependency.path,
        "editable": dependency.editable,
        "git": dependency.git,
        "branch": dependency.branch,
        "tag": dependency.tag,
        "rev": dependency.rev,
        "url": dependency.url,
        "subdirectory": dependency.subdirectory,
        "index": dependency.index_url,
        "env-markers": dependency.env_markers,
    }
    if dependency.extras and not (dependency.path or dependency.git or dependency.url):
        given["version"] = dependency.spec or "*"
    table = {key: _public(value) if isinstance(value, str) else value for key, value in given.items()}
    secrets = [key for key in ("git", "url", "index") if table[key] != given[key]]
    written = _written(dependency.name, {key: value for key, value in table.items() if value}, dialect)
    return written._replace(losses=(*written.losses, *(f"{dependency.name}: credentials of {key}" for key in secrets)))


def channel_value(channel: object) -> str:
    """Return a channel by its name on the default server, or by its URL without credentials.

    Args:
        channel: Text, a channel of ours, or one of conda's.
    """
    if isinstance(channel, Channel):
        return channel.canonical_name
    named = getattr(channel, "canonical_name", None)
    return Channel(str(named or channel)).canonical_name


def _public(text: str) -> str:
    """Return a text without credentials; the name of the user of an SSH server is part of its address."""
    return text if re.match(r"(git\+)?ssh://[^/:@]+@[^@]*$", text) else without_credentials(text)


def _written(name: str, table: dict[str, Any], dialect: DialectName) -> Written:
    unknown = [key for key in table if key in UNKNOWN_TO[dialect]]
    said = {key: value for key, value in table.items() if key not in unknown}
    losses = tuple(f"{name}: {key}" for key in unknown)
    version = said.get("version", "*")
    return Written(version if not said.keys() - {"version"} else said, losses)


def _field(name: str, value: object) -> str | list[str] | None:
    if value is None or value == "":
        return None
    if name == "channel":
        return channel_value(value)
    if name in {"features", "track_features"}:
        names = value.split() if isinstance(value, str) else value
        return sorted(map(str, names))  # type: ignore[call-overload]
    return str(value)


def exact_spec(record: Any) -> MatchSpec:  # noqa: ANN401 - a record of conda's, of which there are several classes
    """Return the spec that only one package satisfies.

    Args:
        record: With ``name``; asked for ``version``, ``build``, ``channel``, ``subdir``, ``url`` and digests.
    """
    version, channel = getattr(record, "version", None), getattr(record, "channel", None)
    located = channel_value(channel) if channel else ""
    fields = {field: getattr(record, field, None) or None for field in ("build", "subdir", "md5", "sha256")}
    return MatchSpec(
        name=record.name,
        version=f"=={version}" if version else None,
        channel=located or None,
        # The channel and the subdir say where it is.
        url=None if located else without_credentials(str(getattr(record, "url", None) or "")),
        **fields,
    )
