"""A signed statement: a DSSE envelope around it, with ed25519 or ECDSA P-256.

Knows envelopes and keys; not what a statement says. The library for keys is loaded when a key is used.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.archive.documents import format_json, parse
from cwtasks.archive.receipt_errors import (
    ChangedPayloadError,
    KeyFileError,
    LibraryMissingError,
    MalformedEnvelopeError,
    PassphraseError,
    WrongKeyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey
    PublicKey = Ed25519PublicKey | EllipticCurvePublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_MAX_KEY_BYTES = 64 * 1024
_MAX_SIGNATURES = 64


class Signature(NamedTuple):
    """One signature of an envelope."""

    value: bytes
    keyid: str = ""
    """A hint only: nothing rests on it."""


class Envelope(NamedTuple):
    """What an envelope holds; nothing of it is proven."""

    payload: bytes
    signatures: tuple[Signature, ...]


def sign(statement: bytes, key: str | Path, *, passphrase: Callable[[], bytes | None] | None = None) -> bytes:
    """Return an envelope around a statement.

    Args:
        statement: Signed byte for byte.
        key: PEM file of a private key.
        passphrase: Asked only when the key is encrypted.

    Raises:
        KeyFileError: the file holds no private key of a kind known here.
        PassphraseError: the key is encrypted, and the passphrase is missing or wrong.
        LibraryMissingError: the library for keys is not installed.
    """
    private = _private_key(key, passphrase)
    envelope = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {
                "keyid": _keyid(private.public_key()),
                "sig": base64.b64encode(_signature(private, encode(statement))).decode(),
            }
        ],
    }
    return format_json(envelope)


def verify(envelope: bytes, keys: Sequence[str | Path], *, path: str | Path = "receipt") -> bytes:
    """Return the statement of an envelope that one of the keys has signed.

    Args:
        envelope: As :func:`sign` or another tool made it.
        keys: PEM files of public keys; one is enough.
        path: Where the envelope is from, for errors.

    Raises:
        MalformedEnvelopeError: no envelope with a statement.
        WrongKeyError: other keys signed it.
        ChangedPayloadError: one of the keys is named and its signature does not fit.
        KeyFileError: a file holds no public key of a kind known here.
        LibraryMissingError: the library for keys is not installed.
    """
    opened = open_envelope(envelope, path=path)
    message = encode(opened.payload)
    public = [_public_key(key) for key in keys]
    if any(_fits(key, signature.value, message) for key in public for signature in opened.signatures):
        return opened.payload
    named = {signature.keyid for signature in opened.signatures}
    if any(_keyid(key) in named for key in public):
        raise ChangedPayloadError(path)
    raise WrongKeyError(path)


def is_envelope(document: object) -> bool:
    """Whether a JSON document wants to be an envelope; a statement has none of its keys."""
    return isinstance(document, dict) and bool({"payload", "payloadType", "signatures"} & document.keys())


def open_envelope(content: bytes, *, path: str | Path = "receipt") -> Envelope:
    """Return what an envelope holds, without looking at whether it was signed by anybody.

    Args:
        content: JSON.
        path: Where it is from, for errors.

    Raises:
        MalformedEnvelopeError: a part is missing or of the wrong kind, or the payload is no statement.
        ReceiptError: no JSON.
    """
    document = parse(content, path)
    if not isinstance(document, dict):
        raise MalformedEnvelopeError(path, "envelope", "expected an object")
    if document.get("payloadType") != PAYLOAD_TYPE:
        raise MalformedEnvelopeError(path, "payloadType", f"expected {PAYLOAD_TYPE}")
    payload = _decoded(document.get("payload"), path, "payload")
    entries = document.get("signatures")
    if not isinstance(entries, list) or not 0 < len(entries) <= _MAX_SIGNATURES:
        raise MalformedEnvelopeError(path, "signatures", f"expected a list of 1 to {_MAX_SIGNATURES}")
    signatures = []
    for index, entry in enumerate(entries):
        place = f"signatures[{index}]"
        if not isinstance(entry, dict):
            raise MalformedEnvelopeError(path, place, "expected an object")
        keyid = entry.get("keyid") or ""
        if not isinstance(keyid, str):
            raise MalformedEnvelopeError(path, f"{place}.keyid", "expected text")
        signatures.append(Signature(_decoded(entry.get("sig"), path, f"{place}.sig"), keyid))
    return Envelope(payload, tuple(signatures))


def encode(payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding of the payload and its type."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _decoded(text: object, path: str | Path, place: str) -> bytes:
    if not isinstance(text, str):
        raise MalformedEnvelopeError(path, place, "expected base64 text")
    try:
        # Both alphabets are allowed by DSSE.
        return base64.b64decode(text.encode("ascii").translate(_STANDARD_ALPHABET), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise MalformedEnvelopeError(path, place, "expected base64 text") from None


_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


def _key_bytes(path: str | Path) -> bytes:
    try:
        import cryptography  # noqa: F401 - whether it is there
    except ImportError:
        raise LibraryMissingError("signing", "cryptography", "sign") from None
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_KEY_BYTES)
    except OSError as error:
        raise KeyFileError(path, f"cannot be read: {error.strerror}") from error


def _private_key(path: str | Path, passphrase: Callable[[], bytes | None] | None) -> PrivateKey:
    content = _key_bytes(path)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    secret = None
    try:
        try:
            key = load_pem_private_key(content, None)
        except TypeError:
            secret = passphrase() if passphrase else None
            if not secret:
                raise PassphraseError(path, "the key is encrypted, and no passphrase was given") from None
            key = load_pem_private_key(content, secret)
    except (ValueError, UnsupportedAlgorithm):
        if secret:
            raise PassphraseError(path, "the passphrase does not open the key") from None
        raise KeyFileError(path, "expected a private key in PEM form") from None
    if not _is_known(key):
        raise KeyFileError(path, "a key of a kind that is not used here")
    return key  # type: ignore[return-value]


def _public_key(path: str | Path) -> PublicKey:
    content = _key_bytes(path)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(path, "expected a public key in PEM form") from None
    if not _is_known(key):
        raise KeyFileError(path, "a key of a kind that is not used here")
    return key  # type: ignore[return-value]


def _is_known(key: object) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1)
    return isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey)


def _keyid(key: PublicKey) -> str:
    from hashlib import sha256

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _signature(key: PrivateKey, message: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(SHA256()))
    return key.sign(message)


def _fits(key: PublicKey, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(SHA256()))
        else:
            key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
