"""Small locks, made of few words."""

from pathlib import Path

import pytest

from cwtasks.lockfile import Lock, LockedEnvironment, LockedPackage

CHANNEL = "https://channel.example/main"
CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"


@pytest.fixture
def package():
    """Return a package made of ``name-version-build``, for one platform; with a digest, unless told otherwise."""

    def make(stem, *, subdir="linux-64", channel=CHANNEL, **fields):
        url = f"{channel}/{subdir}/{stem}.conda"
        return LockedPackage.from_record({"url": url, "sha256": "ab" * 32, **fields})

    return make


@pytest.fixture
def lock_of():
    """Return a lock with one environment on linux-64."""

    def make(*packages, name="default", platform="linux-64", channels=(CHANNEL,), **fields):
        environment = LockedEnvironment(channels=channels, packages={platform: packages})
        return Lock(environments={name: environment}, **fields)

    return make


@pytest.fixture(
    params=[pytest.param(path, id=path.parent.name) for path in sorted(CORPUS.glob("*/pixi.lock"))]
    or [pytest.param(None, marks=pytest.mark.skip(reason="the corpus of public lock files is not here"))]
)
def public_lock(request):
    """Return the path of a lock that people really use."""
    return request.param
