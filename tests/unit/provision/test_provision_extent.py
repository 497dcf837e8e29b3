"""What a prefix takes is counted once, and only what is in it."""

import os

from cwtasks.provision.extent import Extent, extent_of


def test_files_count_once_and_links_do_not(tmp_path):
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta/a-1-0.json").write_text("12345")
    (tmp_path / "conda-meta/history").write_text("1")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/a").write_text("1234567890")
    os.link(tmp_path / "lib/a", tmp_path / "lib/b")
    (tmp_path / "lib/link").symlink_to(tmp_path.parent)
    assert extent_of(str(tmp_path)) == Extent(1, 16)


def test_what_is_no_environment_has_none(tmp_path):
    assert extent_of(str(tmp_path)) is None
    assert extent_of(str(tmp_path / "nosuch")) is None
    (tmp_path / "conda-meta").write_text("")
    assert extent_of(str(tmp_path)) is None
