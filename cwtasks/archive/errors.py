"""Why an archive is refused: one class per cause, each with its own sentence and hint.

Knows the names of archives and members, never their content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cwtasks.exceptions import ArchiveError, ArchivePathTraversalError, shown_path

if TYPE_CHECKING:
    from pathlib import Path

AGAIN = "get the archive again from where it was made"
TRUST = "nothing was unpacked; do not trust this archive"
REPACK = "pack it again with 'cwt archive' or GNU tar"


class LimitExceededError(ArchiveError):
    """More of something than the limits allow.

    Attributes:
        what: The thing counted, with its unit.
        limit: The most of it that is allowed.
        member: The member that went too far; empty when none did.
    """

    def __init__(self, what: str, limit: int, *, member: str = "") -> None:
        self.what = what
        self.limit = limit
        self.member = member
        place = f"member {member!r}" if member else "the archive"
        super().__init__(
            f"{place} goes over the limit of {limit:,} {what}", hints=["raise the limit only if you trust its maker"]
        )


# The file


class CompressedFileError(ArchiveError):
    """A compressed file that cannot be read to its end.

    Attributes:
        archive: Its path.
    """

    fact: ClassVar[str]
    hint: ClassVar[str] = AGAIN

    def __init__(self, archive: str | Path, detail: str = "") -> None:
        self.archive = str(archive)
        said = f": {detail}" if detail else ""
        super().__init__(f"{shown_path(archive)}: {self.fact}{said}", hints=[self.hint])


class UnreadableArchiveError(CompressedFileError):
    """The file cannot be opened or read."""

    fact = "cannot be read"
    hint = "check its path and your rights"


class UnknownCompressionError(CompressedFileError):
    """Neither zstd nor gzip nor bzip2, by its first bytes."""

    fact = "is not compressed with zstd, gzip or bzip2"
    hint = "expected an archive .tar.zst, .tar.gz or .tar.bz2"


class WrongSuffixError(CompressedFileError):
    """The content is of another kind than the name says."""

    fact = "its name and its content disagree"
    hint = "rename it if you know where it comes from"


class TruncatedArchiveError(CompressedFileError):
    """The file ends too early."""

    fact = "ends in the middle, it is truncated"


class CorruptArchiveError(CompressedFileError):
    """The decoder does not understand what is there."""

    fact = "is damaged"


class DictionaryFrameError(CompressedFileError):
    """A zstd frame that needs a dictionary."""

    fact = "a zstd frame needs a dictionary"
    hint = REPACK


class WindowTooLargeError(CompressedFileError):
    """A zstd frame that demands too much memory."""

    fact = "a zstd frame demands too much memory"
    hint = REPACK


class SkippableFrameError(CompressedFileError):
    """A skippable zstd frame beyond all measure."""

    fact = "a skippable zstd frame is too large"
    hint = TRUST


class TrailingDataError(CompressedFileError):
    """Something else after the compressed data."""

    fact = "has foreign data after its end"
    hint = TRUST


class ArchiveChangedError(CompressedFileError):
    """Somebody wrote to the archive while it was read."""

    fact = "changed while it was read"
    hint = "wait until it is complete, then try again"


class MemberNotFoundError(ArchiveError):
    """An archive without a file of some name.

    Attributes:
        archive: Its path.
        member: The name.
    """

    def __init__(self, archive: str | Path, member: str) -> None:
        self.archive = str(archive)
        self.member = member
        super().__init__(
            f"{shown_path(archive)}: has no file '{member}'", hints=["'cwt inspect --members' lists what it holds"]
        )


# Packing


class FileChangedError(ArchiveError):
    """A file of the workspace that cannot be packed as it was found.

    Attributes:
        name: Below the workspace.
        reason: What happened to it.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(
            f"{name}: cannot be packed: {reason}", hints=["no archive was written; try again when nothing writes there"]
        )


class FileMissingError(FileChangedError):
    """A file of the workspace that is not there."""


class NeededFileError(ArchiveError):
    """A workspace whose archive would lack its manifest, or whose receipt a lock to speak of.

    Attributes:
        name: Of the file.
        reason: Why it does not go in.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(
            f"{name} has to go into the archive: {reason}",
            hints=["'doit lock' makes a lock, and a receipt needs one" if name == "conda.lock" else "let it in"],
        )


class OutputError(ArchiveError):
    """An archive or a receipt that cannot be written.

    Attributes:
        output: Its path.
        reason: Why not.
    """

    def __init__(self, output: str | Path, reason: str) -> None:
        self.output = str(output)
        self.reason = reason
        super().__init__(
            f"{shown_path(output)}: cannot be written: {reason}", hints=["what was there before is untouched"]
        )


class UnknownSuffixError(ArchiveError):
    """An archive whose name does not say how to compress it.

    Attributes:
        output: Its path.
    """

    def __init__(self, output: str | Path) -> None:
        self.output = str(output)
        super().__init__(
            f"{shown_path(output)}: its name does not say how to compress it",
            hints=["end it with .tar.zst, .tar.gz or .tar.bz2"],
        )


class NothingTrackedError(ArchiveError):
    """A workspace in a git work tree that tracks none of its files.

    Attributes:
        root: Of the workspace.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        super().__init__(
            f"{shown_path(root)}: git tracks no file here, so the archive would be empty",
            hints=["'git add' what belongs into it, or 'git init' here if it belongs to no outer repository"],
        )


