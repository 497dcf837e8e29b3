"""Prefixes: does one hold exactly the packages it should, and making it so.

Whether it does is answered without an engine: a note in ``conda-meta`` says which packages were installed and how the
folder of records looked then. Without a note that fits, the records themselves are read. Knows locked packages and
engines; no manifest and no lock.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from cwtasks import engines
from cwtasks.exceptions import PrefixNotOursError
from cwtasks.files import replace_file
from cwtasks.locking import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cwtasks.engines import Engine, Report
    from cwtasks.lockfile import LockedPackage

META = "conda-meta"
_NOTE = "cwtasks-installed"
_LOCK = "cwtasks-lock"


class Wanted(NamedTuple):
    """What a prefix shall hold."""

    digest: str
    """Of the packages, as :func:`cwtasks.lockfile.digest_of` makes it."""
    packages: Callable[[], Sequence[LockedPackage]]
    """Gives them; asked only when the digest does not answer the question."""


class _Note(NamedTuple):
    """What the last install left to tell."""

    prefix: str
    """The path that packages have written into their files: where it was, or is meant to be."""
    digest: str
    listing: str


def why_not_installed(
    prefix: str, wanted: Wanted, *, runtime_prefix: str | None = None, takes_note: bool = True
) -> str | None:
    """Return why a prefix is not as it should be, ``None`` when it is.

    Starts no process. A prefix that somebody else made with the right packages is noted as ours.

    Args:
        prefix: Absolute path.
        wanted: What it shall hold.
        runtime_prefix: The path written into its files, where it is moved before it is used.
        takes_note: Whether such a prefix is noted; otherwise nothing is written.
    """
    written = runtime_prefix or prefix
    listing = _listing(prefix)
    if listing is None:
        return "it is not installed"
    if engines.is_unfinished(prefix):
        return "its last install did not end"
    note = _read_note(prefix)
    if note == _Note(written, wanted.digest, listing):
        return None
    if note is not None and note.prefix != written:
        return f"it was installed as {note.prefix}"
    if note is None and runtime_prefix is not None:
        return f"it was not installed as {runtime_prefix}"
    reason = _difference(prefix, wanted.packages())
    if reason is None and takes_note:
        _write_note(prefix, wanted.digest, written)
    return reason


def install(
    prefix: str,
    wanted: Wanted,
    *,
    engine: Engine,
    subdir: str,
    channels: Callable[[], Sequence[str]],
    requested: Sequence[str],
    link_scripts: bool,
    offline: bool,
    report: Report,
    waiting: Callable[[], None],
    is_forced: bool = False,
    runtime_prefix: str | None = None,
) -> bool:
    """Make a prefix hold exactly what it should; whether there was anything to do.

    Everything is fetched and verified before the first file is touched. Processes that install one prefix take turns.

    Args:
        prefix: Absolute path; made when it is missing.
        wanted: What it shall hold.
        engine: Fetches and installs.
        subdir: Conda platform of the packages.
        channels: Gives URLs that may hold the credentials the packages' URLs lack; asked when one is downloaded.
        requested: Match specs the user asked for.
        link_scripts: Whether post-link scripts run.
        offline: Use only what is kept, or on this machine.
        report: Is told of progress.
        waiting: Called before waiting for another process that is at the same prefix.
        is_forced: Have the engine look even if nothing seems to be missing.
        runtime_prefix: The path written into its files, where it is moved before it is used.

    Raises:
        PrefixNotOursError: there is something at that place that is no environment.
        DigestMismatchError, DigestMissingError, PackageUnavailableError: a package cannot be had; nothing was touched.
        LinkScriptError, InstallError, EngineCrashError, EngineMissingError: the engine cannot do it.
    """
    _check_place(prefix)
    # First without the lock: fetching takes longest, and two may do it side by side.
    records = [package.to_record() for package in wanted.packages()]
    archives = engine.fetch(records, report=report, channels=channels, offline=offline)  # type: ignore[arg-type]
    with _held(prefix, waiting):
        reason = why_not_installed(prefix, wanted, runtime_prefix=runtime_prefix)
        if reason is None and not is_forced:
            return False
        note = _read_note(prefix)
        if (note.prefix if note else prefix) != (runtime_prefix or prefix):
            # Its files hold another path than they should.
            _empty(prefix)
        engine.install(
            engines.InstallRequest(
                prefix=prefix,
                records=tuple(records),  # type: ignore[arg-type]  # JSON, said more loosely
                platform=subdir,
                archives=archives,
                requested=tuple(requested),
                link_scripts=link_scripts,
                target_prefix=runtime_prefix,
            ),
            report=report,
        )
        _write_note(prefix, wanted.digest, runtime_prefix or prefix)
    return True


def remove(prefix: str) -> bool:
    """Remove a prefix with all that is in it; whether there was one.

    Args:
        prefix: Absolute path.

    Raises:
        PrefixNotOursError: what is there is no environment.
        OSError: it cannot be removed.
    """
    if not os.path.lexists(prefix):
        return False
    _check_place(prefix)
    with _held(prefix, lambda: None):
        _empty(prefix)
    import shutil  # not for every start that only asks

    shutil.rmtree(prefix)
    return True


def _check_place(prefix: str) -> None:
    """Refuse a place that holds something else, which an install would mix with and a removal destroy."""
    if os.path.isdir(os.path.join(prefix, META)) or not os.path.lexists(prefix):
        return
    if not os.path.isdir(prefix) or os.listdir(prefix):
        raise PrefixNotOursError(prefix)


@contextmanager
def _held(prefix: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Keep others from a prefix. The file is in it, so whoever held it before us may have removed both."""
    path = os.path.join(prefix, META, _LOCK)
    while True:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as file, locked(file.fileno(), waiting=waiting):
            if os.path.exists(path) and os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                yield
                return


