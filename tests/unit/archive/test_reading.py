"""Looking into archives: ours by their index, others from their beginning, and those whose index lies."""

import bz2
import gzip
import hashlib
import io
import json
import os
import random
import struct
import subprocess
import sys
import tarfile
from array import array

import pytest
from backports import zstd
from trees import LOCK, MANIFEST, Link, Script, fill, tree_of

from cwtasks.archive import WorkspaceArchive, errors
from cwtasks.archive.compressing import Frame, HashedFile
from cwtasks.archive.gathering import Contents
from cwtasks.archive.index import read_index, write_index
from cwtasks.archive.limits import ArchiveLimits
from cwtasks.archive.reading import read_lock_of
from cwtasks.exceptions import ArchiveError, ArchiveHashMismatchError

COMPRESSORS = {".tar.zst": zstd.compress, ".tar.gz": gzip.compress, ".tar.bz2": bz2.compress}
FILES = {
    "conda.toml": MANIFEST,
    "conda.lock": LOCK,
    "a.txt": "text of a",
    "b.txt": "text of b",
    "empty": "",
    "folder": None,
    "link": Link("a.txt"),
    "run": Script(b"#!/bin/sh\n"),
    "x.png": random.Random(3).randbytes(5000),
    "\u00e9" * 60: "a long name",
}
TRUTH = {name: entry.encode() if isinstance(entry, str) else entry for name, entry in FILES.items()}
TRUTH = {name: TRUTH[name] for name in TRUTH if isinstance(TRUTH[name], bytes)} | {"run": b"#!/bin/sh\n"}


@pytest.fixture
def ours(tmp_path):
    return WorkspaceArchive.create(workspace=fill(tmp_path / "space", FILES), output=tmp_path / "x.tar.zst")


# Ours


def test_the_index_tells_what_is_in_it(ours):
    assert ours.inspect() == {
        "has_manifest": True,
        "has_lockfile": True,
        "has_packages": False,
        "package_count": 0,
        "members": len(FILES),
        "content_bytes": sum(map(len, TRUTH.values())),
        "manifest": "conda.toml",
        "lockfile": "conda.lock",
        "environments": {"default": ["linux-64"]},
        "archive_bytes": ours.path.stat().st_size,
        "is_indexed": True,
    }
    assert {member.name: (member.kind, member.is_executable) for member in ours.members()} == {
        **dict.fromkeys(FILES, ("file", False)),
        "folder": ("folder", False),
        "link": ("symlink", False),
        "run": ("file", True),
    }
    assert {name: ours.read(name) for name in TRUTH} == TRUTH
    assert read_lock_of(ours.path).environments["default"].packages == {"linux-64": ()}


def test_the_index_tells_what_reading_all_of_it_tells(ours, tmp_path):
    told, members = ours.inspect(), ours.members()
    with_out = WorkspaceArchive(tmp_path / "cut.tar.zst")
    with ours.path.open("rb") as file:
        frames = sum(frame.compressed for frame in read_index(file.fileno()).frames)
    with_out.path.write_bytes(ours.path.read_bytes()[:frames])
    assert with_out.inspect() == {**told, "is_indexed": False, "archive_bytes": frames}
    assert with_out.members() == members
    assert {name: with_out.read(name) for name in TRUTH} == TRUTH


@pytest.mark.parametrize("suffix", COMPRESSORS)
@pytest.mark.parametrize("name", ["nothing", "folder", "link", "a.txt/", "./a.txt", ""])
def test_what_is_no_file_of_the_archive_is_an_error(tmp_path, suffix, name):
    archive = WorkspaceArchive.create(workspace=fill(tmp_path / "space", FILES), output=tmp_path / f"x{suffix}")
    with pytest.raises(errors.MemberNotFoundError) as caught:
        archive.read(name)
    assert str(caught.value) == (
        f"{archive.path}: has no file '{name}'\nhint: 'cwt inspect --members' lists what it holds"
    )