class GitError(ArchiveError):
    """Git does not say which files it tracks.

    Attributes:
        root: Of the workspace.
    """

    def __init__(self, root: str | Path, reason: str) -> None:
        self.root = str(root)
        super().__init__(
            f"{shown_path(root)}: git cannot list its files: {reason}", hints=["see what 'git status' says"]
        )


class SecretInFileError(ArchiveError):
    """A file that goes into every archive and holds a credential.

    Attributes:
        name: Of the file.
        line: Where, counted from 1.
    """

    def __init__(self, name: str, line: int) -> None:
        self.name = name
        self.line = line
        super().__init__(
            f"{name}:{line}: a URL here holds a password or token, which would go into the archive",
            hints=["keep credentials in the login store of your tools, not in files of the workspace"],
        )


class WorkerEndedError(ArchiveError):
    """A process that packed or unpacked files for us ended early."""

    def __init__(self) -> None:
        super().__init__("a process of ours ended early", hints=["nothing was written; is there enough memory?"])


# The tar stream


class TarStreamError(ArchiveError):
    """A tar stream that breaks the rules of its format.

    Attributes:
        member: The member read last or now; empty before the first.
    """

    fact: ClassVar[str]
    hint: ClassVar[str] = TRUST

    def __init__(self, member: str, detail: str = "") -> None:
        self.member = member
        place = f"member {member!r}" if member else "the archive"
        said = f": {detail}" if detail else ""
        super().__init__(f"{place} {self.fact}{said}", hints=[self.hint])


class HeaderChecksumError(TarStreamError):
    """A header whose checksum is wrong."""

    fact = "is followed or described by a header with a wrong checksum"
    hint = AGAIN


class HeaderFieldError(TarStreamError):
    """A field of a header that is no proper number or text."""

    fact = "has a header that breaks the format"


class ExtensionHeaderError(TarStreamError):
    """PAX records or GNU long names that break the format or contradict the header."""

    fact = "has an extension header that is refused"


class SparseMemberError(TarStreamError):
    """A sparse file."""

    fact = "is a sparse file"
    hint = "pack it again without --sparse"


class UnsupportedMemberError(TarStreamError):
    """A device, a FIFO or a type that nobody knows."""

    fact = "is of a type that is not unpacked"


class TruncatedTarError(TarStreamError):
    """The stream ends inside a member or without its end marker."""

    fact = "is the last before the stream ends too early"
    hint = AGAIN


class DataAfterEndError(TarStreamError):
    """Something after the end marker, for example a second archive."""

    fact = "is the last before the end marker, yet there is data after it"


# Names, links


class MemberRefusedError(ArchivePathTraversalError):
    """A member that could lead out of the folder, or hide or replace another."""

    cause: ClassVar[str]

    def __init__(self, member: str, detail: str = "") -> None:
        super().__init__(member, f"{self.cause} {detail!r}" if detail else self.cause)


class AbsoluteNameError(MemberRefusedError):
    """A name that starts at the root."""

    cause = "its name is absolute"


class ParentNameError(MemberRefusedError):
    """``..`` in a name."""

    cause = "its name contains '..'"


class DriveNameError(MemberRefusedError):
    """A drive letter."""

    cause = "its name starts with a drive letter"


class BackslashNameError(MemberRefusedError):
    """A backslash, which is a separator on Windows; a UNC path has two."""

    cause = "its name contains a backslash"


class ControlCharacterError(MemberRefusedError):
    """NUL or another control character."""

    cause = "its name contains a control character"


class NotUnicodeNameError(MemberRefusedError):
    """Bytes that are not UTF-8."""

    cause = "its name is not UTF-8"


class NotCanonicalNameError(MemberRefusedError):
    """Empty or ``.`` components, a slash too many, ``./`` on some members only."""

    cause = "its name is not written in the one usual way"


class NotPortableNameError(MemberRefusedError):
    """Characters that not every system can store."""

    cause = "its name has a character that not every system allows:"


class DeviceNameError(MemberRefusedError):
    """A name that Windows takes for a device."""

    cause = "its name is that of a device on Windows:"


class TrailingCharacterError(MemberRefusedError):
    """A component that ends with a dot or space, which Windows drops."""

    cause = "a part of its name ends with a dot or a space:"


