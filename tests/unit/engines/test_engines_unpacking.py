"""Packages that are unpacked into rattler's cache before rattler sees them: the same as its own, and only what was proven."""

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from channels import PLACEHOLDER, File, Package, script
from waiting import is_running, wait_for

from cwtasks.engines import rattler_unpacking as unpacking
from cwtasks.engines.rattler import RattlerEngine
from cwtasks.exceptions import InstallError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere rattler unpacks everything itself")
ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (
    Package(name="leaf", files={"share/leaf.txt": "one\n", "share/empty": ""}),
    Package(
        name="tree",
        version="1!2.0",
        files={
            "bin/tree": script(f"#!/bin/sh\necho {PLACEHOLDER}\n"),
            "share/link": File(link="../bin/tree"),
            "share/dangling": File(link="nowhere"),
            "share/large.bin": b"\0" * 3_000_000,
        },
    ),
    Package(name="py_thing", files={"site-packages/thing.py": "print(1)\n"}),
)
NAMES = [package.name for package in PACKAGES]
BEGIN = """
import json, os, sys, threading, time
from pathlib import Path
from cwtasks.engines import rattler_unpacking as unpacking

given = json.loads(sys.argv[1])
records = given["records"]
packages = unpacking.missing(records, given["archives"], given["cache"])


def extract(archive, folder):
    from rattler.package_streaming import extract
    return bytes(extract(Path(archive), Path(folder))[0])


def unpack(packages=packages, extract=extract, told=lambda *_: None, look=lambda: None):
    unpacking.unpack(packages, given["cache"], extract=extract, told=told, look=look)

"""


@pytest.fixture
def cache(tmp_path) -> Path:
    """The folder of extracted packages that programs fill."""
    folder = tmp_path / "extracted"
    folder.mkdir()
    return folder


@pytest.fixture
def start(tmp_path, bench, channel, cache):
    """Start a program in a process of its own, which has packages to unpack."""
    records = bench.solve(channel.with_packages(*PACKAGES), specs=NAMES)
    given = json.dumps({"records": records, "archives": bench.fetch(records), "cache": str(cache)})

    def start(body: str) -> subprocess.Popen[str]:
        program = tmp_path / "program.py"
        program.write_text(BEGIN + body)
        return subprocess.Popen(
            [sys.executable, program, given],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


@pytest.fixture
def run(start):
    """Run a program and return what it prints."""

    def run(body: str) -> str:
        with start(body) as program:
            said, errors = program.communicate(timeout=60)
        assert program.returncode == 0, errors
        return said

    return run


def tree_of(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return what is in a folder: kind, mode and content by path, and the time of files that came out of archives."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        when = seen.st_mtime_ns if stat.S_ISREG(seen.st_mode) and path.suffix != ".lock" else None
        found[str(path.relative_to(folder))] = (stat.filemode(seen.st_mode), when, content)
    return found


@pytest.mark.parametrize("suffix", [".conda", ".tar.bz2"])
def test_it_leaves_in_the_cache_what_rattler_would_leave(tmp_path, bench, channel, environ, suffix):
    records = bench.solve(channel.with_packages(*PACKAGES, suffix=suffix), specs=NAMES)
    bench.install(records)
    assert "unpack" in {told.phase for told in bench.told}
    # A single package is left to rattler.
    other = RattlerEngine(cache_folder=str(tmp_path / "other"), environ=environ, retries=0)
    bench.engine, bench.prefix = other, tmp_path / "other-env"
    bench.told.clear()
    for count in range(1, len(records) + 1):
        bench.install(records[:count])
    assert "unpack" not in {told.phase for told in bench.told}
    ours, theirs = tmp_path / "cache" / "extracted", tmp_path / "other" / "extracted"
    assert tree_of(ours) == tree_of(theirs)


def test_rattler_takes_what_is_there(run, bench, channel, cache):
    run("unpack()")
    before = {path: path.stat().st_ino for path in cache.rglob("*") if path.is_file() and not path.is_symlink()}
    assert {path.name for path in cache.iterdir()} == {
        unpacking.CACHE_LOCK,
        *(name for package in PACKAGES for name in (package.stem, f"{package.stem}.lock")),
    }
    cache.rename(bench.prefix.parent / "cache" / "extracted")
    bench.told.clear()
    bench.install(bench.solve(channel, specs=NAMES))
    assert "unpack" not in {told.phase for told in bench.told}
    after = {path: bench.prefix.parent / "cache" / "extracted" / path.relative_to(cache) for path in before}
    assert {path: moved.stat().st_ino for path, moved in after.items()} == before


def test_progress_names_each_package(run):
    said = run("unpack(told=lambda done, name: print(done, name))").split()
    assert said[::2] == ["1", "2", "3"]
    assert sorted(said[1::2]) == sorted(NAMES)


def test_an_archive_that_is_not_the_verified_one_is_refused_and_not_kept(run, cache):
    said = run(
        "changed = [one._replace(sha256=bytes(32)) if one.name == 'tree' else one for one in packages]\n"
        "try: unpack(changed)\n"
        "except unpacking.ChangedArchiveError as error: print(error)\n"
    )
    assert "is not what was verified: SHA-256" in said
    assert not [path for path in cache.iterdir() if path.name.startswith(("tree", unpacking.ASIDE))]


def test_an_archive_that_changes_after_it_was_verified_is_told_by_an_install(bench, channel, monkeypatch):
    records = bench.solve(channel.with_packages(*PACKAGES), specs=NAMES)
    archives = bench.fetch(records)
    tree, leaf = (archives[record["url"]] for name in ("tree", "leaf") for record in records if record["name"] == name)
    Path(tree).write_bytes(Path(leaf).read_bytes())
    monkeypatch.setattr(type(bench.engine._cache.verified), "check", lambda *_: None)
    with pytest.raises(InstallError, match="is not what was verified"):
        bench.install(records, archives)
    assert bench.installed() == []


def test_what_cannot_be_unpacked_is_left_to_rattler(run, cache):
    run(
        "broken = Path(given['cache'], '..', 'broken.conda')\n"
        "broken.write_bytes(b'no archive')\n"
        "unpack([packages[0]._replace(archive=str(broken)), *packages[1:]])\n"
        "print(packages[0].key)\n"
    )
    assert len([path for path in cache.iterdir() if path.is_dir()]) == len(PACKAGES) - 1
    assert not (cache / unpacking.ASIDE).exists()


def test_a_package_that_came_meanwhile_is_left_alone(run, cache):
    (cache / PACKAGES[0].stem).mkdir()
    (cache / PACKAGES[0].stem / "mine").touch()
    run("packages = unpacking.missing(records, given['archives'], given['cache'] + '/..'); unpack(packages)")
    assert os.listdir(cache / PACKAGES[0].stem) == ["mine"]
    assert len([path for path in cache.iterdir() if path.is_dir()]) == len(PACKAGES)


def test_it_waits_for_who_has_the_cache_and_looks_about_meanwhile(run, cache):
    said = run(
        "import fcntl\n"
        "held = open(os.path.join(given['cache'], unpacking.CACHE_LOCK), 'w')\n"
        "fcntl.flock(held, fcntl.LOCK_EX)\n"
        "looks = []\n"
        "def look():\n"
        "    looks.append(len(os.listdir(given['cache'])))\n"
        "    if len(looks) == 3: fcntl.flock(held, fcntl.LOCK_UN)\n"
        "unpack(look=look)\n"
        "print(looks[:3])\n"
    )
    assert said == "[1, 1, 1]\n"
    assert (cache / PACKAGES[0].stem).is_dir()


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("threading.Thread(target=time.sleep, args=[1], daemon=True).start()", id="another thread"),
        pytest.param("def fork(): raise BlockingIOError\nos.fork = fork", id="no room for processes"),
        pytest.param("packages = packages[:1]", id="a single package"),
    ],
)
def test_where_it_cannot_or_need_not_work_everything_is_left_to_rattler(run, cache, before):
    run(f"{before}\nunpack(packages)")
    assert [path.name for path in cache.iterdir() if path.name != unpacking.CACHE_LOCK] == []


