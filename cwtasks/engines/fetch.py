"""Archives of packages: copied or downloaded, several at once, and each verified before anything may use it.

The package cache is addressed by content: ``<sha256[:2]>/<sha256>/<file name>`` below its folder, so a changed archive
never takes the place of a good one, and what is found there is hashed unless it is the very file that was hashed
before. Knows no solver and nothing of what is inside an archive.
"""

from __future__ import annotations

import functools
import hashlib
import os
import queue
import re
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from cwtasks.engines.protocol import Progress, file_name, redacted, text_of
from cwtasks.exceptions import DigestMismatchError, DigestMissingError, PackageUnavailableError
from cwtasks.files import keep_value, kept_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from cwtasks.engines.protocol import Record, Report

CHUNK_BYTES = 1024 * 1024
DOWNLOADS_AT_ONCE = 8
DELAYS_SECONDS = (0.1, 0.3, 0.9)
"""Pauses before each further try of a server that has a bad moment."""

_DIGESTS = {"sha256": re.compile("[0-9a-f]{64}"), "md5": re.compile("[0-9a-f]{32}")}
_NAME = re.compile(r"[^/\\\0:]+\.(?:conda|tar\.bz2)")

T = TypeVar("T")
R = TypeVar("R")


class Digest(NamedTuple):
    """What an archive's content must be."""

    algorithm: str
    """``sha256``, or ``md5`` where a record has nothing better."""
    hex: str
    """Lower case."""

    @classmethod
    def of(cls, record: Record) -> Digest:
        """Return the best digest of a record.

        Raises:
            DigestMissingError: it has none, or one that cannot be one.
        """
        for algorithm, form in _DIGESTS.items():
            text = text_of(record, algorithm).lower()
            if text:
                if not form.fullmatch(text):
                    raise DigestMissingError(redacted(text_of(record, "url")))
                return cls(algorithm, text)
        raise DigestMissingError(redacted(text_of(record, "url")))

    def of_file(self, path: str) -> str:
        """Hash a file the same way; empty when it is not there."""
        try:
            with open(path, "rb") as file:
                return hashlib.file_digest(file, self.algorithm).hexdigest()
        except FileNotFoundError:
            return ""

    def compare(self, actual: str, place: str) -> None:
        """Refuse another digest.

        Args:
            actual: Hexadecimal, of what was found.
            place: Where it was found, for people.

        Raises:
            DigestMismatchError: it is another one.
        """
        if actual != self.hex:
            raise DigestMismatchError(place, self.algorithm, expected=self.hex, actual=actual)


class Verified:
    """Remembers which files had the right content and were not changed since.

    Kept in a file for later processes: what an environment takes from a cache may be gigabytes, and hashing them would
    often take longer than linking what was unpacked of them long ago. The file is never the only copy of anything:
    without it, or without what another process just added, archives are hashed once more.
    """

    def __init__(self, path: str) -> None:
        """Read nothing yet.

        Args:
            path: The file, absolute; it need not be there.
        """
        self._path = path
        self._stamps: dict[tuple[str, str], tuple[int, ...]] | None = None
        self._learnt: dict[tuple[str, str], tuple[int, ...]] = {}

    def knows(self, path: str, digest: Digest) -> bool:
        """Say whether a file is the very one that was hashed, without reading it.

        Raises:
            FileNotFoundError: it is not there.
        """
        return self._known().get((path, digest.hex)) == _stamp(path)

    def check(self, path: str, digest: Digest) -> None:
        """Hash a file unless it is the very one hashed before.

        Raises:
            DigestMismatchError: its content is another one.
            FileNotFoundError: it is not there.
        """
        if self.knows(path, digest):
            return
        stamp = _stamp(path)
        # Two changes within one tick of the clock cannot be told apart, so a file must have rested a while.
        is_old = time.time_ns() - stamp[-1] > 50_000_000
        digest.compare(digest.of_file(path), path)
        if is_old:
            self._learn(path, digest, stamp)

    def remember(self, path: str, digest: Digest) -> None:
        """Note that a file was just written with the right content, under a name that nobody knew.

        Somebody may change it from now on. Within a tick of the clock that would not be noticed, as it would not be
        between any check and the moment an engine reads the file.
        """
        self._learn(path, digest, _stamp(path))

    def keep(self) -> None:
        """Write down what was learnt; where that cannot be, the next process learns it again."""
        if not self._learnt:
            return
        there = {key: stamp for key, stamp in self._read().items() if os.path.exists(key[0])}
        with suppress(OSError):
            keep_value(self._path, {**there, **self._learnt})
        self._learnt = {}

    def _known(self) -> dict[tuple[str, str], tuple[int, ...]]:
        if self._stamps is None:
            self._stamps = self._read()
        return self._stamps

    def _learn(self, path: str, digest: Digest, stamp: tuple[int, ...]) -> None:
        self._known()[path, digest.hex] = self._learnt[path, digest.hex] = stamp

    def _read(self) -> dict[tuple[str, str], tuple[int, ...]]:
        kept = kept_value(self._path)
        return kept if isinstance(kept, dict) else {}


