"""What proves an archive: an in-toto statement with the digests of archive, manifest and lock, and all packages.

Knows the form of the statement, its file beside the archive, and what it has to agree with. Digests that somebody
computed while writing or reading are handed in; no file is read twice for one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.archive.documents import LIMITS, format_json, parse, read_bytes
from cwtasks.archive.inventory import ReceiptInventory, is_inside, redact
from cwtasks.archive.names import receipt_beside
from cwtasks.archive.receipt_errors import (
    ProvenFileError,
    ReceiptFieldError,
    ReceiptInputError,
    ReceiptRepetitionError,
    ReceiptSubjectError,
    ReceiptUnreadableError,
    UnsignedReceiptError,
)
from cwtasks.archive.signing import is_envelope, open_envelope, sign, verify
from cwtasks.exceptions import ArchiveHashMismatchError
from cwtasks.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cwtasks.lockfile.model import Lock
    from cwtasks.models.workspace import ArchiveConfig

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://conda-incubator.github.io/conda-workspaces/workspace-archive-receipt-1.schema.json"
FORMAT_VERSION = 1

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class WorkspacePaths(NamedTuple):
    """Where in a workspace the two files are that a receipt proves, in POSIX form."""

    manifest: str
    lockfile: str


class ReceiptOptions(NamedTuple):
    """How the archive was asked for."""

    lock: bool = False
    """Whether the lock was written anew before."""
    bundle: bool = False
    """Whether the packages are inside."""


class ArchiveReceipt(NamedTuple):
    """A receipt; :meth:`build` and :meth:`load` make valid ones only."""

    statement: Mapping[str, object]
    """The in-toto statement."""
    path: Path | str = "receipt"
    """Where it was read, for errors."""
    is_signed: bool = False
    """Whether it was in a signed envelope; only :meth:`load` with keys checks by whom."""

    @staticmethod
    def default_path(archive: str | Path) -> Path:
        """Return where the receipt of an archive is: beside it."""
        return Path(receipt_beside(os.fspath(archive)))

    @classmethod
    def build(
        cls,
        *,
        root: str | Path,
        archive_path: str | Path,
        archive_config: ArchiveConfig,
        manifest_path: str | Path,
        lockfile_path: str | Path,
        environment_prefixes: Mapping[str, str | Path | None],
        options: ReceiptOptions | None = None,
        digests: Mapping[str, str] | None = None,
        lock: Lock | None = None,
    ) -> ArchiveReceipt:
        """Make the receipt of an archive.

        Args:
            root: Of the workspace.
            archive_path: The archive; read only when its digest is not known.
            archive_config: What chose its files.
            manifest_path: Below the root.
            lockfile_path: Below the root.
            environment_prefixes: By name, in the order of the manifest; relative ones start at the root.
            options: How the archive was asked for.
            digests: SHA-256 that are known already, by the name of the archive or the path below the root.
            lock: The lock, when it is parsed already.

        Raises:
            ReceiptInputError: manifest or lock are outside the workspace, or the lock contradicts itself.
            ProvenFileError: a file cannot be read.
            LockfileNotFoundError: there is no lock.
            LockfileIntegrityError: the lock cannot be used.
        """
        from cwtasks.lockfile import read_lock

        known = digests or {}
        options = options or ReceiptOptions()
        paths = WorkspacePaths(_below(root, manifest_path), _below(root, lockfile_path))
        files = {
            Path(archive_path).name: archive_path,
            paths.manifest: manifest_path,
            paths.lockfile: lockfile_path,
        }
        if len(files) != 3:
            raise ReceiptInputError(
                archive_path, "has the name of another file of the receipt", hint="choose another name for the archive"
            )
        prefixes = {name: _recorded_prefix(root, prefix) for name, prefix in environment_prefixes.items()}
        inventory = ReceiptInventory.from_lock(lock or read_lock(lockfile_path), prefixes, path=lockfile_path)
        statement = {
            "_type": STATEMENT_TYPE,
            "predicateType": PREDICATE_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": known.get(name) or _digest_of(path)}}
                for name, path in files.items()
            ],
            "predicate": {
                "archive": {
                    "formatVersion": FORMAT_VERSION,
                    "options": {
                        "bundle": options.bundle,
                        "compressionLevel": archive_config.compression_level,
                        "exclude": _public(archive_config.exclude),
                        "include": _public(archive_config.include),
                        "lock": options.lock,
                    },
                },
                "environments": inventory.to_json(),
                "workspace": {"lockfile": paths.lockfile, "manifest": paths.manifest},
            },
        }
        receipt = cls(statement)
        receipt.validate()
        return receipt

    @classmethod
    def load(cls, path: str | Path, *, keys: Sequence[str | Path] = ()) -> ArchiveReceipt:
        """Read a receipt, signed or not.

        Args:
            path: Of the file.
            keys: Files of public keys, one of which must have signed it; none: signatures are not looked at.

        Raises:
            ReceiptError: it cannot be read, or is no receipt.
            SignatureError: it is not signed with one of the keys.
        """
        content = read_bytes(path)
        return cls.parse(content, path=path, keys=keys)

    @classmethod
    def parse(cls, content: bytes, *, path: str | Path = "receipt", keys: Sequence[str | Path] = ()) -> ArchiveReceipt:
        """Make a receipt of what its file holds; see :meth:`load`.

        Raises:
            ReceiptError: it is no receipt.
            SignatureError: it is not signed with one of the keys.
        """
        document = parse(content, path, LIMITS)
        is_signed = is_envelope(document)
        if is_signed:
            payload = verify(content, keys, path=path) if keys else open_envelope(content, path=path).payload
            document = parse(payload, path, LIMITS)
        elif keys:
            raise UnsignedReceiptError(path)
        if not isinstance(document, dict):
            raise ReceiptFieldError(path, "", "expected an object")
        receipt = cls(document, path, is_signed)
        receipt.validate()
        return receipt

    def to_bytes(self) -> bytes:
        """Return what its file holds: the same bytes for the same statement."""
        return format_json(self.statement)

    def write(
        self, path: str | Path, *, key: str | Path | None = None, passphrase: Callable[[], bytes | None] | None = None
    ) -> None:
        """Write the receipt: all of it or nothing.

        Args:
            path: Of the file; its folder has to exist.
            key: File of the private key to sign it with; ``None`` for an unsigned one.
            passphrase: Asked only when the key needs one.

        Raises:
            ReceiptUnreadableError: the file cannot be written.
            SignatureError: the key cannot be used.
        """
        content = self.to_bytes()
        if key is not None:
            content = sign(content, key, passphrase=passphrase)
        try:
            replace_file(os.fspath(path), content, is_durable=True)
        except OSError as error:
            raise ReceiptUnreadableError(path, "", f"cannot be written: {error.strerror}") from error

    def validate(self) -> None:
        """Check the statement, in the order in which a reader understands it.

        Raises:
            ReceiptFieldError: something is missing or of the wrong kind.
            ReceiptRepetitionError: something stands there twice.
            ReceiptSubjectError: manifest or lock are no subjects.
        """
        for field, wanted in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
            if self.statement.get(field) != wanted:
                raise ReceiptFieldError(self.path, field, f"expected {wanted}")
        self._check_subjects()
        self._object(self.statement, "predicate", "predicate")
        paths = self.workspace_paths
        for name in paths:
            if name not in self.subject_digests:
                raise ReceiptSubjectError(self.path, "subject", "manifest or lock of the workspace is not among them")
        version = self._object(self.predicate, "archive", "predicate.archive").get("formatVersion")
        if type(version) is not int or version != FORMAT_VERSION:
            raise ReceiptFieldError(self.path, "predicate.archive.formatVersion", f"expected {FORMAT_VERSION}")
        ReceiptInventory.parse(self.predicate.get("environments"), path=self.path)

    @property
    def predicate(self) -> Mapping[str, object]:
        """What the statement says of its subjects."""
        return self._object(self.statement, "predicate", "predicate")

    @property
    def format_version(self) -> int:
        """Of the archive's layout."""
        version = self._object(self.predicate, "archive", "predicate.archive")["formatVersion"]
        assert isinstance(version, int)  # noqa: S101 - validated
        return version

    @property
    def workspace_paths(self) -> WorkspacePaths:
        """Manifest and lock, relative to the workspace."""
        workspace = self._object(self.predicate, "workspace", "predicate.workspace")
        return WorkspacePaths(self._inner_path(workspace, "manifest"), self._inner_path(workspace, "lockfile"))

    @property
    def subject_digests(self) -> dict[str, str]:
        """SHA-256 of each subject by its name, lower case."""
        subjects = self.statement.get("subject")
        assert isinstance(subjects, list)  # noqa: S101 - validated
        return {subject["name"]: subject["digest"]["sha256"].lower() for subject in subjects}

    @property
    def inventory(self) -> ReceiptInventory:
        """The packages of each environment."""
        return ReceiptInventory.parse(self.predicate.get("environments"), path=self.path)

    def archive_digests(self, name: str) -> list[str]:
        """Return which SHA-256 an archive may have: that of its name, or, renamed, that of any archive spoken of.

        Args:
            name: Of its file.
        """
        inside = self.workspace_paths
        archives = {subject: sha256 for subject, sha256 in self.subject_digests.items() if subject not in inside}
        return [archives[name]] if name in archives else list(archives.values())

    def verify_archive(self, path: str | Path, *, digest: str | None = None) -> None:
        """Check that an archive is the one the receipt was made for, whatever its file is called now.

        Args:
            path: Of the archive.
            digest: Its SHA-256, when it is known; otherwise the file is read.

        Raises:
            ArchiveHashMismatchError: it is another one.
            ReceiptSubjectError: the receipt speaks of no archive.
            ProvenFileError: it cannot be read.
        """
        name = Path(path).name
        allowed = self.archive_digests(name)
        if not allowed:
            raise ReceiptSubjectError(self.path, "subject", "no archive is among them")
        actual = (digest or _digest_of(path)).lower()
        if actual not in allowed:
            raise ArchiveHashMismatchError(name, expected=allowed[0], actual=actual)

    def verify_extracted(
        self, directory: str | Path, *, require_sha256: bool = False, digests: Mapping[str, str] | None = None
    ) -> None:
        """Check that an unpacked workspace is the one the receipt was made for.

        Args:
            directory: Its root.
            require_sha256: Whether every package needs a SHA-256.
            digests: SHA-256 of the manifest, when it is known from unpacking, by path below the root. The lock is
                read in any case.

        Raises:
            ProvenFileError: manifest or lock is missing or not a plain file.
            ArchiveHashMismatchError: one of them is another one.
            InventoryMismatchError: the lock has other packages than the receipt.
        """
        from cwtasks.manifests import load_file

        manifest, lockfile = self.workspace_paths
        expected = self.subject_digests
        place = _plain_file(directory, manifest)
        actual = (digests or {}).get(manifest) or _digest_of(place)
        if actual.lower() != expected[manifest]:
            raise ArchiveHashMismatchError(manifest, expected=expected[manifest], actual=actual)
        lock = _proven_lock(_plain_file(directory, lockfile), lockfile, expected[lockfile])
        names = load_file(place).workspace.environments
        found = ReceiptInventory.from_lock(lock, dict.fromkeys(names), path=lockfile)
        self.inventory.compare(found, require_sha256=require_sha256)

    def _check_subjects(self) -> None:
        subjects = self.statement.get("subject")
        if not isinstance(subjects, list) or not subjects:
            raise ReceiptFieldError(self.path, "subject", "expected a list that is not empty")
        seen: set[str] = set()
        for index, subject in enumerate(subjects):
            place = f"subject[{index}]"
            if not isinstance(subject, dict):
                raise ReceiptFieldError(self.path, place, "expected an object")
            name = subject.get("name")
            if not isinstance(name, str) or not name:
                raise ReceiptFieldError(self.path, f"{place}.name", "expected text")
            if name in seen:
                raise ReceiptRepetitionError(self.path, f"{place}.name", "a subject stands here twice")
            seen.add(name)
            digest = self._object(subject, "digest", f"{place}.digest").get("sha256")
            if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
                raise ReceiptFieldError(self.path, f"{place}.digest.sha256", "expected 64 hexadecimal digits")

    def _object(self, holder: Mapping[str, object], field: str, place: str) -> Mapping[str, object]:
        value = holder.get(field)
        if not isinstance(value, dict):
            raise ReceiptFieldError(self.path, place, "expected an object")
        return value

    def _inner_path(self, workspace: Mapping[str, object], field: str) -> str:
        value = workspace.get(field)
        if not isinstance(value, str) or not is_inside(value):
            raise ReceiptFieldError(
                self.path, f"predicate.workspace.{field}", "expected a path that stays in the workspace"
            )
        return value


