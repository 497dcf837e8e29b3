"""Folders of one run: kept from others while it lives, removed by the next when it was killed."""

import subprocess
import sys

import pytest

from cwtasks.archive.private_folders import private_folder, remove_left_overs

HOLD = """
import sys
from pathlib import Path
from cwtasks.archive.private_folders import private_folder
with private_folder(Path(sys.argv[1]), ".work-") as (folder, _):
    (folder / "half").write_text("done")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process
        process.kill()


def test_it_is_gone_in_the_end_with_all_that_is_in_it(tmp_path):
    with private_folder(tmp_path, ".work-") as (folder, _):
        (folder / "below").mkdir()
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_a_living_run_keeps_its_folder_and_a_killed_one_does_not(tmp_path, other):
    folder = other.stdout.readline().strip()
    (tmp_path / ".work-file").write_text("no folder")
    (tmp_path / "other").mkdir()
    remove_left_overs(tmp_path, ".work-")
    assert {path.name for path in tmp_path.iterdir()} == {folder.rpartition("/")[2], ".work-file", "other"}
    other.kill()
    other.wait()
    remove_left_overs(tmp_path, ".work-")
    assert {path.name for path in tmp_path.iterdir()} == {".work-file", "other"}


def test_a_link_that_looks_like_one_is_left_alone(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / ".work-link").symlink_to("precious")
    remove_left_overs(tmp_path, ".work-")
    assert (tmp_path / "precious").is_dir()
    assert (tmp_path / ".work-link").is_symlink()


def test_where_there_is_no_folder_nothing_is_left_over(tmp_path):
    remove_left_overs(tmp_path / "missing", ".work-")
