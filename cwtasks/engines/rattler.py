"""The engine that is always there: rattler, in a child process for every solve and install.

This is the parent's side. It knows the requests, where things are kept and who may know which secret; it imports
nothing of rattler, which lives in :mod:`cwtasks.engines.rattler_worker`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.engines import channels, fetch
from cwtasks.engines.protocol import Progress, file_name, redacted, text_of
from cwtasks.exceptions import (
    BadSpecError,
    ChannelUnavailableError,
    CwtasksError,
    EngineCrashError,
    EngineMissingError,
    InstallError,
    LinkScriptError,
    PackageUnavailableError,
    UnsatisfiableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

    from cwtasks.engines.protocol import InstallRequest, Record, Report, SolveRequest

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rattler_worker.py")
STDERR_TAIL_BYTES = 4000


class Answer(NamedTuple):
    """What the worker said at its end."""

    result: Any
    error: dict[str, Any] | None
    stderr: str
    """The last lines of it, and of what link scripts wrote; without credentials."""


class _Worker(NamedTuple):
    """A child process and what it writes beside its answer."""

    process: subprocess.Popen[bytes]
    stderr: IO[bytes]


class RattlerEngine:
    """Solves, fetches and installs; see :class:`cwtasks.engines.protocol.Engine`.

    Keeps all it keeps below one folder: indexes in ``repodata``, verified archives in ``pkgs``, and in ``extracted``
    what rattler unpacked of them. The last is ours alone: rattler trusts what is there, so nobody may fill it
    without verifying, which rattler itself does not do with local files.
    """

    name = "rattler"

    def __init__(
        self,
        *,
        cache_folder: str,
        environ: Mapping[str, str],
        library: str | None = None,
        retries: int = 2,
        start_worker: Callable[[int], None] | None = None,
        end_worker: Callable[[int], None] | None = None,
    ) -> None:
        """Start nothing.

        Args:
            cache_folder: Absolute path.
            environ: Variables of this process, for the worker and for the places of configuration files.
            library: Folder rattler is imported from; the one this interpreter would take by default.
            retries: How often an index is asked for again after a server had a bad moment.
            start_worker: Told the process group of each worker.
            end_worker: Told when it has ended.
        """
        self._start_worker = start_worker or (lambda _: None)
        self._end_worker = end_worker or (lambda _: None)
        self._folder = os.path.abspath(cache_folder)
        self._environ = environ
        self._library = library
        self._retries = retries
        self._settings: channels.ChannelSettings | None = None
        self._spares: list[_Worker] = []
        self._cache = fetch.PackageCache(folder=os.path.join(self._folder, "pkgs"))

    @property
    def settings(self) -> channels.ChannelSettings:
        """The user's configuration of channels; read when first asked for."""
        if self._settings is None:
            self._settings = channels.read_settings(self._environ)
        return self._settings

    @property
    def package_folder(self) -> str:
        """Where verified archives are kept."""
        return self._cache.folder

    def package_path(self, record: Record) -> str:
        """Return where the verified archive of a record is kept; see the protocol for errors."""
        return self._cache.path(record)

    def note_proven(self, record: Record) -> None:
        """Be told that an archive in the cache was proven; see the protocol for errors."""
        self._cache.verified.remember(self._cache.path(record), fetch.Digest.of(record))

    def get_ready(self) -> None:
        """Start the worker of the next call ahead; it ends with this process if there is none."""
        if not self._spares:
            self._spares.append(self._start())

    def dismiss(self) -> None:
        """End workers that were started ahead and wait for a request."""
        while self._spares:
            process, stderr = self._spares.pop()
            with stderr, process:
                _end(process)
            self._end_worker(process.pid)

    def solve(self, request: SolveRequest, *, report: Report) -> tuple[Record, ...]:
        """Choose packages; see the protocol for arguments and errors."""
        answer = self._run("solve", self._solve_document(request), report, channels.secrets_in(request.channels))
        if answer.error is None:
            return tuple(_public(record) for record in answer.result)
        raise self._solve_error(answer.error, request)

    def _solve_document(self, request: SolveRequest) -> dict[str, Any]:
        settings = self.settings
        logins = channels.logins(request.channels)
        # A password goes into a header. The client that can do this cannot be told to believe any server, so then
        # rattler gets the whole URL, and as it writes URLs into its cache, that one is thrown away.
        by_url = any(login.user for login in logins) and settings.certificates is False
        mirrors = channels.mirrors_with_logins(settings, [] if by_url else request.channels)
        configuration: dict[str, object] = {**settings.rattler, "mirrors": mirrors}
        if settings.certificates is False:
            configuration["tls-no-verify"] = True
        elif settings.certificates is not True:
            configuration["tls-root-certs"] = "system"
        return {
            "channels": [url if by_url else channels.Login.of(url).url for url in request.channels],
            "forgets_index": by_url,
            "headers": [
                [channels.host_of(login.url), _path_of(login.with_token(login.url)) + "/", login.authorization]
                for login in ([] if by_url else logins)
                if login.user
            ],
            "mirrors": mirrors,
            "config": channels.to_toml(configuration),
            "uses_shards": settings.uses_shards,
            "retries": self._retries,
            "cache_folder": self._made("repodata"),
            "specs": request.specs,
            "constraints": request.constraints,
            "platform": request.platform,
            "virtual_packages": request.virtual_packages,
            "locked": [_complete(record) for record in request.locked],
            "channel_priority": request.channel_priority,
            "strategy": request.strategy,
            "exclude_newer": request.exclude_newer,
            "offline": request.offline,
        }

    def _solve_error(self, error: dict[str, Any], request: SolveRequest) -> CwtasksError:
        if error["kind"] == "spec":
            return BadSpecError(error["spec"], error["reason"])
        if error["kind"] == "channel":
            public = channels.Login.of(error["channel"]).url
            return ChannelUnavailableError(public, error["reason"], is_offline=request.offline)
        return UnsatisfiableError("", error["reason"], request.platform)

    def fetch(
        self, records: Sequence[Record], *, report: Report, channels: Sequence[str] = (), offline: bool = False
    ) -> dict[str, str]:
        """Get and verify archives; see the protocol for arguments and errors."""

        def source() -> fetch.Source:
            from cwtasks.engines.transport import Transport  # brings TLS with it

            return Transport(self.settings, channels)

        return fetch.fetch(records, cache=self._cache, source=source, report=report, offline=offline)

    def install(self, request: InstallRequest, *, report: Report) -> None:
        """Make a prefix hold exactly these packages; see the protocol for arguments and errors.

        Raises:
            ValueError: a prefix is not absolute.
        """
        for prefix in (request.prefix, request.target_prefix or request.prefix):
            if not os.path.isabs(prefix):
                raise ValueError(f"prefix {prefix} is not absolute, and packages would be patched with it as it is")
        checked = [self._checked(record, request.archives) for record in request.records]
        document = {
            "prefix": request.prefix,
            "target_prefix": request.target_prefix,
            "records": checked,
            "archives": dict(request.archives),
            "platform": request.platform,
            "requested": request.requested,
            "link_scripts": request.link_scripts,
            "cache_folder": self._made("extracted"),
        }
        answer = self._run("install", document, report, ())
        if answer.error is None:
            return
        if answer.error["kind"] == "link-script":
            raise LinkScriptError(request.prefix, answer.error["packages"], answer.stderr)
        raise InstallError(request.prefix, answer.error["reason"])

    def _checked(self, record: Record, archives: Mapping[str, str]) -> dict[str, Any]:
        """Verify the archive of a record once more and return the record with what rattler wants to know."""
        url = text_of(record, "url")
        digest = fetch.Digest.of(record)
        if url not in archives:
            raise PackageUnavailableError(redacted(url), "it was not fetched")
        try:
            self._cache.verified.check(archives[url], digest)
        except FileNotFoundError:
            raise PackageUnavailableError(redacted(url), f"{archives[url]} is gone") from None
        complete = _complete(_public(record))
        if digest.algorithm != "sha256":
            # rattler knows what it unpacked by sha256 and cannot tell two archives apart without one.
            complete["sha256"] = fetch.Digest("sha256", "").of_file(archives[url])
        return complete

    def _made(self, name: str) -> str:
        folder = os.path.join(self._folder, name)
        os.makedirs(folder, exist_ok=True)
        return folder

    def _run(self, action: str, document: dict[str, Any], report: Report, secrets: Sequence[str]) -> Answer:
        """Start a worker, hand it one request and return its answer.

        It lives in a process group of its own, and ends with this call: whatever interrupts us kills the group, and
        should we be killed ourselves, the worker notices the end of its stdin.
        """
        line = json.dumps({**document, "action": action}) + "\n"
        try:
            process, stderr = self._spares.pop()
        except IndexError:
            process, stderr = self._start()
        with stderr, process as worker:
            try:
                answer = _talk(worker, line.encode(), report, secrets)
                code = worker.wait()
            finally:
                _end(worker)
                self._end_worker(worker.pid)
            said = _tail(stderr, secrets)
        if answer is None:
            raise EngineCrashError(self.name, action, code, said)
        error = answer.get("error")
        return Answer(answer.get("result"), _redacted_error(error, secrets) if error else None, said)

    def _start(self) -> _Worker:
        """Start a worker, which then waits for its request."""
        command = [sys.executable, "-I", "-S", "-X", "utf8", WORKER, self._found_library()]
        environ = self._worker_environ()
        stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who takes the answer
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environ,
            start_new_session=True,
        )
        # From now on: one that waits for its request must not outlive a Ctrl-C either.
        self._start_worker(process.pid)
        return _Worker(process, stderr)

    def _found_library(self) -> str:
        if self._library is None:
            # The isolated interpreter looks neither at PYTHONPATH nor at the user's own packages; we may have.
            found = importlib.util.find_spec("rattler")
            if found is None or not found.origin:
                raise EngineMissingError(self.name, "py-rattler")
            self._library = os.path.dirname(os.path.dirname(found.origin))
        return self._library

    def _worker_environ(self) -> dict[str, str]:
        settings = self.settings
        environ = {**self._environ}
        for scheme, proxy in settings.proxies.items():
            environ[f"{scheme.upper()}_PROXY"] = environ[f"{scheme}_proxy"] = proxy
        if settings.no_proxy:
            environ["NO_PROXY"] = environ["no_proxy"] = settings.no_proxy
        if isinstance(settings.certificates, str):
            environ["SSL_CERT_FILE"] = settings.certificates
        if settings.auth_file and os.path.isfile(settings.auth_file):
            environ["RATTLER_AUTH_FILE"] = settings.auth_file
        return environ


