"""Signed receipts: with real keys, checked by somebody else's verifier, and tampered with."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from cwtasks.archive.receipt_errors import (
    ChangedPayloadError,
    KeyFileError,
    MalformedEnvelopeError,
    PassphraseError,
    UnsignedReceiptError,
    WrongKeyError,
)
from cwtasks.archive.receipts import ArchiveReceipt
from cwtasks.archive.signing import sign, verify


@pytest.fixture
def signed(build, keys, tmp_path):
    """Return the path of a signed receipt."""
    path = tmp_path / "signed.json"
    build().write(path, key=keys[0])
    return path


def test_a_signed_receipt_is_read_with_its_key_and_without(signed, keys, build):
    for receipt in (ArchiveReceipt.load(signed), ArchiveReceipt.load(signed, keys=[keys[1]])):
        assert receipt.is_signed
        assert receipt.statement == build().statement


def test_another_tool_verifies_the_envelope(signed, keys, build):
    document = json.loads(signed.read_bytes())
    key = SSlibKey.from_crypto(load_pem_public_key(keys[1].read_bytes()), keyid=document["signatures"][0]["keyid"])
    envelope = Envelope.from_dict(document)
    assert envelope.verify([key], 1)
    assert envelope.payload_type == "application/vnd.in-toto+json"
    assert envelope.payload == build().to_bytes()


def test_an_unsigned_receipt_is_refused_where_a_key_is_demanded(build, keys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build().write("bare.json")
    with pytest.raises(UnsignedReceiptError) as caught:
        ArchiveReceipt.load("bare.json", keys=[keys[1]])
    assert caught.value.render() == (
        "error: bare.json: expected a signed receipt, found one without signature\n"
        "hint: ask its maker for a signed one, or verify without a key"
    )


def test_another_key_is_refused_until_the_right_one_is_among_them(signed, keys, make_keys, tmp_path):
    _, other = make_keys(tmp_path, "ed25519", "other")
    with pytest.raises(WrongKeyError, match="not signed with any of the keys given"):
        ArchiveReceipt.load(signed, keys=[other])
    assert ArchiveReceipt.load(signed, keys=[other, keys[1]])


def test_a_changed_payload_is_refused(signed, keys):
    document = json.loads(signed.read_bytes())
    payload = base64.b64decode(document["payload"]).replace(b"conda.toml", b"pixi.tomlx")
    document["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(ChangedPayloadError, match="the signature does not fit the content"):
        verify(json.dumps(document).encode(), [keys[1]])


def test_no_changed_byte_of_an_envelope_changes_what_is_believed(signed, keys, build):
    content, statement = signed.read_bytes(), build().to_bytes()
    for place in range(0, len(content), 7):
        mutated = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        try:
            assert verify(mutated, [keys[1]]) == statement
        except Exception as error:  # noqa: BLE001 - any other kind is the failure
            assert type(error).__module__ == "cwtasks.archive.receipt_errors", error


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        pytest.param({"payloadType": "x"}, "payloadType: expected application/vnd.in-toto+json", id="type"),
        pytest.param({"payload": "é"}, "payload: expected base64 text", id="payload"),
        pytest.param({"signatures": []}, "signatures: expected a list of 1 to 64", id="none"),
        pytest.param({"signatures": [1]}, "signatures[0]: expected an object", id="no object"),
        pytest.param({"signatures": [{"sig": "!"}]}, "signatures[0].sig: expected base64 text", id="signature"),
    ],
)
def test_a_malformed_envelope_is_refused(changes, fact):
    whole = {"payload": "", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": ""}]}
    with pytest.raises(MalformedEnvelopeError) as caught:
        ArchiveReceipt.parse(json.dumps({**whole, **changes}).encode(), path="r.json")
    assert caught.value.error_message == f"r.json: {fact}"


def test_files_that_are_no_keys_are_refused(tmp_path, keys):
    (tmp_path / "text").write_text("no key")
    for path in (tmp_path / "text", tmp_path / "none", keys[1]):
        with pytest.raises(KeyFileError):
            sign(b"{}", path)
    envelope = sign(b"{}", keys[0])
    with pytest.raises(KeyFileError, match="expected a public key in PEM form"):
        verify(envelope, [keys[0]])


def test_an_encrypted_key_asks_for_its_passphrase(tmp_path, make_keys):
    private, public = make_keys(tmp_path, "ed25519", "locked", b"open sesame")
    assert verify(sign(b"{}", private, passphrase=lambda: b"open sesame"), [public]) == b"{}"
    with pytest.raises(PassphraseError, match="no passphrase was given"):
        sign(b"{}", private)
    with pytest.raises(PassphraseError, match="the passphrase does not open the key") as caught:
        sign(b"{}", private, passphrase=lambda: b"s3cret")
    assert "s3cret" not in str(caught.value)
