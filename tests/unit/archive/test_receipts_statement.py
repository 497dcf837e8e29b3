"""Receipts: made, written, read back, and held against archives and unpacked workspaces."""

import copy
import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwtasks.archive.documents import DocumentLimits, parse
from cwtasks.archive.inventory import REDACTED_URL, ReceiptInventory, ReceiptPackageRecord, redact
from cwtasks.archive.receipt_errors import (
    DigestMissingError,
    DuplicateKeyError,
    InventoryMismatchError,
    ProvenFileError,
    ReceiptError,
    ReceiptInputError,
    ReceiptLimitError,
)
from cwtasks.archive.receipts import ArchiveReceipt
from cwtasks.exceptions import ArchiveError, ArchiveHashMismatchError
from cwtasks.lockfile import Lock, LockedEnvironment, LockedPackage
from cwtasks.models.workspace import ArchiveConfig

THEIRS = {
    "_type": "https://in-toto.io/Statement/v1",
    "predicateType": "https://conda-incubator.github.io/conda-workspaces/workspace-archive-receipt-1.schema.json",
    "subject": [
        {"name": "widget.tar.gz", "digest": {"sha256": "AB" * 32}},
        {"name": "conda.toml", "digest": {"sha256": "01" * 32}},
        {"name": "conda.lock", "digest": {"sha256": "02" * 32}},
    ],
    "predicate": {
        "archive": {"formatVersion": 1, "options": {}},
        "environments": [
            {
                "name": "default",
                "prefix": ".conda/envs/default",
                "packages": [{"url": "https://c.example/main/linux-64/a-1-0.conda", "sha256": "CD" * 32}],
            }
        ],
        "workspace": {"manifest": "conda.toml", "lockfile": "conda.lock"},
    },
}


def test_a_receipt_says_what_the_schema_asks_for_in_one_form_only(build, packed):
    receipt = build()
    text = receipt.to_bytes().decode()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    told = json.loads(text)
    assert [subject["name"] for subject in told["subject"]] == ["widget.tar.zst", "conda.toml", "conda.lock"]
    assert told["subject"][2]["digest"]["sha256"] == sha256((packed / "conda.lock").read_bytes()).hexdigest()
    environment = told["predicate"]["environments"][0]
    assert environment["prefix"] == ".conda/envs/default"
    assert [package["fn"] for package in environment["packages"]] == [
        "libc-2.1-0.conda",
        "zlib-1.3-h4_6.conda",
        "tz-1-0.conda",
    ]
    assert environment["packages"][0] == {
        "build_number": 0,
        "channel": "https://channel.example/main",
        "fn": "libc-2.1-0.conda",
        "md5": "cd" * 16,
        "sha256": "ab" * 32,
        "subdir": "linux-64",
        "url": "https://channel.example/main/linux-64/libc-2.1-0.conda",
    }


def test_what_is_written_is_read_back(build, packed):
    receipt = build()
    path = ArchiveReceipt.default_path(packed.parent / "widget.tar.zst")
    assert path.name == "widget.tar.zst.receipt.json"
    receipt.write(path)
    loaded = ArchiveReceipt.load(path)
    assert loaded.statement == receipt.statement
    assert loaded.workspace_paths == ("conda.toml", "conda.lock")
    assert loaded.format_version == 1
    assert not loaded.is_signed
    assert sorted(entry.name for entry in packed.parent.iterdir()) == ["widget", "widget.tar.zst", path.name]


def test_an_environment_that_the_lock_lacks_has_no_packages(build):
    receipt = build(environment_prefixes={"default": None, "docs": "/opt/docs"})
    assert receipt.inventory.to_json()[1] == {"name": "docs", "packages": [], "prefix": "/opt/docs"}


def test_known_digests_are_not_computed_again(build, packed):
    (packed.parent / "widget.tar.zst").unlink()
    assert build(digests={"widget.tar.zst": "0f" * 32}).subject_digests["widget.tar.zst"] == "0f" * 32