# Those of others


def tar_of(files, *, prefix="", form=tarfile.PAX_FORMAT):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as file:
        for name, entry in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.mtime, info.uid, info.gid, info.uname, info.gname = 1_700_000_000, 1000, 1000, "me", "us"
            if isinstance(entry, Link):
                info.type, info.linkname = tarfile.SYMTYPE, entry.target
                file.addfile(info)
            elif entry is None:
                info.type = tarfile.DIRTYPE
                file.addfile(info)
            else:
                content = (
                    entry.content if isinstance(entry, Script) else entry.encode() if isinstance(entry, str) else entry
                )
                info.size, info.mode = len(content), 0o775 if isinstance(entry, Script) else 0o664
                file.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


PACKAGE = b"not really a package"
URL = "https://c.example/main/linux-64/libz-1.2.13-h4_6.conda"
LOCK_OF_THEIRS = f"""\
version: 1
environments:
  default:
    channels:
    - url: https://c.example/main
    packages:
      linux-64:
      - conda: {URL}
packages:
- conda: {URL}
  sha256: {sha256(PACKAGE)}
  md5: {"cd" * 16}
"""


@pytest.fixture(params=COMPRESSORS)
def theirs(request, tmp_path):
    """Return an archive as conda-workspaces makes one, with packages and a receipt; its files."""
    files = {
        "conda.lock": LOCK_OF_THEIRS,
        "conda.toml": MANIFEST,
        "src/a.py": "x",
        "src/run": Script(b"#!"),
        "to": Link("src/a.py"),
    }
    archive = tmp_path / f"theirs{request.param}"
    archive.write_bytes(COMPRESSORS[request.param](tar_of({**files, "packages/libz-1.2.13-h4_6.conda": PACKAGE})))
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://conda-incubator.github.io/conda-workspaces/workspace-archive-receipt-1.schema.json",
        "subject": [
            {"name": archive.name, "digest": {"sha256": sha256(archive.read_bytes())}},
            {"name": "conda.toml", "digest": {"sha256": sha256(MANIFEST.encode())}},
            {"name": "conda.lock", "digest": {"sha256": sha256(LOCK_OF_THEIRS.encode())}},
        ],
        "predicate": {
            "archive": {
                "formatVersion": 1,
                "options": {"bundle": True, "compressionLevel": None, "exclude": [], "include": [], "lock": False},
            },
            "environments": [
                {
                    "name": "default",
                    "prefix": ".conda/envs/default",
                    "packages": [
                        {
                            "channel": "https://c.example/main",
                            "fn": "libz-1.2.13-h4_6.conda",
                            "md5": "cd" * 16,
                            "sha256": sha256(PACKAGE),
                            "subdir": "linux-64",
                            "url": URL,
                        }
                    ],
                }
            ],
            "workspace": {"lockfile": "conda.lock", "manifest": "conda.toml"},
        },
    }
    (tmp_path / f"{archive.name}.receipt.json").write_text(json.dumps(statement, indent=2, sort_keys=True) + "\n")
    return WorkspaceArchive(archive, receipt=True), files


def test_an_archive_of_conda_workspaces_is_read_like_ours(theirs, tmp_path):
    archive, files = theirs
    assert archive.inspect() == {
        "has_manifest": True,
        "has_lockfile": True,
        "has_packages": True,
        "package_count": 1,
        "members": 6,
        "content_bytes": len(MANIFEST) + len(LOCK_OF_THEIRS) + 3 + len(PACKAGE),
        "manifest": "conda.toml",
        "lockfile": "conda.lock",
        "environments": {"default": ["linux-64"]},
        "archive_bytes": archive.path.stat().st_size,
        "is_indexed": False,
    }
    assert [member.name for member in archive.members()] == [*files, "packages/libz-1.2.13-h4_6.conda"]
    assert archive.read("packages/libz-1.2.13-h4_6.conda") == PACKAGE
    assert [package.fn for package in read_lock_of(archive.path).packages()] == ["libz-1.2.13-h4_6.conda"]


