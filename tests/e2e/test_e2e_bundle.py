"""Bundles: made where there is a network, installed where there is none, on a home that knows nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from channels import PLACEHOLDER, Package, script
from disks import mounted
from environments import MANIFEST
from servers import serving

from cwtasks.archive import WorkspaceArchive
from cwtasks.exceptions import ArchiveError, ArchiveHashMismatchError


@pytest.fixture
def bundled(work):
    """A workspace with its bundle; the channel it came from is gone."""
    work.write()
    work.doit("archive", "--bundle")
    return work


class Far:
    """A machine that has the archive and its receipt, nothing else, and no network."""

    def __init__(self, work, tmp_path) -> None:
        self.space = work.space
        self.root = tmp_path / "far"
        self.root.mkdir()
        self.home = tmp_path / "far-home"
        self.home.mkdir()
        for path in work.space.root.glob("w.tar.*"):
            shutil.copy(path, self.root)
        shutil.rmtree(tmp_path / "site")
        shutil.rmtree(work.space.root)
        self.environ = {**self.space.environ, "HOME": str(self.home), "CWTASKS_CACHE": str(tmp_path / "far-cache")}

    def command(self, *words: str) -> list[str]:
        # A namespace without any interface but a loopback that is down.
        isolated = ["unshare", "-n"] if _can_isolate() else []
        return [*isolated, *self.space.command(*words, program="cwt")]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def cwt(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fails(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr


def _can_isolate() -> bool:
    return (
        shutil.which("unshare") is not None and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0
    )


@pytest.fixture
def far(bundled, tmp_path):
    return Far(bundled, tmp_path)


def leaf(prefix) -> str:
    return subprocess.run([prefix / "bin/leaf"], capture_output=True, text=True, check=True).stdout


def test_bundle_fetches_once_and_for_every_platform(work):
    work.write()
    done = work.space.run("bundle")
    assert done.stdout == ".  lock\n.  bundle\n"
    assert "bundle: 2 packages, " in done.stderr
    assert work.silent("bundle") == "-- bundle\n"
    assert work.doit("archive", "--bundle") == ".  archive(--bundle)\n"
    listed = subprocess.run(
        ["tar", "--zstd", "-tf", work.space.root / "w.tar.zst"], capture_output=True, text=True, check=True
    )
    assert [line for line in listed.stdout.split() if line.startswith("packages/")] == [
        "packages/leaf-1.0-0.conda",
        "packages/leaf-2.0-0.conda",
    ]


def test_a_source_that_changes_fetches_nothing_and_a_package_one(bundled):
    bundled.space.write({"in": "2"})
    assert bundled.doit("archive", "--bundle") == ".  archive(--bundle)\n"
    bundled.edit('leaf = "<2"', 'leaf = "<2"\nother = "*"')
    done = bundled.space.run("archive", "--bundle")
    assert done.stdout == ".  lock\n.  bundle\n.  archive(--bundle)\n"
    assert "bundle: 3 packages, " in done.stderr


def test_a_package_file_that_is_lost_is_got_again(bundled):
    cache = bundled.space.root.parent / "cache/pkgs"
    (lost,) = cache.rglob("leaf-1.0-0.conda")
    lost.unlink()
    assert bundled.space.run("why", "bundle").stdout.splitlines()[1] == "  package files are missing"
    assert bundled.doit("bundle") == ".  bundle\n"
    assert lost.exists()


def test_installing_where_there_is_no_network(far):
    said = far.cwt("install", "w.tar.zst")
    assert said.splitlines() == [
        "verified: w.tar.zst.receipt.json",
        f"unpacked: 5 members, {said.split('unpacked: 5 members, ')[1].split(' in ')[0]} in {far.root}/w",
        "packages: 2 carried along, 2 new in the cache",
        "installed: default: 1 package in .conda/envs/default",
        "installed: new: 1 package in .conda/envs/new",
        f"next: cd {far.root}/w && doit list",
    ]
    assert leaf(far.root / "w/.conda/envs/default") == "leaf one\n"
    assert leaf(far.root / "w/.conda/envs/new") == "leaf two\n"
    assert not (far.root / "w/packages").exists()
    assert "packages: 2 carried along, 0 new in the cache" in far.cwt("install", "w.tar.zst")


def test_an_explicit_prefix(far, tmp_path):
    prefix = tmp_path / "opt/runtime"
    far.cwt("install", "w.tar.zst", "-e", "new", "--prefix", str(prefix))
    assert leaf(prefix) == "leaf two\n"
    records = [json.loads(path.read_text()) for path in (prefix / "conda-meta").glob("*.json")]
    assert [(record["name"], record["version"]) for record in records] == [("leaf", "2.0")]
    assert not (far.root / "w/.conda/envs").exists()


def test_staging_below_another_root(work, tmp_path):
    placed = Package(name="placed", files={"bin/placed": script(f"#!/bin/sh\necho {PLACEHOLDER}/share\n")})
    work.channel.with_packages(placed)
    work.write(MANIFEST.replace('leaf = ">=2"', 'leaf = ">=2"\nplaced = "*"'))
    work.doit("archive", "--bundle")
    far = Far(work, tmp_path)
    final, dest = tmp_path / "final/runtime", tmp_path / "rootfs"
    said = far.cwt("install", "w.tar.zst", "-e", "new", "--prefix", str(final), "--dest", str(dest))
    staged = dest / str(final)[1:]
    assert f"next: move {staged} to {final} where it will run" in said
    assert far.run("install", "w.tar.zst", "-e", "new", "--prefix", str(final), "--dest", str(dest)).returncode == 0
    final.parent.mkdir()
    staged.rename(final)
    done = subprocess.run([final / "bin/placed"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{final}/share\n"
    assert json.loads((final / "conda-meta/cwtasks-installed").read_text())["prefix"] == str(final)


def test_packages_stay_in_the_workspace_without_a_receipt(far):
    (far.root / "w.tar.zst.receipt.json").unlink()
    said = far.cwt("unpack", "w.tar.zst")
    assert "packages: 2 left in the workspace, for nothing proves them" in said
    assert (far.root / "w/packages/leaf-1.0-0.conda").exists()
    assert not list((far.root.parent / "far-cache").rglob("*.conda"))
    assert "leaf" in far.fails("install", "w.tar.zst", "--target", "again")


def test_a_cache_of_ones_own(far):
    far.cwt("unpack", "w.tar.zst", "--package-cache", "pkgs")
    assert sorted(path.name for path in (far.root / "pkgs").iterdir()) == ["leaf-1.0-0.conda", "leaf-2.0-0.conda"]
    (far.root / "pkgs/leaf-1.0-0.conda").write_bytes(b"other")
    error = far.fails("unpack", "w.tar.zst", "--package-cache", "pkgs", "--target", "again")
    assert "leaf-1.0-0.conda: sha256 is" in error
    assert not (far.root / "again").exists()


def repacked(far, change) -> None:
    """Pack the archive again with something in it changed, and have the receipt say so of the archive itself."""
    from hashlib import sha256

    target = far.root / "tree"
    subprocess.run(["mkdir", target], check=True)
    subprocess.run(["tar", "--zstd", "-xf", far.root / "w.tar.zst", "-C", target], check=True)
    change(target)
    names = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    subprocess.run(["tar", "--zstd", "-cf", far.root / "w.tar.zst", "-C", target, *names], check=True)
    shutil.rmtree(target)
    receipt = far.root / "w.tar.zst.receipt.json"
    statement = json.loads(receipt.read_text())
    statement["subject"][0]["digest"]["sha256"] = sha256((far.root / "w.tar.zst").read_bytes()).hexdigest()
    receipt.write_text(json.dumps(statement))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("packages/leaf-2.0-0.conda", "packages/leaf-2.0-0.conda: sha256 is"),
        ("conda.toml", "conda.toml: sha256 is"),
        ("conda.lock", "conda.lock: sha256 is"),
    ],
)
def test_what_was_tampered_with_stops_before_anything_is_installed(far, name, error):
    repacked(far, lambda target: (target / name).write_bytes((target / name).read_bytes() + b"\n"))
    assert error in far.fails("install", "w.tar.zst")
    assert not (far.root / "w").exists()
    assert not list((far.root.parent / "far-cache").rglob("*.conda"))


def test_a_tampered_receipt_is_noticed(far):
    path = far.root / "w.tar.zst.receipt.json"
    path.write_text(path.read_text().replace("leaf-1.0", "leaf-1.1"))
    assert "environment 'default'" in far.fails("install", "w.tar.zst")
    assert not (far.root / "w").exists()


def test_a_package_the_lock_does_not_name_is_not_taken_in(far):
    def add(target) -> None:
        shutil.copy(target / "packages/leaf-2.0-0.conda", target / "packages/stranger-1.0-0.conda")

    repacked(far, add)
    far.cwt("install", "w.tar.zst")
    assert not list((far.root.parent / "far-cache").rglob("stranger*"))


def test_a_bundle_for_another_machine(bundled, tmp_path):
    bundled.doit("archive", "--bundle", "--platform", "osx-arm64", "--environment", "new")
    info = WorkspaceArchive(bundled.space.root / "w.tar.zst").inspect()
    assert info["package_count"] == 1
    error = bundled.space.run("archive", "--bundle", "--platform", "win-64").stderr
    assert "platform 'win-64' is not locked\nhint: " in error
    error = bundled.space.run("bundle", "--environment", "nwe").stderr
    assert "environment 'nwe'" in error


def test_a_bundle_without_what_is_needed_says_so(bundled, tmp_path):
    bundled.edit('leaf = "<2"', 'leaf = "<2"\nother = "*"')
    bundled.doit("archive", "--bundle", "--environment", "new")
    far = Far(bundled, tmp_path)
    error = far.fails("install", "w.tar.zst", "-e", "default")
    assert "it is not in the package cache" in error or "there is no such file" in error


def test_a_prefix_that_is_not_ours(far, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").write_text("mine")
    error = far.fails("install", "w.tar.zst", "-e", "new", "--prefix", str(tmp_path / "taken"))
    assert "taken" in error
    assert (tmp_path / "taken/file").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--prefix", "C:\\x"), "prefix C:\\x: it is of another system"),
        (("--prefix", "/a/../b"), "prefix /a/../b: it contains '..'"),
        (("--prefix", "rel/x", "--dest", "root"), "prefix rel/x: it is relative"),
    ],
)
def test_prefixes_that_cannot_be(far, words, error):
    assert error in far.fails("install", "w.tar.zst", "-e", "new", *words)
    assert not (far.root / "w").exists()


def test_a_task_checks_the_restored_workspace(work, tmp_path):
    work.write(MANIFEST + '\n[tool.cwtasks.archive]\nbundle = true\ncheck = "say"\n')
    done = work.space.run("verify")
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (0, [".  say", "leaf one"]), done.stderr
    assert work.silent("verify") == "-- verify\n"
    far = Far(work, tmp_path)
    said = far.cwt("install", "w.tar.zst")
    assert "leaf one\nchecked: say\n" in said


def test_a_check_that_fails_is_the_end(work, tmp_path):
    text = MANIFEST.replace('say = "leaf"', 'say = "leaf; exit 7"')
    work.write(text + '\n[tool.cwtasks.archive]\nbundle = true\ncheck = "say"\n')
    work.doit("archive")
    far = Far(work, tmp_path)
    done = far.run("install", "w.tar.zst")
    assert done.returncode == 7
    assert "error: task 'say', which checks the workspace, failed with exit status 7" in done.stderr


def test_killed_at_any_moment_the_same_command_completes(far):
    for attempt in range(8):
        process = subprocess.Popen(
            far.command("install", "w.tar.zst"),
            cwd=far.root,
            env=far.environ,
            stdout=-1,
            stderr=-1,
            start_new_session=True,
        )
        time.sleep(0.1 + attempt * 0.06)
        os.killpg(process.pid, 9)
        process.communicate()
    far.cwt("install", "w.tar.zst")
    assert leaf(far.root / "w/.conda/envs/default") == "leaf one\n"
    assert not list((far.root.parent / "far-cache").rglob(".cwtasks-priming-*"))
    assert [path.name for path in far.root.iterdir() if path.name.startswith(".")] == []


def test_packages_without_digest_in_the_lock(work):
    work.write()
    work.doit("lock")
    text = work.space.read("conda.lock")
    lines = [line for line in text.splitlines(keepends=True) if "sha256:" not in line]
    work.space.write({"conda.lock": "".join(lines)})
    done = work.space.run("bundle", env={"CWTASKS_FROZEN": "1"})
    assert done.returncode == 1
    assert "leaf-1.0-0.conda" in done.stderr


# From Python, as the documentation of the interface has it


@pytest.fixture
def here(far, monkeypatch):
    for name in ("HOME", "CWTASKS_CACHE"):
        monkeypatch.setenv(name, far.environ[name])
    monkeypatch.setenv("CWTASKS_OFFLINE", "1")
    monkeypatch.chdir(far.root)
    return far


def test_extract_primes_the_cache_with_a_receipt_only(here):
    archive = WorkspaceArchive("w.tar.zst", receipt=True)
    result = archive.extract(target="restored", require_sha256=True)
    assert (result.verified, result.primed_packages, result.cache_priming_skipped) == (True, 2, False)
    assert (result.target / "packages/leaf-1.0-0.conda").exists()
    again = archive.extract(target="again")
    assert (again.primed_packages, again.cache_priming_skipped) == (0, False)
    left = archive.extract(target="left", prime_cache=False)
    assert (left.primed_packages, left.cache_priming_skipped) == (0, False)
    unproven = WorkspaceArchive("w.tar.zst").extract(target="unproven")
    assert (unproven.verified, unproven.primed_packages, unproven.cache_priming_skipped) == (False, 0, True)


def test_another_file_in_the_place_of_a_package_is_refused_however_it_looks(here):
    archive = WorkspaceArchive("w.tar.zst", receipt=True)
    assert archive.extract(target="first").primed_packages == 2
    assert archive.extract(target="second").primed_packages == 0
    (path,) = Path(here.environ["CWTASKS_CACHE"], "pkgs").rglob("leaf-1.0-0.conda")
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ArchiveHashMismatchError, match=re.escape(str(path))):
        archive.extract(target="third")
    assert not Path("third").exists()


def test_a_handler_installs_in_our_place(here, tmp_path):
    calls = []

    def handler(workspace, environment, prefix, target_prefix_override):
        calls.append((workspace, environment, prefix, target_prefix_override))
        return 5

    result = WorkspaceArchive("w.tar.zst", receipt=True).install(
        target="restored", environment="new", prefix="/opt/runtime", dest=tmp_path / "rootfs", install_handler=handler
    )
    assert calls == [(here.root / "restored", "new", tmp_path / "rootfs/opt/runtime", "/opt/runtime")]
    assert (result.return_code, result.prefix_reference_matches) == (5, ())


def test_files_that_still_name_the_staging_prefix_are_found(here, tmp_path):
    def handler(workspace, environment, prefix, target_prefix_override):
        prefix.mkdir(parents=True)
        for number in range(12):
            (prefix / f"{number:02}").write_text(f"x{prefix}y" if number != 3 else "nothing")
        (prefix / "link").symlink_to("00")
        return 0

    result = WorkspaceArchive("w.tar.zst", receipt=True).install(
        target="restored", environment="new", prefix="/opt/x", dest=tmp_path / "rootfs", install_handler=handler
    )
    assert len(result.prefix_reference_matches) == 10
    assert result.prefix_reference_matches[:4] == ("00", "01", "02", "04")
    assert result.prefix_reference_matches_truncated


def test_a_windows_prefix_is_staged_below_a_folder(here, tmp_path):
    seen = []
    WorkspaceArchive("w.tar.zst", receipt=True).install(
        target="restored",
        environment="new",
        prefix="C:/x/y",
        dest=tmp_path / "w",
        install_handler=lambda *given: seen.append(given[2:]) or 0,
    )
    assert seen == [(tmp_path / "w/x/y", "C:/x/y")]


def test_create_with_lock_and_bundle(work, monkeypatch):
    work.write()
    monkeypatch.chdir(work.space.root)
    monkeypatch.setenv("HOME", str(work.space.home))
    monkeypatch.setenv("CWTASKS_CACHE", work.space.environ["CWTASKS_CACHE"])
    # There, nobody could commit a new lock.
    monkeypatch.delenv("CI", raising=False)
    archive = WorkspaceArchive.create(output="dist/w.tar.zst", lock=True, bundle=True, receipt=True)
    assert archive.inspect()["package_count"] == 2
    assert archive.verify().workspace_paths == ("conda.toml", "conda.lock")
    assert archive.receipt == work.space.root / "dist/w.tar.zst.receipt.json"


# Over http, where it can be counted


def test_one_changed_package_is_one_download(work):
    with serving(work.channel.folder.parent) as site:
        work.space.write({"conda.toml": MANIFEST.replace("CHANNEL", f"{site.url}/channel"), "in": "1"})
        work.doit("archive", "--bundle")
        assert (site.gets("/leaf-1.0-0.conda"), site.gets("/leaf-2.0-0.conda")) == (1, 1)
        work.space.write({"in": "2"})
        site.asked.clear()
        work.doit("archive", "--bundle")
        assert site.asked == []
        work.edit('leaf = "<2"', 'leaf = "<2"\nother = "*"')
        work.doit("archive", "--bundle")
        assert [path for method, path, _ in site.asked if method == "GET" and path.endswith(".conda")] == [
            "/channel/noarch/other-1.0-0.conda"
        ]


def test_a_package_that_is_nowhere_is_named_and_the_old_archive_stays(work):
    work.write()
    work.doit("archive", "--bundle")
    before = (work.space.root / "w.tar.zst").read_bytes()
    work.edit('leaf = "<2"', 'leaf = "<2"\nother = "*"')
    work.doit("lock")
    (work.channel.folder / "noarch/other-1.0-0.conda").unlink()
    done = work.space.run("archive", "--bundle")
    assert done.returncode == 1
    assert "other-1.0-0.conda cannot be fetched: there is no such file" in done.stderr
    assert (work.space.root / "w.tar.zst").read_bytes() == before


def test_a_package_file_that_changes_under_us_is_not_packed(bundled):
    cache = bundled.space.root.parent / "cache/pkgs"
    (kept,) = cache.rglob("leaf-1.0-0.conda")
    status = kept.stat()
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    os.utime(kept, ns=(status.st_atime_ns, status.st_mtime_ns))
    bundled.space.write({"in": "2"})
    # Its stamp tells, so it is got again; packed it would be noticed, too.
    assert bundled.doit("archive", "--bundle").startswith(".  bundle\n")
    info = WorkspaceArchive(bundled.space.root / "w.tar.zst", receipt=True)
    assert info.extract(target=bundled.space.root.parent / "x").primed_packages >= 0


def test_killed_while_a_bundle_is_packed_the_same_command_completes(bundled):
    for attempt in range(6):
        bundled.space.write({"in": str(attempt)})
        process = bundled.space.start("archive", "--bundle")
        time.sleep(0.1 + attempt * 0.05)
        process.kill()
        process.communicate()
    bundled.space.run("archive", "--bundle")
    assert WorkspaceArchive(bundled.space.root / "w.tar.zst", receipt=True).verify()
    assert not list(bundled.space.root.glob(".*packing*"))


def test_a_disk_that_fills_while_installing(far, tmp_path):
    with mounted(tmp_path / "small", "size=64k"):
        error = far.fails("install", "w.tar.zst", "--target", str(tmp_path / "small/w"))
        assert "no room for" in error
        assert list((tmp_path / "small").iterdir()) == []
    far.environ["CWTASKS_CACHE"] = str(tmp_path / "tiny/cache")
    with mounted(tmp_path / "tiny", "size=16k,nr_inodes=6"):
        assert "a package cannot be put there" in far.fails("install", "w.tar.zst")
        assert not (far.root / "w").exists()


def packed_by_others(far) -> None:
    """Pack the archive as conda-workspaces does: sorted members with times and owners, packages last, no index."""
    import io
    import tarfile
    from hashlib import sha256

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    ours = WorkspaceArchive(far.root / "w.tar.zst")
    contents = {member.name: ours.read(member.name) for member in ours.members()}
    names = sorted(name for name in contents if not name.startswith("packages/"))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in [*names, *sorted(set(contents) - set(names))]:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uid, info.uname = len(contents[name]), time.time(), 1000, "somebody"
            tar.addfile(info, io.BytesIO(contents[name]))
    content = zstd.compress(buffer.getvalue())
    (far.root / "w.tar.zst").write_bytes(content)
    receipt = far.root / "w.tar.zst.receipt.json"
    statement = json.loads(receipt.read_text())
    statement["subject"][0]["digest"]["sha256"] = sha256(content).hexdigest().upper()
    for environment in statement["predicate"]["environments"]:
        environment["prefix"] = f".conda/envs/{environment['name']}"
    receipt.write_text(json.dumps(statement, indent=2, sort_keys=True) + "\n")


def test_a_bundle_made_by_conda_workspaces_is_installed(far):
    packed_by_others(far)
    said = far.cwt("install", "w.tar.zst", "--require-sha256")
    assert "packages: 2 carried along, 2 new in the cache" in said
    assert leaf(far.root / "w/.conda/envs/new") == "leaf two\n"


def test_two_packages_of_one_name_do_not_collide(tmp_path):
    from cwtasks.archive.bundle import packages_for
    from cwtasks.archive.errors import PackageCollisionError
    from cwtasks.lockfile import LockedPackage
    from cwtasks.provision.bundling import Bundled

    def bundled(subdir: str, digest: str, host: str = "a"):
        url = f"https://{host}.invalid/{subdir}/leaf-1.0-0.conda"
        return Bundled(LockedPackage.from_record({"url": url, "sha256": digest * 64}), f"/x/{subdir}")

    made = packages_for([bundled("noarch", "1"), bundled("linux-64", "2"), bundled("osx-64", "2")])
    assert [(one.name, one.sha256[0]) for one in made] == [
        ("packages/leaf-1.0-0.conda", "2"),
        ("packages/noarch/leaf-1.0-0.conda", "1"),
    ]
    with pytest.raises(PackageCollisionError, match=r"leaf-1\.0-0\.conda: the lock names two different packages"):
        packages_for([bundled("noarch", "1"), bundled("noarch", "2", "b"), bundled("noarch", "3", "c")])


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="there is no /proc here")
def test_an_install_that_fails_leaves_no_worker_behind(here):
    path = here.root / "w.tar.zst"
    path.write_bytes(path.read_bytes()[:-100])
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text()
    with pytest.raises(ArchiveError):
        WorkspaceArchive(path, receipt=True).install(target="restored")
    assert children.read_text() == before
