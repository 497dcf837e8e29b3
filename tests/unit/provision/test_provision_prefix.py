"""Whether a prefix is as it should be, from its own records; who made it does not matter."""

import json

import pytest

from cwtasks.exceptions import PrefixNotOursError
from cwtasks.lockfile import LockedPackage, digest_of
from cwtasks.provision.prefix import Wanted, remove, why_not_installed


def package(name: str, version: str = "1.0", sha256: str = "a" * 64) -> LockedPackage:
    url = f"file:///channel/noarch/{name}-{version}-0.conda"
    return LockedPackage.from_record({"url": url, "sha256": sha256})


class Prefix:
    def __init__(self, folder) -> None:
        self.folder = folder
        self.asked = 0

    def record(self, *packages: LockedPackage, **fields: object) -> None:
        """Write records as an installer leaves them."""
        meta = self.folder / "conda-meta"
        meta.mkdir(parents=True, exist_ok=True)
        for one in packages:
            document = {**one.to_record(), **fields}
            (meta / f"{one.name}-{one.version}-0.json").write_text(json.dumps(document))

    def why(self, *packages: LockedPackage) -> str | None:
        def ask():
            self.asked += 1
            return packages

        return why_not_installed(str(self.folder), Wanted(digest_of(packages), ask))


@pytest.fixture
def prefix(tmp_path) -> Prefix:
    return Prefix(tmp_path / "env")


def test_nothing_is_there(prefix):
    assert prefix.why(package("leaf")) == "it is not installed"


def test_a_prefix_of_another_tool_counts_and_is_read_once(prefix):
    prefix.record(package("leaf"), package("tree"))
    assert prefix.why(package("leaf"), package("tree")) is None
    assert prefix.why(package("leaf"), package("tree")) is None
    assert prefix.asked == 1


@pytest.mark.parametrize(
    ("there", "wanted", "reason"),
    [
        pytest.param([], [package("leaf")], "leaf 1.0 is missing", id="missing"),
        pytest.param([package("leaf")], [], "leaf 1.0 is installed and not locked", id="surplus"),
        pytest.param(
            [package("leaf")],
            [package("leaf", "2.0", "b" * 64)],
            "leaf 1.0 0 is installed, locked is 2.0 0",
            id="version",
        ),
        pytest.param(
            [package("leaf")],
            [package("leaf", sha256="b" * 64)],
            "leaf 1.0 0 is installed, locked is another build of it",
            id="content",
        ),
        pytest.param([], [package("a"), package("b"), package("c")], "a 1.0 is missing, and 2 more", id="several"),
    ],
)
def test_a_difference_is_told_in_one_line(prefix, there, wanted, reason):
    prefix.record()
    prefix.record(*there)
    assert prefix.why(*wanted) == reason


def test_a_change_after_it_was_right_is_noticed(prefix):
    prefix.record(package("leaf"), package("tree"))
    assert prefix.why(package("leaf"), package("tree")) is None
    (prefix.folder / "conda-meta" / "tree-1.0-0.json").unlink()
    assert prefix.why(package("leaf"), package("tree")) == "tree 1.0 is missing"


def test_an_install_that_did_not_end_says_so(prefix):
    prefix.record(package("leaf"))
    (prefix.folder / "conda-meta" / "cwtasks-unfinished").write_text("{}")
    assert prefix.why(package("leaf")) == "its last install did not end"


def test_a_prefix_that_moved_holds_the_old_path(prefix, tmp_path):
    prefix.record(package("leaf"))
    assert prefix.why(package("leaf")) is None
    moved = Prefix(tmp_path / "moved")
    prefix.folder.rename(moved.folder)
    assert moved.why(package("leaf")) == f"it was installed as {prefix.folder}"


def test_a_damaged_record_is_named(prefix):
    prefix.record(package("leaf"))
    (prefix.folder / "conda-meta" / "leaf-1.0-0.json").write_text('{"name"')
    assert prefix.why(package("leaf")) == "conda-meta/leaf-1.0-0.json is damaged"


def test_a_damaged_note_is_made_anew(prefix):
    prefix.record(package("leaf"))
    prefix.why(package("leaf"))
    (prefix.folder / "conda-meta" / "cwtasks-installed").write_text("nonsense")
    assert prefix.why(package("leaf")) is None


def test_only_environments_are_removed(prefix, tmp_path):
    prefix.record(package("leaf"))
    assert remove(str(prefix.folder))
    assert not remove(str(prefix.folder))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(PrefixNotOursError, match="it is no conda environment"):
        remove(str(tmp_path / "mine"))
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
