"""Archives as they are written: their layout, who can read them, the same bytes everywhere, and all of it or nothing."""

import hashlib
import io
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import threading
import time
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from backports import zstd
from disks import mounted
from trees import LOCK, MANIFEST, Link, Script, fill, repository, tree_of
from waiting import is_running

from cwtasks.archive import WorkspaceArchive, errors
from cwtasks.archive.compressing import CollectedFrames
from cwtasks.archive.creating import Order, plan_archive, write_archive
from cwtasks.archive.gathering import FRAME_BYTES, Gatherer, Package
from cwtasks.archive.headers import DEFAULT_MTIME, HeaderPacker
from cwtasks.archive.packing import BATCH, is_compressed, pack
from cwtasks.archive.publishing import MARK
from cwtasks.archive.tarstream import members
from cwtasks.exceptions import ArchiveError, ArchiveHashMismatchError
from cwtasks.manifests import load

BASE = {"conda.toml": MANIFEST, "conda.lock": LOCK}
NOISE = random.Random(5)
NAMES = {
    "a" * 100: "100",
    "b" * 101: "101",
    "c" * 255: "255",
    "f/" + "d" * 98: "100 in a folder",
    "f/" + "d" * 99: "101 in a folder",
    "/".join(["e" * 60] * 5): "300",
    "\u00e9" * 50 + "x": "101 bytes",
    "\u65e5\u672c\u8a9e.txt": "not ASCII",
    "\u65e5" * 85: "255 bytes",
    "blank and 'quotes' #1": "plain",
    "folder-of-100/" + "g" * 86: None,
    "folder-of-101/" + "h" * 87: None,
    "\u00fc": None,
    "link-100": Link("t" * 100),
    "link-101": Link("t" * 101),
    "link-\u00e4": Link("f/../\u00e9t\u00e9"),
    "k" * 120: Link("u/" * 80 + "v"),
    "dangling": Link("no/where"),
    "to-folder": Link("f"),
    "run.sh": Script(b"#!/bin/sh\n"),
    "f/" + "m" * 120: Script(b"long and executable"),
}
SIZES = [0, 1, 511, 512, 513, 65_535, 65_536, 65_537, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES]


def create(root, output, **options):
    return WorkspaceArchive.create(workspace=root, output=output, **options)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def left(folder):
    return [path.name for path in folder.iterdir() if MARK in path.name]


def frames_of(archive):
    """Return each zstd frame that holds content, and the two skippable ones behind them, read without our code."""
    data = archive.read_bytes()
    frames, skippable, at = [], [], 0
    while at < len(data):
        if data[at + 1 : at + 4] == b"\x2a\x4d\x18":
            end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
            skippable.append(data[at:end])
        else:
            assert not skippable
            end = at + zstd.get_frame_size(data[at:])
            frames.append(data[at:end])
        at = end
    return frames, skippable


def stream_of(archive):
    return b"".join(zstd.decompress(frame) for frame in frames_of(archive)[0])


def infos(stream):
    with tarfile.open(fileobj=io.BytesIO(stream)) as file:
        return file.getmembers()


@pytest.fixture
def root(tmp_path):
    return fill(tmp_path / "space", BASE)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.tar.zst"


# Layout


def test_manifest_and_lock_are_alone_in_the_first_frame(root, output):
    fill(root, {"a.txt": "first by name", "z.txt": ""})
    first = zstd.decompress(frames_of(create(root, output).path)[0][0])
    assert [info.name for info in infos(first + bytes(1024))] == ["conda.toml", "conda.lock"]
    assert len(first) == 4 * 512


def test_what_is_compressed_already_has_frames_of_its_own_and_is_only_copied(root, output):
    noise = {name: NOISE.randbytes(700_000) for name in ("a.JPG", "b/c.conda", "d.tar.gz")}
    fill(root, {**noise, "e.txt": "text" * 50_000, "f.py": "x = 1\n" * 9000})
    frames, _ = frames_of(create(root, output).path)
    content = [zstd.decompress(frame) for frame in frames]
    assert content[-1] == bytes(1024)
    assert [info.name for info in infos(content[-2])] == ["a.JPG", "b/c.conda", "d.tar.gz"]
    assert [info.name for info in infos(content[1] + bytes(1024))] == ["e.txt", "f.py"]
    # Three bytes for each block of 128 KiB, and the frame's own header and checksum.
    assert len(frames[-2]) <= len(content[-2]) + 3 * (len(content[-2]) // (128 * 1024) + 1) + 18
    assert len(frames[1]) * 20 < len(content[1])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("a.whl", True), ("A.PNG", True), ("x.tar.bz2", True), ("a.py", False), ("gz", False), (".gz", False), ("a.gz/b", False)],
)  # fmt: skip
def test_what_is_compressed_already_is_known_by_its_ending(name, wanted):
    assert is_compressed(name) == wanted