def _empty(prefix: str) -> None:
    """Remove all of a prefix but the lock that keeps others away; the mark that it is unfinished comes first."""
    import shutil

    meta = os.path.join(prefix, META)
    replace_file(os.path.join(prefix, engines.UNFINISHED), b"")
    for folder in (prefix, meta):
        with os.scandir(folder) as entries:
            for entry in list(entries):
                if entry.path == meta or entry.name == _LOCK or entry.path == os.path.join(prefix, engines.UNFINISHED):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.remove(entry.path)


def _listing(prefix: str) -> str | None:
    """Return what tells one state of the folder of records from another, ``None`` where there is none.

    A checksum is enough for that, and spares every start the library of digests.
    """
    try:
        with os.scandir(os.path.join(prefix, META)) as entries:
            stamps = [
                (entry.name, status.st_size, status.st_mtime_ns)
                for entry in entries
                if entry.name.endswith(".json")
                for status in (entry.stat(),)
            ]
    except (FileNotFoundError, NotADirectoryError):
        return None
    newest_ns = max((mtime_ns for _, _, mtime_ns in stamps), default=0)
    return f"{len(stamps)} {newest_ns} {zlib.crc32(repr(sorted(stamps)).encode()):08x}"


def _read_note(prefix: str) -> _Note | None:
    try:
        with open(os.path.join(prefix, META, _NOTE), encoding="utf-8") as file:
            document = json.load(file)
        return _Note(document["prefix"], document["packages"], document["listing"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_note(prefix: str, digest: str, written: str) -> None:
    document = {"prefix": written, "packages": digest, "listing": _listing(prefix)}
    try:
        replace_file(os.path.join(prefix, META, _NOTE), json.dumps(document).encode())
    except OSError:
        # An environment that may only be read: its records are read each time.
        return


def _difference(prefix: str, packages: Sequence[LockedPackage]) -> str | None:
    """Return in what the records of a prefix differ from packages, ``None`` when they are the same."""
    wanted = {package.name: package for package in packages}
    found: dict[str, dict[str, object]] = {}
    folder = os.path.join(prefix, META)
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        record = _read_record(os.path.join(folder, name))
        if record is None:
            return f"{META}/{name} is damaged"
        found[str(record["name"])] = record
    changes = [*_missing(wanted, found), *_surplus(wanted, found)]
    if not changes:
        return None
    return changes[0] + (f", and {len(changes) - 1} more" if len(changes) > 1 else "")


def _missing(wanted: dict[str, LockedPackage], found: dict[str, dict[str, object]]) -> Iterator[str]:
    for name, package in sorted(wanted.items()):
        if name not in found:
            yield f"{name} {package.version} is missing"
        elif not _is_same(package, found[name]):
            was = found[name]
            same = (was.get("version"), was.get("build")) == (package.version, package.build)
            locked_as = "another build of it" if same else f"{package.version} {package.build}"
            yield f"{name} {was.get('version')} {was.get('build')} is installed, locked is {locked_as}"


def _surplus(wanted: dict[str, LockedPackage], found: dict[str, dict[str, object]]) -> Iterator[str]:
    for name, record in sorted(found.items()):
        if name not in wanted:
            yield f"{name} {record.get('version')} is installed and not locked"


def _is_same(package: LockedPackage, record: dict[str, object]) -> bool:
    for name in ("sha256", "md5"):
        mine, other = getattr(package, name), record.get(name)
        if mine and isinstance(other, str) and other:
            return bool(mine == other.lower())
    return package.url == record.get("url")


def _read_record(path: str) -> dict[str, object] | None:
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        return record if isinstance(record, dict) and isinstance(record.get("name"), str) else None
    except (OSError, ValueError):
        return None
