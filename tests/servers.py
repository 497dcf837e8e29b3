"""A server on loopback that can be told to misbehave."""

import http.server
import threading
from contextlib import contextmanager
from pathlib import Path


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