@functools.cache
def _verified_in(folder: str) -> Verified:
    """Return what is known of a folder, the same for the whole process, whoever asks."""
    return Verified(f"{folder}-verified")


def _stamp(path: str) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_ino, found.st_dev, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Archive(NamedTuple):
    """The archive of one record, as it must be."""

    url: str
    name: str
    """Of its file."""
    size: int
    """Bytes, as the record says; 0 where it does not."""
    digest: Digest
    path: str
    """Where it is kept, whether it is there or not; absolute."""


class Source(Protocol):
    """Opens the places an archive may be at."""

    def places(self, url: str) -> list[str]:
        """Return where to look, in order; each may hold credentials."""
        ...

    def open(self, place: str) -> BinaryIO:
        """Open one.

        Raises:
            OSError: it cannot be read.
            TransientError: it cannot be read now; another try may succeed.
        """
        ...


class TransientError(Exception):
    """A server or connection that has a bad moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageCache:
    """A folder of verified archives."""

    folder: str
    """Absolute path."""

    @property
    def verified(self) -> Verified:
        """What was hashed already, by this process or an earlier one."""
        return _verified_in(self.folder)

    def archive(self, record: Record) -> Archive:
        """Return what the archive of a record must be and where it is kept.

        Raises:
            DigestMissingError: the record has no digest.
            PackageUnavailableError: its file name is none.
        """
        url, name, size, digest = text_of(record, "url"), file_name(record), record.get("size"), Digest.of(record)
        # A lock is a text anybody may have written; a name such as "../../bin/x" must not lead out of the cache.
        if not _NAME.fullmatch(name):
            raise PackageUnavailableError(redacted(url), f"'{name}' is no name of an archive")
        path = os.path.join(self.folder, digest.hex[:2], digest.hex, name)
        return Archive(url, name, size if isinstance(size, int) else 0, digest, path)

    def has(self, archive: Archive) -> bool:
        """Say whether it is there with the right content; reads all of it unless that was done before."""
        try:
            self.verified.check(archive.path, archive.digest)
        except (FileNotFoundError, DigestMismatchError):
            return False
        return True

    def is_proven(self, archive: Archive) -> bool:
        """Say whether it is there and was hashed before, without reading it."""
        try:
            return self.verified.knows(archive.path, archive.digest)
        except FileNotFoundError:
            return False

    def put(
        self, archive: Archive, stream: BinaryIO, *, place: str, told: Callable[[int], None], stops: threading.Event
    ) -> None:
        """Copy an archive into the cache if it is the right one.

        Args:
            archive: What it must be.
            stream: Its bytes.
            place: Where they come from, for people.
            told: Is told how many bytes more were copied.
            stops: Ends the copy when set.

        Raises:
            DigestMismatchError: it is another one; nothing is kept.
            InterruptedError: it was stopped.
        """
        digest, path = archive.digest, archive.path
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=folder, prefix=".partial-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                actual = _copy_hashing(stream, file, algorithm=digest.algorithm, told=told, stops=stops)
            digest.compare(actual, place)
            os.replace(aside, path)
            self.verified.remember(path, digest)
        except BaseException:
            os.unlink(aside)
            raise


def _copy_hashing(
    stream: BinaryIO, file: BinaryIO, *, algorithm: str, told: Callable[[int], None], stops: threading.Event
) -> str:
    hashing = hashlib.new(algorithm, usedforsecurity=False)
    while chunk := stream.read(CHUNK_BYTES):
        if stops.is_set():
            raise InterruptedError("stopped")
        hashing.update(chunk)
        file.write(chunk)
        told(len(chunk))
    return hashing.hexdigest()


def fetch(
    records: Sequence[Record],
    *,
    cache: PackageCache,
    source: Callable[[], Source],
    report: Report,
    offline: bool = False,
) -> dict[str, str]:
    """Get and verify the archives of records.

    Args:
        records: Several with one URL count once.
        cache: Where archives are kept.
        source: Gives where they come from; asked when one is missing.
        report: Is told of progress in this thread.
        offline: Take only what is kept, or on this machine.

    Returns:
        Absolute path by ``url``.

    Raises:
        DigestMismatchError: an archive is not the one of the record.
        DigestMissingError: a record has no digest.
        PackageUnavailableError: an archive cannot be had.
    """
    wanted = {text_of(record, "url"): cache.archive(record) for record in records}
    paths = {url: archive.path for url, archive in wanted.items()}
    unproven = [archive for archive in wanted.values() if not cache.is_proven(archive)]
    missing = []
    stops = threading.Event()
    copied = _Counter()

    def get(archive: Archive) -> None:
        _get(archive, places[archive.url], cache, source=opened, told=copied.add, stops=stops, offline=offline)

    try:
        for done, (archive, is_there) in enumerate(each(unproven, cache.has, at_once=_reads_at_once()), 1):
            report(Progress("verify", done, len(unproven), archive.name))
            if not is_there:
                missing.append(archive)
        if not missing:
            return paths
        opened = source()
        places = {
            archive.url: [place for place in opened.places(archive.url) if _is_local(place) or not offline]
            for archive in missing
        }
        is_local = all(map(_is_local, chain.from_iterable(places.values())))
        at_once = _reads_at_once() if is_local else DOWNLOADS_AT_ONCE
        total = sum(archive.size for archive in missing)
        # Large ones first: the last to end is then a small one.
        missing.sort(key=lambda archive: archive.size, reverse=True)
        for archive, _ in each(missing, get, stops, at_once=at_once):
            report(Progress("download", min(copied.value, total or copied.value), total, archive.name))
    finally:
        cache.verified.keep()
    return paths


def _get(
    archive: Archive,
    places: Sequence[str],
    cache: PackageCache,
    *,
    source: Source,
    told: Callable[[int], None],
    stops: threading.Event,
    offline: bool,
) -> None:
    url = archive.url
    failure: Exception = PackageUnavailableError(redacted(url), "it is not in the package cache", is_offline=True)
    for place in places:
        shown = redacted(place if _is_local(place) else url)
        try:
            _copy(archive, place, shown, cache=cache, source=source, told=told, stops=stops)
        except DigestMismatchError as error:
            failure = error
        except FileNotFoundError:
            if not isinstance(failure, DigestMismatchError):
                failure = PackageUnavailableError(redacted(url), "there is no such file", is_offline=offline)
        except (OSError, TransientError) as error:
            if stops.is_set():
                raise
            failure = PackageUnavailableError(redacted(url), redacted(str(error)))
        else:
            return
    raise failure


def _copy(
    archive: Archive,
    place: str,
    shown: str,
    *,
    cache: PackageCache,
    source: Source,
    told: Callable[[int], None],
    stops: threading.Event,
) -> None:
    """Copy from one place, with a few tries while the server has a bad moment."""
    for delay in (*DELAYS_SECONDS, None):
        counted = 0

        def count(size: int) -> None:
            nonlocal counted
            counted += size
            told(size)

        try:
            with source.open(place) as stream:
                cache.put(archive, stream, place=shown, told=count, stops=stops)
        except TransientError:
            told(-counted)
            if delay is None or stops.wait(delay):
                raise
        except BaseException:
            told(-counted)
            raise
        else:
            return


def _is_local(place: str) -> bool:
    return urlsplit(place).scheme == "file"


def _reads_at_once() -> int:
    """Return how many threads read files best: more than there are cores only wait for the interpreter's lock."""
    return (os.cpu_count() or 1) + 1


