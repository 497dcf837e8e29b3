"""A manifest between reading and writing: what else may happen to the file, and what its bytes may look like."""

import os
import threading

import pytest
from disks import mounted

from cwtasks.exceptions import (
    ManifestChangedError,
    ManifestNotEditableError,
    ManifestNotWritableError,
    WorkspaceParseError,
)
from cwtasks.manifests.drafts import Draft, Scope

TEXT = "[tasks]\na = 'x'\n"


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conda.toml").write_text(TEXT)
    return tmp_path / "conda.toml"


def with_b(path, **options):
    return Draft.read(path, **options).with_entry(("tasks", "b"), '"y"')


def test_a_draft_is_written_whole_with_the_mode_of_the_file(path):
    path.chmod(0o640)
    with_b(path).write()
    assert path.read_text() == TEXT + 'b = "y"\n'
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(path.parent) == ["conda.toml"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"[tasks]\r\na = 'x'\r\n", b"[tasks]\r\na = 'x'\r\nb = \"y\"\r\n", id="CRLF"),
        pytest.param(b"[tasks]\na = 'x'", b"[tasks]\na = 'x'\nb = \"y\"", id="no last line end"),
        pytest.param(b"\xef\xbb\xbf[tasks]\n", b'\xef\xbb\xbf[tasks]\nb = "y"\n', id="byte order mark"),
        pytest.param(
            "# \xe9\u2028\x85\n[tasks]\n".encode(), '# \xe9\u2028\x85\n[tasks]\nb = "y"\n'.encode(), id="no ASCII"
        ),
    ],
)
def test_bytes_that_are_not_asked_for_stay(path, before, after):
    path.write_bytes(before)
    draft = with_b(path)
    draft.write()
    assert path.read_bytes() == after
    assert Draft.read(path).without(("tasks", "b")).after == before
    assert draft.diff().startswith("--- conda.toml\n+++ conda.toml\n@@ ")


def test_a_diff_shows_what_would_change_and_nothing_when_nothing_would(path):
    assert with_b(path).diff() == "--- conda.toml\n+++ conda.toml\n@@ -1,2 +1,3 @@\n [tasks]\n a = 'x'\n+b = \"y\"\n"
    assert Draft.read(path).diff() == ""
    assert path.read_text() == TEXT


def test_without_changes_nothing_is_written(path):
    path.chmod(0o400)
    stamp = path.stat().st_mtime_ns
    Draft.read(path).write()
    assert path.stat().st_mtime_ns == stamp


def test_a_manifest_that_changed_meanwhile_is_not_overwritten(path):
    draft = with_b(path)
    path.write_text("[tasks]\nmine = 'z'\n")
    with pytest.raises(ManifestChangedError) as raised:
        draft.write()
    assert str(raised.value) == "conda.toml: changed on disk since it was read; nothing was written\nhint: run it again"
    assert path.read_text() == "[tasks]\nmine = 'z'\n"


def test_a_manifest_that_vanished_meanwhile_does_not_come_back(path):
    draft = with_b(path)
    path.unlink()
    with pytest.raises(ManifestChangedError):
        draft.write()
    assert not path.exists()


def test_a_manifest_that_appeared_meanwhile_is_not_overwritten(path):
    path.unlink()
    draft = with_b(path, may_be_missing=True)
    path.write_text(TEXT)
    with pytest.raises(ManifestChangedError):
        draft.write()
    assert path.read_text() == TEXT


def test_of_many_drafts_of_one_text_one_is_written(path):
    drafts = [Draft.read(path).with_entry(("tasks", f"b{number}"), '"y"') for number in range(20)]
    refused = []

    def write(draft):
        try:
            draft.write()
        except ManifestChangedError:
            refused.append(draft)

    threads = [threading.Thread(target=write, args=[draft]) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (written,) = [draft for draft in drafts if draft not in refused]
    assert path.read_bytes() == written.after


def test_a_manifest_that_nobody_may_write_is_not_replaced(path):
    path.chmod(0o444)
    with pytest.raises(ManifestNotWritableError) as raised:
        with_b(path).write()
    assert str(raised.value) == (
        "conda.toml: cannot be written: it is read-only\nhint: check its permissions and those of its folder"
    )
    assert path.read_text() == TEXT


def test_a_full_disk_leaves_the_manifest_as_it_was(tmp_path):
    with mounted(tmp_path / "small", "size=64k"):
        path = tmp_path / "small" / "conda.toml"
        path.write_text(TEXT)
        draft = with_b(path)
        with open(tmp_path / "small" / "filler", "wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(b"x" * 4096)
        with pytest.raises(ManifestNotWritableError, match="No space left on device"):
            draft.write()
        with pytest.raises(ManifestNotWritableError, match="No space left on device"):
            with_b(path.parent / "pixi.toml", may_be_missing=True).write()
        assert path.read_text() == TEXT
        assert sorted(os.listdir(path.parent)) == ["conda.toml", "filler"]


def test_a_link_stays_a_link(path):
    link = path.parent / "link" / "conda.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    with_b(link).write()
    assert link.is_symlink()
    assert path.read_text() == TEXT + 'b = "y"\n'


def test_a_missing_manifest_is_made_only_when_asked(path):
    path.unlink()
    with pytest.raises(FileNotFoundError):
        Draft.read(path)
    draft = with_b(path, may_be_missing=True)
    assert draft.diff() == '--- /dev/null\n+++ conda.toml\n@@ -0,0 +1,2 @@\n+[tasks]\n+b = "y"\n'
    draft.write()
    assert path.read_text() == '[tasks]\nb = "y"\n'


def test_what_is_no_toml_is_not_edited(path):
    path.write_text("[tasks\n")
    with pytest.raises(WorkspaceParseError, match="line 1, column 7"):
        Draft.read(path)


def test_an_edit_that_would_break_something_names_the_place(path):
    path.write_text("tasks = 1\n")
    with pytest.raises(ManifestNotEditableError) as raised:
        with_b(path)
    assert str(raised.value) == (
        "conda.toml: tasks.b: cannot be changed without changing something else; nothing was written\n"
        "hint: change it in an editor"
    )


def test_a_scope_knows_its_address_and_its_words():
    assert Scope().inside(("tool", "pixi")) == ("tool", "pixi")
    assert Scope("f", "win").inside(()) == ("feature", "f", "target", "win")
    assert " ".join(Scope("f", "win").options()) == "--feature f --platform win"
