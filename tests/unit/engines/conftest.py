"""An engine with caches of its own, channels, and a server on loopback."""

from pathlib import Path

import pytest
from channels import Channel
from servers import serving

from cwtasks.engines import InstallRequest, SolveRequest
from cwtasks.engines.rattler import RattlerEngine


@pytest.fixture
def channel(tmp_path) -> Channel:
    return Channel(tmp_path / "site" / "channel")


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site").mkdir(exist_ok=True)
    with serving(tmp_path / "site") as site:
        yield site


@pytest.fixture
def environ(tmp_path) -> dict[str, str]:
    """Variables in which no configuration of the machine is found."""
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}


class Bench:
    """The engine, and what tests ask of it in one word each."""

    def __init__(self, engine, folder: Path) -> None:
        self.engine = engine
        self.prefix = folder / "env"
        self.told = []

    def solve(self, *channels, specs=("leaf",), platform="linux-64", **fields):
        urls = tuple(getattr(channel, "url", channel) for channel in channels)
        request = SolveRequest(channels=urls, specs=tuple(specs), platform=platform, **fields)
        return self.engine.solve(request, report=self.told.append)

    def fetch(self, records, channels=(), **fields):
        return self.engine.fetch(records, report=self.told.append, channels=lambda: channels, **fields)

    def install(self, records, archives=None, **fields):
        archives = self.fetch(records) if archives is None else archives
        request = InstallRequest(
            **{"prefix": str(self.prefix), "platform": "linux-64", **fields}, records=tuple(records), archives=archives
        )
        self.engine.install(request, report=self.told.append)

    def installed(self) -> list[str]:
        return sorted(path.stem for path in (self.prefix / "conda-meta").glob("*.json"))


@pytest.fixture
def bench(tmp_path, environ) -> Bench:
    return Bench(RattlerEngine(cache_folder=str(tmp_path / "cache"), environ=environ, retries=0), tmp_path)
