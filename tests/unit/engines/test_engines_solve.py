"""Solving with the real engine, over files and loopback."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from channels import Channel, Package

from cwtasks import engines
from cwtasks.engines.rattler import RattlerEngine
from cwtasks.exceptions import (
    BadSpecError,
    ChannelUnavailableError,
    EngineCrashError,
    EngineMissingError,
    EngineNotFoundError,
    UnsatisfiableError,
)


def named(records):
    return [f"{record['name']} {record['version']}" for record in records]


LEAVES = [Package(name="leaf", version=version) for version in ("1.0", "1.5", "2.0")]
TREE = [
    *LEAVES,
    Package(name="tree", depends=("leaf <2",)),
    Package(name="bush", depends=("leaf >=2",)),
    Package(name="native", version="1.1", subdir="linux-64", depends=("leaf",)),
    Package(name="native", version="1.2", subdir="osx-arm64", depends=("leaf", "__osx >=11")),
]


@pytest.fixture
def grove(channel):
    return channel.with_packages(*TREE)


@pytest.mark.parametrize(
    ("platform", "version", "virtual"),
    [
        pytest.param("linux-64", "1.1", (), id="linux"),
        pytest.param("osx-arm64", "1.2", (("__osx", "13.0", "0"),), id="mac"),
    ],
)
def test_a_solve_is_for_the_platform_it_was_asked_for(bench, grove, platform, version, virtual):
    records = bench.solve(grove, specs=["native"], platform=platform, virtual_packages=virtual)
    assert named(records) == ["leaf 2.0", f"native {version}"]
    assert records[1]["url"] == f"{grove.url}/{platform}/native-{version}-0.conda"
    assert {record["channel"] for record in records} == {grove.url}
    json.dumps(records)


def test_no_virtual_package_is_there_by_itself(bench, grove):
    with pytest.raises(UnsatisfiableError, match="__osx"):
        bench.solve(grove, specs=["native"], platform="osx-arm64")


def test_locked_packages_stay_where_the_specs_allow_it(bench, grove):
    old = bench.solve(grove, specs=["leaf ==1.0"])
    assert named(bench.solve(grove, locked=old)) == ["leaf 1.0"]
    assert named(bench.solve(grove, specs=["bush"], locked=old)) == ["bush 1.0", "leaf 2.0"]


def test_locked_packages_are_candidates_without_a_channel(bench, grove):
    both = bench.solve(grove, specs=["tree", "native"])
    assert bench.solve(specs=["tree"], locked=both) == tuple(r for r in both if r["name"] != "native")


def test_constraints_bind_without_installing(bench, grove):
    assert named(bench.solve(grove, constraints=("leaf <2", "absent >9"))) == ["leaf 1.5"]


def test_the_lowest_version_is_a_strategy(bench, grove):
    assert named(bench.solve(grove, strategy="lowest")) == ["leaf 1.0"]


def test_a_channel_hides_the_ones_after_it_only_when_priority_is_strict(bench, grove, tmp_path):
    first = Channel(tmp_path / "first").with_packages(Package(name="leaf", version="0.5"))
    assert named(bench.solve(first, grove)) == ["leaf 0.5"]
    assert named(bench.solve(first, grove, channel_priority="disabled")) == ["leaf 2.0"]
    assert named(bench.solve(first, grove, specs=[f"{grove.url}::leaf"])) == ["leaf 2.0"]


def test_packages_newer_than_a_day_are_left_out_whatever_the_offset(bench, channel):
    noon = 1_700_000_000  # 2023-11-14T22:13:20Z
    channel.with_packages(
        Package(name="leaf", version="1", timestamp_seconds=noon),
        Package(name="leaf", version="2", timestamp_seconds=noon + 7200),
    )
    for limit in ("2023-11-14T22:30:00Z", "2023-11-14T22:30:00", "2023-11-14T17:30:00-05:00", "2023-11-15T00:00:00"):
        assert named(bench.solve(channel, exclude_newer=limit)) == ["leaf 1"], limit
    assert named(bench.solve(channel, exclude_newer="2023-11-15T00:30:00+00:00")) == ["leaf 2"]


def test_unsatisfiable_dependencies_are_explained_in_the_solvers_words(bench, grove):
    with pytest.raises(UnsatisfiableError) as caught:
        bench.solve(grove, specs=["tree", "bush"])
    assert caught.value.platform == "linux-64"
    assert "├─ " in caught.value.reason or "└─ " in caught.value.reason
    assert str(caught.value).startswith("these dependencies cannot be solved for linux-64:\nThe following packages are")


def test_a_package_nobody_has_is_named(bench, grove):
    with pytest.raises(UnsatisfiableError, match=r"No candidates were found for nowhere \*"):
        bench.solve(grove, specs=["nowhere"])


@pytest.mark.parametrize("spec", ["leaf >>>2", "leaf[", "!!"])
def test_a_dependency_that_cannot_be_read_is_named(bench, grove, spec):
    with pytest.raises(BadSpecError) as caught:
        bench.solve(grove, specs=["native", spec])
    assert caught.value.spec == spec


def test_loose_specs_are_understood(bench, grove):
    assert named(bench.solve(grove, specs=["leaf 1.0"])) == ["leaf 1.0"]
    assert named(bench.solve(grove, specs=["leaf=1"])) == ["leaf 1.5"]


def test_channels_that_cannot_be_used_are_named(bench, grove, tmp_path):
    (tmp_path / "cut" / "noarch").mkdir(parents=True)
    (tmp_path / "cut" / "noarch" / "repodata.json").write_text('{"info": {"su')
    (tmp_path / "half" / "linux-64").mkdir(parents=True)
    for url in ("http://127.0.0.1:9/gone", (tmp_path / "cut").as_uri(), (tmp_path / "half").as_uri()):
        with pytest.raises(ChannelUnavailableError) as caught:
            bench.solve(grove, url)
        assert caught.value.channel == url
        assert str(caught.value).startswith(f"channel {url} cannot be used: ")


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_server_that_refuses_is_named(bench, grove, site, status):
    site.fail("channel", status)
    with pytest.raises(ChannelUnavailableError, match=str(status)) as caught:
        bench.solve(f"{site.url}/channel")
    assert caught.value.channel == f"{site.url}/channel"


def test_an_index_that_was_cut_off_does_not_stay_in_the_cache(bench, grove, site):
    index = (grove.folder / "noarch" / "repodata.json").read_bytes()
    site.say("noarch/repodata.json", index[: len(index) // 2])
    with pytest.raises(ChannelUnavailableError, match="failed to parse"):
        bench.solve(f"{site.url}/channel")
    site.rules.clear()
    site.fail("noarch/repodata.json", 304, times=3)  # two questions for compressed ones, then the file
    assert named(bench.solve(f"{site.url}/channel")) == ["leaf 2.0"]


def test_a_package_that_was_just_published_is_seen(bench, grove, site):
    assert named(bench.solve(f"{site.url}/channel")) == ["leaf 2.0"]
    grove.with_packages(Package(name="leaf", version="3.0"))
    later = time.time() + 10  # this server tells times in seconds
    os.utime(grove.folder / "noarch" / "repodata.json", (later, later))
    assert named(bench.solve(f"{site.url}/channel")) == ["leaf 3.0"]


def test_offline_a_kept_index_is_used_and_an_unknown_channel_is_an_error(bench, grove, site):
    url = f"{site.url}/channel"
    records = bench.solve(url)
    asked = len(site.asked)
    assert bench.solve(url, offline=True) == records
    with pytest.raises(ChannelUnavailableError, match="run once with a network"):
        bench.solve(f"{site.url}/other", offline=True)
    assert len(site.asked) == asked


@pytest.mark.parametrize(
    ("before", "path", "header"),
    [
        pytest.param("", "/t/TOKEN/channel", None, id="token"),
        pytest.param("user:pass%40word@", "/channel", "Basic dXNlcjpwYXNzQHdvcmQ=", id="password"),
        pytest.param("user:pass%40word@", "/t/TOKEN/channel", "Basic dXNlcjpwYXNzQHdvcmQ=", id="both"),
    ],
)
def test_credentials_reach_the_server_and_nothing_else(bench, grove, site, tmp_path, before, path, header):
    url = site.url.replace("//", f"//{before}") + path
    records = bench.solve(url)
    archives = bench.fetch(records, channels=[url])
    bench.install(records, archives)
    assert {asked[2] for asked in site.asked} == {header}
    assert all(asked[1].startswith(path) for asked in site.asked)
    assert records[0]["url"] == f"{site.url}/channel/noarch/leaf-2.0-0.conda"
    assert records[0]["channel"] == f"{site.url}/channel"
    secrets = (b"TOKEN", b"pass%40word", b"pass@word", b"dXNlcjpw")
    kept = [file for folder in ("cache", "env", "home") for file in (tmp_path / folder).rglob("*") if file.is_file()]
    assert [file for file in kept if any(secret in file.read_bytes() for secret in secrets)] == []
    site.fail("channel", 403)
    with pytest.raises(ChannelUnavailableError) as caught:
        bench.solve(url, specs=["tree"])
    shown = f"{caught.value} {bench.told} {records} {archives}"
    assert not any(secret.decode() in shown for secret in secrets)


def test_a_password_for_one_channel_is_not_shown_to_another(bench, grove, site):
    url = site.url.replace("//", "//user:word@")
    Channel(grove.folder.parent / "channel2").with_packages()
    bench.solve(f"{url}/channel", f"{site.url}/t/TOKEN/channel2/")
    assert {(path.partition("channel")[0], login) for _, path, login in site.asked} == {
        ("/", "Basic dXNlcjp3b3Jk"),
        ("/t/TOKEN/", None),
    }


def test_twenty_workers_in_a_row_and_four_at_once_all_end_well(bench, grove):
    for _ in range(12):
        bench.solve(grove)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: bench.solve(grove), range(8)))
    assert len({str(answer) for answer in answers}) == 1


def test_a_worker_that_dies_is_an_error_with_its_last_words(environ, grove, tmp_path):
    library = tmp_path / "library"
    (library / "rattler").mkdir(parents=True)
    (library / "rattler" / "__init__.py").write_text(
        "import os, sys; print('reading http://user:word@host/x', file=sys.stderr, flush=True); os.abort()"
    )
    engine = RattlerEngine(cache_folder=str(tmp_path / "cache"), environ=environ, library=str(library))
    request = engines.SolveRequest(channels=(grove.url,), specs=("leaf",), platform="linux-64")
    with pytest.raises(EngineCrashError) as caught:
        engine.solve(request, report=lambda _: None)
    assert (caught.value.action, caught.value.exit_code) == ("solve", -6)
    assert caught.value.detail.startswith("reading http://host/x\n")


def test_an_engine_that_is_not_installed_says_what_to_install(environ, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    engine = engines.choose("rattler", cache_folder=str(tmp_path), environ=environ)
    request = engines.SolveRequest(channels=(), specs=(), platform="linux-64")
    with pytest.raises(EngineMissingError, match="install py-rattler"):
        engine.solve(request, report=lambda _: None)


def test_an_engine_nobody_knows_is_an_error(tmp_path):
    with pytest.raises(EngineNotFoundError, match="Known engines: rattler"):
        engines.choose("ratler", cache_folder=str(tmp_path), environ={})


def test_an_interrupted_solve_leaves_no_worker(bench, grove, site):
    stop = threading.Event()

    def wait(handler) -> bool:
        stop.wait(10)
        return False

    site.rules.append(wait)

    def interrupt(_progress) -> None:
        raise KeyboardInterrupt

    request = engines.SolveRequest(channels=(f"{site.url}/channel",), specs=("leaf",), platform="linux-64")
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        bench.engine.solve(request, report=interrupt)
    stop.set()
    assert time.monotonic() - began < 5
