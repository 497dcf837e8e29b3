import hashlib
import os
import time

import pytest

from cwtasks.globs import Tree
from cwtasks.state.digests import Contents, read_state, signature

SECOND = 1_000_000_000


def later():
    """A clock for which every file that exists is old."""
    return time.time_ns() + 10 * SECOND


def test_the_digest_is_sha256_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (tmp_path / "a").chmod(0o644)
    assert read_state(str(tmp_path / "a"), later).digest == hashlib.sha256(b"x" * 3_000_000).hexdigest()


@pytest.mark.skipif(os.name != "posix", reason="an executable bit is POSIX")
def test_the_executable_bit_counts(tmp_path):
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o755)
    assert read_state(str(tmp_path / "a"), later).digest == hashlib.sha256(b"x").hexdigest() + "+x"


def test_a_symlink_is_what_it_points_to(tmp_path):
    (tmp_path / "a").write_text("x")
    (tmp_path / "link").symlink_to("a")
    assert read_state(str(tmp_path / "link"), later) == read_state(str(tmp_path / "a"), later)


def test_what_is_no_readable_file_has_no_state(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "pipe", "."):
        assert read_state(str(tmp_path / name), later) is None


def test_an_old_file_is_known_by_its_signature(tmp_path):
    (tmp_path / "a").write_text("x")
    assert read_state(str(tmp_path / "a"), later).signature == signature(os.stat(tmp_path / "a"))


@pytest.mark.parametrize(
    ("stamp_ns", "age_ns", "proves"),
    [
        pytest.param(100 * SECOND + 1, 21_000_000, True, id="fine-old"),
        pytest.param(100 * SECOND + 1, 19_000_000, False, id="fine-young"),
        pytest.param(100 * SECOND, 1_900_000_000, False, id="coarse-young"),
        pytest.param(100 * SECOND, 2_100_000_000, True, id="coarse-old"),
        pytest.param(100 * SECOND + 1, -5 * SECOND, False, id="future"),
    ],
)
def test_a_signature_proves_content_only_when_a_clock_tick_has_passed(tmp_path, stamp_ns, age_ns, proves):
    path = tmp_path / "a"
    path.write_text("x")
    # The change time cannot be set, so let the modification time be the newer of both.
    stamp_ns += (time.time_ns() // SECOND) * SECOND
    os.utime(path, ns=(stamp_ns, stamp_ns))
    assert bool(read_state(str(path), lambda: stamp_ns + age_ns).signature) is proves


def test_a_file_is_read_once_for_all_who_ask(tmp_path):
    (tmp_path / "a").write_text("x")
    tree = Tree(str(tmp_path))
    reads = []

    def clock():
        reads.append("a")
        return later()

    contents = Contents(clock)
    first = contents.states(tree, ["a", "missing"], {})
    assert contents.states(tree, ["a"], {}) == first
    assert Contents(clock).states(tree, ["a"], first) == first
    assert list(first) == ["a"]
    assert len(reads) == 1


def test_several_large_files_are_read_like_one(tmp_path):
    sizes = {"a": 5 << 20, "b": 6 << 20, "c": 10}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(name.encode() * size)
    states = Contents(time.time_ns).states(Tree(str(tmp_path)), sizes, {})
    expected = {name: hashlib.sha256(name.encode() * size).hexdigest() for name, size in sizes.items()}
    assert {name: state.digest for name, state in states.items()} == expected