def _talk(
    worker: subprocess.Popen[bytes], line: bytes, report: Report, secrets: Sequence[str]
) -> dict[str, Any] | None:
    """Send the request, pass progress on, and return the last line, ``None`` when there is none."""
    assert worker.stdin is not None  # noqa: S101 - for the type checker: both are pipes
    assert worker.stdout is not None  # noqa: S101
    try:
        worker.stdin.write(line)
        worker.stdin.flush()
    except BrokenPipeError:
        return None
    for answer in worker.stdout:
        try:
            document = json.loads(answer)
        except ValueError:
            return None  # cut off by its death
        if "progress" not in document:
            return dict(document)
        phase, done, total, text = document["progress"]
        report(Progress(phase, done, total, redacted(text, secrets)))
    return None


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the worker and its link scripts, and take its exit status."""
    if worker.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(worker.pid, signal.SIGKILL)
        else:
            worker.kill()
    worker.wait()


def _tail(stderr: IO[bytes], secrets: Sequence[str]) -> str:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - STDERR_TAIL_BYTES))
    return redacted(stderr.read().decode(errors="replace"), secrets)


def _redacted_error(error: dict[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    shown = {
        key: redacted(value, secrets) if isinstance(value, str) and key != "channel" else value
        for key, value in error.items()
    }
    return {**shown, "reason": shown["reason"].strip()}


def _public(record: Record) -> dict[str, Any]:
    """Return a record whose URL and channel may be written and shown."""
    url = channels.Login.of(text_of(record, "url")).url
    return {**record, "url": url, "channel": _channel_of(record, url)}


def _channel_of(record: Record, url: str) -> str:
    # rattler blots credentials out of the channel, which is then no URL of anything.
    beside = f"/{text_of(record, 'subdir')}/{file_name(record)}"
    return url.removesuffix(beside) if url.endswith(beside) else text_of(record, "channel").rstrip("/")


def _complete(record: Record) -> dict[str, Any]:
    """Return a record with the fields a worker reads without asking."""
    url = text_of(record, "url")
    subdir = text_of(record, "subdir") or url.rpartition("/")[0].rpartition("/")[2]
    known = {**record, "fn": file_name(record), "subdir": subdir}
    return {**known, "channel": text_of(record, "channel") or _channel_of(known, url)}


def _path_of(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]
