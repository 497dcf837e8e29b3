"""What rattler's files, ``.condarc`` and variables say of channels, and that both solve and fetch obey it."""

import shutil
import ssl
import subprocess

import pytest
from channels import Package
from hypothesis import given
from hypothesis import strategies as st

from cwtasks.engines import condarc
from cwtasks.engines.channels import DEFAULTS, Login, read_settings, secrets_in, to_toml
from cwtasks.engines.protocol import redacted
from cwtasks.exceptions import ChannelSettingsError, ChannelUnavailableError, PackageUnavailableError

LEAF = Package(name="leaf")


@pytest.fixture
def read(environ, tmp_path):
    """Return the settings after writing a ``.condarc`` and a configuration of rattler."""

    def settings(conda="", rattler="", **variables):
        (tmp_path / "home" / ".condarc").write_text(conda)
        folder = tmp_path / "home" / ".config" / "rattler"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(rattler)
        return read_settings({**environ, **variables})

    return settings


CONDARC = """\
# mine
channels:
  - conda-forge   # first
  - "defaults"
channel_alias: https://mirror.example/conda/
custom_channels:
  internal: https://repo.example/packages
  deep/er: file:///srv
default_channels: [https://one.example/main, other]
pkgs_dirs:
- ~/pkgs
- $SHARED/pkgs
ssl_verify: /etc/ours.pem
proxy_servers:
  http: http://user:word@proxy.example:3128
  https: 'http://proxy.example:3129'
conda_build:
  root-dir: {strange: [things
    are here
"""


def test_a_condarc_is_read(read, tmp_path):
    settings = read(CONDARC, SHARED="/shared")
    assert settings.channels == ("conda-forge", "defaults")
    assert settings.urls_of("conda-forge") == ("https://mirror.example/conda/conda-forge",)
    assert settings.urls_of("internal") == ("https://repo.example/packages/internal",)
    assert settings.urls_of("internal/label/dev") == ("https://repo.example/packages/internal/label/dev",)
    assert settings.urls_of("deep/er") == ("file:///srv/deep/er",)
    assert settings.urls_of("defaults") == ("https://one.example/main", "https://mirror.example/conda/other")
    assert settings.urls_of("https://x.example/y/") == ("https://x.example/y",)
    assert settings.urls_of("/srv/here") == ("file:///srv/here",)
    assert settings.package_folders[1] == "/shared/pkgs"
    assert settings.certificates == "/etc/ours.pem"
    assert settings.proxies == {
        "http": "http://user:word@proxy.example:3128",
        "https": "http://proxy.example:3129",
    }


def test_without_any_file_the_usual_holds(environ):
    settings = read_settings(environ)
    assert settings.urls_of("defaults") == DEFAULTS
    assert settings.urls_of("conda-forge") == ("https://conda.anaconda.org/conda-forge",)
    assert (settings.certificates, settings.proxies, settings.uses_shards) == (True, {}, False)


def test_the_nearer_file_comes_first_and_variables_overrule(read, tmp_path):
    (tmp_path / "near").write_text("channels: [near]\nchannel_alias: http://near.example\n")
    settings = read("channels: [far]\nchannel_alias: http://far.example\n", CONDARC=str(tmp_path / "near"))
    assert (settings.channels, settings.alias) == (("near", "far"), "http://near.example")
    settings = read("channels: [far]", CONDA_CHANNELS="a,b", CONDA_CHANNEL_ALIAS="http://x.example/")
    assert (settings.channels, settings.alias) == (("a", "b"), "http://x.example")


def test_rattlers_files_count_more_than_condas(read):
    settings = read(
        "ssl_verify: true\nchannels: [conda]\nproxy_servers: {https: http://conda.example}\n",
        'default-channels = ["rattler"]\ntls-no-verify = true\n[proxy-config]\nhttps = "http://rattler.example"\n'
        'non-proxy-hosts = ["localhost"]\n[repodata-config]\ndisable-sharded = false\n'
        '[mirrors]\n"https://a.example/c/" = ["https://b.example/c"]\n',
    )
    assert settings.channels == ("rattler",)
    assert settings.certificates is False
    assert settings.proxies == {"https": "http://rattler.example"}
    assert settings.no_proxy == "localhost"
    assert settings.uses_shards
    assert settings.mirrors == {"https://a.example/c": ("https://b.example/c",)}


@pytest.mark.parametrize("word", ["false", "no", '"False"', "off"])
def test_ssl_verify_may_be_off(read, word):
    assert read(f"ssl_verify: {word}\n").certificates is False


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        pytest.param("a: 1\nchannels:\n  - x\n  y\n", "line 2: channels: expected '- …', found 'y'", id="item"),
        pytest.param("channels: [a, b\n", "line 1: channels: '[' is never closed", id="bracket"),
        pytest.param("custom_channels:\n  x\n", "line 1: custom_channels: expected 'name: …', found 'x'", id="table"),
    ],
)
def test_a_condarc_nobody_understands_names_the_line(read, tmp_path, text, fact):
    with pytest.raises(ChannelSettingsError) as caught:
        read(text)
    assert caught.value.reason == fact
    assert str(caught.value.path) == str(tmp_path / "home" / ".condarc")


