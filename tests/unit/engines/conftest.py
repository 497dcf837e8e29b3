"""An engine with caches of its own, channels, and a server on loopback that can be told to misbehave."""

import http.server
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from channels import Channel

from cwtasks.engines import InstallRequest, SolveRequest
from cwtasks.engines.rattler import RattlerEngine


class Site:
    """Serves a folder; ``rules`` say what is answered otherwise."""

    def __init__(self, server: http.server.HTTPServer) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.rules = []
        """Functions of a request handler; the first that returns a true value has answered."""
        self.asked = []
        """Method, path and Authorization of every request."""

    def fail(self, part: str, status: int, times: int = 10**6) -> None:
        """Answer requests for paths that hold ``part`` with a status, so many times."""
        left = [times]

        def rule(handler) -> bool:
            if part in handler.path and left[0] > 0:
                left[0] -= 1
                handler.send_response(status)
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return True
            return False

        self.rules.append(rule)

    def say(self, end: str, data: bytes, length: int | None = None) -> None:
        """Answer requests for paths that end so with these bytes."""

        def rule(handler) -> bool:
            if not handler.path.endswith(end):
                return False
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(data) if length is None else length))
            handler.send_header("Last-Modified", handler.date_time_string(1_700_000_000))
            handler.end_headers()
            if handler.command == "GET":
                handler.wfile.write(data)
            handler.close_connection = True
            return True

        self.rules.append(rule)

    def gets(self, suffix: str) -> int:
        return sum(method == "GET" and path.endswith(suffix) for method, path, _ in self.asked)


class _Handler(http.server.SimpleHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append((self.command, self.path, self.headers.get("Authorization")))
        if not any(rule(self) for rule in self.site.rules):
            self.path = self.path.removeprefix("/t/TOKEN")
            super().do_GET() if self.command == "GET" else super().do_HEAD()

    do_HEAD = do_GET

    def log_message(self, *_) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_) -> None:
        pass  # a client that goes away is no news


@contextmanager
def serving(folder: Path):
    class Handler(_Handler):
        def __init__(self, *args) -> None:
            super().__init__(*args, directory=str(folder))

    with _Server(("127.0.0.1", 0), Handler) as server:
        Handler.site = Site(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield Handler.site
        finally:
            server.shutdown()


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

    def fetch(self, records, **fields):
        return self.engine.fetch(records, report=self.told.append, **fields)

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
