"""The child process in which rattler works: one request on stdin, lines of JSON on stdout.

The only module that imports rattler. It may be started by its path in an isolated interpreter, so it imports nothing of
this package before it has to, and then a part of its own, :mod:`cwtasks.engines.rattler_unpacking`. It knows no cache
policy, no credential, no user and no environment: all of that comes with the request.

Lines it writes: ``{"progress": [phase, done, total, text]}``, and at the end ``{"result": …}`` or ``{"error": {…}}``.
It leaves through ``os._exit``: threads of rattler that still run while an interpreter is taken down crash it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rattler import Channel, Client, Gateway, RepoDataRecord
    from rattler.install import InstallerReporter
    from rattler.match_spec import MatchSpec
    from rattler.networking.fetch_repo_data import CacheAction


UNFINISHED = "cwtasks-unfinished"
TELLS_EVERY_SECONDS = 0.1
HEAD_BYTES = 8192
LINK_SCRIPT = re.compile(r"(?:bin/\.|Scripts/\.|Scripts/)[^/]+-post-link\.(?:sh|bat)")


class WorkerError(Exception):
    """What the parent is told instead of a result."""

    def __init__(self, kind: str, reason: str, **fields: str | list[str]) -> None:
        self.fields = {"kind": kind, "reason": reason, **fields}
        super().__init__(reason)


def main() -> NoReturn:
    """Answer one request and leave."""
    # What link scripts print must not stand between our lines: only we keep the old stdout.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # The longest part of the start, done while the parent still prepares the request.
    sys.modules["ssl"] = None  # type: ignore[assignment]  # asyncio can do without, and rattler brings its own
    import asyncio

    import rattler  # noqa: F401

    line = sys.stdin.buffer.readline()
    if not line:
        os._exit(0)  # started ahead and not needed
    request = json.loads(line)
    os.environ.clear()
    os.environ.update(request["environ"])
    lock = threading.Lock()

    def say(line: dict[str, Any]) -> None:
        with lock:
            answers.write(json.dumps(line) + "\n")
            answers.flush()

    code = 0
    try:
        if request["action"] == "install":
            _unpack(request, say)  # by copies of this process, so before there is another thread
        threading.Thread(target=_leave_with_the_parent, daemon=True).start()
        action = {"solve": solve, "install": install}[request["action"]]
        say({"result": asyncio.run(action(request, say))})
    except WorkerError as error:
        say({"error": error.fields})
    except BaseException:  # noqa: BLE001 - a front door: the parent shows it as a crash
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code)


def _leave_with_the_parent() -> None:
    """Wait until the parent closes our stdin, which its death does too; nobody waits for our answer then."""
    while os.read(0, 4096):
        pass
    _leave_with_all()


def _leave_if_abandoned() -> None:
    """Leave when the parent has closed our stdin."""
    if select.select([0], [], [], 0)[0]:
        _leave_with_all()


def _leave_with_all() -> NoReturn:
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # link scripts, and who unpacks, end with us
    os._exit(1)


async def solve(request: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
    """Choose packages; see ``SolveRequest`` for the fields.

    Raises:
        WorkerError: of kind ``unsatisfiable``, ``spec`` or ``channel``.
    """
    from rattler.exceptions import GatewayError

    specs = [_match_spec(text) for text in request["specs"]]
    constraints = [_match_spec(text) for text in request["constraints"]]
    say({"progress": ["solve", 0, 0, ", ".join(request["channels"])]})
    with tempfile.TemporaryDirectory() as folder:
        locked = _to_records(request["locked"], folder)
        cache_folder = folder if request["forgets_index"] else request["cache_folder"]
        actions: list[CacheAction] = ["force-cache-only"] if request["offline"] else ["cache-or-fetch", "no-cache"]
        for cache_action in actions:
            gateway = _gateway(request, cache_folder, cache_action)
            try:
                chosen = await _choose(request, gateway, specs, constraints, locked)
                break
            except GatewayError as error:
                # A kept index that was cut off stays for ever: the server says 304 about the bad copy.
                if cache_action == actions[-1] or not _may_be_a_bad_copy(str(error)):
                    channel = await _culprit(request, gateway, str(error))
                    raise WorkerError("channel", str(error), channel=channel) from error
    say({"progress": ["solve", len(chosen), len(chosen), f"{len(chosen)} packages"]})
    return sorted((json.loads(record.to_json()) for record in chosen), key=lambda record: str(record["name"]))


async def _choose(
    request: dict[str, Any],
    gateway: Gateway,
    specs: list[MatchSpec],
    constraints: list[MatchSpec],
    locked: list[RepoDataRecord],
) -> list[RepoDataRecord]:
    import rattler
    from rattler.channel import ChannelPriority
    from rattler.exceptions import SolverError
    from rattler.package import BuildString, PackageName
    from rattler.version import Version
    from rattler.virtual_package import GenericVirtualPackage

    try:
        return await rattler.solve(
            _channels(request),
            specs,
            gateway=gateway,
            platforms=_subdirs(request),
            virtual_packages=[
                GenericVirtualPackage(PackageName(name), Version(version or "0"), BuildString(build or "0"))
                for name, version, build in request["virtual_packages"]
            ],
            locked_packages=locked,
            constraints=constraints,
            channel_priority=getattr(ChannelPriority, request["channel_priority"].capitalize()),
            strategy=request["strategy"],
            exclude_newer=_utc(request["exclude_newer"]),
            # Exactly the channels of the workspace: what a channel says of its relatives is not for us.
            channel_relations="disabled",
        )
    except SolverError as error:
        reason = re.sub(r"^Cannot solve the request because of: ", "", str(error))
        raise WorkerError("unsatisfiable", reason) from error


def _match_spec(text: str) -> MatchSpec:
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    try:
        return MatchSpec(text)  # text handed to solve() itself is read strictly: "leaf 1.0" would be refused
    except InvalidMatchSpecError as error:
        raise WorkerError("spec", str(error), spec=text) from error


def _utc(text: str | None) -> dt.datetime | None:
    # rattler takes the wall clock of an aware time for UTC, so it must be UTC.
    if text is None:
        return None
    time = dt.datetime.fromisoformat(text)
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


def _subdirs(request: dict[str, Any]) -> list[Any]:
    return list(dict.fromkeys([request["platform"], "noarch"]))


def _channels(request: dict[str, Any]) -> list[Channel]:
    from rattler import Channel

    return [Channel(url) for url in request["channels"]]


def _gateway(request: dict[str, Any], cache_folder: str, cache_action: CacheAction) -> Gateway:
    from rattler import Gateway
    from rattler.repo_data.gateway import SourceConfig

    return Gateway(
        cache_dir=Path(cache_folder),
        client=_client(request),
        default_config=SourceConfig(
            sharded_enabled=request["uses_shards"] and cache_action != "no-cache", cache_action=cache_action
        ),
    )


def _client(request: dict[str, Any]) -> Client:
    """Return the client of one request; credentials never are in a URL that rattler keeps.

    A token is put into the path by a mirror, a password into a header by its host and path.
    """
    from rattler import Config
    from rattler.networking import Client, middleware

    retries = request["retries"]
    if not request["headers"]:
        return Client.from_config(Config.from_toml(request["config"]), max_retries=retries)

    def headers(host: str, path: str) -> dict[str, str] | None:
        for own_host, own_path, value in request["headers"]:
            if host == own_host and path.startswith(own_path):
                return {"Authorization": value}
        return None

    return Client(
        [
            middleware.RetryMiddleware(retries),
            middleware.MirrorMiddleware(request["mirrors"]),
            # After the mirrors: a password for one server is not shown to another that stands in for it.
            middleware.AddHeadersMiddleware(headers),
            middleware.AuthenticationMiddleware(),
            middleware.OciMiddleware(),
            middleware.GCSMiddleware(),
            middleware.S3Middleware(),
        ]
    )


def _may_be_a_bad_copy(text: str) -> bool:
    return "failed to parse" in text or "(304)" in text


async def _culprit(request: dict[str, Any], gateway: Gateway, text: str) -> str:
    """Return the channel an error is about; where its text does not say, ask each alone."""
    from rattler.exceptions import GatewayError

    urls: list[str] = request["channels"]
    named = [url for url in urls if url.rstrip("/") + "/" in text]
    for url, channel in zip(urls, _channels(request), strict=True):
        if named or len(urls) == 1:
            break
        try:
            await gateway.names([channel], _subdirs(request), channel_relations="disabled")
        except GatewayError:
            named = [url]
    return max(named or urls[:1], key=len, default="")


def _unpack(request: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
    """Fill rattler's cache with the packages it will want.

    Raises:
        WorkerError: of kind ``install``.
    """
    from cwtasks.engines import rattler_unpacking as unpacking

    folder, last = request["cache_folder"], 0.0

    def told(done: int, name: str) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= TELLS_EVERY_SECONDS or done == len(packages):
            last = now
            say({"progress": ["unpack", done, len(packages), name]})

    try:
        packages = unpacking.missing(request["records"], request["archives"], folder)
        unpacking.unpack(packages, folder, extract=_extract, told=told, look=_leave_if_abandoned)
    except (OSError, unpacking.ChangedArchiveError) as error:
        raise WorkerError("install", str(error)) from error


def _extract(archive: str, folder: str) -> bytes:
    from rattler.package_streaming import extract

    sha256, _ = extract(Path(archive), Path(folder))
    return bytes(sha256)


async def install(request: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
    """Make a prefix hold exactly the records; see ``InstallRequest`` for the fields.

    Raises:
        WorkerError: of kind ``install`` or ``link-script``.
    """
    try:
        await _install(request, say)
    except OSError as error:
        raise WorkerError("install", str(error)) from error


async def _install(request: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
    import asyncio

    import rattler
    from rattler.exceptions import InstallerError, LinkError, TransactionError

    prefix, meta = Path(request["prefix"]), Path(request["prefix"], "conda-meta")
    relinked = _begin(meta, request)
    ours = {url: Path(path).as_uri() for url, path in request["archives"].items()}
    scripts = LinkScripts() if request["link_scripts"] else None
    telling = asyncio.create_task(_tell_of_links(meta, request["records"], say))
    with tempfile.TemporaryDirectory() as folder:
        for is_last in (False, True):
            records = _to_records(request["records"], folder)
            for record, plain in zip(records, request["records"], strict=True):
                record.url = ours[plain["url"]]
            try:
                await rattler.install(
                    records,
                    prefix,
                    cache_dir=Path(request["cache_folder"]),
                    platform=rattler.Subdir(request["platform"]),
                    show_progress=False,
                    reporter=cast("InstallerReporter | None", scripts),
                    execute_link_scripts=request["link_scripts"],
                    # The annotation asks for MatchSpec, which the call cannot convert.
                    requested_specs=[_match_spec(text)._match_spec for text in request["requested"]],  # noqa: SLF001
                    reinstall_packages=relinked or None,
                    alternative_target_prefix=request["target_prefix"],
                )
                break
            except (InstallerError, LinkError, TransactionError) as error:
                # A record that was cut off while it was written says nothing; without it the package is linked anew.
                if is_last or not _drop_unreadable_records(meta):
                    raise WorkerError("install", str(error)) from error
    telling.cancel()
    _write_real_urls(meta, request["records"], ours)
    if scripts and scripts.failed:
        raise WorkerError("link-script", "", packages=sorted(scripts.failed))
    _end(meta)


async def _tell_of_links(meta: Path, records: list[dict[str, Any]], say: Callable[[dict[str, Any]], None]) -> None:
    """Pass on how many of the packages that were missing are linked, until all are or nobody wants to know.

    A package has its record once it is linked. rattler itself would tell of each step of each package, from all its
    threads, which took a twentieth of the time of an install whose packages are all in the cache.
    """
    import asyncio

    names = {_record_name(record): record["name"] for record in records}
    waiting = names.keys() - os.listdir(meta)
    total, last = len(waiting), ""
    while waiting:
        say({"progress": ["link", total - len(waiting), total, last]})
        await asyncio.sleep(TELLS_EVERY_SECONDS)
        linked = waiting.intersection(os.listdir(meta))
        waiting -= linked
        last = names[max(linked)] if linked else last


class LinkScripts:
    """Is told by rattler, from its threads, of link scripts; what goes wrong in here nobody would hear of."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self.failed: set[str] = set()
        """Packages whose post-link script failed; rattler takes that for no error."""

    def on_post_link_start(self, package_name: str, script_path: str) -> int:  # noqa: ARG002 - rattler's interface
        """Note whose script it is."""
        self._names.append(package_name)
        return len(self._names) - 1

    def on_post_link_complete(self, index: int, success: bool) -> None:  # noqa: FBT001 - rattler's interface
        """Note a failure."""
        if not success:
            self.failed.add(self._names[index])


