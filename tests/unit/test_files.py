"""Files are written whole or not at all."""

import os

import pytest

from cwtasks.files import create_file, replace_file


def test_a_new_file_has_the_mode_asked_for_and_an_old_one_keeps_its_own(tmp_path):
    path = tmp_path / "file"
    replace_file(str(path), b"one", mode=0o600)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"one", 0o600)
    path.chmod(0o640)
    replace_file(str(path), b"two", is_durable=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o640)


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    folder = tmp_path / "taken"
    folder.mkdir()
    with pytest.raises(OSError):
        replace_file(str(folder), b"text")
    assert os.listdir(tmp_path) == ["taken"]


def test_a_new_file_is_made_whole_and_never_over_another(tmp_path):
    path = tmp_path / "a"
    create_file(str(path), b"1")
    with pytest.raises(FileExistsError):
        create_file(str(path), b"2")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        create_file(str(tmp_path / "link"), b"2")
    with pytest.raises(FileNotFoundError):
        create_file(str(tmp_path / "gone" / "a"), b"2")
    assert path.read_bytes() == b"1"
    assert sorted(os.listdir(tmp_path)) == ["a", "link"]
