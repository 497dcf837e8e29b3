"""The packages of each environment as a receipt lists them, and how two such lists are compared.

Knows locks and package records; no archive, no file of a receipt.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from cwtasks.archive.receipt_errors import (
    DigestMissingError,
    InventoryMismatchError,
    ReceiptFieldError,
    ReceiptInputError,
    ReceiptRepetitionError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cwtasks.lockfile import LockedPackage
    from cwtasks.lockfile.model import Lock

REDACTED_URL = "<redacted-url>"
"""Stands for a URL of which nobody can tell where its secrets end."""

_FIELDS = ("name", "version", "build", "build_number", "subdir", "channel", "url", "fn", "sha256", "md5")
_DIGITS = {"sha256": 64, "md5": 32}
#: What a lock need not say, since the URL says it: differs only when both sides say it.
_DERIVED = frozenset({"name", "version", "build", "build_number", "channel", "subdir", "fn"})
_MOST_DECODINGS = 4
_TOKEN = re.compile(r"/t/[^/]*(?=/|$)")


def redact(url: str) -> str:
    """Return a URL without user, password, ``/t/<token>``, query and fragment.

    A URL that hides one of them behind percent signs, up to four times over, is replaced as a whole: what is left after
    cutting would be a guess.

    Args:
        url: Or a path, or the name of a channel, which stay as they are.
    """
    plain = _without_secrets(url)
    decoded = plain
    for _ in range(_MOST_DECODINGS):
        again = unquote(decoded)
        if again == decoded:
            return plain
        decoded = again
        if _without_secrets(decoded) != decoded:
            return REDACTED_URL
    return plain if unquote(decoded) == decoded else REDACTED_URL


def _without_secrets(url: str) -> str:
    head = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, mark, rest = head.partition("://")
    if not mark:
        # "user:password@host/path" without a scheme is a URL too; a file name with "@" has no "/" behind it.
        return re.sub(r"^[^/]*@(?=[^/]+/)", "", head)
    authority, slash, path = rest.partition("/")
    path = slash + path
    if scheme.lower() != "file":
        path = _TOKEN.sub("", path)
    return f"{scheme}://{authority.rpartition('@')[2]}{path}"


class ReceiptPackageRecord(NamedTuple):
    """One package of an environment."""

    data: Mapping[str, object]

    @classmethod
    def parse(cls, data: object, *, path: str | Path = "receipt", place: str = "package") -> ReceiptPackageRecord:
        """Check an entry of a receipt; digests become lower case, unknown keys stay.

        Args:
            data: From JSON.
            path: Of the receipt, for errors.
            place: In the receipt, for errors.

        Raises:
            ReceiptFieldError: a field is of the wrong kind, or nothing tells which package it is.
        """
        if not isinstance(data, dict):
            raise ReceiptFieldError(path, place, "expected an object")
        found = dict(data)
        for name in _FIELDS:
            value = found.get(name)
            if name not in found:
                continue
            is_number = name == "build_number" and isinstance(value, int) and not isinstance(value, bool)
            if not isinstance(value, str) and not is_number:
                raise ReceiptFieldError(path, f"{place}.{name}", "expected text")
            if name in _DIGITS:
                if not re.fullmatch(rf"[0-9a-fA-F]{{{_DIGITS[name]}}}", str(value)):
                    raise ReceiptFieldError(path, f"{place}.{name}", f"expected {_DIGITS[name]} hexadecimal digits")
                found[name] = str(value).lower()
        record = cls(found)
        if not record.identity:
            raise ReceiptFieldError(path, place, "expected url, fn or name, found none of them")
        return record

    @classmethod
    def from_record(
        cls, record: Mapping[str, object], fallback_url: str = "", platform: str = ""
    ) -> ReceiptPackageRecord:
        """Make an entry of what a lock says of a package.

        Args:
            record: With any of the fields of a receipt, or ``conda`` for the URL.
            fallback_url: Where the record has none.
            platform: Where neither record nor URL say it.

        Raises:
            ReceiptFieldError: a field is of the wrong kind, or the URL is not one of a conda package.
        """
        kept = {name: record[name] for name in _FIELDS if record.get(name) is not None}
        url = redact(str(record.get("conda") or record.get("url") or fallback_url))
        channel, _, fn = url.rpartition("/")
        channel, _, subdir = channel.rpartition("/")
        if url != REDACTED_URL and not fn.endswith((".conda", ".tar.bz2")):
            raise ReceiptFieldError("lock", "url", "expected a URL that ends in .conda or .tar.bz2")
        kept["url"] = url
        if url != REDACTED_URL:
            kept.setdefault("fn", fn)
            kept.setdefault("subdir", subdir or platform)
            kept.setdefault("channel", channel)
        if "channel" in kept:
            kept["channel"] = redact(str(kept["channel"]))
        return cls.parse(kept, path="lock")

    @property
    def identity(self) -> str:
        """What tells this package from others: its URL, else its file name, else what it is; empty for nothing."""
        url, subdir, fn = (self.data.get(name) for name in ("url", "subdir", "fn"))
        if url and url != REDACTED_URL:
            return str(url)
        if fn:
            return f"{subdir}/{fn}" if subdir else str(fn)
        if self.data.get("name"):
            return "|".join(str(self.data.get(name) or "") for name in ("name", "version", "build", "channel"))
        return ""

    def difference(self, other: ReceiptPackageRecord) -> str | None:
        """Return the first field in which another record of this package differs; ``None`` for none."""
        for name in _FIELDS:
            mine, theirs = self.data.get(name), other.data.get(name)
            if name in _DERIVED and (mine is None or theirs is None):
                continue
            if name == "channel" and not all(urlsplit(str(value)).scheme for value in (mine, theirs)):
                continue  # one has the channel's name, the other its URL
            if (mine if mine is None else str(mine).rstrip("/")) != (
                theirs if theirs is None else str(theirs).rstrip("/")
            ):
                return name
        return None


class ReceiptEnvironment(NamedTuple):
    """One environment and its packages."""

    name: str
    packages: tuple[ReceiptPackageRecord, ...]
    """Sorted by identity."""
    prefix: str | None = None
    """Relative to the workspace where it is inside."""

    def to_json(self) -> dict[str, object]:
        """Return what stands in a receipt."""
        told: dict[str, object] = {"name": self.name, "packages": [dict(package.data) for package in self.packages]}
        return told if self.prefix is None else {**told, "prefix": self.prefix}


class ReceiptInventory(NamedTuple):
    """The environments of a receipt, in the order of the manifest."""

    environments: tuple[ReceiptEnvironment, ...] = ()

    @classmethod
    def parse(cls, data: object, *, path: str | Path = "receipt") -> ReceiptInventory:
        """Check the ``environments`` of a receipt.

        Args:
            data: From JSON.
            path: Of the receipt, for errors.

        Raises:
            ReceiptFieldError: something is missing or of the wrong kind.
            ReceiptRepetitionError: an environment, or a package in one, stands there twice.
        """
        if not isinstance(data, list):
            raise ReceiptFieldError(path, "predicate.environments", "expected a list")
        found: dict[str, ReceiptEnvironment] = {}
        for index, entry in enumerate(data):
            place = f"predicate.environments[{index}]"
            environment = _parse_environment(entry, path, place)
            if environment.name in found:
                raise ReceiptRepetitionError(path, f"{place}.name", "an environment stands here twice")
            found[environment.name] = environment
        return cls(tuple(found.values()))

    @classmethod
    def from_lock(
        cls, lock: Lock, environment_prefixes: Mapping[str, str | None], *, path: str | Path = "lock"
    ) -> ReceiptInventory:
        """List what a lock holds for the environments of a manifest.

        Args:
            lock: As :func:`cwtasks.lockfile.read_lock` gives it.
            environment_prefixes: By name, in the order of the manifest; one that the lock lacks has no packages.
            path: Of the lock, for errors.

        Raises:
            ReceiptInputError: two platforms say different things of one package.
        """
        return cls(
            tuple(
                ReceiptEnvironment(name, _merged(lock, name, path), prefix)
                for name, prefix in environment_prefixes.items()
            )
        )

    @classmethod
    def from_lockfile(cls, path: str | Path, *, environment_prefixes: Mapping[str, str | None]) -> ReceiptInventory:
        """List what a lock file holds; see :meth:`from_lock`."""
        from cwtasks.lockfile import read_lock

        return cls.from_lock(read_lock(path), environment_prefixes, path=path)

    def to_json(self) -> list[dict[str, object]]:
        """Return the ``environments`` of a receipt."""
        return [environment.to_json() for environment in self.environments]

    def compare(self, actual: ReceiptInventory, *, require_sha256: bool = False) -> None:
        """Check that another inventory is this one; where they put environments does not matter.

        Args:
            actual: What is really there.
            require_sha256: Whether every package of both needs a SHA-256.

        Raises:
            InventoryMismatchError: an environment or package is missing, unexpected or different.
            DigestMissingError: a package has no SHA-256.
        """
        mine = {environment.name: environment for environment in self.environments}
        theirs = {environment.name: environment for environment in actual.environments}
        for name in mine:
            if name not in theirs:
                raise InventoryMismatchError(name, "the receipt has it, the workspace has not")
        for name in theirs:
            if name not in mine:
                raise InventoryMismatchError(name, "the workspace has it, the receipt has not")
        for name, environment in mine.items():
            _compare(name, _by_identity(environment), _by_identity(theirs[name]), require_sha256=require_sha256)


def _by_identity(environment: ReceiptEnvironment) -> dict[str, ReceiptPackageRecord]:
    return {package.identity: package for package in environment.packages}


def _compare(
    name: str,
    expected: Mapping[str, ReceiptPackageRecord],
    actual: Mapping[str, ReceiptPackageRecord],
    *,
    require_sha256: bool,
) -> None:
    for identity in expected:
        if identity not in actual:
            raise InventoryMismatchError(name, f"the lock lacks {_shown(expected[identity])}")
    for identity in actual:
        if identity not in expected:
            raise InventoryMismatchError(name, f"the receipt lacks {_shown(actual[identity])}")
    if require_sha256:
        _require_sha256(name, "receipt", expected.values())
        _require_sha256(name, "lock", actual.values())
    for identity, record in expected.items():
        differs = record.difference(actual[identity])
        if differs:
            raise InventoryMismatchError(name, f"lock and receipt differ in the {differs} of {_shown(record)}")


def _require_sha256(name: str, side: str, records: Iterable[ReceiptPackageRecord]) -> None:
    for record in records:
        if not record.data.get("sha256"):
            raise DigestMissingError(name, f"the {side} has no sha256 for {_shown(record)}")


def _shown(record: ReceiptPackageRecord) -> str:
    # A receipt of strangers may hold a URL with a password; the file name at its end does not.
    return os.path.basename(redact(record.identity))


def _merged(lock: Lock, name: str, path: str | Path) -> tuple[ReceiptPackageRecord, ...]:
    environment = lock.environments.get(name)
    found: dict[str, ReceiptPackageRecord] = {}
    for platform, packages in environment.packages.items() if environment else ():
        for record in _records(packages, platform):
            known = found.setdefault(record.identity, record)
            if known.data != record.data:
                raise ReceiptInputError(
                    path, f"platforms disagree about {_shown(record)}", hint="run 'doit lock' to write it anew"
                )
    return tuple(found[identity] for identity in sorted(found))


def _records(packages: Iterable[LockedPackage], platform: str) -> Iterable[ReceiptPackageRecord]:
    # What a parsed lock tells beyond the URL may stem from the URL itself. The locks written today have digests and
    # build number, so has the receipt: readers that compare field by field find in both what the file says.
    for package in packages:
        record = {
            "url": package.url,
            "build_number": package.build_number,
            "sha256": package.sha256,
            "md5": package.md5,
        }
        yield ReceiptPackageRecord.from_record(record, platform=platform)


def _parse_environment(entry: object, path: str | Path, place: str) -> ReceiptEnvironment:
    if not isinstance(entry, dict):
        raise ReceiptFieldError(path, place, "expected an object")
    name, packages, prefix = entry.get("name"), entry.get("packages"), entry.get("prefix")
    if not isinstance(name, str) or not name:
        raise ReceiptFieldError(path, f"{place}.name", "expected text")
    if not isinstance(packages, list):
        raise ReceiptFieldError(path, f"{place}.packages", "expected a list")
    if prefix is not None and not (isinstance(prefix, str) and (_is_absolute(prefix) or is_inside(prefix))):
        raise ReceiptFieldError(path, f"{place}.prefix", "expected a path without '.' and '..'")
    found: dict[str, ReceiptPackageRecord] = {}
    for index, package in enumerate(packages):
        record = ReceiptPackageRecord.parse(package, path=path, place=f"{place}.packages[{index}]")
        if record.identity in found:
            raise ReceiptRepetitionError(path, f"{place}.packages[{index}]", "a package stands here twice")
        found[record.identity] = record
    return ReceiptEnvironment(name, tuple(found.values()), prefix)


def is_inside(path: str) -> bool:
    """Whether a path is relative, canonical, in POSIX form, and stays in the folder it starts from."""
    return (
        not _is_absolute(path)
        and "\\" not in path
        and "\0" not in path
        and path.split("/") == [part for part in path.split("/") if part not in ("", ".", "..")]
        and bool(path)
    )


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or bool(re.match(r"[A-Za-z]:", path))