class LongComponentError(MemberRefusedError):
    """A component longer than file systems hold."""

    cause = "a part of its name is too long"


class LongPathError(MemberRefusedError):
    """A name longer than systems accept."""

    cause = "its name is too long"


class DeepPathError(MemberRefusedError):
    """A name with too many components."""

    cause = "its name has too many parts"


class DuplicateMemberError(MemberRefusedError):
    """A name that was there before."""

    cause = "it is there twice"


class NameCollisionError(MemberRefusedError):
    """A name that is another's on some systems: by case or by Unicode normalisation."""

    cause = "its name is the same, on some systems, as"


class BelowFileError(MemberRefusedError):
    """A member below one that is a file."""

    cause = "it lies below a file:"


class BelowLinkError(MemberRefusedError):
    """A member that would be written through a link."""

    cause = "it lies below a link:"


class AbsoluteLinkError(MemberRefusedError):
    """A link with an absolute target."""

    cause = "its target is absolute:"


class LinkTargetError(MemberRefusedError):
    """A link whose target is empty or has characters that mean different things on different systems."""

    cause = "its target is not a portable path:"


class EscapingLinkError(MemberRefusedError):
    """A link that leads out, by itself or through others."""

    cause = "its target leaves the archive:"


class LinkCycleError(MemberRefusedError):
    """Links that lead in a circle, or through more links than systems follow."""

    cause = "its target is reached through too many links:"


class LinkExpansionError(MemberRefusedError):
    """A target that grows beyond what systems accept once links in it are followed."""

    cause = "its target is too long once links are followed"


class HardLinkError(MemberRefusedError):
    """A hard link to anything but an earlier file of the same archive."""

    cause = "it is a hard link to what is no earlier file of the archive:"


# The target


class TargetError(ArchiveError):
    """A folder that cannot be unpacked into.

    Attributes:
        target: Its path.
        reason: Why not.
    """

    def __init__(self, target: str | Path, reason: str) -> None:
        self.target = str(target)
        self.reason = reason
        super().__init__(
            f"cannot unpack into {shown_path(target)}: {reason}", hints=["name a folder that is empty or missing"]
        )


class NoSpaceError(ArchiveError):
    """A file system without room for what is in the archive.

    Attributes:
        target: Where it was to go.
    """

    def __init__(self, target: str | Path, reason: str) -> None:
        self.target = str(target)
        super().__init__(
            f"no room for {shown_path(target)}: {reason}",
            hints=["nothing was unpacked; make room or name another target"],
        )


class StagingError(ArchiveError):
    """Writing failed below the target's folder.

    Attributes:
        target: Where it was to go.
    """

    def __init__(self, target: str | Path, reason: str) -> None:
        self.target = str(target)
        super().__init__(
            f"cannot unpack into {shown_path(target)}: {reason}", hints=["nothing was unpacked; check the file system"]
        )


# Packages that are carried along


class CacheWriteError(ArchiveError):
    """A package cache that cannot be written.

    Attributes:
        path: Of the cache, or the file in it.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path = str(path)
        super().__init__(
            f"{shown_path(path)}: a package cannot be put there: {reason}",
            hints=["name another cache with CWTASKS_CACHE, or make room"],
        )


class UnprovenPackageError(ArchiveError):
    """A package that the lock names without a SHA-256.

    Attributes:
        name: Of its file.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name}: the lock has no sha256 for it", hints=["'doit lock' writes the lock anew, with digests"]
        )


class PackageCollisionError(ArchiveError):
    """Two different packages of one file name and one subdir.

    Attributes:
        name: Of the files.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name}: the lock names two different packages of this name",
            hints=["bundle one environment or platform with --environment or --platform"],
        )


class PrefixError(ArchiveError):
    """A place in which an environment cannot be installed.

    Attributes:
        option: ``prefix`` or ``dest``.
        found: What was given.
        reason: Why not.
    """

    def __init__(self, option: str, found: str, reason: str, *, hint: str) -> None:
        self.option = option
        self.found = found
        self.reason = reason
        super().__init__(f"{option} {found}: {reason}", hints=[hint])


class ReceiptNeededError(ArchiveError):
    """An archive that is to be proven without a receipt.

    Attributes:
        archive: Its path.
    """

    def __init__(self, archive: str | Path) -> None:
        self.archive = str(archive)
        super().__init__(
            f"{shown_path(archive)}: there is no receipt to prove it with",
            hints=["name the receipt with --receipt, or put it beside the archive"],
        )


class NoManifestError(ArchiveError):
    """An archive that is none of a workspace.

    Attributes:
        archive: Its path.
    """

    def __init__(self, archive: str | Path) -> None:
        self.archive = str(archive)
        super().__init__(
            f"{shown_path(archive)}: holds no conda.toml, pixi.toml or pyproject.toml, so it is no workspace's archive",
            hints=["unpack it with tar"],
        )
