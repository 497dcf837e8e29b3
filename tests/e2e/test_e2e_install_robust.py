"""Locking and installing when things go wrong: nothing is lost, nothing is half done, and the message says what it was."""

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from channels import Channel, Package, script
from environments import LEAF1
from servers import serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the packages are made for Linux")

ONE = """
[workspace]
name = "w"
channels = ["CHANNEL"]
platforms = ["linux-64"]
[dependencies]
leaf = "<2"
[tasks]
say = "leaf"
"""
LEAF3 = Package(
    name="leaf", version="3.0", depends=("deep",), files={"bin/leaf": script("#!/bin/sh\necho leaf three\n")}
)
DEEP = Package(name="deep", files={"share/deep": "deep"})


@pytest.fixture
def site(work):
    with serving(work.channel.folder.parent) as served:
        yield served


def over_http(work, site, text: str = ONE) -> None:
    work.space.write({"conda.toml": text.replace("CHANNEL", f"{site.url}/channel"), "in": "1"})


def test_an_update_that_loses_its_channel_leaves_the_old_environment_working(work, site):
    over_http(work, site)
    work.doit("say")
    work.channel.with_packages(LEAF3, DEEP)
    # Servers tell times in whole seconds: an index written twice within one would count as unchanged.
    later = time.time() + 10
    os.utime(work.channel.folder / "noarch" / "repodata.json", (later, later))
    work.edit('"<2"', '">=3"')
    work.doit("lock")
    site.fail("/deep-", 404)
    said = work.space.fails("say", status=1)
    assert f"error: package {site.url}/channel/noarch/deep-1.0-0.conda cannot be fetched: HTTP status 404" in said
    leaf = work.space.root / ".conda" / "envs" / "default" / "bin" / "leaf"
    assert subprocess.run([leaf], capture_output=True, text=True, check=True).stdout == "leaf one\n"
    site.rules.clear()
    assert work.doit("say") == ".  install:default\n.  say\nleaf three\n"


@pytest.mark.parametrize("over", ["file", "http"])
def test_a_tampered_package_is_refused_and_nothing_is_touched(work, site, over):
    if over == "http":
        over_http(work, site)
    else:
        work.write(ONE)
    work.doit("lock")
    archive = work.channel.folder / "noarch" / "leaf-1.0-0.conda"
    good = archive.read_bytes()
    archive.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    said = work.space.fails("install", status=1)
    assert "/channel/noarch/leaf-1.0-0.conda: sha256 is " in said
    assert not work.space.exists(".conda/envs/default")
    archive.write_bytes(good)
    assert work.doit("say").endswith("leaf one\n")


def test_a_tampered_update_leaves_the_old_environment_working(work):
    work.write(ONE)
    work.doit("say")
    work.channel.with_packages(LEAF3, DEEP)
    work.edit('"<2"', '">=3"')
    work.doit("lock")
    archive = work.channel.folder / "noarch" / "deep-1.0-0.conda"
    archive.write_bytes(archive.read_bytes() + b"x")
    assert "/channel/noarch/deep-1.0-0.conda: sha256 is " in work.space.fails("install", status=1)
    leaf = work.space.root / ".conda" / "envs" / "default" / "bin" / "leaf"
    assert subprocess.run([leaf], capture_output=True, text=True, check=True).stdout == "leaf one\n"


def test_a_package_that_left_its_channel(work):
    work.write(ONE)
    work.doit("lock")
    (work.channel.folder / "noarch" / "leaf-1.0-0.conda").unlink()
    said = work.space.fails("install", status=1)
    assert (
        "leaf-1.0-0.conda cannot be fetched: there is no such file\nhint: lock again if the channel dropped it" in said
    )


def test_what_cannot_be_solved_names_environment_and_platform_and_writes_nothing(work):
    work.write()
    work.edit('leaf = ">=2"', 'leaf = ">=9"')
    said = work.space.fails("lock", status=1)
    assert "error: environment 'new' cannot be solved for linux-64:\n" in said
    assert "leaf >=9" in said
    assert "neither can environment 'new' for osx-arm64\n" in said
    assert not work.space.exists("conda.lock")


