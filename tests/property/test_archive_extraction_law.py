"""Laws of unpacking: trees come out as they went in, and no bytes whatever do harm."""

import bz2
import gzip
import io
import os
import tarfile
import tempfile
from pathlib import Path

from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from cwtasks.archive.extraction import extract
from cwtasks.archive.limits import ArchiveLimits
from cwtasks.archive.members import check_name, folded
from cwtasks.exceptions import ArchiveError

COMPRESSORS = {".tar.zst": zstd.compress, ".tar.gz": gzip.compress, ".tar.bz2": bz2.compress}
SMALL = ArchiveLimits(expanded_bytes=4 << 20, window_bytes=8 << 20)


def allowed(name: str) -> bool:
    try:
        check_name(name)
    except ArchiveError:
        return False
    return True


# Letters before each part keep device names and unequal-yet-colliding names rare without hiding what is unusual.
PARTS = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=8).filter(allowed)
CONTENT = st.tuples(st.binary(max_size=1500), st.booleans())
TREES = st.recursive(CONTENT, lambda inner: st.dictionaries(PARTS, inner, max_size=5), max_leaves=12).filter(
    lambda tree: isinstance(tree, dict) and apart(tree)
)


def apart(tree: dict) -> bool:
    inner = all(apart(entry) for entry in tree.values() if isinstance(entry, dict))
    return inner and len({folded(name) for name in tree}) == len(tree)


def tar_of(tree: dict, form: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as file:
        add(file, tree, "")
    return stream.getvalue()


def add(file: tarfile.TarFile, tree: dict, above: str) -> None:
    for name, entry in tree.items():
        info = tarfile.TarInfo(above + name)
        if isinstance(entry, dict):
            info.type = tarfile.DIRTYPE
            file.addfile(info)
            add(file, entry, f"{above}{name}/")
        else:
            info.size, info.mode = len(entry[0]), 0o755 if entry[1] else 0o644
            file.addfile(info, io.BytesIO(entry[0]))


def tree_of(folder: Path) -> dict:
    return {
        path.name: tree_of(path) if path.is_dir() else (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.iterdir()
    }


def harmless(data: bytes, suffix: str) -> None:
    """Unpack whatever this is; nothing but an ArchiveError may come of it, or a tree inside the target."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"a{suffix}").write_bytes(data)
        try:
            extract(folder / f"a{suffix}", folder / "target", limits=SMALL)
        except ArchiveError:
            assert os.listdir(folder) == [f"a{suffix}"]
        else:
            assert sorted(os.listdir(folder)) == [f"a{suffix}", "target"]
            for path in (folder / "target").rglob("*"):
                assert path.resolve().is_relative_to((folder / "target").resolve())


@settings(deadline=None, max_examples=60)
@given(TREES, st.sampled_from(sorted(COMPRESSORS)), st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
def test_trees_come_out_as_they_went_in(tree: dict, suffix: str, form: int):
    with tempfile.TemporaryDirectory() as name:
        archive = Path(name) / f"a{suffix}"
        archive.write_bytes(COMPRESSORS[suffix](tar_of(tree, form)))
        assert tree_of(extract(archive, Path(name) / "target").target) == tree


@settings(deadline=None, max_examples=80)
@given(st.sampled_from([b"", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"BZh9"]), st.binary(max_size=2000))
def test_any_bytes_do_no_harm(magic: bytes, data: bytes):
    harmless(magic + data, ".bin")


VALID = bytearray(
    tar_of({"a": {"b": (b"x" * 700, True), "l" * 120: (b"y", False)}, "\u00e9": (b"", False)}, tarfile.PAX_FORMAT)
)
PLACES = st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=4)


def repaired(tar: bytearray) -> bytearray:
    """Make all checksums right again, so that the damage gets further than to the first check."""
    for at in range(0, len(tar), 512):
        block = tar[at : at + 512]
        if block[257:262] == b"ustar":
            total = sum(block[:148]) + 256 + sum(block[156:])
            tar[at + 148 : at + 156] = f"{total:06o}\0 ".encode()
    return tar


@settings(deadline=None, max_examples=150)
@given(PLACES, st.booleans())
def test_damage_in_the_tar_stream_does_no_harm(places: list[tuple[int, int]], repair: bool):
    tar = bytearray(VALID)
    for at, value in places:
        tar[at] = value
    harmless(zstd.compress(bytes(repaired(tar) if repair else tar)), ".tar.zst")


@settings(deadline=None, max_examples=120)
@given(st.sampled_from(sorted(COMPRESSORS)), st.data())
def test_damage_in_the_compressed_file_does_no_harm(suffix: str, data: st.DataObject):
    packed = bytearray(COMPRESSORS[suffix](bytes(VALID)))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    harmless(bytes(packed), suffix)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "a/b", "a/c", "b/a/c"]), st.sampled_from(["..", ".", "../a", "a/..", "b", "b/../..", "../../b", "a/c/../../.."])),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_links_of_any_kind_stay_inside(links: list[tuple[str, str]]):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as file:
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            file.addfile(info)
    harmless(gzip.compress(stream.getvalue()), ".tar.gz")