class _Counter:
    """A number several threads add to."""

    def __init__(self) -> None:
        self.value = 0
        self._lock = threading.Lock()

    def add(self, amount: int) -> None:
        with self._lock:
            self.value += amount


def each(
    items: Sequence[T], work: Callable[[T], R], stops: threading.Event | None = None, *, at_once: int
) -> Iterator[tuple[T, R]]:
    """Do the same with several things at once and yield each with its result, as they are done.

    The threads die with the process: one that waits for a server must not keep an interrupted program alive.

    Args:
        items: The things; their order is the one they are begun in.
        work: What to do; the first error it raises is raised here.
        stops: Set when one fails or the caller stops listening, for work that wants to know.
        at_once: How many at most.
    """
    stops = stops or threading.Event()
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[T, Callable[[], R]]] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)

    def run() -> None:
        while not stops.is_set():
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((item, _outcome(work, item)))

    for _ in range(min(at_once, len(items))):
        threading.Thread(target=run, daemon=True).start()
    try:
        for _ in items:
            item, outcome = done.get()
            yield item, outcome()
    finally:
        stops.set()


def _outcome(work: Callable[[T], R], item: T) -> Callable[[], R]:
    """Do the work, and return what returns its result or raises its error, in whichever thread asks."""
    try:
        result = work(item)
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that asks
        failure = error

        def fail() -> R:
            raise failure

        return fail
    return lambda: result