def test_the_seek_table_tells_every_frame_of_the_file(root, output):
    fill(root, {f"n{size}": NOISE.randbytes(size) for size in SIZES})
    archive = create(root, output)
    frames, skippable = frames_of(archive.path)
    index, table = skippable
    assert (index[:4], table[:4]) == (b"\x5a\x2a\x4d\x18", b"\x5e\x2a\x4d\x18")
    count, flags, magic = struct.unpack("<IBI", table[-9:])
    assert (count, flags, magic) == (len(frames) + 1, 0, 0x8F92EAB1)
    entries = list(struct.iter_unpack("<II", table[8:-9]))
    assert entries == [*((len(frame), len(zstd.decompress(frame))) for frame in frames), (len(index), 0)]
    assert len(frames) > 5
    for frame in frames:
        # Its header promises the size of the content, and a checksum.
        assert zstd.get_frame_info(frame).decompressed_size is not None
        assert frame[4] & 0b100
    most = max(size for _, size in entries)
    assert FRAME_BYTES <= most < FRAME_BYTES + 2**20 + 2048


def test_the_index_tells_where_every_member_stands(root, output):
    fill(root, {**NAMES, **{f"n{size}": NOISE.randbytes(size) for size in SIZES[:8]}})
    archive = create(root, output)
    stream = stream_of(archive.path)
    listed = {member.name: member for member in archive.members()}
    found = infos(stream)
    assert list(listed) == [info.name for info in found]
    for info in found:
        member = listed[info.name]
        kind = "file" if info.isfile() else "symlink" if info.issym() else "folder"
        assert (member.kind, member.size, member.is_executable) == (
            kind,
            info.size,
            info.isfile() and info.mode == 0o755,
        )
        if info.isfile():
            assert archive.read(info.name) == stream[info.offset_data : info.offset_data + info.size]


# Who can read it


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Return a workspace with everything that is difficult, and its archives by suffix."""
    folder = tmp_path_factory.mktemp("rich")
    files = {f"n{size}": NOISE.randbytes(size // 2) + bytes(size - size // 2) for size in SIZES[:8]}
    root = fill(folder / "space", {**BASE, **NAMES, **files})
    return root, {suffix: create(root, folder / f"rich{suffix}").path for suffix in (".tar.zst", ".tar.gz", ".tar.bz2")}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Return a workspace with files around the size of a frame, and its archive."""
    folder = tmp_path_factory.mktemp("large")
    files = {f"n{size}": NOISE.randbytes(100_000) + bytes(size - 100_000) for size in SIZES[8:]}
    root = fill(folder / "space", {**BASE, **files})
    return root, create(root, folder / "large.tar.zst").path


def by_tar(archive, target):
    subprocess.run(["tar", "-C", target, "-xpf", archive], check=True)