def test_a_renamed_archive_verifies_and_a_changed_one_does_not(build, packed):
    receipt = build()
    archive = packed.parent / "widget.tar.zst"
    receipt.verify_archive(archive)
    renamed = archive.rename(packed.parent / "other.tar.zst")
    receipt.verify_archive(renamed)
    renamed.write_bytes(b"changed")
    with pytest.raises(ArchiveHashMismatchError) as caught:
        receipt.verify_archive(renamed)
    expected, actual = receipt.subject_digests["widget.tar.zst"], sha256(b"changed").hexdigest()
    assert caught.value.error_message == f"other.tar.zst: sha256 is {actual}, the receipt says {expected}"


def test_an_unpacked_workspace_verifies(build, packed):
    build().verify_extracted(packed, require_sha256=True)


@pytest.mark.parametrize("name", ["conda.toml", "conda.lock"])
def test_a_changed_file_is_noticed(build, packed, name):
    receipt = build()
    with (packed / name).open("a") as file:
        file.write("\n")
    with pytest.raises(ArchiveHashMismatchError, match=name):
        receipt.verify_extracted(packed)


def test_a_link_in_the_place_of_the_lock_is_refused(build, packed):
    receipt = build()
    (packed / "conda.lock").rename(packed.parent / "conda.lock")
    (packed / "conda.lock").symlink_to(packed.parent / "conda.lock")
    with pytest.raises(ProvenFileError, match="expected a plain file"):
        receipt.verify_extracted(packed)


def test_a_receipt_of_conda_workspaces_is_read():
    receipt = ArchiveReceipt.parse(json.dumps(THEIRS).encode())
    receipt.verify_archive("anything.tar.gz", digest="ab" * 32)
    assert receipt.inventory.environments[0].packages[0].data["sha256"] == "cd" * 32


def changed(*keys, to=None):
    document = copy.deepcopy(THEIRS)
    holder = document
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = to
    return document


@pytest.mark.parametrize(
    ("document", "fact"),
    [
        pytest.param([], "expected an object", id="no object"),
        pytest.param(changed("_type"), "_type: expected https://in-toto.io/Statement/v1", id="type"),
        pytest.param(
            changed("predicateType"), f"predicateType: expected {THEIRS['predicateType']}", id="predicate type"
        ),
        pytest.param(changed("subject", to=[]), "subject: expected a list that is not empty", id="no subjects"),
        pytest.param(changed("subject", 0, to=1), "subject[0]: expected an object", id="subject"),
        pytest.param(changed("subject", 0, "name", to=""), "subject[0].name: expected text", id="no name"),
        pytest.param(
            changed("subject", 1, "name", to="conda.lock"),
            "subject[2].name: a subject stands here twice",
            id="subject twice",
        ),
        pytest.param(
            changed("subject", 0, "digest", to={"sha256": "ab"}),
            "subject[0].digest.sha256: expected 64 hexadecimal digits",
            id="digest",
        ),
        pytest.param(
            changed("predicate", "workspace", "lockfile", to="../conda.lock"),
            "predicate.workspace.lockfile: expected a path that stays in the workspace",
            id="path that leaves",
        ),
        pytest.param(
            changed("predicate", "workspace", "manifest", to="pixi.toml"),
            "subject: manifest or lock of the workspace is not among them",
            id="no subject for the manifest",
        ),
        pytest.param(
            changed("predicate", "archive", "formatVersion", to=True),
            "predicate.archive.formatVersion: expected 1",
            id="version that is a boolean",
        ),
        pytest.param(
            changed("predicate", "environments", to={}), "predicate.environments: expected a list", id="environments"
        ),
        pytest.param(
            changed("predicate", "environments", to=THEIRS["predicate"]["environments"] * 2),
            "predicate.environments[1].name: an environment stands here twice",
            id="environment twice",
        ),
        pytest.param(
            changed("predicate", "environments", 0, "prefix", to="a/../b"),
            "predicate.environments[0].prefix: expected a path without '.' and '..'",
            id="prefix",
        ),
        pytest.param(
            changed("predicate", "environments", 0, "packages", to=[{"fn": "a"}, {"fn": "a"}]),
            "predicate.environments[0].packages[1]: a package stands here twice",
            id="package twice",
        ),
        pytest.param(
            changed("predicate", "environments", 0, "packages", to=[{}]),
            "predicate.environments[0].packages[0]: expected url, fn or name, found none of them",
            id="package without a name",
        ),
    ],
)
def test_what_is_no_receipt_is_told_with_its_place(document, fact):
    with pytest.raises(ReceiptError) as caught:
        ArchiveReceipt.parse(json.dumps(document).encode(), path="r.json")
    assert str(caught.value) == (f"r.json: {fact}\nhint: get the receipt again from where the archive was made")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        pytest.param(b"{", ReceiptError, "line 1: expected JSON", id="cut off"),
        pytest.param(b"\xff", ReceiptError, "expected UTF-8", id="other bytes"),
        pytest.param(b'{"a": 1, "a": 1}', DuplicateKeyError, "the same key twice", id="duplicate"),
        pytest.param(b"NaN", ReceiptError, "a number that JSON does not have", id="no number"),
        pytest.param(b"[" * 100_000, ReceiptLimitError, "nested deeper than 128", id="endless depth"),
        pytest.param(b"[" * 200 + b"]" * 200, ReceiptLimitError, "nested deeper than 128", id="depth"),
        pytest.param(b'["\\ud800"]', ReceiptError, "half of a surrogate pair", id="half a character"),
        pytest.param(b"9" * 10_000, ReceiptError, "too many digits", id="endless number"),
    ],
)
def test_json_that_readers_could_differ_about_is_refused(content, error, message):
    with pytest.raises(error, match=message):
        ArchiveReceipt.parse(content)