def test_a_receipt_of_conda_workspaces_proves_its_archive(theirs, tmp_path):
    archive, files = theirs
    assert archive.verify().workspace_paths == ("conda.toml", "conda.lock")
    done = archive.extract(target=tmp_path / "target", require_sha256=True, prime_cache=False)
    assert done.verified
    wanted = fill(tmp_path / "wanted", {**files, "packages/libz-1.2.13-h4_6.conda": PACKAGE})
    assert tree_of(tmp_path / "target") == tree_of(wanted)
    with archive.path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    with pytest.raises(ArchiveHashMismatchError):
        archive.verify()


@pytest.mark.parametrize("form", ["gnu", "ustar", "pax"])
@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_an_archive_of_gnu_tar_is_read_like_ours(tmp_path, form, suffix):
    files = {name: entry for name, entry in FILES.items() if name.isascii()}
    root = fill(tmp_path / "space", files)
    os.link(root / "a.txt", root / "hard")
    made = subprocess.run(
        ["tar", "-C", root, f"--format={form}", "--sort=name", "-cf", "-", "."], stdout=subprocess.PIPE, check=True
    )
    archive = WorkspaceArchive(tmp_path / f"x{suffix}")
    archive.path.write_bytes(COMPRESSORS[suffix](made.stdout))
    told = archive.inspect()
    assert (told["manifest"], told["lockfile"], told["members"]) == ("conda.toml", "conda.lock", len(files) + 1)
    kinds = {member.name: member.kind for member in archive.members()}
    assert kinds["hard"] == "hard link"
    assert (kinds["folder"], kinds["link"], kinds["run"]) == ("folder", "symlink", "file")
    assert archive.read("conda.toml") == MANIFEST.encode()
    assert archive.read("x.png") == FILES["x.png"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        pytest.param(["a.txt"], (None, None, 0), id="no workspace"),
        pytest.param(["sub/conda.toml", "sub/conda.lock"], (None, None, 0), id="deeper down"),
        pytest.param(["pixi.lock", "pixi.toml"], ("pixi.toml", "pixi.lock", 0), id="pixi"),
        pytest.param(
            ["conda.lock", "pixi.lock", "pyproject.toml"], ("pyproject.toml", "conda.lock", 0), id="two locks"
        ),
        pytest.param(
            [
                *("conda.toml", "packages/a-1-0.conda", "packages/b-1-0.tar.bz2", "packages/noarch/c-1-0.conda"),
                *("packages/d.txt", "packages/e/f/g-1-0.conda", "other/packages/h-1-0.conda"),
            ],
            ("conda.toml", None, 3),
            id="packages",
        ),
    ],
)
def test_what_counts_is_where_it_has_to_be(tmp_path, names, told):
    archive = WorkspaceArchive(tmp_path / "x.tar.gz")
    archive.path.write_bytes(gzip.compress(tar_of(dict.fromkeys(names, "text"))))
    found = archive.inspect()
    assert (found["manifest"], found["lockfile"], found["package_count"]) == told
    assert found["has_packages"] == (told[2] > 0)


def test_the_manifest_that_has_a_workspace_governs(tmp_path):
    files = {"conda.toml": "[tasks]\n", "pixi.toml": MANIFEST, "pyproject.toml": "[["}
    archive = WorkspaceArchive(tmp_path / "x.tar.gz")
    archive.path.write_bytes(gzip.compress(tar_of(files)))
    assert archive.inspect()["manifest"] == "pixi.toml"
    assert archive.inspect()["environments"] == {"default": ["linux-64"]}


