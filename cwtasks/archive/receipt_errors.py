"""Why a receipt, a signature or an inventory is refused: one class per cause, each with its own sentence and hint.

Knows the names of archives and keys, never the content of either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.exceptions import ArchiveError, shown_path

if TYPE_CHECKING:
    from pathlib import Path

_RECEIPT_AGAIN = "get the receipt again from where the archive was made"
_BOTH_AGAIN = "get archive and receipt again from where they were made"


# Receipts


class ReceiptError(ArchiveError):
    """A receipt that cannot be used.

    Attributes:
        path: Of the receipt.
        place: Dotted key inside it; empty for the whole file.
        fact: What was found and expected; never a value of the file, which may be a secret.
    """

    hint = _RECEIPT_AGAIN

    def __init__(self, path: str | Path, place: str, fact: str) -> None:
        self.path = path
        self.place = place
        self.fact = fact
        super().__init__(": ".join(part for part in (shown_path(path), place, fact) if part), hints=[self.hint])


class ReceiptUnreadableError(ReceiptError):
    """The file cannot be read, or not written."""

    hint = "name the receipt that was made with the archive"


class ReceiptSyntaxError(ReceiptError):
    """The file is no JSON."""


class ReceiptLimitError(ReceiptError):
    """A receipt larger, deeper or longer than any real one."""


class DuplicateKeyError(ReceiptError):
    """A JSON object says something twice, and readers would differ about which one counts."""


class ReceiptFieldError(ReceiptError):
    """A field is missing or of the wrong kind."""


class ReceiptRepetitionError(ReceiptError):
    """Two entries of a list that stand for the same thing."""


class ReceiptSubjectError(ReceiptError):
    """The receipt says nothing of a file it has to speak of."""


class ReceiptInputError(ArchiveError):
    """A workspace for which no receipt can be made.

    Attributes:
        path: The file that is in the way.
    """

    def __init__(self, path: str | Path, fact: str, *, hint: str) -> None:
        self.path = path
        super().__init__(f"{shown_path(path)}: {fact}", hints=[hint])


class ProvenFileError(ArchiveError):
    """A file that a receipt speaks of and that is not a plain file of the unpacked workspace."""

    def __init__(self, path: str | Path, fact: str) -> None:
        self.path = path
        super().__init__(f"{shown_path(path)}: {fact}", hints=[_BOTH_AGAIN])


class InventoryMismatchError(ArchiveError):
    """The lock asks for other packages than the receipt.

    Attributes:
        environment: Where they differ first.
    """

    def __init__(self, environment: str, fact: str) -> None:
        self.environment = environment
        super().__init__(f"environment '{environment}': {fact}", hints=[_BOTH_AGAIN])


class DigestMissingError(InventoryMismatchError):
    """A package without SHA-256 where every package needs one."""


# Signatures


class SignatureError(ArchiveError):
    """A signed receipt that proves nothing, or that cannot be made."""


class UnsignedReceiptError(SignatureError):
    """A key was given, and nobody signed the receipt."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        super().__init__(
            f"{shown_path(path)}: expected a signed receipt, found one without signature",
            hints=["ask its maker for a signed one, or verify without a key"],
        )


class WrongKeyError(SignatureError):
    """No signature is of one of the keys given."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        super().__init__(
            f"{shown_path(path)}: not signed with any of the keys given",
            hints=["name the public key of whoever made the archive"],
        )


class ChangedPayloadError(SignatureError):
    """A signature names the right key and does not fit the content."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        super().__init__(
            f"{shown_path(path)}: the signature does not fit the content: one of them was changed",
            hints=["do not trust this receipt; get it again from where it was made"],
        )


class MalformedEnvelopeError(SignatureError):
    """The signed file has not the form of a DSSE envelope."""

    def __init__(self, path: str | Path, place: str, fact: str) -> None:
        self.path = path
        self.place = place
        super().__init__(f"{shown_path(path)}: {place}: {fact}", hints=[_RECEIPT_AGAIN])


class KeyFileError(SignatureError):
    """A file that holds no key of use here."""

    def __init__(self, path: str | Path, fact: str) -> None:
        self.path = path
        super().__init__(f"{shown_path(path)}: {fact}", hints=["keys are PEM files of kind ed25519 or ECDSA P-256"])


class PassphraseError(SignatureError):
    """A private key that its passphrase does not open, or that needs one."""

    def __init__(self, path: str | Path, fact: str) -> None:
        self.path = path
        super().__init__(f"{shown_path(path)}: {fact}", hints=["give the passphrase this key was made with"])


# Documents


class LibraryMissingError(ArchiveError):
    """Something optional was asked for, and its library is not installed beside this program."""

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        self.package = package
        super().__init__(
            f"{purpose} needs {package}, which is not installed", hints=[f"pip install 'cwtasks[{extra}]'"]
        )


class SbomInputError(ArchiveError):
    """A file of which no list of packages can be made."""

    def __init__(self, path: str | Path, fact: str) -> None:
        self.path = path
        super().__init__(f"{shown_path(path)}: {fact}", hints=["name a lock, or a folder with one"])
