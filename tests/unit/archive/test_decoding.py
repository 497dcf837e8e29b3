"""Compressed files as streams: with and without a decoder for what stands in their frames as it is."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwtasks.archive import decoding, errors, zstd
from cwtasks.archive.limits import ArchiveLimits
from cwtasks.exceptions import ArchiveError

COPIED, USUAL = -10, 3
KIB = 1024
BLOCK = 128 * KIB
NOISE = random.Random(3).randbytes(5 * BLOCK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("decoding")


def frame(content: bytes, level: int = COPIED) -> bytes:
    return zstd.compressor()(content, level)


def decoded(folder: Path, raw: bytes, *, is_compared: bool, limits: ArchiveLimits | None = None) -> tuple[bytes, str]:
    path = folder / "made.zst"
    path.write_bytes(raw)
    with decoding.opened(path, limits=limits, is_compared=is_compared) as opened:
        content = b"".join(opened.blocks())
        return content, opened.sha256


def outcome(folder: Path, raw: bytes, *, is_compared: bool) -> object:
    try:
        return decoded(folder, raw, is_compared=is_compared)
    except ArchiveError as error:
        return type(error)


pieces = st.one_of(
    st.tuples(st.integers(0, len(NOISE)), st.integers(0, 3 * BLOCK)).map(lambda at: NOISE[at[0] : at[0] + at[1]]),
    st.integers(0, 2 * BLOCK).map(bytes),
    st.text(max_size=40).map(str.encode),
)
frames = st.builds(frame, st.lists(pieces, max_size=4).map(b"".join), st.sampled_from([COPIED, USUAL]))
skipped = st.binary(max_size=40).map(lambda body: b"\x5a\x2a\x4d\x18" + len(body).to_bytes(4, "little") + body)


@given(raw=st.lists(st.one_of(frames, skipped), min_size=1, max_size=4).map(b"".join))
def test_content_and_digest_are_the_same_with_and_without_a_decoder(folder, raw):
    assert decoded(folder, raw, is_compared=True) == decoded(folder, raw, is_compared=False)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(NOISE, id="all"),
        pytest.param(NOISE + bytes(3 * BLOCK), id="the beginning"),
        pytest.param(NOISE[:BLOCK] + bytes(BLOCK) + NOISE[BLOCK:], id="both ends"),
        pytest.param(bytes(BLOCK) + NOISE, id="the end"),
        pytest.param(NOISE[:1], id="one byte"),
        pytest.param(b"", id="nothing"),
        # What follows noise refers to it, which the decoder of the rest must then have seen.
        pytest.param(NOISE[:BLOCK] + NOISE[: BLOCK // 2] * 3, id="a beginning that comes again"),
    ],
)
def test_any_part_of_a_frame_may_stand_in_it_as_it_is(folder, content):
    raw = frame(content) + frame(b"what follows it", USUAL)
    assert decoded(folder, raw, is_compared=True)[0] == content + b"what follows it"


def test_a_frame_that_is_cut_off_anywhere_is_refused_either_way(folder):
    raw = frame(NOISE[:300])
    for size in range(4, len(raw)):  # with fewer it could be anything
        assert outcome(folder, raw[:size], is_compared=True) is errors.TruncatedArchiveError, size
        assert outcome(folder, raw[:size], is_compared=False) is errors.TruncatedArchiveError, size


def test_damage_that_a_digest_will_tell_of_is_not_looked_for_in_content(folder):
    raw = bytearray(frame(NOISE))
    raw[len(raw) // 2] ^= 1
    assert outcome(folder, bytes(raw), is_compared=False) is errors.CorruptArchiveError
    content, digest = decoded(folder, bytes(raw), is_compared=True)
    assert content != NOISE
    assert digest != decoded(folder, frame(NOISE), is_compared=True)[1]


def stored_frame(content_size: int, blocks: list[tuple[int, bytes]], *, kind: int = 0) -> bytes:
    """Write a frame by hand: its announced size and its blocks, each with the size that it claims."""
    beginning = b"\x28\xb5\x2f\xfd\xa0" + content_size.to_bytes(4, "little")
    marks = [(size << 3 | kind << 1).to_bytes(3, "little") for size, _ in blocks]
    marks[-1] = (blocks[-1][0] << 3 | kind << 1 | 1).to_bytes(3, "little")
    return beginning + b"".join(mark + body for mark, (_, body) in zip(marks, blocks, strict=True))


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([(3, b"abc")], id="one"),
        pytest.param([(3, b"abc"), (0, b""), (2, b"de")], id="small ones"),
        pytest.param([(0, b"")] * 1000, id="empty ones"),
        pytest.param([(BLOCK, NOISE[:BLOCK]), (0, b"")], id="an empty one at the end"),
        pytest.param([(BLOCK, NOISE[:BLOCK]), (1, b"a"), (BLOCK, NOISE[BLOCK : 2 * BLOCK])], id="a small one between"),
    ],
)
def test_a_frame_written_by_hand_is_read(folder, blocks):
    content = b"".join(body for _, body in blocks)
    raw = stored_frame(len(content), blocks)
    assert decoded(folder, raw, is_compared=True) == decoded(folder, raw, is_compared=False)
    assert decoded(folder, raw, is_compared=True)[0] == content


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(stored_frame(4, [(5, b"abcde")]), id="more than it announces"),
        pytest.param(stored_frame(4, [(3, b"abc"), (3, b"def")]), id="more in its last block"),
        pytest.param(stored_frame(6, [(5, b"abcde")]), id="less than it announces"),
        pytest.param(stored_frame(2 * BLOCK, [(2 * BLOCK, NOISE[: 2 * BLOCK])]), id="a block larger than allowed"),
        pytest.param(stored_frame(3, [(3, b"abc")], kind=3), id="a kind of block that is none"),
    ],
)
def test_a_frame_that_contradicts_itself_is_refused_either_way(folder, raw):
    assert outcome(folder, raw, is_compared=True) is errors.CorruptArchiveError
    assert outcome(folder, raw, is_compared=False) is errors.CorruptArchiveError


def test_content_without_a_decoder_counts_against_the_limits(folder):
    limits = ArchiveLimits(expanded_bytes=BLOCK)
    for is_compared in (True, False):
        with pytest.raises(errors.LimitExceededError, match="decoded bytes"):
            decoded(folder, frame(NOISE), is_compared=is_compared, limits=limits)