def test_limits_hold():
    with pytest.raises(ReceiptLimitError, match="at most 3 values"):
        parse(b"[1, 2, 3]", "r", DocumentLimits(items=3))
    with pytest.raises(ReceiptLimitError, match="at most 3 bytes"):
        parse(b"[1]\n", "r", DocumentLimits(size_bytes=3))


def test_a_missing_receipt_is_told(tmp_path):
    with pytest.raises(ReceiptError, match="cannot be read: No such file or directory"):
        ArchiveReceipt.load(tmp_path / "none.json")


CONTENT = json.dumps(THEIRS, indent=1).encode()


@given(st.integers(0, len(CONTENT) - 1), st.integers(0, 255))
def test_any_single_byte_changed_is_refused_or_gives_another_document_or_the_same(place, byte):
    """A bare receipt cannot prove itself: what holds is that nothing but our errors leaves, and no doubt about what it says."""
    mutated = CONTENT[:place] + bytes([byte]) + CONTENT[place + 1 :]
    try:
        receipt = ArchiveReceipt.parse(mutated)
    except ArchiveError:
        return
    assert receipt.statement == json.loads(mutated)
    assert ArchiveReceipt.parse(receipt.to_bytes()).statement == receipt.statement


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("https://c.example/m/x-1-0.conda", "https://c.example/m/x-1-0.conda", id="nothing to hide"),
        pytest.param("https://u:s3cret@c.example/m", "https://c.example/m", id="user"),
        pytest.param("https://u:s3@cret@c.example/m", "https://c.example/m", id="@ in a password"),
        pytest.param("https://c.example/t/s3cret/m", "https://c.example/m", id="token"),
        pytest.param("https://c.example/m?k=s3cret", "https://c.example/m", id="query"),
        pytest.param("https://c.example/m#s3cret", "https://c.example/m", id="fragment"),
        pytest.param("https://u:s3cret%40c.example/m", REDACTED_URL, id="encoded at"),
        pytest.param("https://c.example/%74/s3cret/m", REDACTED_URL, id="encoded token"),
        pytest.param("https://c.example%2Ft%2Fs3cret/m", REDACTED_URL, id="encoded slashes"),
        pytest.param("https://c.example/m%253Fk=s3cret", REDACTED_URL, id="encoded twice"),
        pytest.param("https://c.example/m%25252525253Fs3cret", REDACTED_URL, id="encoded too often"),
        pytest.param("https://c.example/x-1%2B2-0.conda", "https://c.example/x-1%2B2-0.conda", id="innocent"),
        pytest.param("file:///t/folder/x", "file:///t/folder/x", id="folder called t"),
        pytest.param("main", "main", id="name"),
    ],
)
def test_secrets_of_urls_stay_out(url, shown):
    assert redact(url) == shown
    record = {"fn": "x-1-0.conda", "channel": url}
    kept = ReceiptPackageRecord.from_record(record, fallback_url=f"{shown}/linux-64/x-1-0.conda")
    assert "cret" not in json.dumps(dict(kept.data))


