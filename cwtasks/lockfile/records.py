"""One locked package: what has to be known of it to fetch, install and check it without asking its channel.

Also what a package's URL says of it. Knows records and URLs; no file, no lock, no server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUFFIXES = (".conda", ".tar.bz2")
_BUILD_NUMBER = re.compile(r"(?:^|_)([0-9]{1,18})$")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LAST_SECOND = 253_402_300_799
_MD5 = re.compile(r"[0-9a-f]{32}")


class PackageIdentity(NamedTuple):
    """What the URL ``<channel>/<subdir>/<name>-<version>-<build>.conda`` says."""

    channel: str
    """URL without the platform."""
    subdir: str
    fn: str
    name: str
    version: str
    build: str


def public_url(url: str) -> str:
    """Return a URL without user, password and token; a ``/t/`` in the path of a local file is no token."""
    if "@" not in url and "/t/" not in url:
        return url
    if url.startswith("file:"):
        return re.sub(r"(?<=://)[^/]*@", "", url)
    from cwtasks.models.packages import without_credentials  # reading a kept lock needs no models

    return without_credentials(url)


def has_credentials(url: str) -> bool:
    """Whether a URL holds a user, a password or a token."""
    return public_url(url) != url


def identity_of(url: str) -> PackageIdentity:
    """Return what a package's URL says of it.

    Args:
        url: Of an archive.

    Raises:
        ValueError: the URL does not end as the URL of a conda package does; the message does not hold it.
    """
    channel, _, fn = url.rpartition("/")
    channel, _, subdir = channel.rpartition("/")
    if "%" in fn:
        from urllib.parse import unquote

        fn = unquote(fn)
    for suffix in _SUFFIXES:
        if fn.endswith(suffix):
            parts = fn[: -len(suffix)].rsplit("-", 2)
            if len(parts) == 3 and all(parts):
                return PackageIdentity(channel, subdir, fn, parts[0], parts[1], parts[2])
    raise ValueError("expected a URL that ends in /<platform>/<name>-<version>-<build>.conda or .tar.bz2")


def build_number_of(build: str) -> int:
    """Return the build number that a build string ends in, as conda-build and rattler-build write it; otherwise 0."""
    found = _BUILD_NUMBER.search(build)
    return int(found[1]) if found else 0


def noarch_of(subdir: str, build: str) -> str | None:
    """Return the kind of ``noarch`` that a build string stands for, ``None`` for a package of one platform."""
    if subdir != "noarch":
        return None
    return "python" if build.startswith("py") else "generic"


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """A conda package, chosen for good."""

    url: str
    """Of the archive, without credentials."""
    name: str
    version: str
    build: str
    build_number: int
    subdir: str
    """Conda platform the package is made for, or ``noarch``."""
    fn: str
    """File name of the archive."""
    sha256: str | None = None
    """64 digits, lower case."""
    md5: str | None = None
    """32 digits, lower case."""
    size: int | None = None
    """Bytes of the archive."""
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    license: str | None = None
    license_family: str | None = None
    features: str | None = None
    track_features: tuple[str, ...] = ()
    noarch: str | None = None
    """``python``, ``generic`` or ``None``."""
    timestamp: int | None = None
    """When it was built, in milliseconds since the epoch."""
    python_site_packages_path: str | None = None
    """Only packages of Python itself say where modules go, relative to the prefix."""

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> LockedPackage:
        """Make a package of a repodata record, as engines return them and locks hold them.

        What the record does not say of name, version, build, platform and kind is taken from the URL.

        Args:
            record: With ``url``; unknown keys do not matter.

        Raises:
            ValueError: a field is missing or of the wrong kind; the message names the field and never its value.
        """
        url = _text(record, "url")
        if url is None:
            raise ValueError("url: expected text, found nothing")
        url = public_url(url)
        name, version, build = _text(record, "name"), _text(record, "version"), _text(record, "build")
        subdir, fn = _text(record, "subdir"), _text(record, "fn")
        if name is None or version is None or build is None or subdir is None or fn is None:
            told = identity_of(url)
            name = told.name if name is None else name
            version = told.version if version is None else version
            build = told.build if build is None else build
            subdir = told.subdir if subdir is None else subdir
            fn = told.fn if fn is None else fn
        build_number = _number(record, "build_number")
        return cls(
            url,
            name,
            version,
            build,
            build_number_of(build) if build_number is None else build_number,
            subdir,
            fn,
            _digest(record, "sha256", _SHA256),
            _digest(record, "md5", _MD5),
            _number(record, "size"),
            _texts(record, "depends"),
            _texts(record, "constrains"),
            _text(record, "license"),
            _text(record, "license_family"),
            _text(record, "features") or None,
            _features(record),
            _noarch(record) if "noarch" in record else noarch_of(subdir, build),
            _milliseconds(record),
            _text(record, "python_site_packages_path"),
        )

    def to_record(self) -> dict[str, object]:
        """Return the repodata record, with ``url``, ``fn`` and ``channel``, for an engine: text, numbers and lists."""
        record: dict[str, object] = {
            "name": self.name,
            "version": self.version,
            "build": self.build,
            "build_number": self.build_number,
            "subdir": self.subdir,
            "fn": self.fn,
            "url": self.url,
            "channel": self.channel,
            "depends": list(self.depends),
            "constrains": list(self.constrains),
        }
        for name in ("sha256", "md5", "size", "license", "license_family", "features", "noarch", "timestamp"):
            value = getattr(self, name)
            if value is not None:
                record[name] = value
        if self.track_features:
            record["track_features"] = " ".join(self.track_features)
        if self.python_site_packages_path is not None:
            record["python_site_packages_path"] = self.python_site_packages_path
        return record

    @property
    def channel(self) -> str:
        """URL of the channel it comes from: its own URL without file name and platform."""
        return self.url.rsplit("/", 2)[0]

    @property
    def digest(self) -> str:
        """What stands for its content: ``sha256:…``, else ``md5:…``, else its URL."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        return f"md5:{self.md5}" if self.md5 else f"url:{self.url}"