def by_zstd_and_tar(archive, target):
    unpacked = subprocess.run(["zstd", "-qdc", archive], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-C", target, "-xpf", "-"], input=unpacked, check=True)


def by_python(archive, target):
    data = archive.read_bytes()
    if archive.suffix == ".zst":
        data = zstd.decompress(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as file:
        file.extractall(target, filter="fully_trusted")


def by_bsdtar(archive, target):
    if shutil.which("bsdtar") is None:
        pytest.skip("there is no bsdtar here")
    subprocess.run(["bsdtar", "-C", target, "-xpf", archive], check=True)


def by_us(archive, target):
    target.rmdir()
    WorkspaceArchive(archive).extract(target=target)


@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.gz", ".tar.bz2"])
@pytest.mark.parametrize("reader", [by_tar, by_python, by_bsdtar, by_us])
def test_every_reader_of_tar_finds_the_same_tree(rich, tmp_path, suffix, reader):
    root, archives = rich
    target = tmp_path / "target"
    target.mkdir()
    reader(archives[suffix], target)
    assert tree_of(target) == tree_of(root)
    modes = {path.lstat().st_mode & 0o7777 for path in target.rglob("*") if path.is_file() and not path.is_symlink()}
    assert modes == {0o644, 0o755}


@pytest.mark.parametrize("reader", [by_tar, by_zstd_and_tar, by_python, by_bsdtar, by_us])
def test_files_over_several_frames_come_out_whole(large, tmp_path, reader):
    root, archive = large
    target = tmp_path / "target"
    target.mkdir()
    reader(archive, target)
    assert tree_of(target) == tree_of(root)


def test_zstd_itself_finds_nothing_wrong(rich, tmp_path):
    root, archives = rich
    subprocess.run(["zstd", "-qt", archives[".tar.zst"]], check=True)
    by_zstd_and_tar(archives[".tar.zst"], tmp_path)
    assert tree_of(tmp_path) == tree_of(root)


def test_the_three_kinds_hold_the_same_members(rich):
    _, archives = rich
    found = {suffix: {info.name: info for info in infos(data)} for suffix, data in (
        (".tar.zst", stream_of(archives[".tar.zst"])),
        (".tar.gz", subprocess.run(["gzip", "-dc", archives[".tar.gz"]], stdout=subprocess.PIPE, check=True).stdout),
        (".tar.bz2", subprocess.run(["bzip2", "-dc", archives[".tar.bz2"]], stdout=subprocess.PIPE, check=True).stdout),
    )}  # fmt: skip
    assert found[".tar.zst"].keys() == found[".tar.gz"].keys() == found[".tar.bz2"].keys()
    # Where nothing is gained by keeping compressed files apart they stand where their name is.
    assert list(found[".tar.gz"])[:3] == ["conda.toml", "conda.lock", "folder-of-100/" + "g" * 86]


def test_gzip_names_neither_file_nor_time_nor_system(rich):
    assert rich[1][".tar.gz"].read_bytes()[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def test_only_names_that_need_it_have_an_extension_header(rich, root, output):
    headers = [info for info in infos(stream_of(rich[1][".tar.zst"])) if info.pax_headers]
    long = {name for name, entry in NAMES.items() if not name.isascii() or len(name) + (entry is None) > 100}
    assert {info.name for info in headers} == {*long, "link-101", "link-\u00e4"}
    fill(root, {"x" * 100: "", "a b": ""})
    assert b"PaxHeader" not in stream_of(create(root, output).path)


def test_a_size_beyond_the_header_is_said_in_a_record():
    header = HeaderPacker().file("huge", 8**11, is_executable=False)
    with tarfile.open(fileobj=io.BytesIO(header)) as file:
        assert file.next().size == 8**11
    member = next(members(iter([header]))).header
    assert (member.name, member.size) == ("huge", 8**11)
    largest = HeaderPacker().file("large", 8**11 - 1, is_executable=False)
    assert len(largest) == 512
    assert next(members(iter([largest]))).header.size == 8**11 - 1


def test_hard_links_are_files(root, output):
    fill(root, {"one": "same"})
    os.link(root / "one", root / "two")
    archive = create(root, output)
    assert archive.read("one") == archive.read("two") == b"same"
    assert {member.kind for member in archive.members()} == {"file"}


def test_headers_say_nothing_of_who_made_them(root, output):
    fill(root, {"secret-mode": "", "run": Script(b""), "l": Link("run"), "folder": None})
    (root / "secret-mode").chmod(0o4640)
    (root / "run").chmod(0o711)
    found = infos(stream_of(create(root, output).path))
    assert {(info.uid, info.gid, info.uname, info.gname, info.mtime) for info in found} == {
        (0, 0, "", "", DEFAULT_MTIME)
    }
    modes = {info.name: info.mode for info in found}
    assert modes == {
        **dict.fromkeys(["conda.toml", "conda.lock", "secret-mode"], 0o644),
        "run": 0o755,
        "folder": 0o755,
        "l": 0o777,
    }


# The time of members, levels, names of outputs


def test_the_time_of_members_is_source_date_epoch(root, output, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert {info.mtime for info in infos(stream_of(create(root, output).path))} == {1_700_000_000}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    assert {info.mtime for info in infos(stream_of(create(root, output).path))} == {DEFAULT_MTIME}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "99999999999")
    assert {info.mtime for info in infos(stream_of(create(root, output).path))} == {8**11 - 1}


@pytest.mark.parametrize("told", ["yesterday", "-1", "1.5", " 1", "1 ", "\uff11", "123456789012", "0x10"])
def test_a_time_that_is_none_is_an_error(root, output, monkeypatch, told):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", told)
    with pytest.raises(ArchiveError) as caught:
        create(root, output)
    assert str(caught.value) == (
        f"SOURCE_DATE_EPOCH: found '{told}', expected seconds since 1970\nhint: unset it, or 'date +%s' it"
    )
    assert not output.exists()


def test_the_level_changes_the_size_and_not_the_content(root, tmp_path):
    fill(root, {"words": " ".join(str(number * number) for number in range(40_000))})
    sizes = {}
    for level in (1, 19):
        (root / "conda.toml").write_text(f"{MANIFEST}[workspace.archive]\ncompression-level = {level}\n")
        archive = create(root, tmp_path / f"{level}.tar.zst")
        sizes[level] = archive.path.stat().st_size
        assert archive.read("words") == (root / "words").read_bytes()
    assert sizes[19] < sizes[1]


@pytest.mark.parametrize(
    ("suffix", "kind", "level", "most"), [("zst", "zstd", 23, 22), ("gz", "gzip", 0, 9), ("bz2", "bzip2", 10, 9)]
)
def test_a_level_that_there_is_not_is_an_error(root, tmp_path, suffix, kind, level, most):
    (root / "conda.toml").write_text(f"{MANIFEST}[workspace.archive]\ncompression-level = {level}\n")
    with pytest.raises(ArchiveError) as caught:
        create(root, tmp_path / f"x.tar.{suffix}")
    assert caught.value.error_message == (
        f"conda.toml: workspace.archive.compression-level: found {level}, {kind} has 1 to {most}"
    )


def test_a_suffix_that_says_nothing_is_an_error(root, tmp_path):
    with pytest.raises(errors.UnknownSuffixError) as caught:
        create(root, tmp_path / "x.zip")
    assert str(caught.value) == (
        f"{tmp_path / 'x.zip'}: its name does not say how to compress it\n"
        "hint: end it with .tar.zst, .tar.gz or .tar.bz2"
    )


def test_folders_of_the_output_are_made(root, tmp_path):
    assert create(root, tmp_path / "new/er/x.tgz").path.is_file()


# The same bytes everywhere

SAME = {
    **BASE,
    "src/a.py": "print()\n",
    "src/run": Script(b"#!/bin/sh\n"),
    "B": "b",
    "a": "a",
    "\u00e9": "e",
    "\U0001f40d": "snake",
    "\uffee": "after the surrogates in UTF-16 only",
    "empty/folder": None,
    "photo.png": NOISE.randbytes(3000),
    "link": Link("src/a.py"),
    "many.txt": "line\n" * 3000,
    "zeros": bytes(FRAME_BYTES + 1000),
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Return what gives the archive of the usual way to make it, by suffix."""
    folder = tmp_path_factory.mktemp("reference")
    root = fill(folder / "space", SAME)
    made = {}

    def archive(suffix):
        if suffix not in made:
            made[suffix] = create(root, folder / f"x{suffix}", receipt=True).path
        return made[suffix]

    return archive


def reordered(root):
    fill(root, dict(reversed(SAME.items())))


def of_private_modes(root):
    fill(root, SAME)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() or path.name == "run" else 0o600)


def of_generous_modes(root):
    fill(root, SAME)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() or path.name == "run" else 0o666)


def of_another_user(root):
    if os.geteuid():
        pytest.skip("only root may give files away")
    fill(root, SAME)
    for path in root.rglob("*"):
        os.chown(path, 1234, 5678, follow_symlinks=False)


def of_long_ago(root):
    fill(root, SAME)
    for path in root.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)


def of_hard_links(root):
    fill(root, SAME)
    os.link(root / "a", root.parent / "elsewhere")


@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.gz", ".tar.bz2"])
@pytest.mark.parametrize(
    "make", [reordered, of_private_modes, of_generous_modes, of_another_user, of_long_ago, of_hard_links]
)
def test_the_same_workspace_gives_the_same_bytes_and_receipt(tmp_path, reference, suffix, make):
    wanted = reference(suffix)
    root = tmp_path / "another/place/space"
    make(root)
    made = create(root, tmp_path / f"another/x{suffix}", receipt=True)
    assert sha256(made.path) == sha256(wanted)
    assert made.receipt_path.read_bytes() == Path(f"{wanted}.receipt.json").read_bytes()


CREATE = (
    "import sys, time; from cwtasks.archive import WorkspaceArchive\n"
    "def progress(at):\n"
    "    if at.members >= int(sys.argv[3]): print('there', flush=True); time.sleep(60)\n"
    "print('begun', flush=True)\n"
    "WorkspaceArchive.create(workspace=sys.argv[1], output=sys.argv[2], receipt=True, progress=progress)\n"
)
NEVER = 10**9


def creating(root, output, *, stop_at=NEVER, **options):
    command = [sys.executable, "-c", CREATE, root, output, str(stop_at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize(
    ("umask", "environ"),
    [
        pytest.param(0o077, {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, id="tight"),
        pytest.param(0o000, {"TZ": "America/Lima", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2", "PYTHONUTF8": "1"}, id="open"),
    ],
)  # fmt: skip
def test_neither_umask_nor_time_zone_nor_locale_changes_a_byte(tmp_path, reference, umask, environ):
    wanted = reference(".tar.zst")
    root = fill(tmp_path / "another/space", SAME)
    with creating(root, tmp_path / "another/x.tar.zst", umask=umask, env={**os.environ, **environ}) as process:
        assert process.communicate() == (b"begun\n", b"")
    assert sha256(tmp_path / "another/x.tar.zst") == sha256(wanted)
    assert (tmp_path / "another/x.tar.zst").stat().st_mode & 0o777 == 0o666 & ~umask


def test_when_files_were_written_does_not_move_the_ends_of_frames(tmp_path):
    # What was written just now is read with more care, which must not show.
    entries = {f"n{number:03}": NOISE.randbytes(30_000 + number) for number in range(300)}
    digests = set()
    for name, moment in (("old", 1), ("future", time.time() + 10_000)):
        root = fill(tmp_path / name, {**BASE, **entries, **{f"e{number}": "" for number in range(9)}})
        for path in root.iterdir():
            os.utime(path, (moment, moment))
        digests.add(sha256(create(root, tmp_path / f"{name}.tar.zst").path))
    assert len(digests) == 1


@pytest.mark.parametrize("rest", range(-2, 3))
def test_a_frame_that_an_empty_file_fills_ends_the_same_whenever_it_was_written(tmp_path, rest):
    # The empty file's header is what brings the frame to its size.
    entries = {"a": bytes(FRAME_BYTES - 512 * (2 - rest)), "b": "", "c": "", "d": "some text"}
    digests = set()
    for name, moment in (("old", 1), ("future", time.time() + 10_000)):
        root = fill(tmp_path / name, {**BASE, **entries})
        for path in root.iterdir():
            os.utime(path, (moment, moment))
        digests.add(sha256(create(root, tmp_path / f"{name}.tar.zst").path))
    assert len(digests) == 1


# Many files, which other processes read

COUNT = 5 * BATCH + 7


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    root = fill(tmp_path_factory.mktemp("many") / "space", BASE)
    for folder in range(-(-COUNT // 1000)):
        (root / f"f{folder:02}").mkdir()
    # Names for a few files are made faster than files.
    for number in range(COUNT):
        name = root / f"f{number // 1000:02}/n{number}"
        if number < 60:
            name.write_text(f"{number}")
        else:
            os.link(root / f"f00/n{number % 60}", name)
    os.symlink("n1", root / "f00/link")
    return root


def test_other_processes_make_the_frames_that_one_would_make(many, tmp_path):
    archive = create(many, tmp_path / "x.tar.zst")
    names = sorted(["f00/link", *(f"f{number // 1000:02}/n{number}" for number in range(COUNT))])
    single = CollectedFrames(3)
    gatherer = Gatherer(str(many), single)
    for at in range(0, len(names), BATCH):
        gatherer.add_all(names[at : at + BATCH])
        gatherer.end_frame()
    frames, _ = frames_of(archive.path)
    assert frames[1:-1] == [frame for frame, _ in single.frames]
    assert [member.name for member in archive.members()] == ["conda.toml", "conda.lock", *names]
    assert archive.read("f19/n19123") == b"43"
    assert sha256(create(many, tmp_path / "again.tar.zst").path) == sha256(archive.path)


def test_a_file_that_other_processes_cannot_pack_is_an_error_that_names_it(many, tmp_path):
    victim = many / "f20/n20480"

    def meddle(at):
        if victim.is_file():
            victim.unlink()
            os.mkfifo(victim)

    try:
        with pytest.raises(errors.FileChangedError) as caught:
            create(many, tmp_path / "x.tar.zst", progress=meddle)
    finally:
        victim.unlink()
        os.link(many / "f00/n20", victim)
    assert caught.value.error_message == "f20/n20480: cannot be packed: it is no file"
    assert os.listdir(tmp_path) == []


def children_of(process):
    return [int(word) for word in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc here")
def test_no_process_outlives_one_that_is_killed(many, tmp_path):
    with creating(many, tmp_path / "x.tar.zst", stop_at=BATCH) as process:
        assert [process.stdout.readline() for _ in range(2)] == [b"begun\n", b"there\n"]
        helpers = children_of(process)
        process.kill()
    assert len(helpers) == 2
    until = time.monotonic() + 20
    while any(map(is_running, helpers)):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_process_that_ends_early_is_an_error(many, tmp_path):
    if not Path("/proc/self/task").exists():
        pytest.skip("there is no /proc here")
    killed = []

    def meddle(at):
        if at.members > 2 and not killed:
            task = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            killed.extend(int(word) for word in task if b"packing_pool" in Path(f"/proc/{word}/cmdline").read_bytes())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(errors.WorkerEndedError) as caught:
        create(many, tmp_path / "x.tar.zst", progress=meddle)
    assert str(caught.value) == ("a process of ours ended early\nhint: nothing was written; is there enough memory?")
    assert os.listdir(tmp_path) == []


def test_many_members_without_content_may_make_a_frame_larger_than_most(tmp_path):
    links = {f"link-{number:04}": Link(f"{number:04}/" + "long/" * 150 + "x") for number in range(BATCH)}
    root = fill(tmp_path / "w", {**BASE, **links})
    create(root, tmp_path / "w.tar.zst")
    frames, _ = frames_of(tmp_path / "w.tar.zst")
    assert max(len(zstd.decompress(frame)) for frame in frames) > FRAME_BYTES + FRAME_BYTES // 2
    WorkspaceArchive(tmp_path / "w.tar.zst").extract(target=tmp_path / "out")
    assert tree_of(tmp_path / "out") == tree_of(root)


# Files that change meanwhile


class Meddling:
    """A sink that does something to a file when its first content arrives."""

    def __init__(self, action):
        self.content = []
        self._action = action

    def add(self, piece):
        self.content.append(piece)
        if len(self.content) == 2:
            self._action()

    def read(self, file, size, digest):
        piece = file.read(size)
        self.add(piece)
        return len(piece)

    def end_frame(self, *, is_compressed=False):
        pass


def overwrite(path):
    with path.open("r+b") as file:
        file.write(b"other")


def grow(path):
    with path.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda path: os.truncate(path, 1_500_000), "it grew shorter while it was read", id="shrinks"),
        pytest.param(lambda path: os.truncate(path, 0), "it grew shorter while it was read", id="emptied"),
        pytest.param(grow, "it changed while it was read", id="grows"),
        pytest.param(overwrite, "it changed while it was read", id="overwritten"),
        pytest.param(os.utime, "it changed while it was read", id="touched"),
    ],
)
@pytest.mark.parametrize("keeps_digests", [False, True])
def test_a_file_that_changes_while_it_is_read_is_an_error_that_names_it(tmp_path, change, reason, keeps_digests):
    path = fill(tmp_path, {"dir/data": bytes(3_000_000)}) / "dir/data"
    os.utime(path, (1, 1))
    gatherer = Gatherer(str(tmp_path), Meddling(lambda: change(path)))
    with pytest.raises(errors.FileChangedError) as caught:
        gatherer.add_all(["dir/data"], keeps_digests=keeps_digests)
    assert str(caught.value) == (
        f"dir/data: cannot be packed: {reason}\nhint: no archive was written; try again when nothing writes there"
    )


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.rename(path.with_name("moved"))])
def test_a_file_that_loses_its_name_while_it_is_read_is_packed_as_it_was(tmp_path, change):
    path = fill(tmp_path, {"data": NOISE.randbytes(3_000_000)}) / "data"
    content = path.read_bytes()
    sink = Meddling(lambda: change(path))
    Gatherer(str(tmp_path), sink).add_all(["data"])
    assert b"".join(sink.content)[512 : 512 + len(content)] == content


def test_a_change_in_the_middle_of_an_archive_leaves_the_caller_with_an_error(root):
    fill(root, {"data": bytes(8 * FRAME_BYTES)})

    class Output(io.BytesIO):
        def write(self, block):
            if self.tell() > 500 and (root / "data").stat().st_size == 8 * FRAME_BYTES:
                grow(root / "data")
            return super().write(block)

    with pytest.raises(errors.FileChangedError, match="data: cannot be packed: it changed while it was read"):
        pack(Output(), str(root), ["conda.toml", "data"], kind="zstd", front=["conda.toml"])
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("cwtasks-compress")] == []


def on_first_report(action):
    done = []

    def progress(at):
        if not done:
            done.append(action())

    return progress


def test_a_file_that_vanishes_before_it_is_read_is_left_away_when_it_is_gone_for_good(root, output):
    fill(root, {"a": "", "z": ""})
    archive = create(root, output, progress=on_first_report((root / "z").unlink))
    assert [member.name for member in archive.members()] == ["conda.toml", "conda.lock", "a"]


def test_a_manifest_that_vanishes_is_an_error(root, output):
    fill(root, {"a": "", "z": ""})

    def vanish():
        (root / "z").unlink()
        (root / "conda.lock").unlink()

    with pytest.raises(errors.NeededFileError) as caught:
        create(root, output, receipt=True, progress=on_first_report(vanish))
    assert caught.value.error_message == "conda.lock has to go into the archive: is missing"
    assert not output.exists()


@pytest.mark.parametrize("has_git", [False, True])
def test_a_file_that_becomes_something_else_is_an_error(root, output, has_git):
    fill(root, {"a": "", "z": ""})
    if has_git:
        repository(root)
    output.write_text("old")

    def become_a_fifo():
        (root / "z").unlink()
        os.mkfifo(root / "z")

    with pytest.raises(errors.FileChangedError, match="z: cannot be packed: it is no file"):
        create(root, output, progress=on_first_report(become_a_fifo))
    assert output.read_text() == "old"
    assert left(output.parent) == []


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("/etc/passwd", errors.AbsoluteLinkError),
        ("../../out", errors.EscapingLinkError),
        ("a\\b", errors.LinkTargetError),
        ("loop", errors.LinkCycleError),
        (b"\xff", errors.LinkTargetError),
    ],
)
def test_a_link_that_could_not_be_unpacked_is_not_packed(root, output, target, error):
    os.symlink(target, os.fsencode(root / "loop") if isinstance(target, bytes) else root / "loop")
    output.write_text("old")
    with pytest.raises(error):
        create(root, output)
    assert output.read_text() == "old"
    assert left(output.parent) == []


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("aux.txt", errors.DeviceNameError),
        ("sub/NUL", errors.DeviceNameError),
        ("what?", errors.NotPortableNameError),
        ("trailing.", errors.TrailingCharacterError),
        ("back\\slash", errors.BackslashNameError),
        ("CONDA.toml", errors.NameCollisionError),
        ("tab\there", errors.ControlCharacterError),
    ],
)
@pytest.mark.parametrize("entry", ["", None])
def test_a_name_that_could_not_be_unpacked_is_not_packed(root, output, name, entry, error):
    fill(root, {name: entry})
    with pytest.raises(error):
        create(root, output)
    assert sorted(os.listdir(output.parent)) == ["space"]


# All of it, or nothing


@pytest.fixture
def big(root):
    """Return a workspace whose archive takes a while, and which has one of before."""
    return fill(root, {f"n{number}": NOISE.randbytes(3000) for number in range(3000)})


def test_what_a_killed_run_left_is_removed_by_the_next_and_a_living_one_is_spared(root, output):
    fill(root, {"a": ""})
    with creating(root, output, stop_at=3) as process:
        assert [process.stdout.readline() for _ in range(2)] == [b"begun\n", b"there\n"]
        (living,) = left(output.parent)
        create(root, output)
        assert left(output.parent) == [living]
        before = output.read_bytes()
        process.kill()
    assert left(output.parent) == [living]
    assert output.read_bytes() == before
    create(root, output)
    assert left(output.parent) == []


def test_a_run_killed_at_any_moment_leaves_the_old_archive_or_the_new(big, output):
    create(big, output, receipt=True)
    receipt = Path(f"{output}.receipt.json")
    old = {output.read_bytes(), receipt.read_bytes()}
    fill(big, {"n0": "changed"})
    new = {path.read_bytes() for path in (output, create(big, output, receipt=True).receipt_path)}
    moments = random.Random(time.time_ns())
    for _ in range(5):
        with creating(big, output) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0.05, 0.45))
            process.kill()
        assert output.read_bytes() in old | new
        assert receipt.read_bytes() in old | new
    create(big, output, receipt=True).verify()
    assert left(output.parent) == []


@pytest.mark.parametrize("options", [pytest.param("size=2m", id="space"), pytest.param("nr_inodes=3", id="inodes")])
def test_a_full_disk_leaves_the_old_archive(root, tmp_path, options):
    disk = tmp_path / "disk"
    with mounted(disk, options):
        old = create(root, disk / "x.tar.zst", **({} if "nr" in options else {"receipt": True})).path
        before, names = old.read_bytes(), sorted(os.listdir(disk))
        fill(root, {"big": NOISE.randbytes(3_000_000)})
        if "nr" in options:
            (disk / "last").touch()
            names.append("last")
        with pytest.raises(errors.OutputError) as caught:
            create(root, old, receipt=True)
        assert str(caught.value) == (
            f"{old}: cannot be written: No space left on device\nhint: what was there before is untouched"
        )
        assert old.read_bytes() == before
        assert sorted(os.listdir(disk)) == sorted(names)


@pytest.mark.parametrize("has_receipt", [False, True])
def test_a_folder_in_the_place_of_the_archive_is_an_error(root, output, has_receipt):
    output.mkdir()
    with pytest.raises(errors.OutputError) as caught:
        create(root, output, receipt=has_receipt)
    assert caught.value.error_message == f"{output}: cannot be written: Is a directory"
    assert sorted(os.listdir(output.parent)) == ["out.tar.zst", "space"]


def test_a_folder_in_the_place_of_the_receipt_leaves_the_old_archive(root, output):
    output.write_text("old")
    receipt = output.parent / "proofs"
    receipt.mkdir()
    with pytest.raises(errors.OutputError) as caught:
        create(root, output, receipt=receipt)
    assert caught.value.error_message == f"{receipt}: cannot be written: Is a directory"
    assert output.read_text() == "old"
    assert sorted(os.listdir(output.parent)) == ["out.tar.zst", "proofs", "space"]


def test_a_receipt_whose_name_is_too_long_leaves_the_old_archive(root, tmp_path):
    output = tmp_path / f"{'x' * 240}.tar.zst"
    output.write_text("old")
    with pytest.raises(errors.OutputError) as caught:
        create(root, output, receipt=True)
    assert caught.value.error_message == f"{output}.receipt.json: cannot be written: File name too long"
    assert output.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["space", output.name]


@pytest.mark.parametrize("name", ["conda.toml", "conda.lock"])
def test_what_a_receipt_proves_may_not_be_a_link(root, output, name):
    (root / name).rename(root / "real")
    (root / name).symlink_to("real")
    with pytest.raises(errors.NeededFileError) as caught:
        create(root, output, receipt=True)
    assert caught.value.error_message == f"{name} has to go into the archive: is a link"
    assert not output.exists()


def test_two_at_once_each_leave_a_whole_archive(root, output):
    fill(root, {f"n{number}": NOISE.randbytes(2000) for number in range(500)})
    wanted = sha256(create(root, output.parent / "reference/out.tar.zst", receipt=True).path)
    failures = []

    def run():
        try:
            for _ in range(4):
                create(root, output, receipt=True).verify()
        except Exception as error:  # noqa: BLE001 - it is told in the test, whatever it is
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    with creating(root, output) as process:
        assert process.communicate() == (b"begun\n", b"")
    for thread in threads:
        thread.join()
    assert failures == []
    assert sha256(output) == wanted
    assert left(output.parent) == []


def test_progress_tells_how_far_it_is(root, output):
    fill(root, {f"n{number}": "12345" for number in range(1000)})
    seen = []
    create(root, output, progress=seen.append)
    total = sum(path.stat().st_size for path in root.iterdir())
    assert seen[-1] == (1002, 1002, total)
    assert len(seen) >= 4
    assert list(accumulate((at.members for at in seen), max)) == [at.members for at in seen]


def test_progress_is_told_within_a_large_file(root, output):
    (root / "large.bin").write_bytes(os.urandom(1 << 20) * 40)
    (root / "large.zip").write_bytes(os.urandom(1 << 20) * 40)
    seen = []
    create(root, output, progress=seen.append)
    told = [at.content_bytes for at in seen]
    assert told == sorted(told)
    assert told[-1] == sum(path.stat().st_size for path in root.iterdir())
    assert max(after - before for before, after in pairwise([0, *told])) <= 16 << 20


def test_ctrl_c_within_a_large_file_is_heard(root, output):
    (root / "large.bin").write_bytes(os.urandom(1 << 20) * 40)

    def interrupt(at):
        if at.content_bytes > 1 << 20:
            told.append(at)
            raise KeyboardInterrupt

    told = []
    with pytest.raises(KeyboardInterrupt):
        create(root, output, progress=interrupt)
    assert told[0].content_bytes < 30 << 20
    assert left(output.parent) == []


def test_ctrl_c_leaves_the_old_archive_and_no_process(many, tmp_path):
    output = tmp_path / "x.tar.zst"
    output.write_text("old")

    def interrupt(at):
        if at.members > BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create(many, output, progress=interrupt)
    assert output.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.tar.zst"]
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("cwtasks-")] == []


# Packages that are carried along


@pytest.fixture
def carrying(root, output):
    """Return what makes an archive that carries a package."""
    package = fill(output.parent / "cache", {"a-1-0.conda": NOISE.randbytes(5000)}) / "a-1-0.conda"

    right = sha256(package)

    def make(*, name="packages/a-1-0.conda", digest=right):
        plan = plan_archive(load(root, user_level=False), Order(output=str(output), receipt=True), cwd=str(root))
        write_archive(plan, packages=[Package(name, str(package), digest)])
        return WorkspaceArchive(output, receipt=True)

    make.package = package
    return make


def test_packages_come_last_and_are_told(root, carrying):
    fill(root, {"z.png": NOISE.randbytes(300), "z.txt": "text"})
    archive = carrying()
    assert [member.name for member in archive.members()] == [
        *("conda.toml", "conda.lock", "z.txt", "z.png", "packages/a-1-0.conda")
    ]
    told = archive.inspect()
    assert (told["has_packages"], told["package_count"]) == (True, 1)
    assert archive.read("packages/a-1-0.conda") == carrying.package.read_bytes()
    archive.verify()
    content = [zstd.decompress(frame) for frame in frames_of(archive.path)[0]]
    assert [info.name for info in infos(content[-2] + bytes(1024))][-1] == "packages/a-1-0.conda"


def test_a_package_that_is_another_one_is_not_carried(carrying, output):
    with pytest.raises(ArchiveHashMismatchError) as caught:
        carrying(digest="0" * 64)
    assert (caught.value.expected, caught.value.actual) == ("0" * 64, sha256(carrying.package))
    assert sorted(os.listdir(output.parent)) == ["cache", "space"]


def test_a_package_that_is_not_there_is_an_error_with_its_place(carrying, output):
    carrying.package.unlink()
    with pytest.raises(errors.FileChangedError) as caught:
        carrying()
    assert caught.value.error_message == f"{carrying.package}: cannot be packed: No such file or directory"
    assert sorted(os.listdir(output.parent)) == ["cache", "space"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("packages/a-1-0.conda", errors.DuplicateMemberError),
        ("packages/A-1-0.conda", errors.NameCollisionError),
        ("packages", errors.BelowFileError),
    ],
)
def test_a_package_in_the_place_of_a_file_of_the_workspace_is_an_error(root, carrying, output, name, error):
    fill(root, {name: "of the workspace"})
    with pytest.raises(error):
        carrying()
    assert sorted(os.listdir(output.parent)) == ["cache", "space"]


# What is refused before anything is read


@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@c.example/main",
        "http://user:s3cret@c.example/main",
        "https://s3cret@c.example/main",
        "HTTPS://user:s3cret@c.example/main",
        "ftp://user:s3cret@c.example/main",
        "git+ssh://user:s3cret@c.example/main",
        "https://c.example/t/s3cret-token/main",
    ],
)
@pytest.mark.parametrize("name", ["conda.toml", "conda.lock"])
def test_a_credential_in_manifest_or_lock_is_refused_without_being_shown(root, output, name, url):
    lines = (root / name).read_text().count("\n")
    with (root / name).open("a") as file:
        file.write(f"# one more line\n# see {url}\n")
    with pytest.raises(errors.SecretInFileError) as caught:
        create(root, output)
    assert str(caught.value) == (
        f"{name}:{lines + 2}: a URL here holds a password or token, which would go into the archive\n"
        "hint: keep credentials in the login store of your tools, not in files of the workspace"
    )
    assert os.listdir(output.parent) == ["space"]


@pytest.mark.parametrize(
    "url",
    [
        "https://c.example/main",
        "https://c.example/a@b/main",
        "https://c.example:8080/t/",
        "ssh://git@c.example/main",
        "git+https://git@c.example/main",
        "me@example.org, see https://c.example",
        "https://c.example/notes/t",
    ],
)
def test_what_only_resembles_a_credential_is_packed(root, output, url):
    with (root / "conda.toml").open("a") as file:
        file.write(f"# see {url}\n")
    assert create(root, output).inspect()["has_manifest"]


def test_a_receipt_without_a_lock_is_refused(root, output):
    (root / "conda.lock").unlink()
    with pytest.raises(errors.NeededFileError) as caught:
        create(root, output, receipt=True)
    assert str(caught.value) == (
        "conda.lock has to go into the archive: there is none\nhint: 'doit lock' makes a lock, and a receipt needs one"
    )


@pytest.mark.parametrize("name", ["conda.toml", "conda.lock", "pixi.lock"])
def test_no_file_of_the_workspace_is_written_over_by_a_receipt(root, output, name):
    before = tree_of(root)
    with pytest.raises(errors.OutputError) as caught:
        create(root, output, receipt=root / name)
    assert caught.value.error_message == f"{root / name}: cannot be written: it is {name} of the workspace"
    assert tree_of(root) == before


def test_archive_and_receipt_are_two_files(root, output):
    with pytest.raises(errors.OutputError) as caught:
        create(root, output, receipt=output)
    assert caught.value.error_message == f"{output}: cannot be written: archive and receipt cannot be one file"


def test_a_key_without_a_receipt_is_an_error_and_a_missing_key_leaves_the_old_archive(root, output):
    with pytest.raises(ArchiveError) as caught:
        create(root, output, sign="key.pem")
    assert str(caught.value) == ("sign: there is nothing to sign without a receipt\nhint: ask for one: receipt=True")
    output.write_text("old")
    with pytest.raises(ArchiveError):
        create(root, output, receipt=True, sign=output.parent / "missing.pem")
    assert output.read_text() == "old"
    assert sorted(os.listdir(output.parent)) == ["out.tar.zst", "space"]
