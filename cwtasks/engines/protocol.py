"""What an engine is: requests, records and progress as plain values, and the three verbs.

Knows no solver and no package format. Records are what channels publish, so whoever holds one can write it as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

from cwtasks.models.packages import without_credentials

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"
"""A JSON value."""

Record: TypeAlias = Mapping[str, JSON]
"""A record of ``repodata.json`` with three more fields: ``fn`` (name of the archive), ``url`` and ``channel``.

``url`` and ``channel`` never hold credentials; ``channel`` is a URL without a slash at its end.
"""

Phase = Literal["solve", "download", "verify", "unpack", "link"]
ChannelPriority = Literal["strict", "flexible", "disabled"]
Strategy = Literal["highest", "lowest", "lowest-direct"]


class Progress(NamedTuple):
    """How far an engine is."""

    phase: Phase
    done: int
    """Bytes while downloading, otherwise packages."""
    total: int
    """In the unit of ``done``; 0 when nobody knows."""
    text: str
    """What was just begun or done, mostly a package; without credentials."""


Report: TypeAlias = Callable[[Progress], None]
"""Is told of progress, always in the thread that called the engine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SolveRequest:
    """One environment on one platform."""

    channels: tuple[str, ...]
    """URLs in priority order. They may hold credentials; what an engine returns, says or keeps does not."""
    specs: tuple[str, ...]
    """What is wanted, in conda's match-spec syntax."""
    platform: str
    """Conda subdir, for example ``linux-64``; ``noarch`` is always looked at too."""
    virtual_packages: tuple[tuple[str, str, str], ...] = ()
    """Name, version and build of each; an engine adds none."""
    locked: tuple[Record, ...] = ()
    """Records to keep where the specs allow it; they are candidates even when no channel has them."""
    constraints: tuple[str, ...] = ()
    """Match specs a package must satisfy if it is chosen."""
    channel_priority: ChannelPriority = "strict"
    strategy: Strategy = "highest"
    exclude_newer: str | None = None
    """ISO 8601 time or date; without an offset it is UTC."""
    offline: bool = False
    """Use the kept indexes, however old, and no network."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallRequest:
    """What one prefix shall hold."""

    prefix: str
    """Absolute path; it is written into files of packages."""
    records: tuple[Record, ...]
    """All packages, those already there included."""
    platform: str
    """Conda subdir the packages were chosen for."""
    archives: Mapping[str, str] = field(default_factory=dict)
    """Path of the archive by the record's ``url``, as :meth:`Engine.fetch` returned them."""
    requested: tuple[str, ...] = ()
    """Match specs the user asked for, noted in ``conda-meta``."""
    link_scripts: bool = False
    """Whether post-link and pre-unlink scripts run."""
    target_prefix: str | None = None
    """Absolute path written into files instead of ``prefix``, for environments that are moved afterwards."""


class Engine(Protocol):
    """Chooses packages, gets their archives, and puts them into prefixes."""

    name: str

    @property
    def package_folder(self) -> str:
        """Absolute path of the folder below which :meth:`package_path` is."""
        ...

    def package_path(self, record: Record) -> str:
        """Return where the verified archive of a record is kept; it need not be there.

        Raises:
            DigestMissingError: the record has no digest.
            PackageUnavailableError: its file name is none.
        """
        ...

    def note_proven(self, records: Sequence[Record]) -> None:
        """Be told that archives were put in their places with the right content, just now.

        Raises:
            OSError: one is not there.
        """
        ...

    def proven(self, records: Sequence[Record]) -> dict[str, str]:
        """Return which archives are kept and were proven before, without reading any: absolute path by ``url``.

        Raises:
            DigestMissingError: a record has no digest.
            PackageUnavailableError: its file name is none.
        """
        ...

    def get_ready(self) -> None:
        """Be told that a call follows soon, which may then begin at once. Never needed.

        Raises:
            EngineMissingError: the engine is not installed.
        """
        ...

    def dismiss(self) -> None:
        """Be told that after all no call follows: what was begun for it ends."""
        ...

    def solve(self, request: SolveRequest, *, report: Report) -> tuple[Record, ...]:
        """Choose packages.

        Returns:
            Records sorted by name, each name once.

        Raises:
            UnsatisfiableError: no choice satisfies the request.
            BadSpecError: a spec or constraint cannot be read.
            ChannelUnavailableError: the index of a channel cannot be read.
            EngineCrashError: the engine ended without an answer.
            EngineMissingError: it is not installed.
        """
        ...

    def fetch(
        self,
        records: Sequence[Record],
        *,
        report: Report,
        channels: Callable[[], Sequence[str]] = tuple,
        offline: bool = False,
    ) -> dict[str, str]:
        """Get the archives of packages into the package cache and verify every one.

        Args:
            records: Each with ``sha256``, or at least ``md5``.
            report: Is told of progress.
            channels: Gives URLs that may hold the credentials the records' URLs lack; asked when one is downloaded.
            offline: Take only what is kept, or on this machine.

        Returns:
            Absolute path by ``url``.

        Raises:
            DigestMismatchError: an archive is not the one of the record.
            DigestMissingError: a record has no digest.
            PackageUnavailableError: an archive cannot be had.
        """
        ...

    def install(self, request: InstallRequest, *, report: Report) -> None:
        """Make a prefix hold exactly these packages. Locks nothing: one prefix, one call at a time.

        Raises:
            DigestMismatchError: an archive is not the one of its record; the prefix was not touched.
            PackageUnavailableError: an archive is missing; the prefix was not touched.
            LinkScriptError: a post-link script failed.
            InstallError: the prefix cannot be written; the next call completes it.
            EngineCrashError: the engine ended without an answer; likewise.
            EngineMissingError: it is not installed.
        """
        ...


def text_of(record: Record, name: str) -> str:
    """Return a field of a record as text, empty when it is missing or something else."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def file_name(record: Record) -> str:
    """Return the name of a record's archive."""
    return text_of(record, "fn") or text_of(record, "url").rpartition("/")[2]


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """Return text without the credentials of any URL in it.

    Args:
        text: Whatever a tool said.
        secrets: Words that must not appear either, for example a password.
    """
    shown = re.sub(r"[a-z][a-z0-9+.-]*://[^\s'\"<>()]+", lambda found: without_credentials(found[0]), text)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        shown = shown.replace(secret, "********")
    return shown
