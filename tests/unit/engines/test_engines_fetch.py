"""Archives: each is verified, wherever it comes from, and a bad one leaves no trace."""

import hashlib
import os
import time

import pytest
from channels import Package

from cwtasks.engines import fetch
from cwtasks.exceptions import DigestMismatchError, DigestMissingError, PackageUnavailableError

LEAF = Package(name="leaf", files={"share/leaf.txt": "green\n"})
FORMATS = pytest.mark.parametrize("suffix", [".conda", ".tar.bz2"])
WAYS = pytest.mark.parametrize("over", ["file", "http"])


def published(bench, channel, site, over, suffix=".conda", package=LEAF):
    """Publish one package and solve for it."""
    channel.with_packages(package, suffix=suffix)
    url = channel.url if over == "file" else f"{site.url}/channel"
    return bench.solve(url, specs=[package.name])


def archive_of(channel, suffix=".conda"):
    return channel.folder / "noarch" / f"leaf-1.0-0{suffix}"


def in_a_new_process():
    """Forget what only this process knows."""
    fetch._verified_in.cache_clear()


def kept(tmp_path):
    return [path for path in (tmp_path / "cache" / "pkgs").rglob("*") if path.is_file()]


@FORMATS
@WAYS
def test_an_archive_is_kept_by_its_digest(bench, channel, site, tmp_path, over, suffix):
    records = published(bench, channel, site, over, suffix)
    archives = bench.fetch(records)
    digest = hashlib.sha256(archive_of(channel, suffix).read_bytes()).hexdigest()
    expected = tmp_path / "cache" / "pkgs" / digest[:2] / digest / f"leaf-1.0-0{suffix}"
    assert archives == {records[0]["url"]: str(expected)}
    assert kept(tmp_path) == [expected]


@FORMATS
@WAYS
def test_a_changed_archive_is_refused_and_not_kept(bench, channel, site, tmp_path, over, suffix):
    records = published(bench, channel, site, over, suffix)
    other = Package(name="leaf", files={"share/leaf.txt": "grey!\n"}).pack(suffix)
    archive_of(channel, suffix).write_bytes(other)
    with pytest.raises(DigestMismatchError) as caught:
        bench.fetch(records)
    assert caught.value.place == records[0]["url"]
    assert caught.value.actual == hashlib.sha256(other).hexdigest()
    assert kept(tmp_path) == []


def test_without_a_sha256_the_md5_counts(bench, channel, site, tmp_path):
    channel.add(LEAF)
    channel.write_index(without=("sha256",))
    records = bench.solve(channel)
    bench.install(records)
    assert bench.installed() == ["leaf-1.0-0"]
    archive_of(channel).write_bytes(b"another")
    kept(tmp_path)[0].write_bytes(b"another")
    with pytest.raises(DigestMismatchError, match="md5"):
        bench.fetch(records)


@pytest.mark.parametrize("digests", [{"sha256": "", "md5": ""}, {"sha256": "../../x"}, {"sha256": "ab"}])
def test_without_a_digest_nothing_is_fetched(bench, channel, site, digests):
    records = published(bench, channel, site, "file")
    with pytest.raises(DigestMissingError):
        bench.fetch([{**records[0], **digests}])


@pytest.mark.parametrize("name", ["../../evil.conda", "leaf.zip", "a/b.conda", "..\\x.conda", "c:x.conda"])
def test_a_file_name_cannot_lead_out_of_the_cache(bench, channel, site, name):
    records = published(bench, channel, site, "file")
    with pytest.raises(PackageUnavailableError, match="no name of an archive"):
        bench.fetch([{**records[0], "fn": name}])


def test_what_is_kept_is_not_downloaded_again(bench, channel, site):
    records = published(bench, channel, site, "http")
    bench.fetch(records)
    assert bench.fetch(records) == bench.fetch(records, offline=True)
    assert site.gets("leaf-1.0-0.conda") == 1


@WAYS
def test_a_kept_archive_that_went_bad_is_replaced(bench, channel, site, tmp_path, over):
    records = published(bench, channel, site, over)
    (path,) = bench.fetch(records).values()
    good = archive_of(channel).read_bytes()
    with open(path, "r+b") as file:
        file.write(b"bad")
    bench.fetch(records)
    assert kept(tmp_path)[0].read_bytes() == good


def test_what_was_hashed_before_is_not_read_again(bench, channel, site):
    records = published(bench, channel, site, "file")
    bench.fetch(records)
    bench.told.clear()
    in_a_new_process()
    bench.fetch(records)
    assert bench.told == []


def test_a_kept_archive_is_read_again_when_it_was_written_to_and_looks_the_same(bench, channel, site):
    records = published(bench, channel, site, "file")
    (path,) = bench.fetch(records).values()
    good, stamp = archive_of(channel).read_bytes(), os.stat(path)
    time.sleep(0.05)  # a clock that ticks
    with open(path, "r+b") as file:
        file.write(b"bad")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    in_a_new_process()
    bench.fetch(records)
    with open(path, "rb") as file:
        assert file.read() == good


def test_a_damaged_memory_of_what_was_hashed_is_no_memory(bench, channel, site, tmp_path):
    records = published(bench, channel, site, "file")
    bench.fetch(records)
    (tmp_path / "cache" / "pkgs-verified").write_bytes(b"not ours")
    in_a_new_process()
    bench.told.clear()
    assert bench.fetch(records)
    assert "verify" in {step.phase for step in bench.told}