def test_fewer_processes_do_where_there_is_no_room_for_more(run, cache):
    run("real, started = os.fork, []\n"
        "def fork():\n"
        "    if started: raise BlockingIOError\n"
        "    started.append(1)\n"
        "    return real()\n"
        "os.fork, os.sched_getaffinity = fork, lambda _: range(8)\n"
        "unpack()\n")  # fmt: skip
    assert len([path for path in cache.iterdir() if path.is_dir()]) == len(PACKAGES)


def test_its_processes_end_when_it_is_killed_and_the_next_one_begins_anew(start, run, cache):
    body = (
        "def slow(archive, folder):\n"
        "    os.mkdir(folder); Path(folder, str(os.getpid())).touch(); time.sleep(0.3); return bytes(32)\n"
        "unpack(extract=slow)\n"
    )
    aside = cache / unpacking.ASIDE
    with start(body) as program:
        wait_for(lambda: list(aside.glob("*/*")))
        pids = [int(path.name) for path in aside.glob("*/*")]
        program.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(map(is_running, pids)))
    run("unpack()")
    assert len([path for path in cache.iterdir() if path.is_dir()]) == len(PACKAGES)
    assert not aside.exists()


def test_a_worker_that_waits_for_the_cache_ends_with_its_parent(tmp_path, bench, start):
    extracted = Path(bench.engine.package_folder).with_name("extracted")
    extracted.mkdir()
    note = tmp_path / "worker"
    body = (
        "from cwtasks import engines\n"
        f"told = lambda pid: Path({str(note)!r}).write_text(f'{{pid}}.')\n"
        f"engine = engines.choose('rattler', cache_folder={str(extracted.parent)!r}, environ={{}}, start_worker=told)\n"
        f"request = engines.InstallRequest(prefix={str(bench.prefix)!r}, platform='linux-64', records=tuple(records),\n"
        "    archives=given['archives'])\n"
        "engine.install(request, report=print)\n"
    )
    with open(extracted / unpacking.CACHE_LOCK, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with start(body) as program:
            wait_for(lambda: note.exists() and note.read_text().endswith("."))
            worker = int(note.read_text()[:-1])
            files = Path(f"/proc/{worker}/fd")
            wait_for(lambda: held.name in map(os.path.realpath, files.iterdir()))
            program.kill()
        wait_for(lambda: not is_running(worker))
    assert not bench.prefix.exists()


@pytest.mark.parametrize("fields", [{"name": "Leaf"}, {"build": "a/../../b"}])
def test_a_package_whose_place_is_not_known_is_left_to_rattler(cache, fields):
    record = {"name": "leaf", "version": "1", "build": "0", "url": "file:///x.conda", "sha256": "ab" * 32}
    assert len(unpacking.missing([record], {record["url"]: "/x.conda"}, str(cache))) == 1
    assert unpacking.missing([{**record, **fields}], {record["url"]: "/x.conda"}, str(cache)) == []
