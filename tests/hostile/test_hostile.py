"""Every attack is answered by its own error, which names the member, and leaves nothing anywhere."""

import sys
from pathlib import Path

import pytest

from cwtasks.archive import errors
from cwtasks.archive.extraction import extract
from cwtasks.archive.limits import ArchiveLimits
from cwtasks.exceptions import ArchiveError, ArchivePathTraversalError

sys.path.insert(0, str(Path(__file__).parent))
import build_hostile as hostile

ATTACKS = hostile.tar_attacks()


def attacked(folder: Path, name: str, data: bytes, **more: object) -> ArchiveError:
    """Unpack an archive that must be refused; check that nothing came of it."""
    archive = folder / name
    archive.write_bytes(data)
    with pytest.raises(ArchiveError) as caught:
        extract(archive, folder / "target", **more)
    assert [path.name for path in folder.iterdir()] == [name]
    return caught.value


@pytest.mark.parametrize("suffix", hostile.COMPRESSORS)
@pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.name) for attack in ATTACKS])
def test_an_attack_by_members_is_refused(attack: hostile.Attack, suffix: str, tmp_path: Path):
    error = attacked(tmp_path, f"evil{suffix}", hostile.COMPRESSORS[suffix](attack.tar))
    assert (type(error).__name__, error.error_message) == (attack.error, attack.message)
    assert error.hints


@pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.name) for attack in hostile.file_attacks()])
def test_an_attack_by_the_compressed_file_is_refused(attack: hostile.FileAttack, tmp_path: Path):
    error = attacked(tmp_path, attack.name, attack.data)
    assert (type(error).__name__, error.error_message) == (attack.error, f"{tmp_path / attack.name}: {attack.fact}")


def test_each_attack_has_a_name_of_its_own():
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))


def test_every_refusal_of_a_name_is_one_of_traversal():
    for attack in [*hostile.name_attacks(), *hostile.meeting_attacks(), *hostile.link_attacks()]:
        assert issubclass(getattr(errors, attack.error), ArchivePathTraversalError)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        pytest.param({"members": 2}, "member 'f2' goes over the limit of 2 members", id="members"),
        pytest.param({"expanded_bytes": 2048}, "the archive goes over the limit of 2,048 decoded bytes", id="expanded"),
        pytest.param({"raw_bytes": 20}, "the archive goes over the limit of 20 bytes of the archive itself", id="raw"),
        pytest.param(
            {"ratio": 2, "ratio_free_bytes": 512},
            "the archive goes over the limit of 2 decoded bytes for each compressed one",
            id="ratio",
        ),
    ],
)
def test_a_bomb_meets_the_limit(limits: dict[str, int], message: str, tmp_path: Path):
    data = hostile.COMPRESSORS[".tar.zst"](b"".join(hostile.file(f"f{n}") for n in range(9)) + hostile.END)
    error = attacked(tmp_path, "bomb.tar.zst", data, limits=ArchiveLimits(**limits))
    assert (type(error), error.error_message) == (errors.LimitExceededError, message)


def test_many_empty_frames_meet_the_limit(tmp_path: Path):
    compress = hostile.COMPRESSORS[".tar.zst"]
    data = compress(hostile.file("a") + hostile.END) + compress(b"") * 2000
    error = attacked(tmp_path, "frames.tar.zst", data, limits=ArchiveLimits(frames=1000))
    assert error.error_message == "the archive goes over the limit of 1,000 compressed frames"


def test_bits_that_give_rights_are_dropped(tmp_path: Path):
    modes = {"suid": 0o6755, "sticky": 0o1777, "group": 0o677, "nothing": 0}
    tar = b"".join(hostile.file(name, mode=mode) for name, mode in modes.items()) + hostile.END
    archive = tmp_path / "modes.tar.gz"
    archive.write_bytes(hostile.COMPRESSORS[".tar.gz"](tar))
    extract(archive, tmp_path / "target")
    found = {path.name: oct(path.stat().st_mode & 0o7777) for path in (tmp_path / "target").iterdir()}
    assert found == {"suid": "0o755", "sticky": "0o755", "group": "0o644", "nothing": "0o600"}
