"""Thousands of single bits flipped, in an archive and in its receipt: each is noticed, or changes nothing that is proven."""

import json
import os
import random
from base64 import b64decode

import pytest
from trees import LOCK, MANIFEST, Link, Script, fill, tree_of

from cwtasks.archive import WorkspaceArchive
from cwtasks.archive.receipts import ArchiveReceipt
from cwtasks.exceptions import ArchiveError, ArchiveHashMismatchError

URL = "https://c.example/main/linux-64/a-1-0.conda"
LOCKED = LOCK.replace("linux-64: []", f"linux-64:\n      - conda: {URL}").replace(
    "packages: []", f"packages:\n- conda: {URL}\n  sha256: {'ab' * 32}"
)
CONTENT = {
    "conda.toml": MANIFEST,
    "conda.lock": LOCKED,
    "a": "text of a",
    "run": Script(b"#!/bin/sh\n"),
    "link": Link("a"),
    "x.png": random.Random(9).randbytes(200),
    "folder": None,
}


@pytest.fixture
def proven(tmp_path):
    """Return an archive with a receipt, beside what it was made of and what comes out of it."""
    root = fill(tmp_path / "space", CONTENT)
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst", receipt=True, exclude=["*.log"])
    archive.extract(target=tmp_path / "whole", require_sha256=True)
    return archive


def flips(path, each, *, step=1):
    """Flip single bits of a file, several of every byte or of some, one at a time while the caller looks; the place."""
    bits = random.Random(4)
    content = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for place in range(0, len(content), step):
            for bit in bits.sample(range(8), each):
                os.pwrite(file.fileno(), bytes([content[place] ^ 1 << bit]), place)
                yield place
            os.pwrite(file.fileno(), content[place : place + 1], place)
    assert path.read_bytes() == content


def test_every_bit_of_an_archive_is_proven_by_its_receipt(proven):
    count = 0
    for _ in flips(proven.path, 3):
        with pytest.raises(ArchiveHashMismatchError):
            proven.verify()
        count += 1
    assert count > 1900


def test_nothing_is_unpacked_from_an_archive_that_its_receipt_does_not_prove(proven, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    for _ in flips(proven.path, 1, step=4):
        # A hash, or what the flip made of the index, which is looked at first.
        with pytest.raises(ArchiveError):
            proven.extract(target=tmp_path / "target")
        assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_without_a_receipt_a_flipped_bit_gives_an_error_or_the_same_content(proven, tmp_path):
    wanted = tree_of(tmp_path / "whole")
    bare = WorkspaceArchive(proven.path)
    unnoticed = 0
    for number, _ in enumerate(flips(proven.path, 1)):
        for name in ("conda.toml", "a", "x.png"):
            try:
                content = bare.read(name)
            except ArchiveError:
                continue
            assert content == wanted[name][1]
        try:
            assert {member.name for member in bare.members()} == {*CONTENT}
            bare.inspect()
        except ArchiveError:
            pass
        if number % 4 == 0:
            target = tmp_path / f"target{number}"
            try:
                bare.extract(target=target)
            except ArchiveError:
                assert not target.exists()
            else:
                assert tree_of(target) == wanted
                unnoticed += 1
    # Index and seek table are hints, of which unpacking takes no notice.
    assert unnoticed > 0


def proof(receipt):
    """Return what a receipt proves: the digests, and which packages the lock has."""
    paths = receipt.workspace_paths
    digests = receipt.subject_digests
    archives = {digest for name, digest in digests.items() if name not in paths}
    packages = {
        environment.name: {(package.data["url"], package.data["sha256"]) for package in environment.packages}
        for environment in receipt.inventory.environments
    }
    return paths, archives, [digests[name] for name in paths], packages


def noticed(archive, folder, **options):
    """Say whether verifying or unpacking would notice what was done to the receipt; else return the receipt."""
    try:
        receipt = archive.verify(**options)
        receipt.verify_extracted(folder, require_sha256=True)
    except ArchiveError:
        return None
    return receipt


def test_every_bit_of_a_receipt_counts_but_for_what_it_only_notes(proven, tmp_path):
    content = proven.receipt_path.read_bytes()
    wanted = proof(proven.verify())
    notes = set()
    count = 0
    for place in flips(proven.receipt_path, 2):
        count += 1
        receipt = noticed(proven, tmp_path / "whole")
        if receipt is not None:
            assert proof(receipt) == wanted
            notes.add(content.decode().split("\n")[content.count(b"\n", 0, place)].split(":")[0].strip(' "[],'))
    assert count > 2500
    # How it was asked for, where environments were, what the archive was called; fields that the digests make needless.
    assert notes <= {
        *("options", "bundle", "compressionLevel", "exclude", "*.log", "include", "lock", "prefix", "name", "sha256"),
        *("build_number", "channel", "fn", "subdir"),
    }


def test_no_bit_of_a_digest_in_a_receipt_can_change(proven, tmp_path):
    content = proven.receipt_path.read_bytes().decode()
    statement = json.loads(content)
    digests = [subject["digest"]["sha256"] for subject in statement["subject"]] + ["ab" * 32]
    for digest in digests:
        start = content.index(digest)
        for place in range(start, start + 64):
            other = "0" if content[place] != "0" else "1"
            proven.receipt_path.write_text(content[:place] + other + content[place + 1 :])
            assert noticed(proven, tmp_path / "whole") is None


def test_every_bit_of_a_signed_statement_is_proven(tmp_path, make_keys):
    private, public = make_keys(tmp_path, "ed25519")
    root = fill(tmp_path / "space", CONTENT)
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst", receipt=True, sign=private)
    content = archive.receipt_path.read_bytes()
    payload = b64decode(json.loads(content)["payload"])
    statement = ArchiveReceipt.parse(payload).statement
    refused = accepted = 0
    for _ in flips(archive.receipt_path, 1):
        try:
            receipt = archive.verify(keys=[public])
        except ArchiveError:
            refused += 1
            continue
        # Only the hint at the key, and bits of base64 that stand for nothing.
        assert receipt.statement == statement
        accepted += 1
    assert refused > 2000
    assert accepted < 100