def inventory(*packages, name="default"):
    return ReceiptInventory.parse([{"name": name, "packages": list(packages)}])


ONE = {"url": "https://c.example/m/noarch/a-1-0.conda", "sha256": "ab" * 32}


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        pytest.param(
            inventory(),
            ReceiptInventory(),
            "environment 'default': the receipt has it, the workspace has not",
            id="env",
        ),
        pytest.param(
            ReceiptInventory(),
            inventory(),
            "environment 'default': the workspace has it, the receipt has not",
            id="unexpected env",
        ),
        pytest.param(inventory(ONE), inventory(), "environment 'default': the lock lacks a-1-0.conda", id="missing"),
        pytest.param(inventory(), inventory(ONE), "environment 'default': the receipt lacks a-1-0.conda", id="more"),
        pytest.param(
            inventory(ONE),
            inventory({**ONE, "sha256": "cd" * 32}),
            "environment 'default': lock and receipt differ in the sha256 of a-1-0.conda",
            id="digest",
        ),
        pytest.param(
            inventory({"url": "https://u:s3cret@c.example/m/noarch/a-1-0.conda"}),
            inventory(),
            "environment 'default': the lock lacks a-1-0.conda",
            id="secret of a stranger",
        ),
    ],
)
def test_inventories_that_differ(expected, actual, message):
    with pytest.raises(InventoryMismatchError) as caught:
        expected.compare(actual)
    assert caught.value.error_message == message


def test_what_only_one_side_says_twice_is_no_difference():
    inventory({**ONE, "name": "a", "channel": "m"}).compare(inventory({**ONE, "channel": "https://c.example/m"}))


def test_sha256_can_be_demanded():
    bare = inventory({"url": ONE["url"]})
    bare.compare(bare)
    with pytest.raises(DigestMissingError, match=r"the receipt has no sha256 for a-1-0\.conda"):
        bare.compare(bare, require_sha256=True)


names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
digests = st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(st.dictionaries(names, st.dictionaries(names, digests, max_size=4), max_size=4))
def test_what_a_lock_holds_is_written_and_read_back_whole_and_equal(content):
    environments = {
        name: LockedEnvironment(
            channels=(),
            packages={
                platform: tuple(
                    LockedPackage.from_record({"url": f"https://c.example/m/noarch/{stem}-1-0.conda", "sha256": digest})
                    for stem, digest in packages.items()
                )
                for platform in ("linux-64", "osx-64")
            },
        )
        for name, packages in content.items()
    }
    made = ReceiptInventory.from_lock(Lock(environments=environments), dict.fromkeys(content))
    statement = {**THEIRS, "predicate": {**THEIRS["predicate"], "environments": made.to_json()}}
    loaded = ArchiveReceipt.parse(ArchiveReceipt(statement).to_bytes())
    assert loaded.statement == statement
    assert loaded.inventory == made
    loaded.inventory.compare(made)


def test_platforms_that_disagree_about_a_package_are_told():
    packages = {
        platform: (LockedPackage.from_record({"url": ONE["url"], "sha256": digest * 32}),)
        for platform, digest in (("linux-64", "ab"), ("osx-64", "cd"))
    }
    lock = Lock(environments={"default": LockedEnvironment(channels=(), packages=packages)})
    with pytest.raises(ReceiptInputError) as caught:
        ReceiptInventory.from_lock(lock, {"default": None}, path="conda.lock")
    assert str(caught.value) == (
        "conda.lock: platforms disagree about a-1-0.conda\nhint: run 'doit lock' to write it anew"
    )


def test_patterns_stay_and_urls_among_them_lose_their_secrets(build):
    receipt = build(archive_config=ArchiveConfig(include=("a?[#]", "https://u:s3cret@c.example/m")))
    assert receipt.predicate["archive"]["options"]["include"] == ["a?[#]", "https://c.example/m"]
