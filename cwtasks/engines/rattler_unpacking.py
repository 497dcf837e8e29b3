"""Archives of packages -> rattler's cache, unpacked by several processes before rattler links what is in there.

rattler would unpack them itself, from dozens of threads at once, which takes a sixth more; and it does not look whether
a local archive is still the one that was verified. The cache is filled in rattler's own way: one lock for all of it,
a folder for each package, and beside the folder a file that says which archive it was. rattler looks at every package
again: what is left to it, for whatever reason, it unpacks, and says what is wrong.

A part of the worker.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

from cwtasks.engines.process_copy import close_all_but, is_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

Extract: TypeAlias = "Callable[[str, str], bytes]"
"""Unpacks an archive into a folder that is not there yet, and returns the archive's SHA-256."""

CACHE_LOCK = ".cache.lock"
"""rattler's: whoever changes the cache has it."""
ASIDE = ".cwtasks-unpacking"
"""Folder for what is not complete yet."""

_FEWEST = 2  # packages that processes are started for
_MOST_PROCESSES = 16
_LOOKS_EVERY_SECONDS = 0.02
_NUMBER, _DIGEST = 4, 32  # bytes
_REVISION = (1).to_bytes(8, "big")


class ChangedArchiveError(Exception):
    """An archive is not the one that was verified."""


class Package(NamedTuple):
    """One that is not in the cache."""

    name: str
    key: str
    """Name of its folder there."""
    archive: str
    """Path of the file."""
    sha256: bytes
    """Of the archive."""


def missing(records: Iterable[Mapping[str, Any]], archives: Mapping[str, str], cache_folder: str) -> list[Package]:
    """Return the packages that are not in a cache and whose place in it is known.

    Args:
        records: As in ``repodata.json``, each with its URL and SHA-256.
        archives: Path of each archive, by URL.
        cache_folder: rattler's.
    """
    there = set(os.listdir(cache_folder))
    found = []
    for record in records:
        name, key = record["name"], f"{record['name']}-{record['version']}-{record['build']}"
        # rattler writes names in lower case.
        if key not in there and name == name.lower() and "/" not in key:
            found.append(Package(name, key, archives[record["url"]], bytes.fromhex(record["sha256"])))
    return found


def unpack(
    packages: Sequence[Package],
    cache_folder: str,
    *,
    extract: Extract,
    told: Callable[[int, str], None],
    look: Callable[[], None],
) -> None:
    """Unpack packages, as far as that can be done here.

    Args:
        packages: Each with a key of its own.
        cache_folder: rattler's.
        extract: rattler's, too; called in other processes.
        told: Told how many are done, and the name of the last.
        look: Called now and then while there is nothing to do but wait.

    Raises:
        ChangedArchiveError: an archive is not the one that was verified; nothing is kept of it.
        OSError: the cache cannot be written.
    """
    if len(packages) < _FEWEST or not is_alone():
        return  # processes would cost more than they bring, or must not be copied
    with _locked(os.path.join(cache_folder, CACHE_LOCK), look):
        aside = os.path.join(cache_folder, ASIDE)
        shutil.rmtree(aside, ignore_errors=True)  # what a killed one has left
        there = set(os.listdir(cache_folder))
        packages = [package for package in packages if package.key not in there]
        if len(packages) < _FEWEST:
            return
        os.mkdir(aside)
        try:
            with closing(_unpacked(packages, aside, extract, look)) as unpacked:
                for number, (package, folder, sha256) in enumerate(unpacked, 1):
                    if sha256 != package.sha256:
                        reason = f"SHA-256 {sha256.hex()}, expected {package.sha256.hex()}"
                        raise ChangedArchiveError(f"{package.archive} is not what was verified: {reason}")
                    _put(folder, os.path.join(cache_folder, package.key), sha256)
                    told(number, package.name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _locked(path: str, look: Callable[[], None]) -> Iterator[None]:
    """Have rattler's lock; unlike with :mod:`cwtasks.locking`, look about while waiting, and do nothing without it."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                look()
                time.sleep(_LOOKS_EVERY_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _put(folder: str, place: str, sha256: bytes) -> None:
    """Let rattler find a package: first which archive it was, for a package without that would pass for any."""
    with open(f"{place}.lock", "wb") as file:
        file.write(_REVISION + sha256)
    os.rename(folder, place)


def _unpacked(
    packages: Sequence[Package], aside: str, extract: Extract, look: Callable[[], None]
) -> Generator[tuple[Package, str, bytes], None, None]:
    """Unpack packages below a folder, in as many processes as there are cores.

    Returns:
        Each package once it is done, with its folder and the SHA-256 of its archive. What fails is left out: rattler
        will try it, too, and say what is wrong.
    """
    numbers = os.path.join(aside, "numbers")
    with open(numbers, "wb") as file:
        file.write(b"".join(number.to_bytes(_NUMBER, "little") for number in range(len(packages))))
    count = min(len(os.sched_getaffinity(0)), len(packages), _MOST_PROCESSES)
    done, to_done = os.pipe()
    workers: list[int] = []
    try:
        # All of them read on in the same file, and each takes the next number.
        with open(numbers, "rb", buffering=0) as todo, suppress(OSError):  # fewer do where there is no room for more
            while len(workers) < count:
                workers.append(_start(packages, aside, extract, todo.fileno(), to_done))
        os.close(to_done)
        while True:
            while not select.select([done], [], [], _LOOKS_EVERY_SECONDS)[0]:
                look()
            said = os.read(done, _NUMBER + _DIGEST)
            if not said:
                return  # all of them have ended
            number = int.from_bytes(said[:_NUMBER], "little")
            yield packages[number], os.path.join(aside, str(number)), said[_NUMBER:]
    finally:
        os.close(done)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)  # when something went wrong here
            os.waitpid(pid, 0)


def _start(packages: Sequence[Package], aside: str, extract: Extract, todo: int, to_done: int) -> int:
    """Start a process that takes numbers of packages from a file and tells digests through a pipe; its pid."""
    pid = os.fork()
    if pid == 0:
        _work(packages, aside, extract, todo, to_done)
    return pid


def _work(packages: Sequence[Package], aside: str, extract: Extract, todo: int, to_done: int) -> NoReturn:
    """Go on until there is nothing more to do, or nobody listens."""
    try:
        # Whoever waits for the worker's end, or for the lock it has, must not wait for a copy of it.
        close_all_but({2, todo, to_done})
        while raw := os.read(todo, _NUMBER):
            number = int.from_bytes(raw, "little")
            try:
                sha256 = extract(packages[number].archive, os.path.join(aside, str(number)))
            except BaseException:  # noqa: BLE001, S112 - a panic is one of these
                continue
            os.write(to_done, raw + sha256)
    finally:
        os._exit(0)
