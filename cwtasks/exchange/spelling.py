"""How conda and pip spell the dependencies of a manifest. Records in, one line of text out; knows no file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cwtasks.models import Channel, MatchSpec, without_credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cwtasks.models import PyPIDependency

_EXACT = re.compile(r"[A-Za-z0-9_.+!-]+")
_ALL = tuple(name for name in MatchSpec.FIELD_NAMES if name not in {"name", "channel"})
_BRACKETED = tuple(name for name in _ALL if name not in {"version", "build"})


def conda_text(spec: MatchSpec) -> str:
    """Return a match spec as conda reads it; reading it as one gives back an equal spec.

    Only that a package of any version is asked for is not said.

    Args:
        spec: Channels by their name where they have one; URLs come without credentials.
    """
    if spec.version == "*" and not spec.build:
        fields = {name: spec.get_raw_value(name) for name in MatchSpec.FIELD_NAMES if name != "version"}
        spec = MatchSpec(None, **fields)
    short = _text(spec, bracketed=_BRACKETED)
    return short if _means(short, spec) else _text(spec, bracketed=_ALL)


def _text(spec: MatchSpec, *, bracketed: Sequence[str]) -> str:
    """Return ``channel::name version build[field='value']``.

    Args:
        spec: Anything.
        bracketed: Fields that stand in brackets; version and build may be among them.
    """
    channel = spec.get_raw_value("channel")
    start = f"{Channel(str(channel)).canonical_name}::" if channel else ""
    is_bare = "version" in bracketed or not (spec.version or spec.build)
    # One without an operator is exact for conda, but others read it as a beginning.
    is_exact = spec.version and not spec.build and _EXACT.fullmatch(spec.version)
    body = spec.name if is_bare else f"{spec.name} =={spec.version}" if is_exact else spec.conda_build_form()
    parts = [f"{name}='{_value(value)}'" for name in bracketed if (value := spec.get_raw_value(name)) is not None]
    return f"{start}{body}[{','.join(parts)}]" if parts else f"{start}{body}"


def _value(value: str | frozenset[str]) -> str:
    return without_credentials(" ".join(sorted(value)) if isinstance(value, frozenset) else value)


def _means(text: str, spec: MatchSpec) -> bool:
    try:
        return MatchSpec(text) == spec
    except ValueError:
        return False


def requirement_text(dependency: PyPIDependency) -> str:
    """Return a dependency as a line of pip's requirements; without credentials, and without the index it is from."""
    extras = f"[{','.join(dependency.extras)}]" if dependency.extras else ""
    marker = f" ; {dependency.env_markers}" if dependency.env_markers else ""
    if dependency.path:
        path = dependency.path if dependency.path.startswith((".", "/")) else f"./{dependency.path}"
        return f"{'-e ' if dependency.editable else ''}{path}{extras}{marker}"
    location = _location(dependency)
    return f"{dependency.name}{extras}{f' @ {location}' if location else dependency.spec}{marker}"


def _location(dependency: PyPIDependency) -> str:
    if not dependency.git:
        return without_credentials(dependency.url or "")
    at = dependency.rev or dependency.tag or dependency.branch
    place = f"#subdirectory={dependency.subdirectory}" if dependency.subdirectory else ""
    return f"git+{_repository(dependency.git)}{f'@{at}' if at else ''}{place}"


def _repository(url: str) -> str:
    """Return a URL without credentials; the user of an ``ssh`` URL is part of the place, and nothing secret."""
    if url.startswith("ssh:"):
        return re.sub(r"(?<=://)([^/:@]*):[^/]*@", r"\1@", url)
    return without_credentials(url)