def _begin(meta: Path, request: dict[str, Any]) -> set[str]:
    """Mark the prefix as unfinished and return the packages that must be linked again, whatever rattler thinks."""
    meta.mkdir(parents=True, exist_ok=True)
    relinked = _cut_short(meta, request)
    (meta / UNFINISHED).write_text(json.dumps({"link_scripts": request["link_scripts"]}))
    return relinked


def _end(meta: Path) -> None:
    (meta / UNFINISHED).unlink()


def _cut_short(meta: Path, request: dict[str, Any]) -> set[str]:
    """Return the packages whose link scripts may not have run, because the last install did not end."""
    try:
        last = json.loads((meta / UNFINISHED).read_text() or "{}")
    except FileNotFoundError:
        return set()
    except ValueError:
        last = {"link_scripts": True}
    if not (last.get("link_scripts") and request["link_scripts"]):
        return set()
    texts = (path.read_text(encoding="utf-8") for path in meta.glob("*.json"))
    records = [json.loads(text) for text in texts if "-post-link." in text and text.rstrip().endswith("}")]
    return {record["name"] for record in records if any(map(LINK_SCRIPT.fullmatch, record.get("files", ())))}


def _drop_unreadable_records(meta: Path) -> bool:
    """Remove records of ``conda-meta`` that are no JSON, and say whether there were any."""
    bad = [path for path in meta.glob("*.json") if not _is_object(path.read_bytes())]
    for path in bad:
        path.unlink()
    return bool(bad)