def test_a_lock_stays_as_it_was_when_a_new_one_cannot_be_made(work):
    work.write()
    work.doit("lock")
    before = work.space.read("conda.lock")
    work.edit('leaf = ">=2"', 'leaf = ">=9"')
    work.space.fails("lock", status=1)
    assert work.space.read("conda.lock") == before


def test_what_cannot_be_solved_may_be_skipped(work):
    work.write()
    work.edit(
        "[feature.new.dependencies]",
        '[feature.new.target.osx-arm64.dependencies]\nnosuch = "*"\n\n[feature.new.dependencies]',
    )
    assert (
        "skipped: environment 'new' cannot be solved for osx-arm64"
        in work.space.run("lock", "--skip-unsolvable").stderr
    )
    assert work.space.run("why", "lock").stdout.splitlines()[1:] == ["  environment 'new' is not locked for osx-arm64"]
    env = {"CWTASKS_SKIP_UNSOLVABLE": "on"}
    assert work.silent("why", "lock", env=env).startswith("lock is up to date")
    assert work.doit("check", env=env) == ".  install:new\n.  check\n"


def test_when_nothing_can_be_solved_there_is_nothing_to_skip(work):
    work.write(ONE.replace('"<2"', '">=9"'))
    said = work.space.fails("lock", "--skip-unsolvable", status=1)
    assert "error: environment 'default' cannot be solved for linux-64" in said
    assert not work.space.exists("conda.lock")


def test_only_some_are_solved_when_asked(work):
    work.write()
    done = work.space.run("lock", "--environment", "new", "--platform", "linux-64")
    assert [line for line in done.stderr.splitlines() if "solving" in line] == [
        "lock(--environment new --platform linux-64): solving new for linux-64"
    ]
    assert "environment 'default' is not locked" in work.space.run("why", "lock").stdout
    assert "platform 'mac' is not available" in work.space.fails("lock", "--platform", "mac", status=1)
    assert "environment 'nope' is not defined" in work.space.fails("lock", "--environment", "nope", status=1)


def test_a_channel_that_is_not_there_is_named(work):
    work.write(ONE.replace("CHANNEL", "CHANNELS-nosuch"))
    said = work.space.fails("lock", status=1)
    assert f"error: channel {work.channel.url}S-nosuch cannot be used: " in said


def test_a_corrupt_index_is_named(work):
    work.write(ONE)
    (work.channel.folder / "noarch" / "repodata.json").write_text("{")
    assert f"error: channel {work.channel.url} cannot be used: " in work.space.fails("lock", status=1)


def test_a_server_that_is_not_there_is_named(work):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound and not listening: nobody else gets the port, and nobody answers.
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/channel"
        work.space.write({"conda.toml": ONE.replace("CHANNEL", url), "in": "1"})
        assert f"error: channel {url} cannot be used: " in work.space.fails("lock", status=1)
    assert not work.space.exists("conda.lock")