def test_a_broken_file_of_rattler_is_named(read):
    with pytest.raises(ChannelSettingsError, match=r"config\.toml"):
        read(rattler="mirrors = [")


WORDS = st.text("abcXYZ019-_.~ é", min_size=1).filter(
    lambda word: word.strip() == word and word not in ("~", "null", "-") and not word.startswith(("- ", "---", "..."))
)


@given(st.dictionaries(st.sampled_from(["channels", "pkgs_dirs", "default_channels"]), st.lists(WORDS, min_size=1)))
def test_lists_are_read_in_every_style(tables):
    keys = frozenset(tables)
    block = "".join(f"{key}:\n" + "".join(f"  - {item}\n" for item in items) for key, items in tables.items())
    flush = "".join(f"{key}:\n" + "".join(f'- "{item}"  # x\n' for item in items) for key, items in tables.items())
    flow = "".join(f"{key}: [{', '.join(items)}]\n" for key, items in tables.items())
    assert condarc.parse(block, keys) == condarc.parse(flush, keys) == condarc.parse(flow, keys) == tables


PARTS = st.text("abcXYZ09-._~%!$&*+=", min_size=6, max_size=12)


@given(PARTS, PARTS, PARTS, st.sampled_from(["GET {} failed", "'{}'", "({})", "{}\nCaused by: {}"]))
def test_no_credential_of_a_url_survives(user, password, token, sentence):
    url = f"https://{user}:{password}@host.example/t/{token}/channel"
    shown = redacted(sentence.format(f"{url}/noarch", url), secrets_in([url]))
    assert "https://host.example/channel" in shown
    assert Login.of(url).url == "https://host.example/channel"
    assert f"{user}:{password}" not in shown
    assert f"/t/{token}" not in shown


def test_a_document_survives_as_toml():
    import tomllib

    document = {"a": 'x"\\é', "b": [1, True], "c": {"https://x/y": ["z"], "d": {"e": 1.5}}}
    assert tomllib.loads(to_toml(document)) == document


def test_both_solve_and_fetch_go_through_the_proxy(bench, channel, site, tmp_path):
    channel.with_packages(LEAF)
    (tmp_path / "home" / ".condarc").write_text(f"proxy_servers:\n  http: {site.url}\n")
    far = "http://far.invalid/channel"

    def proxy(handler) -> bool:
        handler.path = handler.path.removeprefix("http://far.invalid")
        return False

    site.rules.append(proxy)
    records = bench.solve(far)
    bench.fetch(records)
    assert records[0]["url"] == f"{far}/noarch/leaf-1.0-0.conda"
    assert {path.startswith("http://far.invalid/") for _, path, _ in site.asked} == {True}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Make an authority and a server it vouches for; returns their folder."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make certificates")
    folder = tmp_path_factory.mktemp("certificates")
    new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    extra = "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
    for command in (
        # From Python 3.13 on, an authority must say that it may vouch for others.
        f"{new} -keyout authority.key -out authority.pem -subj /CN=authority -addext keyUsage=critical,keyCertSign",
        f"{new} -keyout key.pem -out cert.pem -subj /CN=localhost -CA authority.pem -CAkey authority.key {extra}",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(site, certificates):
    """Make the site speak TLS; returns the file to believe."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    site.url = site.url.replace("http://", "https://")
    return certificates / "authority.pem"


def test_a_certificate_nobody_vouches_for_is_refused(bench, channel, site, secure):
    channel.with_packages(LEAF)
    with pytest.raises(ChannelUnavailableError, match="certificate"):
        bench.solve(f"{site.url}/channel")
    (record,) = bench.solve(channel)
    with pytest.raises(PackageUnavailableError, match="certificate"):
        bench.fetch([{**record, "url": f"{site.url}/channel/noarch/leaf-1.0-0.conda"}])


@pytest.mark.parametrize("word", ["believed", "false"])
@pytest.mark.parametrize("login", ["", "user:secret@"])
def test_ssl_verify_is_obeyed_by_both(bench, channel, site, secure, tmp_path, word, login):
    channel.with_packages(LEAF)
    (tmp_path / "home" / ".condarc").write_text(f"ssl_verify: {secure if word == 'believed' else word}\n")
    url = site.url.replace("//", f"//{login}") + "/channel"
    records = bench.solve(url)
    bench.fetch(records, channels=[url])
    assert records[0]["url"] == f"{site.url}/channel/noarch/leaf-1.0-0.conda"
    assert [bool(header) for *_, header in site.asked] == [bool(login)] * len(site.asked)
    kept = [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert [file for file in kept if b"secret" in file.read_bytes()] == []