def _below(root: str | Path, path: str | Path) -> str:
    relative = os.path.relpath(path, root).replace(os.sep, "/")
    if not is_inside(relative):
        raise ReceiptInputError(path, "is outside the workspace", hint="keep manifest and lock in the workspace")
    return relative


def _public(patterns: Sequence[str]) -> list[str]:
    # In a pattern "?" is no query; one with "://" was meant as a URL, by mistake.
    return [redact(pattern) if "://" in pattern else pattern for pattern in patterns]


def _recorded_prefix(root: str | Path, prefix: str | Path | None) -> str | None:
    if prefix is None:
        return None
    absolute = os.path.abspath(os.path.join(root, prefix))
    relative = os.path.relpath(absolute, os.path.abspath(root)).replace(os.sep, "/")
    return relative if is_inside(relative) else absolute


def _plain_file(directory: str | Path, name: str) -> Path:
    place = Path(directory)
    parts = name.split("/")
    for index, part in enumerate(parts):
        place /= part
        try:
            mode = os.lstat(place).st_mode
        except OSError as error:
            raise ProvenFileError(place, f"cannot be read: {error.strerror}") from error
        is_last = index == len(parts) - 1
        if not (S_ISREG(mode) if is_last else S_ISDIR(mode)):
            raise ProvenFileError(place, f"expected a plain {'file' if is_last else 'folder'}")
    return place


def _digest_of(path: str | Path) -> str:
    from hashlib import file_digest

    try:
        with open(path, "rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ProvenFileError(path, f"cannot be read: {error.strerror}") from error


def _proven_lock(place: Path, name: str, expected: str) -> Lock:
    # Digest and packages come from one reading: nothing can change between the two.
    from hashlib import sha256

    from cwtasks.lockfile.files import MAX_LOCK_BYTES, parse_lock

    try:
        with open(place, "rb") as file:
            content = file.read(MAX_LOCK_BYTES + 1)
    except OSError as error:
        raise ProvenFileError(place, f"cannot be read: {error.strerror}") from error
    actual = sha256(content).hexdigest()
    if actual != expected:
        raise ArchiveHashMismatchError(name, expected=expected, actual=actual)
    return parse_lock(content, name)
