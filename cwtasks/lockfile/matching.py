"""Does this package satisfy that spec? The whole of a match spec, on locked packages and on virtual ones.

Parsed specs are remembered: the packages of a lock ask for the same few thousand ones in every environment.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.lockfile.records import LockedPackage, public_url
from cwtasks.lockfile.version import glob_matches, parse_constraint, parse_version
from cwtasks.models.packages import Channel, MatchSpec

if TYPE_CHECKING:
    from cwtasks.lockfile.version import Constraint

_NUMBER = re.compile(r"(==|!=|<=|>=|=|<|>)?\s*([0-9]{1,18})")
_SIMPLE = re.compile(r"([a-z0-9_.-]+)(?: +([0-9<>!~*][0-9a-z<>!=~,|._*+]*)(?: +([A-Za-z0-9_.*]+))?)?")
"""What nearly every dependency looks like; a version that begins with ``=`` is not among them, it has two meanings."""


class Requirement(NamedTuple):
    """A match spec, taken apart."""

    name: str
    version: Constraint | None
    """``None`` for any."""
    exact_version: str
    """The version as written: what a version that conda cannot read has to be equal to."""
    build: str
    """Pattern, empty for any."""
    rest: MatchSpec | None
    """The spec, where it asks for more than name, version and build."""

    def allows(self, package: LockedPackage) -> bool:
        """Whether a package has this name and satisfies all of it."""
        if package.name != self.name:
            return False
        if self.version is not None:
            version = parse_version(package.version)
            if not (self.version(version) if version else package.version == self.exact_version):
                return False
        if self.build and not glob_matches(package.build, self.build):
            return False
        return self.rest is None or _allows_rest(self.rest, package)


@lru_cache(maxsize=65536)
def parse_requirement(text: str) -> Requirement:
    """Take apart what a package says it depends on.

    Args:
        text: As in a repodata record, for example ``python >=3.10,<3.11.0a0 *_cp310``.

    Raises:
        ValueError: not a match spec, or one with constraints that are not known here.
    """
    simple = _SIMPLE.fullmatch(text)
    if simple:
        return _requirement(simple[1], simple[2] or "", simple[3] or "", None)
    return requirement_of(MatchSpec(text))


@lru_cache(maxsize=4096)
def requirement_of(spec: MatchSpec) -> Requirement:
    """Take apart a spec of a manifest.

    Args:
        spec: As the manifest has it.

    Raises:
        ValueError: a constraint that is not known here.
    """
    names = {name for name in MatchSpec.FIELD_NAMES if spec.get_raw_value(name) is not None}
    rest = spec if names - {"name", "version", "build"} else None
    number = spec.get_raw_value("build_number")
    if number is not None and not _NUMBER.fullmatch(str(number)):
        raise ValueError("a build number has to be a number, possibly after a comparison")
    return _requirement(spec.name, spec.version or "", spec.build or "", rest)


def _requirement(name: str, version: str, build: str, rest: MatchSpec | None) -> Requirement:
    if build.startswith("^"):
        raise ValueError("regular expressions are not known here")
    constraint = None if version in ("", "*") else parse_constraint(version)
    return Requirement(name, constraint, version.lstrip("="), "" if build == "*" else build.removeprefix("=="), rest)


def virtual_package(name: str, version: str, build: str) -> LockedPackage:
    """Return what the machine has, in the form of a package.

    Args:
        name: For example ``__glibc``.
        version: Conda version; empty for none, which counts as 0.
        build: For example ``x86_64_v3`` of ``__archspec``; empty for none.
    """
    return LockedPackage("", name, version or "0", build or "0", 0, "", "")


def _allows_rest(spec: MatchSpec, package: LockedPackage) -> bool:
    # The constructor of a spec has no other fields, and name, version and build are done.
    for field in MatchSpec.FIELD_NAMES[3:]:
        wanted = spec.get_raw_value(field)
        if wanted is None:
            continue
        if isinstance(wanted, frozenset):
            has = package.track_features if field == "track_features" else (package.features or "").split()
            if not wanted <= set(has):
                return False
        elif not _allows_field(field, wanted, package):
            return False
    return True


def _allows_field(field: str, wanted: str, package: LockedPackage) -> bool:
    match field:
        case "build_number":
            return _allows_number(wanted, package.build_number)
        case "channel":
            return same_channel(wanted) == same_channel(package.channel)
        case "url":
            # A digest may follow the URL.
            return public_url(wanted.partition("#")[0]) == package.url
        case "md5" | "sha256":
            return wanted.lower() == str(getattr(package, field))
        case "license" | "license_family":
            return glob_matches((getattr(package, field) or "").lower(), wanted)
        case _:
            return glob_matches(str(getattr(package, field)), wanted)


def _allows_number(wanted: str, number: int) -> bool:
    found = _NUMBER.fullmatch(wanted)
    if not found:
        return False
    sign, limit = found[1] or "==", int(found[2])
    return {
        "==": number == limit,
        "=": number == limit,
        "!=": number != limit,
        "<": number < limit,
        "<=": number <= limit,
        ">": number > limit,
        ">=": number >= limit,
    }[sign]


@lru_cache(maxsize=1024)
def same_channel(channel: str) -> str:
    """Return the URL by which channels are compared: without credentials and without a slash at its end.

    Args:
        channel: URL or name.
    """
    return public_url(Channel(channel).base_url)