def _is_object(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


def _write_real_urls(meta: Path, records: list[dict[str, Any]], ours: dict[str, str]) -> None:
    """Put the channel's URL where rattler noted the one of our archive.

    Every record is looked at, not only those of this call: an earlier one may have been killed before it came here.
    """
    for record in records:
        wanted, found = _url_field(record["url"]), _url_field(ours[record["url"]])
        with open(meta / _record_name(record), "r+b", buffering=0) as file:
            # Reading and writing whole documents, or new files, would cost as much as linking the packages. The field
            # stands before the lists of files, and blanks fill the place of a URL that is shorter than ours.
            data = file.read(HEAD_BYTES)
            if wanted in data:
                continue
            start = data.find(found)
            if start >= 0 and len(wanted) <= len(found):
                file.seek(start)
                file.write(wanted.ljust(len(found)))
                continue
            data += file.read()
            if wanted in data:
                continue
            # Whoever kills us within these two calls leaves a record the next run finds unreadable, and writes anew.
            file.seek(0)
            file.write(data.replace(found, wanted, 1) if found in data else _with_url(data, record["url"]))
            file.truncate()


def _record_name(record: dict[str, Any]) -> str:
    return f"{record['name']}-{record['version']}-{record['build']}.json"


def _url_field(url: str) -> bytes:
    return f'\n  "url": {json.dumps(url, ensure_ascii=False)},'.encode()


def _with_url(data: bytes, url: str) -> bytes:
    return json.dumps({**json.loads(data), "url": url}, indent=2, ensure_ascii=False).encode()


def _to_records(plain: Iterable[dict[str, Any]], folder: str) -> list[RepoDataRecord]:
    """Return rattler's form of records: it can only read them from an index, so each subdir gets a small one."""
    from rattler import Channel
    from rattler.repo_data import RepoData

    wanted = list(plain)
    indexes: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for record in wanted:
        index = indexes.setdefault((record["channel"], record["subdir"]), {"packages": {}, "packages.conda": {}})
        kind = "packages" if record["fn"].endswith(".tar.bz2") else "packages.conda"
        index[kind][record["fn"]] = {"build_number": 0, "depends": [], **record}
    made: dict[tuple[str, str, str], RepoDataRecord] = {}
    for number, ((channel, subdir), index) in enumerate(indexes.items()):
        path = Path(folder, str(number), "repodata.json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"info": {"subdir": subdir}, **index}))
        for one in RepoData.from_path(path).into_repo_data(Channel(channel)):
            made[channel, subdir, one.file_name] = one
        shutil.rmtree(path.parent)
    records = [made[record["channel"], record["subdir"], record["fn"]] for record in wanted]
    for one, record in zip(records, wanted, strict=True):
        one.url = record["url"]
    return records


if __name__ == "__main__":
    sys.path += sys.argv[1:]
    main()
