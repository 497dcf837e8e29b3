"""How much an archive may ask of whoever reads it: every maximum with its unit, in one record.

Knows numbers only; who reads spends them through a :class:`Budget`.
"""

from __future__ import annotations

from typing import NamedTuple

from cwtasks.archive.errors import LimitExceededError

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


class ArchiveLimits(NamedTuple):
    """What is refused for its size; a caller who trusts an archive passes another record."""

    members: int = 1_000_000
    """Members of an archive, and folders that only their names imply; count."""

    path_depth: int = 256
    """Components of a name; count."""

    path_bytes: int = 4_095
    """A name or the target of a link, in UTF-8, also after links in it are followed; bytes."""

    component_bytes: int = 255
    """One component of a name, in UTF-8; bytes."""

    link_hops: int = 40
    """Links followed on the way to one target, as many as Linux follows; count."""

    extension_bytes: int = 1 * MIB
    """One extension header (PAX records, GNU long name); bytes."""

    extension_headers: int = 16
    """Extension headers in a row before one member; count."""

    metadata_bytes: int = 64 * MIB
    """All extension headers together; bytes."""

    expanded_bytes: int = 4 * GIB
    """The decoded tar stream; bytes."""

    raw_bytes: int = 4 * GIB
    """The archive as it lies on disk; bytes."""

    ratio: int = 1_000
    """Decoded bytes for each raw byte read so far; a factor."""

    ratio_free_bytes: int = 64 * MIB
    """Decoded bytes before the ratio counts, for a few files of zeros are no attack; bytes."""

    frames: int = 250_000
    """Compressed frames, streams and skippable frames; count."""

    window_bytes: int = 128 * MIB
    """Memory that a zstd frame may demand of its decoder; bytes, at most 128 MiB."""

    skippable_bytes: int = 64 * MIB
    """One skippable zstd frame (index, seek table); bytes."""

    staging_reserve_bytes: int = 64 * MIB
    """Space that stays free on the file system of the target; bytes."""

    entry_bytes: int = 16 * KIB
    """Space counted for each announced member beside its content; bytes."""

    @classmethod
    def unbounded(cls) -> ArchiveLimits:
        """Return limits without one on the size of archive and content, for archives whose maker is trusted."""
        return cls(expanded_bytes=1 << 62, raw_bytes=1 << 62, members=100_000_000, frames=100_000_000)


class Budget:
    """A limit that is used up step by step."""

    __slots__ = ("left", "limit", "what")

    def __init__(self, what: str, limit: int) -> None:
        self.what = what
        self.limit = limit
        self.left = limit

    def spend(self, amount: int = 1, *, member: str = "") -> None:
        """Take from what is left.

        Args:
            amount: How much.
            member: On whose behalf, for the message.

        Raises:
            LimitExceededError: If there is not that much left.
        """
        self.left -= amount
        if self.left < 0:
            raise LimitExceededError(self.what, self.limit, member=member)
