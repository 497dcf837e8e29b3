"""A small workspace with a lock and an archive, and keys made for one run."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cwtasks.archive.receipts import ArchiveReceipt
from cwtasks.lockfile import Lock, LockedEnvironment, LockedPackage, write_lock
from cwtasks.models.workspace import ArchiveConfig

CHANNEL = "https://channel.example/main"


def locked(stem, subdir="linux-64", **fields):
    return LockedPackage.from_record(
        {"url": f"{CHANNEL}/{subdir}/{stem}.conda", "sha256": "ab" * 32, "md5": "cd" * 16, **fields}
    )


@pytest.fixture
def packed(tmp_path):
    """Return the folder of a workspace beside which an archive lies (its content does not matter here)."""
    root = tmp_path / "widget"
    root.mkdir()
    (root / "conda.toml").write_text(
        '[workspace]\nname = "widget"\nchannels = ["main"]\nplatforms = ["linux-64", "osx-64"]\n'
    )
    packages = {
        "linux-64": (locked("zlib-1.3-h4_6", depends=("libc >=2",)), locked("libc-2.1-0"), locked("tz-1-0", "noarch")),
        "osx-64": (locked("tz-1-0", "noarch"),),
    }
    write_lock(
        root / "conda.lock", Lock(environments={"default": LockedEnvironment(channels=(CHANNEL,), packages=packages)})
    )
    (tmp_path / "widget.tar.zst").write_bytes(b"not looked into")
    return root


@pytest.fixture
def build(packed):
    """Return what makes the receipt of the workspace."""

    def make(**changes):
        return ArchiveReceipt.build(
            **{
                "root": packed,
                "archive_path": packed.parent / "widget.tar.zst",
                "archive_config": ArchiveConfig(exclude=("*.pem",)),
                "manifest_path": packed / "conda.toml",
                "lockfile_path": packed / "conda.lock",
                "environment_prefixes": {"default": ".conda/envs/default"},
                **changes,
            }
        )

    return make


@pytest.fixture(params=["ed25519", "ecdsa"])
def keys(request, tmp_path):
    """Return the paths of a private and a public key."""
    return _make_keys(tmp_path, request.param)


@pytest.fixture
def make_keys():
    """Return what makes a pair of keys."""
    return _make_keys


def _make_keys(folder: Path, kind: str, name: str = "key", passphrase: bytes | None = None):
    key = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    private, public = folder / f"{name}.private", folder / f"{name}.public"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public
