"""``cwt info``: the workspace, its environments and its lock at a glance."""

import json
import os

import pytest


def _tree(folder) -> dict[str, tuple[int, int]]:
    """Every file below a folder, with its size and time."""
    return {
        os.path.join(place, name): (status.st_size, status.st_mtime_ns)
        for place, folders, files in os.walk(folder)
        for name in [*folders, *files]
        for status in (os.lstat(os.path.join(place, name)),)
    }


def test_a_workspace_that_is_not_locked(work):
    work.write()
    channel = work.channel.url
    assert (
        work.space.doit("info", program="cwt")
        == f"""\
workspace    w
manifest     conda.toml
root         {work.space.root}
channels     {channel}
platforms    linux-64, osx-arm64
tasks        3
lock         conda.lock: missing

environment 'default'
  features     default
  platforms    linux-64, osx-arm64
  depends on   leaf <2
  prefix       .conda/envs/default
  state        not installed: it is not locked

environment 'new'
  features     default, new
  platforms    linux-64, osx-arm64
  depends on   leaf >=2
  prefix       .conda/envs/new
  state        not installed: it is not locked
"""
    )
    assert sorted(os.listdir(work.space.root)) == ["conda.toml", "in"]


def test_locked_installed_and_stale_and_nothing_is_written(work):
    work.write()
    work.doit("install:new")
    screen = work.space.doit("info", program="cwt")
    assert "lock         conda.lock: current\n" in screen
    assert "  state        installed, 1 package, " in screen
    assert "  state        not installed\n" in screen
    work.edit('leaf = ">=2"', 'leaf = ">=3"')
    before = _tree(work.space.root)
    screen = work.space.doit("info", program="cwt")
    assert (
        "lock         conda.lock: stale, environment 'new', linux-64: 'leaf >=3' is asked for, locked is leaf 2.0 0\n"
        in screen
    )
    assert _tree(work.space.root) == before


def test_json_tells_the_same_and_what_a_prefix_takes(work):
    work.write()
    work.doit("install:new")
    facts = json.loads(work.space.doit("info", "--json", program="cwt"))
    assert {key: facts[key] for key in ("name", "version", "platforms", "features", "tasks", "dialect")} == {
        "name": "w",
        "version": None,
        "platforms": ["linux-64", "osx-arm64"],
        "features": ["default", "new"],
        "tasks": 3,
        "dialect": "conda",
    }
    assert facts["lock"] == {"file": str(work.space.root / "conda.lock"), "status": "current", "reason": None}
    default, new = facts["environments"]
    assert (default["installed"], default["packages"], default["size_bytes"]) == (False, None, None)
    prefix = work.space.root / ".conda/envs/new"
    assert new["prefix"] == str(prefix)
    assert (new["installed"], new["reason"], new["packages"]) == (True, None, 1)
    assert new["size_bytes"] == sum(path.stat().st_size for path in prefix.rglob("*") if path.is_file())


def test_a_package_somebody_added_is_a_reason(work):
    work.write()
    work.doit("install:new")
    record = work.space.root / ".conda/envs/new/conda-meta/other-1.0-0.json"
    record.write_text('{"name": "other", "version": "1.0"}')
    screen = work.space.doit("info", program="cwt")
    assert "to be installed again: other 1.0 is installed and not locked\n" in screen


def test_a_damaged_lock_is_a_status(work):
    work.write()
    work.space.write({"conda.lock": "version: 1\nenvironments: [1\n"})
    screen = work.space.doit("info", program="cwt")
    assert "lock         conda.lock: damaged, line 2: " in screen
    assert "  state        not installed: the lock is damaged\n" in screen


def test_tasks_without_a_workspace(space):
    space.write({"conda.toml": '[tasks]\na = "true"\n'})
    assert (
        space.doit("info", program="cwt")
        == f"""\
workspace    (no name)
manifest     conda.toml
root         {space.root}
channels     none
platforms    none
tasks        1
lock         not needed: no environment asks for conda packages

environment 'default'
  features     default
  platforms    none
  prefix       none: it asks for no conda packages
"""
    )


def test_a_folder_that_cannot_be_written_can_be_looked_at(work):
    work.write()
    os.chmod(work.space.root, 0o500)
    try:
        assert "lock         conda.lock: missing\n" in work.space.doit("info", program="cwt")
    finally:
        os.chmod(work.space.root, 0o700)


def test_no_engine_is_asked(work):
    work.write()
    work.doit("install:new")
    screen = work.space.doit("info", program="cwt", env={"CWTASKS_ENGINE": "nosuch"})
    assert "lock         conda.lock: current\n" in screen


def test_where_there_is_no_manifest(space):
    assert space.fails("info", program="cwt").startswith(f"error: {space.root}: no file with tasks here")


@pytest.mark.parametrize("words", [["a"], ["--no-status", "a"]], ids=str)
def test_info_with_a_task_is_the_command_of_doit(space, words):
    space.write({"conda.toml": '[tasks]\na = "true"\n'})
    mine, theirs = space.run("info", *words, program="cwt"), space.run("info", *words)
    assert (mine.returncode, mine.stdout, mine.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)
    assert mine.stdout.startswith("\na\n")