def test_what_extraction_would_refuse_is_refused_when_looked_at(tmp_path):
    archive = WorkspaceArchive(tmp_path / "x.tar.gz")
    archive.path.write_bytes(gzip.compress(tar_of({"a": "", "../evil": "text"})))
    for ask in (archive.inspect, archive.members, lambda: archive.read("../evil")):
        with pytest.raises(errors.ParentNameError):
            ask()


def test_a_file_that_is_too_large_to_be_read_at_once_is_an_error(tmp_path):
    root = fill(tmp_path / "space", {"conda.toml": MANIFEST})
    with open(root / "huge", "wb") as file:
        file.truncate(64 * 2**20 + 1)
    archive = WorkspaceArchive.create(workspace=root, output=tmp_path / "x.tar.zst")
    with pytest.raises(errors.LimitExceededError) as caught:
        archive.read("huge")
    assert caught.value.error_message == "member 'huge' goes over the limit of 67,108,864 bytes read at once"


# What is no archive at all


@pytest.mark.parametrize("ask", ["inspect", "members", "read"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [("missing", "No such file or directory"), ("folder", "Is a directory"), ("fifo", "it is not a file")],
)
def test_what_cannot_be_read_is_an_error_and_nobody_waits(tmp_path, kind, reason, ask):
    path = tmp_path / "x.tar.zst"
    if kind == "folder":
        path.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    program = (
        "import sys; from cwtasks.archive import WorkspaceArchive, errors\n"
        "archive = WorkspaceArchive(sys.argv[1])\n"
        "try: getattr(archive, sys.argv[2])(*sys.argv[3:])\n"
        "except errors.UnreadableArchiveError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program, path, ask, *(["a"] if ask == "read" else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == f"{path}: cannot be read: {reason}\nhint: check its path and your rights\n"


@pytest.mark.parametrize(
    "content", [b"", b"x", b"PK\x03\x04", bytes(5000), b"\xb1\xea\x92\x8f", bytes(9) + b"\xb1\xea\x92\x8f"]
)
def test_what_is_no_archive_is_an_error(tmp_path, content):
    archive = WorkspaceArchive(tmp_path / "x.tar.zst")
    archive.path.write_bytes(content)
    for ask in (archive.inspect, archive.members, lambda: archive.read("a")):
        with pytest.raises(ArchiveError):
            ask()


# Those whose index lies


class Lie:
    """The parts of an archive, to be changed and put together again."""

    def __init__(self, archive):
        with archive.path.open("rb") as file:
            self.index = read_index(file.fileno())
        self.frames = list(self.index.frames)
        self.data = archive.path.read_bytes()[: sum(frame.compressed for frame in self.frames)]
        places = self.index.places()
        self.names = [place.name for place in places]
        self.kinds = [place.kind for place in places]
        self.sizes = [place.size for place in places]
        self.headers = [place.header for place in places]
        self.notes = dict(self.index.notes)
        self.columns = None
        self.text = None

    def at(self, name):
        return self.names.index(name)

    def write(self, path):
        """Write the archive with an index that is sound in itself, whatever it says."""
        contents = Contents()
        contents.names, contents.kinds = self.names, self.kinds
        contents.sizes, contents.headers = array("Q", self.sizes), array("I", self.headers)
        output = io.BytesIO()
        output.write(self.data)
        write_index(HashedFile(output), self.frames, contents, {})
        with_index = output.getvalue()
        text = self.text if self.text is not None else json.dumps(self.notes).encode()
        # Put other notes in, which write_index itself would count anew, or other columns.
        at = len(self.data) + 8 + 20
        _, old_text, old_columns, _ = struct.unpack("<8sIII", with_index[at - 20 : at])
        columns = with_index[at + old_text : at + old_text + old_columns] if self.columns is None else self.columns
        content = struct.pack("<8sIII", b"cwtasks1", len(text), len(columns), 0) + text + columns
        listed = [*self.frames, Frame(8 + len(content), 0)]
        table = b"".join(struct.pack("<II", *frame) for frame in listed) + struct.pack(
            "<IBI", len(listed), 0, 0x8F92EAB1
        )
        skippable = struct.pack("<4sI", b"\x5a\x2a\x4d\x18", len(content)) + content
        path.write_bytes(self.data + skippable + struct.pack("<4sI", b"\x5e\x2a\x4d\x18", len(table)) + table)


def swap(column, one, other):
    column[one], column[other] = column[other], column[one]


def columns_of(*parts, headers=b""):
    return zstd.compress(b"".join(len(part).to_bytes(4, "little") + part for part in parts) + headers)


def is_known(lie):
    """Change nothing: the rest of a test is about lies only when this is no lie."""


LIES = {
    "none": is_known,
    "names swapped": lambda lie: swap(lie.names, lie.at("a.txt"), lie.at("b.txt")),
    "name of another": lambda lie: lie.names.__setitem__(lie.at("a.txt"), "conda.toml"),
    "name twice": lambda lie: lie.names.__setitem__(lie.at("b.txt"), "a.txt"),
    "new name": lambda lie: lie.names.__setitem__(lie.at("a.txt"), "new"),
    "name with a line break": lambda lie: lie.names.__setitem__(lie.at("a.txt"), "a\nb"),
    "name that leads out": lambda lie: lie.names.__setitem__(lie.at("a.txt"), "../a"),
    "size too small": lambda lie: lie.sizes.__setitem__(lie.at("a.txt"), 1),
    "size too large": lambda lie: lie.sizes.__setitem__(lie.at("a.txt"), 100),
    "size of next block": lambda lie: lie.sizes.__setitem__(lie.at("a.txt"), 513),
    "size of the universe": lambda lie: lie.sizes.__setitem__(lie.at("a.txt"), 2**64 - 1),
    "all sizes huge": lambda lie: lie.sizes.__setitem__(slice(None), [2**63] * len(lie.sizes)),
    "header too short": lambda lie: lie.headers.__setitem__(0, 0),
    "header too long": lambda lie: lie.headers.__setitem__(0, 1024),
    "header huge": lambda lie: lie.headers.__setitem__(0, 2**32 - 1),
    "header off by one": lambda lie: lie.headers.__setitem__(0, 513),
    "link as a file": lambda lie: lie.kinds.__setitem__(lie.at("link"), "f"),
    "folder as a file": lambda lie: lie.kinds.__setitem__(lie.at("folder"), "x"),
    "file as a link": lambda lie: lie.kinds.__setitem__(lie.at("a.txt"), "l"),
    "unknown kind": lambda lie: lie.kinds.__setitem__(lie.at("a.txt"), "z"),
    "members missing": lambda lie: [column.pop() for column in (lie.names, lie.kinds, lie.sizes, lie.headers)],
    "no members": lambda lie: [column.clear() for column in (lie.names, lie.kinds, lie.sizes, lie.headers)],
    "columns of different length": lambda lie: lie.names.append("one more"),
    "frames swapped": lambda lie: swap(lie.frames, 0, 1),
    "first frame empty": lambda lie: lie.frames.__setitem__(0, lie.frames[0]._replace(content=0)),
    "first frame large": lambda lie: lie.frames.__setitem__(0, lie.frames[0]._replace(content=2**32 - 1)),
    "first frame longer": lambda lie: lie.frames.__setitem__(
        slice(0, 2), [Frame(lie.frames[0].compressed + 1, lie.frames[0].content), Frame(lie.frames[1].compressed - 1, lie.frames[1].content)]
    ),
    "two frames as one": lambda lie: lie.frames.__setitem__(
        slice(0, 2), [Frame(lie.frames[0].compressed + lie.frames[1].compressed, lie.frames[0].content + lie.frames[1].content)]
    ),
    "frames of nothing": lambda lie: lie.frames.__setitem__(slice(0, 0), [Frame(0, 1000)] * 5),
    "no frames": lambda lie: lie.frames.clear(),
    "columns cut off": lambda lie: setattr(lie, "columns", lie.index.columns[:-5]),
    "columns of noise": lambda lie: setattr(lie, "columns", random.Random(1).randbytes(300)),
    "columns of nothing": lambda lie: setattr(lie, "columns", b""),
    "columns that explode": lambda lie: setattr(lie, "columns", zstd.compress(bytes(65 * 2**20))),
    "names of other bytes": lambda lie: setattr(lie, "columns", columns_of(b"\xff", b"f", bytes(8), headers=bytes(4))),
    "kinds of other bytes": lambda lie: setattr(lie, "columns", columns_of(b"a", b"\xff", bytes(8), headers=bytes(4))),
    "half a number": lambda lie: setattr(lie, "columns", columns_of(b"a", b"f", bytes(7), headers=bytes(4))),
    "lengths beyond the end": lambda lie: setattr(lie, "columns", zstd.compress(b"\xff\xff\xff\xff" * 3)),
    "notes that are none": lambda lie: setattr(lie, "text", b"[1, 2]"),
    "notes of noise": lambda lie: setattr(lie, "text", b"\xff\xfe{"),
    "notes without end": lambda lie: setattr(lie, "text", b"[" * 100_000),
    "notes are empty": lambda lie: lie.notes.clear(),
    "count below zero": lambda lie: lie.notes.update(members=-5),
    "count of truth": lambda lie: lie.notes.update(members=True),
    "count of text": lambda lie: lie.notes.update(packages="many"),
    "count with a point": lambda lie: lie.notes.update(content_bytes=1e300),
    "count of thousands of digits": lambda lie: lie.notes.update(members=10**4298),
    "bytes of thousands of digits": lambda lie: lie.notes.update(content_bytes=10**4298),
    "number of too many digits": lambda lie: setattr(lie, "text", b'{"members": ' + b"9" * 9000 + b"}"),
    "environments in a list": lambda lie: lie.notes.update(environments=["default"]),
    "environments of numbers": lambda lie: lie.notes.update(environments={"default": 5}),
    "platforms of numbers": lambda lie: lie.notes.update(environments={"default": [5]}),
    "manifest of numbers": lambda lie: lie.notes.update(manifest=5),
}  # fmt: skip


def told_or_refused(ask):
    try:
        return ask()
    except ArchiveError as error:
        return error


@pytest.mark.parametrize("lie", LIES)
def test_an_index_that_lies_never_gives_other_content(ours, tmp_path, lie):
    parts = Lie(ours)
    LIES[lie](parts)
    archive = WorkspaceArchive(tmp_path / "lie.tar.zst")
    parts.write(archive.path)
    for name in sorted({*FILES, *parts.names})[: 2 if "explode" in lie else None]:
        told = told_or_refused(lambda name=name: archive.read(name))
        if isinstance(told, ArchiveError):
            assert isinstance(
                told,
                errors.CorruptArchiveError
                | errors.TarStreamError
                | errors.MemberNotFoundError
                | errors.LimitExceededError,
            )
            assert lie != "none" or name not in TRUTH
        else:
            assert told == TRUTH[name]
    told_or_refused(archive.members)
    told = told_or_refused(archive.inspect)
    if not isinstance(told, ArchiveError):
        assert type(told["members"]) is int
        assert told["members"] >= 0
        assert all(isinstance(name, str) for platforms in told["environments"].values() for name in platforms)
    done = told_or_refused(lambda: archive.extract(target=tmp_path / "target"))
    if not isinstance(done, ArchiveError):
        assert tree_of(done.target) == tree_of(tmp_path / "space")


@pytest.mark.parametrize(
    ("lie", "name", "message"),
    [
        ("names swapped", "a.txt", "is damaged: its index is not that of its content"),
        ("size too small", "a.txt", "is damaged: its index is not that of its content"),
        ("link as a file", "link", "is damaged: its index is not that of its content"),
        ("folder as a file", "folder", "is damaged: its index is not that of its content"),
        ("unknown kind", "a.txt", "is damaged: its index: a kind of member that there is not"),
        ("columns of different length", "a.txt", "is damaged: its index: its columns differ in length"),
        ("columns that explode", "a.txt", "is damaged: its index: the frame holds too much"),
        ("two frames as one", "conda.toml", "is damaged: the frame ends early"),
    ],
)
def test_a_lie_that_is_noticed_is_said(ours, tmp_path, lie, name, message):
    parts = Lie(ours)
    LIES[lie](parts)
    archive = WorkspaceArchive(tmp_path / "lie.tar.zst")
    parts.write(archive.path)
    with pytest.raises(errors.CorruptArchiveError) as caught:
        archive.read(name)
    assert caught.value.error_message == f"{archive.path}: {message}"


@pytest.mark.parametrize("lie", ["count below zero", "count of thousands of digits", "environments of numbers", "notes are empty", "manifest of numbers", "count of truth"])  # fmt: skip
def test_notes_that_make_no_sense_are_read_anew_from_the_content(ours, tmp_path, lie):
    told = ours.inspect()
    parts = Lie(ours)
    LIES[lie](parts)
    archive = WorkspaceArchive(tmp_path / "lie.tar.zst")
    parts.write(archive.path)
    assert {**archive.inspect(), "archive_bytes": told["archive_bytes"]} == told
    assert tree_of(archive.extract(target=tmp_path / "target").target) == tree_of(tmp_path / "space")


def tables(data):
    count = struct.unpack("<I", data[-9:-5])[0]
    for lied in (0, 1, count - 1, count + 1, 2**31, 2**32 - 1):
        yield f"count {lied}", data[:-9] + struct.pack("<I", lied) + data[-5:]
    yield "flags", data[:-5] + b"\x80" + data[-4:]
    yield "magic", data[:-1] + b"?"
    yield "bytes behind it", data + b"?"
    yield "bytes before it", b"\x50\x2a\x4d\x18\x04\0\0\0more" + data
    yield "another archive behind it", data + data
    yield "a table alone", data[-9 - 8 * count - 8 :]


def test_a_seek_table_that_lies_is_passed_over(ours, tmp_path):
    for _, data in tables(ours.path.read_bytes()):
        archive = WorkspaceArchive(tmp_path / "lie.tar.zst")
        archive.path.write_bytes(data)
        for name, content in TRUTH.items():
            told = told_or_refused(lambda name=name, archive=archive: archive.read(name))
            assert isinstance(told, ArchiveError) or told == content
        told_or_refused(archive.inspect)
        told_or_refused(archive.members)
    archive.path.write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0more" + ours.path.read_bytes())
    assert {name: archive.read(name) for name in TRUTH} == TRUTH
    assert not archive.inspect()["is_indexed"]


def test_an_archive_that_is_cut_off_never_gives_other_content(ours, tmp_path):
    data = ours.path.read_bytes()
    with ours.path.open("rb") as file:
        whole = sum(frame.compressed for frame in read_index(file.fileno()).frames)
    archive = WorkspaceArchive(tmp_path / "cut.tar.zst")
    for size in range(0, len(data), 61):
        archive.path.write_bytes(data[:size])
        told = told_or_refused(lambda: archive.read("a.txt"))
        assert told == TRUTH["a.txt"] or isinstance(told, ArchiveError)
        told = told_or_refused(archive.inspect)
        assert (
            isinstance(told, ArchiveError) if size < whole else isinstance(told, ArchiveError) or not told["is_indexed"]
        )


def test_limits_of_the_caller_hold_for_single_members(ours):
    strict = WorkspaceArchive(ours.path, limits=ArchiveLimits(window_bytes=16))
    with pytest.raises(errors.WindowTooLargeError):
        strict.read("a.txt")
