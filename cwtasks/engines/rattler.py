"""The engine that is always there: rattler, in a child process for every solve and install.

This is the parent's side: where things are kept, which worker does what. What is said to a worker is made in
:mod:`cwtasks.engines.rattler_requests`; rattler itself is imported in :mod:`cwtasks.engines.rattler_worker` only.

It imports nothing of channels and packages before there is need, for a worker that is started ahead should start soon.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cwtasks.engines.worker import Worker
from cwtasks.exceptions import EngineCrashError, EngineMissingError, PackageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cwtasks.engines.channels import ChannelSettings
    from cwtasks.engines.fetch import PackageCache, Source
    from cwtasks.engines.protocol import InstallRequest, Record, Report, SolveRequest

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rattler_worker.py")
PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(WORKER)))
"""Folder that this package is imported from."""


class RattlerEngine:
    """Solves, fetches and installs; see :class:`cwtasks.engines.protocol.Engine`.

    Keeps all it keeps below one folder: indexes in ``repodata``, verified archives in ``pkgs``, and in ``extracted``
    what was unpacked of them. The last is ours alone: rattler trusts what is there, so nobody may fill it
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
        self._spares: list[Worker] = []

    @cached_property
    def settings(self) -> ChannelSettings:
        """The user's configuration of channels; read when first asked for."""
        from cwtasks.engines.channels import read_settings

        return read_settings(self._environ)

    @cached_property
    def _cache(self) -> PackageCache:
        from cwtasks.engines.fetch import PackageCache

        return PackageCache(folder=os.path.join(self._folder, "pkgs"))

    @property
    def package_folder(self) -> str:
        """Where verified archives are kept."""
        return self._cache.folder

    def package_path(self, record: Record) -> str:
        """Return where the verified archive of a record is kept; see the protocol for errors."""
        return self._cache.archive(record).path

    def note_proven(self, records: Sequence[Record]) -> None:
        """Be told that archives in the cache were proven; see the protocol for errors."""
        for archive in map(self._cache.archive, records):
            self._cache.verified.remember(archive.path, archive.digest)
        self._cache.verified.keep()

    def proven(self, records: Sequence[Record]) -> dict[str, str]:
        """Return which archives are kept and were proven before; see the protocol for errors."""
        archives = map(self._cache.archive, records)
        return {archive.url: archive.path for archive in archives if self._cache.is_proven(archive)}

    def get_ready(self) -> None:
        """Start the worker of the next call ahead; it ends with this process if there is none."""
        if not self._spares:
            self._spares.append(self._start())

    def dismiss(self) -> None:
        """End workers that were started ahead and wait for a request."""
        while self._spares:
            self._end(self._spares.pop())

    def solve(self, request: SolveRequest, *, report: Report) -> tuple[Record, ...]:
        """Choose packages; see the protocol for arguments and all errors.

        Raises:
            UnsatisfiableError, BadSpecError, ChannelUnavailableError: as the worker says.
        """
        from cwtasks.engines.channels import secrets_in
        from cwtasks.engines.rattler_requests import public, solve_document, solve_error

        document = solve_document(request, self.settings, retries=self._retries, cache_folder=self._made("repodata"))
        answer = self._run("solve", document, report, secrets_in(request.channels))
        if "error" in answer:
            raise solve_error(answer["error"], request)
        return tuple(public(record) for record in answer["result"])

    def fetch(
        self,
        records: Sequence[Record],
        *,
        report: Report,
        channels: Callable[[], Sequence[str]] = tuple,
        offline: bool = False,
    ) -> dict[str, str]:
        """Get and verify archives; see the protocol for arguments and errors."""
        from cwtasks.engines.fetch import fetch

        def source() -> Source:
            from cwtasks.engines.transport import Transport  # brings TLS with it

            return Transport(self.settings, channels())

        return fetch(records, cache=self._cache, source=source, report=report, offline=offline)

    def install(self, request: InstallRequest, *, report: Report) -> None:
        """Make a prefix hold exactly these packages; see the protocol for arguments and errors.

        Raises:
            ValueError: a prefix is not absolute.
        """
        for prefix in (request.prefix, request.target_prefix or request.prefix):
            if not os.path.isabs(prefix):
                raise ValueError(f"prefix {prefix} is not absolute, and packages would be patched with it as it is")
        from cwtasks.engines.rattler_requests import install_document, install_error

        checked = [self._checked(record, request.archives) for record in request.records]
        document = install_document(request, checked, cache_folder=self._made("extracted"))
        answer = self._run("install", document, report, ())
        if "error" in answer:
            raise install_error(answer["error"], request)

    def _checked(self, record: Record, archives: Mapping[str, str]) -> dict[str, Any]:
        """Verify the archive of a record once more and return the record with what rattler wants to know."""
        from cwtasks.engines.fetch import Digest
        from cwtasks.engines.protocol import redacted, text_of
        from cwtasks.engines.rattler_requests import complete, public

        url = text_of(record, "url")
        digest = Digest.of(record)
        if url not in archives:
            raise PackageUnavailableError(redacted(url), "it was not fetched")
        try:
            self._cache.verified.check(archives[url], digest)
        except FileNotFoundError:
            raise PackageUnavailableError(redacted(url), f"{archives[url]} is gone") from None
        known = complete(public(record))
        if digest.algorithm != "sha256":
            # rattler knows what it unpacked by sha256 and cannot tell two archives apart without one.
            known["sha256"] = Digest("sha256", "").of_file(archives[url])
        return known

    def _made(self, name: str) -> str:
        folder = os.path.join(self._folder, name)
        os.makedirs(folder, exist_ok=True)
        return folder

    def _run(self, action: str, document: dict[str, Any], report: Report, secrets: Sequence[str]) -> dict[str, Any]:
        """Hand a worker one request and return its ``result``, or its ``error`` with the last lines of its stderr."""
        from cwtasks.engines.rattler_requests import redacted_error, worker_environ

        worker = self._spares.pop() if self._spares else self._start()
        try:
            environ = worker_environ(self.settings, self._environ)
            answer = worker.ask({**document, "action": action, "environ": environ}, report, secrets)
        finally:
            self._end(worker)
        if answer.document is None:
            raise EngineCrashError(self.name, action, answer.exit_code, answer.stderr)
        if "error" not in answer.document:
            return answer.document
        return {"error": {**redacted_error(answer.document["error"], secrets), "stderr": answer.stderr}}

    def _start(self) -> Worker:
        """Start a worker, which needs neither configuration nor request for that."""
        library = self._library or self._found_library()
        command = [sys.executable, "-I", "-S", "-X", "utf8", WORKER, library, PACKAGE]
        worker = Worker(command, lambda: _answer_as_a_worker(library))
        # From now on: one that waits for its request must not outlive a Ctrl-C either.
        self._start_worker(worker.group)
        return worker

    def _end(self, worker: Worker) -> None:
        worker.end()
        self._end_worker(worker.group)

    def _found_library(self) -> str:
        # The isolated interpreter looks neither at PYTHONPATH nor at the user's own packages; we may have.
        found = importlib.util.find_spec("rattler")
        if found is None or not found.origin:
            raise EngineMissingError(self.name, "py-rattler")
        return os.path.dirname(os.path.dirname(found.origin))


def _answer_as_a_worker(library: str) -> None:
    from cwtasks.engines import rattler_worker

    sys.path.append(library)
    rattler_worker.main()