def test_an_index_that_ends_in_the_middle_is_named(work, site):
    over_http(work, site)
    index = (work.channel.folder / "noarch" / "repodata.json").read_bytes()
    site.say("/noarch/repodata.json", index[: len(index) // 2], len(index))
    for suffix in (".zst", ".bz2", ".jlap"):
        site.fail(f"repodata.json{suffix}", 404)
    assert f"error: channel {site.url}/channel cannot be used: " in work.space.fails("lock", status=1)
    site.rules.clear()
    assert work.doit("say").endswith("leaf one\n")


def test_a_token_in_a_channel_is_used_and_shown_nowhere(work, site):
    work.space.write({"conda.toml": ONE.replace("CHANNEL", f"{site.url}/t/TOKEN/channel")})
    done = work.space.run("say", env={"CWTASKS_LOG": "debug"})
    assert done.stdout.endswith("leaf one\n"), done.stderr
    assert any("/t/TOKEN/" in path for _, path, _ in site.asked)
    site.fail("/leaf-", 404)
    work.doit("clean", "install:default")
    subprocess.run(["rm", "-rf", work.space.root.parent / "cache"], check=True)
    failed = work.space.run("say")
    assert failed.returncode == 1
    assert "leaf-1.0-0.conda cannot be fetched: HTTP status 404" in failed.stderr
    assert "TOKEN" not in done.stdout + done.stderr + failed.stdout + failed.stderr
    assert "TOKEN" not in work.space.read("conda.lock")


def test_a_password_is_not_told_when_a_download_fails(work, site):
    url = site.url.replace("://", "://ada:SeSaMe@")
    work.space.write({"conda.toml": ONE.replace("CHANNEL", f"{url}/channel")})
    work.doit("lock")
    site.fail("/leaf-", 403)
    failed = work.space.run("install", env={"CWTASKS_LOG": "debug"})
    assert failed.returncode == 1
    assert "SeSaMe" not in failed.stdout + failed.stderr


def test_credentials_are_written_nowhere_and_shown_nowhere(work, site):
    url = site.url.replace("://", "://ada:SeSaMe@")
    work.space.write({"conda.toml": ONE.replace("CHANNEL", f"{url}/channel")})
    done = work.space.run("say", env={"CWTASKS_LOG": "debug"})
    assert done.stdout.endswith("leaf one\n")
    assert any(authorization for _, _, authorization in site.asked)
    work.edit('"<2"', '">=9"')
    failed = work.space.run("lock")
    assert "SeSaMe" not in done.stdout + done.stderr + failed.stdout + failed.stderr
    places = [work.space.root, work.space.root.parent / "cache", work.space.home]
    files = [path for place in places for path in place.rglob("*") if path.is_file() and path.name != "conda.toml"]
    assert len(files) > 10
    assert [path for path in files if b"SeSaMe" in path.read_bytes()] == []


def test_other_machines_are_locked_from_here(work):
    apple = Package(name="apple", subdir="osx-arm64", depends=("__osx >=11",))
    work.channel.with_packages(apple, Package(name="pane", subdir="win-64", depends=("__win",)))
    work.write(
        """
[workspace]
channels = ["CHANNEL"]
platforms = ["osx-arm64", "win-64"]
[target.osx-arm64.dependencies]
apple = "*"
[target.win-64.dependencies]
pane = "*"
[tasks]
say = "echo hello"
"""
    )
    work.doit("lock")
    text = work.space.read("conda.lock")
    assert "/osx-arm64/apple-1.0-0.conda" in text
    assert "/win-64/pane-1.0-0.conda" in text
    said = work.space.fails("say", status=1)
    assert said.startswith("error: environment 'default' is for osx-arm64 and cannot be installed here\nhint: ")


def test_six_at_once_end_well(work):
    work.write()
    processes = [work.space.start("install") for _ in range(6)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert [code for _, code in ended] == [0] * 6, ended
    assert work.silent("install", "say", "check").splitlines()[:2] == ["-- install:default", "-- install:new"]


def test_two_environments_are_installed_side_by_side(work):
    work.write()
    work.doit("lock")
    assert sorted(work.doit("-n", "2", "install").splitlines()) == [".  install:default", ".  install:new"]
    assert work.silent("-n", "2", "install") == "-- install:default\n-- install:new\n"


def test_offline_all_comes_from_what_is_kept(work, site):
    over_http(work, site)
    work.doit("install")
    work.doit("clean", "install:default")
    (work.space.root / "conda.lock").unlink()
    site.fail("/", 500)
    asked = len(site.asked)
    assert work.doit("say", env={"CWTASKS_OFFLINE": "on"}).endswith("leaf one\n")
    assert len(site.asked) == asked


def test_offline_without_anything_kept_says_so(work, site):
    over_http(work, site)
    said = work.space.fails("say", status=1, env={"CWTASKS_OFFLINE": "on"})
    assert f"error: channel {site.url}/channel cannot be used: " in said
    assert "hint: run once with a network, so that its index is kept" in said


def test_a_workspace_that_moved_installs_its_environments_again(work):
    work.write(ONE)
    work.doit("say")
    moved = work.space.root.parent / "moved"
    work.space.root.rename(moved)
    work.space.root = moved
    assert (
        f"  it was installed as {moved.parent}/space/.conda/envs/default"
        in work.space.run("why", "install:default").stdout
    )
    assert work.doit("say") == ".  install:default\n.  say\nleaf one\n"


def test_a_prefix_that_somebody_changed_is_mended(work):
    work.write(ONE)
    work.doit("say")
    (work.space.root / ".conda/envs/default/conda-meta/leaf-1.0-0.json").unlink()
    (work.space.root / ".conda/envs/default/bin/leaf").unlink()
    assert work.doit("say") == ".  install:default\n.  say\nleaf one\n"


def test_files_in_the_place_of_an_environment_are_left_alone(work):
    work.write(ONE)
    work.space.write({".conda/envs/default/letter": "dear"})
    said = work.space.fails("say", status=1)
    assert (
        "error: .conda/envs/default cannot be installed: there are files there, and it is no conda environment" in said
    )
    assert work.space.read(".conda/envs/default/letter") == "dear"


def test_link_scripts_run_only_when_allowed_and_then_must_succeed(work):
    text = '#!/bin/sh\necho ran > "$PREFIX/ran"\nexit STATUS\n'
    for name, status in (("good", "0"), ("bad", "1")):
        files = {f"bin/.{name}-post-link.sh": script(text.replace("STATUS", status))}
        work.channel.with_packages(Package(name=name, subdir="linux-64", files=files))
    ran = work.space.root / ".conda/envs/default/ran"
    work.write(ONE.replace('leaf = "<2"', 'bad = "*"'))
    work.doit("install")
    assert not ran.exists()
    work.doit("clean", "install:default")
    said = work.space.fails("install", status=1, env={"CWTASKS_LINK_SCRIPTS": "on"})
    assert "the post-link script failed of bad" in said
    work.write(ONE.replace('leaf = "<2"', 'good = "*"'))
    work.doit("install", env={"CWTASKS_LINK_SCRIPTS": "on"})
    assert ran.read_text() == "ran\n"


def write_pixi_lock(work) -> None:
    """Write a lock as pixi does, for leaf 1.0 of the channel and a package of a Python index."""
    archive = work.channel.folder / "noarch" / "leaf-1.0-0.conda"
    url = f"{work.channel.url}/noarch/leaf-1.0-0.conda"
    lines = [
        "version: 6",
        "environments:",
        "  default:",
        "    channels:",
        f"    - url: {work.channel.url}/",
        "    indexes:",
        "    - https://pypi.invalid/simple",
        "    packages:",
        "      linux-64:",
        f"      - conda: {url}",
        "      - pypi: https://pypi.invalid/snake-1.0-py3-none-any.whl",
        "packages:",
        f"- conda: {url}",
        f"  sha256: {hashlib.sha256(archive.read_bytes()).hexdigest()}",
        "- pypi: https://pypi.invalid/snake-1.0-py3-none-any.whl",
        "  name: snake",
        "  version: '1.0'",
        "",
    ]
    work.space.write({"pixi.lock": "\n".join(lines)})


def test_a_pixi_lock_is_installed_without_solving_and_what_is_left_out_is_said(work):
    work.write(ONE, name="pixi.toml")
    write_pixi_lock(work)
    (work.channel.folder / "noarch" / "repodata.json").unlink()
    done = work.space.run("say")
    assert done.stdout == ".  install:default\n.  say\nleaf one\n"
    warning = "install:default: warning: PyPI dependencies are not supported yet and were left out: snake 1.0"
    assert done.stderr.splitlines()[-1] == warning
    assert not work.space.exists("conda.lock")
    assert work.silent("say") == ".  say\nleaf one\n"


def test_a_pixi_lock_that_no_longer_answers_is_where_a_lock_of_ours_starts(work):
    work.write(ONE, name="pixi.toml")
    write_pixi_lock(work)
    before = work.space.read("pixi.lock")
    text = work.space.read("pixi.toml")
    work.space.write({"pixi.toml": text.replace('leaf = "<2"', 'leaf = "*"\nother = "*"')})
    assert work.doit("say").endswith("leaf one\n")
    assert "leaf-2.0" not in work.space.read("conda.lock")
    assert work.space.read("pixi.lock") == before


def test_pypi_dependencies_of_the_manifest_are_said_to_be_left_out(work):
    work.write(ONE.replace("[tasks]", '[pypi-dependencies]\nsnake = ">=1"\n[tasks]'))
    assert work.space.run("install").stderr.count("left out: snake>=1") == 1
    assert work.silent("install") == "-- install:default\n"


def test_names_of_channels_are_those_of_the_users_configuration(work):
    work.write(ONE.replace("CHANNEL", "ours"))
    work.space.write({"conda.toml": work.space.read("conda.toml")})
    (work.space.home / ".condarc").write_text(
        f"custom_channels:\n  channel: {work.channel.url.removesuffix('/channel')}\n"
    )
    work.edit('"ours"', '"channel"')
    assert work.doit("say").endswith("leaf one\n")
    assert f"- url: {work.channel.url}\n" in work.space.read("conda.lock")
    other = Channel(work.channel.folder.parent / "other" / "channel").with_packages(LEAF1)
    (work.space.home / ".condarc").write_text(f"custom_channels:\n  channel: {other.url.removesuffix('/channel')}\n")
    assert "channels are" in work.space.run("why", "lock").stdout


def many(count: int) -> list[Package]:
    """Return packages that take a while to link."""
    files = {f"share/PACKAGE/{number}": f"{number}" for number in range(40)}
    return [
        Package(name=f"p{index}", files={path.replace("PACKAGE", f"p{index}"): text for path, text in files.items()})
        for index in range(count)
    ]


@pytest.fixture
def large(work):
    packages = many(30)
    work.channel.with_packages(*packages)
    specs = "\n".join(f'{package.name} = "*"' for package in packages)
    work.write(ONE.replace('leaf = "<2"', f'leaf = "<2"\n{specs}'))
    work.doit("lock")
    return work


def complete(work) -> None:
    assert work.doit("say").endswith("leaf one\n")
    prefix = work.space.root / ".conda/envs/default"
    assert len(list(prefix.glob("share/p*/*"))) == 30 * 40
    assert len(list(prefix.glob("conda-meta/*.json"))) == 31
    assert not list(prefix.glob("conda-meta/cwtasks-unfinished"))


def test_after_a_kill_at_any_moment_the_same_command_completes(large):
    moments = random.Random(7)
    for _ in range(6):
        process = large.space.start("install")
        time.sleep(moments.uniform(0.1, 0.7))
        process.kill()
        process.communicate()
        complete(large)
        large.doit("clean", "install:default")


def test_after_a_kill_of_several_at_a_time_the_same_command_completes(large):
    text = large.space.read("conda.toml")
    large.space.write({"conda.toml": text + "[environments]\nsecond = []\n"})
    large.doit("lock")
    for moment in (0.2, 0.4, 0.6):
        process = large.space.start("-n", "2", "install")
        time.sleep(moment)
        process.kill()
        process.communicate()
        large.doit("-n", "2", "install")
        for name in ("default", "second"):
            assert len(list((large.space.root / ".conda/envs" / name).glob("share/p*/*"))) == 30 * 40
            large.doit("clean", f"install:{name}")


def test_ctrl_c_ends_all_of_it_and_the_next_run_completes(large):
    for _ in range(5):
        process = large.space.start("install")
        large.space.wait_for(".conda/envs/default/conda-meta")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert "Traceback" not in said
        if process.returncode != 0:
            break
        # It was through before the signal came.
        large.doit("clean", "install:default")
    assert process.returncode == 130, said
    large.space.wait_until(lambda: workers_of(large.space.root) == [])
    complete(large)


def workers_of(root: Path) -> list[str]:
    """Return the processes that still work in a folder of ours; those of an engine begin where doit stood."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                cwd = os.readlink(entry / "cwd")
            except OSError:
                continue
            if cwd == str(root) or cwd.startswith(f"{root}/"):
                found.append(entry.name)
    return found
