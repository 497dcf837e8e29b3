"""Unpacking real archives: what comes out, where, and what is left when it fails."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from itertools import pairwise
from pathlib import Path

import pytest
from disks import mounted

from cwtasks.archive import errors
from cwtasks.archive.extraction import Progress, extract
from cwtasks.archive.limits import ArchiveLimits
from cwtasks.archive.staging import MARK
from cwtasks.exceptions import ArchiveHashMismatchError

COMPRESS = {".tar.zst": ["zstd", "-q"], ".tar.gz": ["gzip", "-n"], ".tar.bz2": ["bzip2"]}
LONG = "/".join(["a folder with a rather long name"] * 9)


def state(folder: Path) -> dict[str, tuple[str, int, object]]:
    """Return kind, mode and content of everything below a folder."""
    found: dict[str, tuple[str, int, object]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode & 0o777
        if path.is_symlink():
            found[name] = ("link", 0, os.readlink(path))
        elif path.is_dir():
            found[name] = ("folder", 0, None)
        else:
            found[name] = ("file", mode, path.read_bytes())
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / LONG).mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "conda.toml").write_text("[workspace]\n")
    (folder / "big.bin").write_bytes(os.urandom(3_000_000))
    (folder / "nothing").write_bytes(b"")
    (folder / LONG / "\u00e9t\u00e9.txt").write_text("summer")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("conda.toml")
    (folder / "dangling").symlink_to("./nowhere/at/all")
    (folder / "to-folder").symlink_to(LONG + "/../..")
    os.link(folder / "run.sh", folder / "twin.sh")
    return folder


def packed(source: Path, suffix: str = ".tar.zst", *, tar: tuple[str, ...] = (), what: str = ".") -> Path:
    archive = source.parent / f"made{suffix}"
    names = sorted(os.listdir(source)) if what == "*" else [what]
    making = subprocess.run(["tar", "-C", source, *tar, "-cf", "-", *names], stdout=subprocess.PIPE, check=True)
    done = subprocess.run([*COMPRESS[suffix], "-c"], input=making.stdout, stdout=subprocess.PIPE, check=True)
    archive.write_bytes(done.stdout)
    return archive


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if MARK in path.name]


# What comes out


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("what", [pytest.param(".", id="dot-slash"), pytest.param("*", id="plain-names")])
@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_an_archive_of_gnu_tar_comes_out_as_it_went_in(source: Path, suffix: str, what: str, form: str):
    archive = packed(source, suffix, tar=(f"--format={form}",), what=what)
    done = extract(archive, source.parent / "target", expected_sha256=sha256(archive).upper())
    assert state(done.target) == state(source)
    assert (done.target / "run.sh").samefile(done.target / "twin.sh")
    assert done.sha256 == sha256(archive)
    assert done.expanded_bytes == sum(len(entry[2]) for entry in state(source).values() if entry[0] == "file") - 10
    assert left(source.parent) == []


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_an_archive_of_pythons_tarfile_comes_out_as_it_went_in(source: Path, form: int):
    archive = source.parent / "made.tar.gz"
    with tarfile.open(archive, "w:gz", format=form) as file:
        for path in sorted(source.rglob("*")):
            file.add(path, path.relative_to(source).as_posix(), recursive=False)
    assert state(extract(archive, source.parent / "target").target) == state(source)


def test_several_frames_and_skippable_ones_are_one_stream(source: Path):
    archive = packed(source)
    tar = subprocess.run(["zstd", "-qdc", archive], stdout=subprocess.PIPE, check=True).stdout
    pieces = [tar[at : at + 700_001] for at in range(0, len(tar), 700_001)]
    frames = [
        subprocess.run(["zstd", "-qc"], input=piece, stdout=subprocess.PIPE, check=True).stdout for piece in pieces
    ]
    skippable = b"\x5e\x2a\x4d\x18" + (300_000).to_bytes(4, "little") + os.urandom(300_000)
    archive.write_bytes(skippable + skippable.join(frames) + skippable)
    assert state(extract(archive, source.parent / "target").target) == state(source)


def test_an_empty_folder_is_a_target(source: Path):
    (source.parent / "target").mkdir()
    assert state(extract(packed(source), source.parent / "target").target) == state(source)


def test_progress_ends_with_everything(source: Path):
    seen: list[Progress] = []
    archive = packed(source)
    done = extract(archive, source.parent / "target", progress=seen.append)
    size = archive.stat().st_size
    assert seen[-1] == (done.members, done.expanded_bytes, size, size)


def test_progress_is_told_within_a_large_file(source: Path):
    (source / "large.bin").write_bytes(os.urandom(1 << 20) * 40)
    seen: list[Progress] = []
    done = extract(packed(source), source.parent / "target", progress=seen.append)
    told = [at.expanded_bytes for at in seen]
    assert told == sorted(told)
    assert told[-1] == done.expanded_bytes
    assert max(after - before for before, after in pairwise([0, *told])) <= 16 << 20


def test_ctrl_c_within_a_large_file_is_heard(source: Path):
    (source / "large.bin").write_bytes(os.urandom(1 << 20) * 40)
    archive = packed(source)

    def interrupt(at: Progress) -> None:
        if at.expanded_bytes > 1 << 20:
            assert at.expanded_bytes < 30 << 20
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(archive, source.parent / "target", progress=interrupt)
    assert left(source.parent) == []


# What is refused


def refusals(folder: Path) -> None:
    (folder / "full").mkdir()
    (folder / "full/file").touch()
    (folder / "file").touch()
    (folder / "link").symlink_to("empty")
    (folder / "empty").mkdir()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        pytest.param("full", "it is not empty", id="not-empty"),
        pytest.param("file", "it is no folder", id="file"),
        pytest.param("link", "it is a link", id="link"),
        pytest.param("no/where", "there is no folder {}/no", id="no-parent"),
    ],
)
def test_a_target_that_is_something_else_is_refused(source: Path, target: str, reason: str, tmp_path: Path):
    refusals(tmp_path)
    before = state(tmp_path)
    archive = packed(source)
    with pytest.raises(errors.TargetError) as caught:
        extract(archive, tmp_path / target)
    assert caught.value.error_message == f"cannot unpack into {tmp_path / target}: {reason.format(tmp_path)}"
    archive.unlink()
    assert state(tmp_path) == before


def test_a_wrong_digest_is_said_even_where_the_damage_shows_first(source: Path):
    archive = packed(source)
    wanted = sha256(archive)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    with pytest.raises(ArchiveHashMismatchError) as caught:
        extract(archive, source.parent / "target", expected_sha256=wanted)
    assert (caught.value.expected, caught.value.actual) == (wanted, sha256(archive))
    assert sorted(os.listdir(source.parent)) == ["made.tar.zst", "source"]


def test_what_verify_raises_leaves_nothing(source: Path):
    seen = []

    def verify(tree: Path, digest: str) -> None:
        seen.append((state(tree), digest))
        raise LookupError("no")

    archive = packed(source)
    with pytest.raises(LookupError, match="no"):
        extract(archive, source.parent / "target", verify=verify)
    assert seen == [(state(source), sha256(archive))]
    assert sorted(os.listdir(source.parent)) == ["made.tar.zst", "source"]


@pytest.mark.parametrize(
    "make", [pytest.param(lambda path: path.symlink_to("source"), id="link"), pytest.param(Path.touch, id="file")]
)
def test_a_target_that_appears_meanwhile_is_not_replaced(source: Path, make):
    target = source.parent / "target"
    with pytest.raises(errors.TargetError, match="it changed or is in use: Not a directory"):
        extract(packed(source), target, verify=lambda tree, digest: make(target))
    assert left(source.parent) == []
    assert not target.is_dir() or target.is_symlink()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: subprocess.run(["sh", "-c", f"echo more >> {path}"], check=True), id="grows"),
        pytest.param(lambda path: os.truncate(path, 1_000_000), id="shrinks"),
        pytest.param(lambda path: os.utime(path, (1, 1)), id="touched"),
    ],
)
def test_an_archive_that_changes_while_it_is_read_is_noticed(source: Path, change):
    (source / "a.bin").write_bytes(os.urandom(12_000_000))
    for number in range(600):
        (source / f"0{number}").touch()
    archive = packed(source, what="*")
    changed = []

    def progress(_: Progress) -> None:
        if not changed:
            changed.append(change(archive))

    with pytest.raises((errors.ArchiveChangedError, errors.TruncatedArchiveError)):
        extract(archive, source.parent / "target", progress=progress)
    assert left(source.parent) == []


def test_a_fifo_in_place_of_an_archive_does_not_wait(tmp_path: Path):
    os.mkfifo(tmp_path / "a.tar.zst")
    with pytest.raises(errors.UnreadableArchiveError) as caught:
        extract(tmp_path / "a.tar.zst", tmp_path / "target")
    assert caught.value.error_message == f"{tmp_path / 'a.tar.zst'}: cannot be read: it is not a file"


def test_a_missing_archive_is_said(tmp_path: Path):
    with pytest.raises(errors.UnreadableArchiveError, match="cannot be read: No such file or directory"):
        extract(tmp_path / "a.tar.zst", tmp_path / "target")


def test_room_is_asked_for_first(source: Path):
    with pytest.raises(errors.NoSpaceError, match="bytes are needed"):
        extract(packed(source), source.parent / "target", expected_bytes=1 << 60)
    assert left(source.parent) == []


# Full disks and killed runs


@pytest.mark.parametrize("options", [pytest.param("size=1m", id="space"), pytest.param("nr_inodes=8", id="inodes")])
def test_a_full_disk_leaves_nothing(source: Path, options: str):
    archive = packed(source)
    disk = source.parent / "disk"
    with mounted(disk, options):
        with pytest.raises(errors.NoSpaceError):
            extract(archive, disk / "target")
        assert os.listdir(disk) == []
        # The estimate is a hint; the disk itself has the last word.
        with pytest.raises(errors.NoSpaceError, match="No space left on device"):
            extract(archive, disk / "target", limits=ArchiveLimits(staging_reserve_bytes=-(1 << 40)))
        assert os.listdir(disk) == []


def test_what_a_killed_run_left_is_removed_by_the_next_and_a_living_one_is_spared(source: Path):
    archive, target = packed(source), source.parent / "target"
    program = (
        "import sys, time, pathlib; from cwtasks.archive.extraction import extract\n"
        "def wait(*_): print('staged', flush=True); time.sleep(60)\n"
        "extract(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), verify=wait)"
    )
    with subprocess.Popen([sys.executable, "-c", program, archive, target], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"staged\n"
        (living,) = left(source.parent)
        with pytest.raises(LookupError):
            extract(archive, target, verify=lambda tree, digest: {}[digest])
        assert left(source.parent) == [living]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left(source.parent) == [living]
    assert not target.exists()
    extract(archive, target)
    assert left(source.parent) == []
    assert state(target) == state(source)


def test_a_run_killed_at_any_moment_leaves_all_or_nothing(source: Path):
    for number in range(2000):
        (source / f"n{number}").write_text("x" * number)
    archive, target = packed(source), source.parent / "target"
    program = (
        "import sys, pathlib; from cwtasks.archive.extraction import extract; print('begun', flush=True)\n"
        "extract(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    )
    for milliseconds in (0, 10, 40, 90):
        with subprocess.Popen([sys.executable, "-c", program, archive, target], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(milliseconds / 1000)
            process.kill()
        assert not target.exists() or state(target) == state(source)
        shutil.rmtree(target, ignore_errors=True)
    extract(archive, target)
    assert left(source.parent) == []
