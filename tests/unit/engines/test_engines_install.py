"""Prefixes: exactly the packages asked for, whatever happened before."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from channels import PLACEHOLDER, Channel, File, Package, python_package, script
from waiting import is_running, wait_for

from cwtasks import engines
from cwtasks.exceptions import (
    DigestMismatchError,
    EngineCrashError,
    InstallError,
    LinkScriptError,
    PackageUnavailableError,
)

LEAF1 = Package(name="leaf", version="1.0", files={"share/leaf.txt": "one\n", "share/old.txt": "old\n"})
LEAF2 = Package(name="leaf", version="2.0", files={"share/leaf.txt": "two\n", "share/new.txt": "new\n"})
TREE = Package(name="tree", subdir="linux-64", depends=("leaf",), files={"bin/tree": script("#!/bin/sh\necho tree\n")})
PATCHED = Package(
    name="patched",
    files={
        "bin/where": script(f"#!/bin/sh\necho {PLACEHOLDER}\n"),
        "etc/conda/activate.d/patched.sh": "export PATCHED=1\n",
        "etc/conda/env_vars.d/patched.json": '{"PATCHED_HOME": "x"}',
        "share/link": File(link="../bin/where"),
    },
)
UNPACK = ("unpack",) if sys.platform == "linux" else ()  # elsewhere rattler does that in silence
FORMATS = pytest.mark.parametrize("suffix", [".conda", ".tar.bz2"])


def scripted(code: str) -> Package:
    """Return a package whose post-link script runs ``code``."""
    return Package(
        name="scripted", subdir="linux-64", files={"bin/.scripted-post-link.sh": script(f"#!/bin/sh\n{code}\n")}
    )


def tree_of(prefix: Path) -> dict[str, str]:
    """Return what is in a prefix: digest by path, without the engine's own notes."""
    return {
        str(path.relative_to(prefix)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(prefix.rglob("*"))
        if path.is_file() and path.parent.name != "conda-meta"
    }


@FORMATS
def test_a_prefix_holds_what_packages_hold(bench, channel, suffix):
    channel.with_packages(PATCHED, LEAF1, TREE, suffix=suffix)
    bench.install(bench.solve(channel, specs=["patched", "tree"]), requested=("patched", "tree >=1"))
    assert bench.installed() == ["leaf-1.0-0", "patched-1.0-0", "tree-1.0-0"]
    ran = subprocess.run([bench.prefix / "share" / "link"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{bench.prefix}\n"
    record = json.loads((bench.prefix / "conda-meta" / "tree-1.0-0.json").read_text())
    assert record["requested_specs"] == ["tree >=1"]
    assert record["url"] == f"{channel.url}/linux-64/tree-1.0-0{suffix}"
    assert not engines.is_unfinished(str(bench.prefix))
    assert {told.phase for told in bench.told} == {"solve", "download", "verify", "link", *UNPACK}


@FORMATS
def test_records_name_the_channel_when_packages_came_over_http(bench, channel, site, suffix):
    channel.with_packages(LEAF1, suffix=suffix)
    bench.install(bench.solve(f"{site.url}/channel"))
    text = (bench.prefix / "conda-meta" / "leaf-1.0-0.json").read_text()
    assert json.loads(text)["url"] == f"{site.url}/channel/noarch/leaf-1.0-0{suffix}"
    assert "file://" not in text


def test_a_python_package_runs(bench, channel):
    short = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    extra = Package(
        name="greet", files={f"lib/{short}/site-packages/greet.py": "print('hello')\n"}, depends=("python",)
    )
    channel.with_packages(python_package(), extra)
    bench.install(bench.solve(channel, specs=["greet"]))
    ran = subprocess.run(
        [bench.prefix / "bin" / "python", "-c", "import sys, greet; print(sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    assert ran.stdout == f"hello\n{bench.prefix}\n"


def test_updates_and_removals_end_in_exactly_the_records(bench, channel):
    channel.with_packages(LEAF1, LEAF2, TREE)
    bench.install(bench.solve(channel, specs=["leaf ==1.0"]))
    bench.install(bench.solve(channel, specs=["tree"]))
    assert bench.installed() == ["leaf-2.0-0", "tree-1.0-0"]
    assert not (bench.prefix / "share" / "old.txt").exists()
    bench.install(bench.solve(channel, specs=["leaf <2"]))
    assert sorted(tree_of(bench.prefix)) == ["CACHEDIR.TAG", "share/leaf.txt", "share/old.txt"]
    bench.install(())
    assert bench.installed() == []
    assert sorted(tree_of(bench.prefix)) == ["CACHEDIR.TAG"]


def test_a_package_rebuilt_under_its_old_name_is_linked_anew(bench, channel, tmp_path):
    bench.install(bench.solve(channel.with_packages(LEAF1)))
    other = Channel(tmp_path / "other").with_packages(Package(name="leaf", files={"share/leaf.txt": "other\n"}))
    bench.install(bench.solve(other))
    assert (bench.prefix / "share" / "leaf.txt").read_text() == "other\n"
    bench.install(bench.solve(channel))
    assert (bench.prefix / "share" / "leaf.txt").read_text() == "one\n"


@FORMATS
@pytest.mark.parametrize("over", ["file", "http"])
def test_an_update_to_a_changed_archive_leaves_the_old_prefix_working(bench, channel, site, over, suffix):
    url = channel.url if over == "file" else f"{site.url}/channel"
    channel.with_packages(LEAF1, LEAF2, suffix=suffix)
    bench.install(bench.solve(url, specs=["leaf <2"]))
    before = tree_of(bench.prefix)
    update = bench.solve(url)
    forged = Package(name="leaf", version="2.0", files={"share/leaf.txt": "forged\n"}).pack(suffix)
    good = channel.folder / "noarch" / f"leaf-2.0-0{suffix}"
    data = good.read_bytes()
    good.write_bytes(forged)
    with pytest.raises(DigestMismatchError):
        bench.install(update)
    assert tree_of(bench.prefix) == before
    good.write_bytes(data)
    bench.install(update)
    assert (bench.prefix / "share" / "leaf.txt").read_text() == "two\n"


def test_an_archive_changed_after_it_was_fetched_is_refused(bench, channel):
    records = bench.solve(channel.with_packages(LEAF1))
    archives = bench.fetch(records)
    Path(*archives.values()).write_bytes(LEAF2.pack())
    with pytest.raises(DigestMismatchError):
        bench.install(records, archives)
    assert not bench.prefix.exists()
    Path(*archives.values()).unlink()
    with pytest.raises(PackageUnavailableError, match="is gone"):
        bench.install(records, archives)
    with pytest.raises(PackageUnavailableError, match="was not fetched"):
        bench.install(records, {})


def test_a_channel_lost_half_way_leaves_the_old_prefix_working(bench, channel, site):
    channel.with_packages(LEAF1, LEAF2, TREE)
    bench.install(bench.solve(f"{site.url}/channel", specs=["leaf <2"]))
    before = tree_of(bench.prefix)
    update = bench.solve(f"{site.url}/channel", specs=["tree"])
    site.fail("leaf-2.0", 404)
    with pytest.raises(PackageUnavailableError):
        bench.install(update)
    assert tree_of(bench.prefix) == before


def test_another_prefix_can_be_written_into_files(bench, channel):
    bench.install(bench.solve(channel.with_packages(PATCHED), specs=["patched"]), target_prefix="/opt/final")
    assert (bench.prefix / "bin" / "where").read_text() == "#!/bin/sh\necho /opt/final\n"


def test_a_foreign_platform_can_be_laid_out(bench, channel):
    channel.with_packages(Package(name="tool", subdir="win-64", files={"Library/bin/tool.bat": "echo\r\n"}))
    bench.install(bench.solve(channel, specs=["tool"], platform="win-64"), platform="win-64")
    assert (bench.prefix / "Library" / "bin" / "tool.bat").read_bytes() == b"echo\r\n"


def test_a_relative_prefix_is_a_mistake_of_the_caller(bench, channel):
    records = bench.solve(channel.with_packages(LEAF1))
    with pytest.raises(ValueError, match="not absolute"):
        bench.install(records, prefix="env")
    with pytest.raises(ValueError, match="not absolute"):
        bench.install(records, target_prefix="env")


def test_post_link_scripts_run_only_when_allowed(bench, channel):
    channel.with_packages(scripted('echo linked > "$PREFIX/linked"'))
    records = bench.solve(channel, specs=["scripted"])
    bench.install(records)
    assert not (bench.prefix / "linked").exists()
    bench.install([])
    bench.install(records, link_scripts=True)
    assert (bench.prefix / "linked").read_text() == "linked\n"


def test_a_post_link_script_that_fails_fails_every_install_until_it_succeeds(bench, channel, tmp_path):
    channel.with_packages(scripted(f"echo no luck >&2; test -e {tmp_path}/luck"))
    records = bench.solve(channel, specs=["scripted"])
    for _ in range(2):
        with pytest.raises(LinkScriptError, match="scripted") as caught:
            bench.install(records, link_scripts=True)
        assert caught.value.packages == ["scripted"]
        assert engines.is_unfinished(str(bench.prefix))
    (tmp_path / "luck").touch()
    bench.install(records, link_scripts=True)
    assert not engines.is_unfinished(str(bench.prefix))


@pytest.mark.parametrize("text", ["", '{"name": "leaf", "ver', '{"name": "leaf"}\n}'])
def test_a_record_that_was_cut_off_heals(bench, channel, text):
    records = bench.solve(channel.with_packages(LEAF1, TREE), specs=["tree"])
    bench.install(records)
    before = tree_of(bench.prefix)
    (bench.prefix / "conda-meta" / "leaf-1.0-0.json").write_text(text)
    bench.install(records)
    assert bench.installed() == ["leaf-1.0-0", "tree-1.0-0"]
    assert tree_of(bench.prefix) == before


def test_records_an_interrupted_install_left_with_our_path_get_their_url(bench, channel):
    records = bench.solve(channel.with_packages(LEAF1))
    archives = bench.fetch(records)
    bench.install(records, archives)
    note = bench.prefix / "conda-meta" / "leaf-1.0-0.json"
    finished = json.loads(note.read_text())
    note.write_text(note.read_text().replace(records[0]["url"], Path(*archives.values()).as_uri()))
    bench.install(records, archives)
    assert json.loads(note.read_text()) == finished
    note.write_text(json.dumps({**finished, "url": "file:///elsewhere"}))
    bench.install(records, archives)
    assert json.loads(note.read_text()) == finished


def test_progress_tells_of_the_packages_that_were_missing(bench, channel):
    packages = many()
    channel.with_packages(*packages, LEAF1)
    records = bench.solve(channel, specs=[package.name for package in packages])
    bench.install(records)
    told = [progress for progress in bench.told if progress.phase == "link"]
    assert {progress.total for progress in told} == {40}
    assert told[0].done == 0
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    bench.told.clear()
    bench.install([*records, *bench.solve(channel)])
    assert {progress.total for progress in bench.told if progress.phase == "link"} == {1}


@pytest.mark.parametrize("length", [1, 400])
def test_records_hold_the_url_of_the_channel_however_long_it_is(bench, channel, length):
    records = bench.solve(channel.with_packages(LEAF1, TREE), specs=["tree"])
    archives = bench.fetch(records)
    # Nothing is read from these: both packages are in the cache.
    moved = {record["url"]: f"https://host.invalid/{'c' * length}/noarch/{record['fn']}" for record in records}
    bench.install(
        [{**record, "url": moved[record["url"]], "channel": ""} for record in records],
        {moved[url]: path for url, path in archives.items()},
    )
    notes = [json.loads(path.read_text()) for path in (bench.prefix / "conda-meta").glob("*.json")]
    assert sorted(note["url"] for note in notes) == sorted(moved.values())
    assert {note["name"]: note["sha256"] for note in notes} == {one["name"]: one["sha256"] for one in records}


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_prefix_that_cannot_be_written_is_an_error(bench, channel):
    records = bench.solve(channel.with_packages(LEAF1))
    bench.prefix.mkdir(mode=0o500)
    with pytest.raises(InstallError):
        bench.install(records)


def test_a_file_in_the_place_of_the_prefix_is_an_error(bench, channel):
    records = bench.solve(channel.with_packages(LEAF1))
    bench.prefix.write_text("")
    with pytest.raises(InstallError, match="env cannot be installed"):
        bench.install(records)


def many(count: int = 40) -> list[Package]:
    return [
        Package(name=f"p{number}", files={f"share/p{number}/{file}.txt": f"{number} {file}\n" for file in range(40)})
        for number in range(count)
    ]


def children() -> list[int]:
    """Return the processes this one started and has not ended."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        found += map(int, (thread / "children").read_text().split())
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks the system for children the Linux way")
def test_a_worker_killed_at_any_moment_leaves_what_the_next_run_completes(bench, channel):
    packages = many()
    channel.with_packages(*packages)
    records = bench.solve(channel, specs=[package.name for package in packages])
    archives = bench.fetch(records)
    bench.install(records, archives)
    whole = tree_of(bench.prefix)
    killed = 0
    for seed in range(6):
        bench.install(records[:5], archives)
        timer = threading.Timer(
            random.Random(seed).uniform(0.05, 0.25), lambda: [os.kill(child, signal.SIGKILL) for child in children()]
        )
        timer.start()
        try:
            bench.install(records, archives)
        except EngineCrashError as error:
            assert error.exit_code == -9
            assert killed or error.action == "install"
            killed += 1
        timer.cancel()
        timer.join()
        bench.install(records, archives)
        assert {path: digest for path, digest in tree_of(bench.prefix).items() if ".refprobe" not in path} == whole
        assert not engines.is_unfinished(str(bench.prefix))
        urls = [json.loads(file.read_text())["url"] for file in (bench.prefix / "conda-meta").glob("*.json")]
        assert sorted(urls) == sorted(record["url"] for record in records)
    assert killed


def test_a_worker_does_not_outlive_its_parent(bench, channel, tmp_path):
    ready = tmp_path / "ready"
    channel.with_packages(scripted(f"echo $PPID > {ready}; exec sleep 60"))
    records = bench.solve(channel, specs=["scripted"])
    archives = bench.fetch(records)
    program = tmp_path / "program.py"
    program.write_text(
        "import json, sys\n"
        "from cwtasks import engines\n"
        "given = json.load(sys.stdin)\n"
        "engine = engines.choose('rattler', cache_folder=given['cache'], environ={})\n"
        "request = engines.InstallRequest(prefix=given['prefix'], records=tuple(given['records']),\n"
        "    platform='linux-64', archives=given['archives'], link_scripts=True)\n"
        "engine.install(request, report=lambda _: None)\n"
    )
    given = {"cache": str(tmp_path / "cache"), "prefix": str(bench.prefix), "records": records, "archives": archives}
    parent = run_program(program, given)
    wait_for(lambda: ready.exists() and ready.read_text().strip())
    worker = int(ready.read_text())
    parent.kill()
    parent.wait()
    wait_for(lambda: not is_running(worker))


def test_six_processes_share_one_cache(bench, channel, site, tmp_path):
    packages = many(12)
    channel.with_packages(*packages)
    program = tmp_path / "program.py"
    program.write_text(
        "import json, sys\n"
        "from cwtasks import engines\n"
        "given = json.load(sys.stdin)\n"
        "engine = engines.choose('rattler', cache_folder=given['cache'], environ={})\n"
        "report = lambda _: None\n"
        "request = engines.SolveRequest(channels=(given['channel'],), specs=given['specs'], platform='linux-64')\n"
        "records = engine.solve(request, report=report)\n"
        "archives = engine.fetch(records, report=report)\n"
        "engine.install(engines.InstallRequest(prefix=given['prefix'], records=records, platform='linux-64',\n"
        "    archives=archives), report=report)\n"
    )
    given = {
        "cache": str(tmp_path / "cache"),
        "channel": f"{site.url}/channel",
        "specs": [package.name for package in packages],
    }
    prefixes = [tmp_path / f"env{number}" for number in range(6)]
    running = [run_program(program, {**given, "prefix": str(prefix)}) for prefix in prefixes]
    assert [process.wait(60) for process in running] == [0] * 6
    trees = [tree_of(prefix) for prefix in prefixes]
    assert len(trees[0]) == 12 * 40 + 1
    assert all(tree == trees[0] for tree in trees)
    assert not list((tmp_path / "cache" / "pkgs").rglob(".partial-*"))


def run_program(program: Path, given: dict) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, program],
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
    )
    with process.stdin as stdin:
        json.dump(given, stdin)
    return process