def test_a_server_with_a_bad_moment_is_asked_again(bench, channel, site):
    records = published(bench, channel, site, "http")
    site.fail("leaf-1.0-0.conda", 503, times=2)
    bench.fetch(records)
    assert site.gets("leaf-1.0-0.conda") == 3


def test_an_answer_cut_short_is_asked_for_again_and_then_an_error(bench, channel, site, tmp_path):
    records = published(bench, channel, site, "http")
    data = archive_of(channel).read_bytes()
    site.say("leaf-1.0-0.conda", data[:100], length=len(data))
    with pytest.raises(PackageUnavailableError, match="bytes are missing"):
        bench.fetch(records)
    assert site.gets("leaf-1.0-0.conda") == 4
    assert kept(tmp_path) == []


def test_a_package_that_is_gone_is_an_error_at_once(bench, channel, site):
    records = published(bench, channel, site, "http")
    archive_of(channel).unlink()
    with pytest.raises(PackageUnavailableError, match="404"):
        bench.fetch(records)
    assert site.gets("leaf-1.0-0.conda") == 1


def test_a_server_that_is_gone_is_an_error_within_seconds(bench, channel, site):
    (record,) = published(bench, channel, site, "http")
    began = time.monotonic()
    with pytest.raises(PackageUnavailableError, match="refused"):
        bench.fetch([{**record, "url": "http://user:word@127.0.0.1:9/c/noarch/leaf-1.0-0.conda"}])
    assert time.monotonic() - began < 5


def test_offline_only_this_machine_is_asked(bench, channel, site):
    records = published(bench, channel, site, "http")
    with pytest.raises(PackageUnavailableError, match="not in the package cache"):
        bench.fetch(records, offline=True)
    assert bench.fetch(bench.solve(channel), offline=True)


def test_condas_own_cache_is_looked_into_and_not_believed(bench, channel, site, environ, tmp_path):
    folder = tmp_path / "conda-pkgs"
    folder.mkdir()
    environ["CONDA_PKGS_DIRS"] = str(folder)
    records = published(bench, channel, site, "http")
    (folder / "leaf-1.0-0.conda").write_bytes(archive_of(channel).read_bytes())
    bench.fetch(records)
    assert site.gets(".conda") == 0
    os.unlink(*bench.fetch(records).values())
    (folder / "leaf-1.0-0.conda").write_bytes(b"something else")
    bench.fetch(records)
    assert site.gets(".conda") == 1


def test_a_mirror_is_asked_instead_and_the_url_stays(bench, channel, site, environ, tmp_path):
    channel.with_packages(LEAF)
    folder = tmp_path / "home" / ".config" / "rattler"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'[mirrors]\n"http://127.0.0.1:9/far" = ["{site.url}/channel"]\n')
    records = bench.solve("http://127.0.0.1:9/far")
    assert records[0]["url"] == "http://127.0.0.1:9/far/noarch/leaf-1.0-0.conda"
    bench.install(records)
    assert site.gets(".conda") == 1


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param('{"127.0.0.1": {"BasicHTTP": {"username": "user", "password": "word"}}}', id="rattler"),
        pytest.param("machine 127.0.0.1 login user password word", id="netrc"),
    ],
)
def test_stored_credentials_are_used(bench, channel, site, environ, tmp_path, stored):
    (tmp_path / "stored").write_text(stored)
    environ["RATTLER_AUTH_FILE" if stored.startswith("{") else "NETRC"] = str(tmp_path / "stored")
    bench.fetch(published(bench, channel, site, "http"))
    assert site.asked[-1] == ("GET", "/channel/noarch/leaf-1.0-0.conda", "Basic dXNlcjp3b3Jk")


def test_a_redirect_to_another_server_gets_no_password_and_one_to_a_file_is_refused(bench, channel, site, tmp_path):
    channel.with_packages(LEAF)
    url = site.url.replace("//", "//user:word@") + "/channel"
    records = bench.solve(url)
    target = [site.url.replace("127.0.0.1", "localhost") + "/channel/noarch/leaf-1.0-0.conda"]

    def redirect(handler) -> bool:
        if handler.path.endswith(".conda") and handler.headers["Host"].startswith("127."):
            handler.send_response(302)
            handler.send_header("Location", target[0])
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return True
        return False

    site.rules.append(redirect)
    os.unlink(*bench.fetch(records, channels=[url]).values())
    assert [login for *_, login in site.asked[-2:]] == ["Basic dXNlcjp3b3Jk", None]
    target[0] = archive_of(channel).as_uri()
    with pytest.raises(PackageUnavailableError):
        bench.fetch(records, channels=[url])


def test_progress_is_told_in_bytes_and_ends_at_the_total(bench, channel, site):
    channel.with_packages(*[Package(name=f"p{number}") for number in range(9)])
    records = bench.solve(channel, specs=[f"p{number}" for number in range(9)])
    bench.told.clear()
    bench.fetch(records)
    downloads = [told for told in bench.told if told.phase == "download"]
    assert len(downloads) == 9
    assert downloads[-1].done == downloads[-1].total == sum(record["size"] for record in records)