class LockedPyPI(NamedTuple):
    """A package of a Python package index that a lock names; nobody installs it here."""

    name: str
    version: str | None
    """``None`` when the source decides."""
    location: str
    """URL or path, without credentials."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.version else self.name


def _text(record: Mapping[str, object], key: str) -> str | None:
    value = record.get(key)
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"{key}: expected text, found {kind_of(value)}")


def _number(record: Mapping[str, object], key: str) -> int | None:
    value = record.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63):
        return value
    raise ValueError(f"{key}: expected a whole number, found {kind_of(value)}")


def _milliseconds(record: Mapping[str, object]) -> int | None:
    value = _number(record, "timestamp")
    # Old records count in seconds; what would be later than the year 9999 does not.
    return value * 1000 if value is not None and value <= _LAST_SECOND else value


def _texts(record: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = record.get(key)
    if not value and value in (None, [], ()):
        return ()
    if isinstance(value, (list, tuple)) and all([isinstance(item, str) for item in value]):  # noqa: C419 - faster so
        return tuple(value)
    raise ValueError(f"{key}: expected a list of texts, found {kind_of(value)}")


def _features(record: Mapping[str, object]) -> tuple[str, ...]:
    value = record.get("track_features")
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    return _texts(record, "track_features")


def _noarch(record: Mapping[str, object]) -> str | None:
    value = record["noarch"]
    # Records of old have a truth value here.
    if isinstance(value, bool):
        return "generic" if value else None
    return _text(record, "noarch")


def _digest(record: Mapping[str, object], key: str, pattern: re.Pattern[str]) -> str | None:
    value = _text(record, key)
    if value is None:
        return None
    value = value.lower()
    if not pattern.fullmatch(value):
        raise ValueError(f"{key}: expected hexadecimal digits, as many as a {key} has")
    return value


def kind_of(value: object) -> str:
    """Return what people call a value of this type."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, (list, tuple)) else "a table"
