import os
import subprocess
import sys
import time

import pytest

from cwtasks.exceptions import LockfileIntegrityError, LockfileNotFoundError, LockfileStaleError
from cwtasks.lockfile import Lock, files, format_conda_lock, read_lock, write_lock

LONG_AGO_NS = 1_000_000_000_000_000_000


@pytest.fixture
def lock(package, lock_of):
    return lock_of(package("a-1-0", depends=["b >=1"]), package("b-1-0"))


def settle(path):
    """Make a file old enough for its stamp to prove something; the change time cannot be set, so it has to pass."""
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS + 1))
    time.sleep(0.05)


def test_a_lock_is_written_and_read(tmp_path, lock):
    path = tmp_path / "conda.lock"
    assert write_lock(path, lock)
    assert read_lock(path) == lock
    assert os.listdir(tmp_path) == ["conda.lock"]


def test_a_lock_that_says_the_same_is_left_alone(tmp_path, lock):
    path = tmp_path / "conda.lock"
    write_lock(path, lock)
    settle(path)
    assert not write_lock(path, lock)
    assert path.stat().st_mtime_ns == LONG_AGO_NS + 1


def test_mode_and_link_are_kept(tmp_path, lock):
    target, path = tmp_path / "real.lock", tmp_path / "conda.lock"
    target.write_text("old")
    target.chmod(0o640)
    path.symlink_to(target)
    assert write_lock(path, lock)
    assert path.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.read_text() == format_conda_lock(lock)


def test_a_failed_write_leaves_the_old_lock_and_nothing_else(tmp_path, lock, monkeypatch):
    path = tmp_path / "conda.lock"
    path.write_text("old")
    monkeypatch.setattr(files.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_lock(path, lock)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["conda.lock"]


def test_the_name_decides_the_format(tmp_path):
    path = tmp_path / "pixi.lock"
    path.write_text("version: 6\nenvironments: {}\npackages: []\n")
    assert read_lock(path) == Lock(environments={}, version=6, format="pixi.lock")


def test_a_missing_lock(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LockfileNotFoundError) as caught:
        read_lock(tmp_path / "conda.lock", environment="test")
    assert caught.value.render() == (
        "error: conda.lock: no such file: environment 'test' is not locked\n"
        "hint: run 'doit lock' and commit the file it writes"
    )


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        pytest.param(b"version: 1\na: \xff\n", "line 2: expected UTF-8, found other bytes", id="bytes"),
        pytest.param(b"x" * 200, "expected at most 100 bytes, found more", id="size"),
    ],
)
def test_damaged_files(tmp_path, monkeypatch, content, fact):
    monkeypatch.setattr(files, "MAX_LOCK_BYTES", 100)
    path = tmp_path / "conda.lock"
    path.write_bytes(content)
    with pytest.raises(LockfileIntegrityError) as caught:
        read_lock(path)
    assert caught.value.reason == fact


def test_a_folder_is_no_lock(tmp_path):
    with pytest.raises(LockfileIntegrityError) as caught:
        read_lock(tmp_path)
    assert caught.value.reason == "cannot be read: Is a directory"


def test_a_stale_lock_is_told_in_two_lines():
    assert LockfileStaleError("conda.toml", "conda.lock", "environment 'a' is not locked").render() == (
        "error: conda.lock does not answer conda.toml: environment 'a' is not locked\n"
        "hint: run 'doit lock' and commit the file it writes"
    )
    assert LockfileStaleError("conda.toml", "conda.lock").error_message == "conda.lock does not answer conda.toml"


@pytest.fixture
def no_parser(monkeypatch):
    """Return a function after which nothing can be parsed any more."""

    def forbid():
        monkeypatch.setattr(files, "parse_lock", lambda *_: pytest.fail("it was parsed again"))

    return forbid


@pytest.mark.parametrize("name", ["conda.lock", "pixi.lock"])
def test_a_settled_lock_is_parsed_once(tmp_path, lock, no_parser, name):
    path, cache = tmp_path / name, tmp_path / "state" / "cache"
    if name == "conda.lock":
        write_lock(path, lock)
    else:
        path.write_text(
            "version: 7\nplatforms:\n- name: p1\n  subdir: linux-64\n  virtual-packages:\n  - __cuda=12\n"
            "environments:\n  a:\n    channels:\n    - url: https://channel.example/main\n    packages:\n      p1:\n"
            "      - conda: https://channel.example/main/noarch/a-1-0.conda\n      - pypi: ./b\n"
            "      - conda_source: c[12] @ .\npackages: []\n"
        )
    settle(path)
    first = read_lock(path, cache_folder=cache)
    no_parser()
    assert read_lock(path, cache_folder=cache) == first == read_lock(str(path), cache_folder=str(cache))


def test_a_lock_just_written_is_not_kept(tmp_path, lock):
    path, cache = tmp_path / "conda.lock", tmp_path / "cache"
    write_lock(path, lock)
    now = time.time_ns()
    os.utime(path, ns=(now, now + 10**12))
    read_lock(path, cache_folder=cache)
    assert not cache.exists()


def test_a_changed_lock_is_parsed_again(tmp_path, lock, lock_of):
    path, cache = tmp_path / "conda.lock", tmp_path / "cache"
    write_lock(path, lock)
    settle(path)
    read_lock(path, cache_folder=cache)
    write_lock(path, lock_of())
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS + 1))
    assert read_lock(path, cache_folder=cache) == lock_of()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:-3], id="cut"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:40] + b"\xff" + content[41:], id="changed"),
    ],
)
def test_a_damaged_cache_is_not_believed(tmp_path, lock, damage):
    path, cache = tmp_path / "conda.lock", tmp_path / "cache"
    write_lock(path, lock)
    settle(path)
    read_lock(path, cache_folder=cache)
    (kept,) = cache.iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert read_lock(path, cache_folder=cache) == lock


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path, lock):
    path, cache = tmp_path / "conda.lock", tmp_path / "cache"
    cache.write_text("a file")
    write_lock(path, lock)
    settle(path)
    assert read_lock(path, cache_folder=cache) == lock


def test_few_locks_are_kept(tmp_path, lock):
    for number in range(8):
        path = tmp_path / str(number) / "conda.lock"
        path.parent.mkdir()
        write_lock(path, lock)
        os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS + 1))
    time.sleep(0.05)
    for number in range(8):
        read_lock(tmp_path / str(number) / "conda.lock", cache_folder=tmp_path / "cache")
    assert len(os.listdir(tmp_path / "cache")) == 4


def test_a_kept_lock_needs_no_parser(tmp_path, lock):
    path, cache = tmp_path / "conda.lock", tmp_path / "cache"
    write_lock(path, lock)
    settle(path)
    read_lock(path, cache_folder=cache)
    program = (
        "import sys; from cwtasks.lockfile import read_lock; read_lock(sys.argv[1], cache_folder=sys.argv[2]);"
        "print([name for name in sys.modules if name.startswith('cwtasks.lockfile.') and name.split('.')[-1] in"
        " ('yaml_subset', 'conda_lock', 'pixi_lock', 'version', 'matching', 'satisfaction')])"
    )
    done = subprocess.run([sys.executable, "-c", program, path, cache], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
