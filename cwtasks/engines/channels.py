"""Where channels are and how their servers are reached: rattler's configuration files and ``.condarc``.

Knows names, URLs, mirrors, proxies, certificates and credentials. Opens no connection and imports no engine: engines
get what they need from here as plain values.
"""

from __future__ import annotations

import base64
import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from cwtasks.engines import condarc
from cwtasks.engines.places import condarc_files, home_of, rattler_files
from cwtasks.exceptions import ChannelSettingsError
from cwtasks.models.packages import Channel, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
"""What the channel name ``defaults`` means where no configuration says otherwise."""

CONDARC_KEYS = frozenset(
    {
        "channels",
        "channel_alias",
        "custom_channels",
        "default_channels",
        "pkgs_dirs",
        "ssl_verify",
        "proxy_servers",
    }
)
"""The keys of ``.condarc`` that are read; all others are conda's own business."""

Tables = dict[str, condarc.Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelSettings:
    """What the user configured about channels, or what holds without it."""

    alias: str = Channel.DEFAULT_SERVER
    """Server of channels that are only named, without a slash at its end."""
    default_urls: tuple[str, ...] = DEFAULTS
    """Channels that ``defaults`` stands for, in priority order."""
    custom: Mapping[str, str] = field(default_factory=dict)
    """URL of each channel that has a place of its own, by name."""
    channels: tuple[str, ...] = ()
    """Channels for workspaces that name none, as written."""
    package_folders: tuple[str, ...] = ()
    """Folders in which conda keeps archives: looked into before a download, never written."""
    certificates: bool | str = True
    """Whether servers must prove who they are, or the file of authorities that are believed."""
    proxies: Mapping[str, str] = field(default_factory=dict)
    """Proxy URL by scheme, ``http`` and ``https``; may hold credentials."""
    no_proxy: str = ""
    """Hosts that are reached directly, separated by commas."""
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Places asked instead of a channel URL, in order."""
    auth_file: str | None = None
    """JSON file with credentials by host, in rattler's form."""
    netrc_file: str | None = None
    """Credentials by host, the oldest form of all."""
    uses_shards: bool = False
    """Whether indexes in pieces are used; see :func:`read_settings`."""
    rattler: Mapping[str, object] = field(default_factory=dict)
    """The merged document of rattler's files, for what only rattler understands."""

    def urls_of(self, name: str) -> tuple[str, ...]:
        """Return the URLs of a channel as a manifest or ``.condarc`` writes it: several only for ``defaults``.

        Args:
            name: A name, a URL, or an absolute path.
        """
        if "://" in name or name.startswith("/"):
            return (Channel(name).base_url,)
        if name == "defaults":
            return tuple(url for item in self.default_urls for url in self.urls_of(item) if item != name)
        stripped = name.strip("/")
        for known in sorted(self.custom, key=len, reverse=True):
            if stripped == known or stripped.startswith(f"{known}/"):
                return (self.custom[known] + stripped.removeprefix(known),)
        return (f"{self.alias}/{stripped}",)


class Login(NamedTuple):
    """Credentials of one place, taken out of its URL."""

    url: str
    """The place without them, no slash at its end."""
    token: str = ""
    """Goes into the path as ``/t/<token>``."""
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, url: str) -> Login:
        """Take a URL apart."""
        plain = without_credentials(url).rstrip("/")
        user_info = re.search(r"(?<=://)([^/]*)@", url)
        user, _, password = user_info[1].partition(":") if user_info else ("", "", "")
        token = re.search(r"/t/([^/]+)", url)
        return cls(plain, token[1] if token else "", unquote(user), unquote(password))

    @property
    def authorization(self) -> str:
        """Value of the header; empty without a user."""
        if not self.user:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def with_token(self, url: str) -> str:
        """Return a URL below ours with the token where servers look for it."""
        if not self.token:
            return url
        server, path = re.match(r"([^:]+://[^/]+)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
        return f"{server}/t/{self.token}{path}"

    def covers(self, url: str) -> bool:
        """Say whether a URL is the place or below it."""
        return url == self.url or url.startswith(f"{self.url}/")


def logins(urls: Iterable[str]) -> tuple[Login, ...]:
    """Return the credentials in URLs of channels, those of longer URLs first."""
    found = [Login.of(url) for url in urls]
    return tuple(sorted((one for one in found if one.token or one.user), key=lambda one: -len(one.url)))


def secrets_in(urls: Iterable[str]) -> tuple[str, ...]:
    """Return every word of URLs that must not be shown: passwords and tokens, as written and as meant."""
    found = set()
    for url in urls:
        login = Login.of(url)
        written = re.search(r"(?<=://)[^/:]*:([^/]*)@", url)
        found |= {login.token, login.password, written[1] if written else ""}
        found.add(login.authorization.removeprefix("Basic "))
    return tuple(sorted(found - {""}))


class Credential(NamedTuple):
    """What a credentials file says of one host."""

    kind: Literal["header", "token"]
    value: str


def stored_credential(settings: ChannelSettings, host: str) -> Credential | None:
    """Look a host up in rattler's credentials file, then in ``.netrc``.

    Args:
        settings: Says where the files are.
        host: Without a port.

    Raises:
        ChannelSettingsError: a file is there and cannot be understood.
    """
    return _from_auth_file(settings.auth_file, host) or _from_netrc(settings.netrc_file, host)


def _from_auth_file(path: str | None, host: str) -> Credential | None:
    text = _text(path) if path else None
    if text is None or path is None:
        return None
    try:
        document = json.loads(text)
        parts = host.split(".")
        names = [host, *(f"*.{'.'.join(parts[index:])}" for index in range(len(parts)))]
        entry: dict[str, Any] = next((document[name] for name in names if name in document), {})
        if "BasicHTTP" in entry:
            basic = entry["BasicHTTP"]
            login = Login("", user=basic["username"], password=basic["password"])
            return Credential("header", login.authorization)
        if "BearerToken" in entry:
            return Credential("header", f"Bearer {entry['BearerToken']}")
        return Credential("token", entry["CondaToken"]) if "CondaToken" in entry else None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ChannelSettingsError(path, "this is no credentials file of rattler") from error


def _from_netrc(path: str | None, host: str) -> Credential | None:
    if path is None or not os.path.isfile(path):
        return None
    import netrc  # only hosts without other credentials come here

    try:
        found = netrc.netrc(path).hosts.get(host)
    except (netrc.NetrcParseError, OSError) as error:
        # The parser's own text may quote a password.
        raise ChannelSettingsError(path, "this is no netrc file") from error
    return Credential("header", Login("", user=found[0], password=found[2] or "").authorization) if found else None


def read_settings(environ: Mapping[str, str]) -> ChannelSettings:
    """Read rattler's and conda's configuration files; where both speak of one thing, rattler's count.

    Indexes in pieces (sharded repodata) are used only where rattler's configuration asks for them with
    ``[repodata-config] disable-sharded = false``: rattler reuses their table of contents without asking the server
    while it believes it fresh, so a package that was just published is missing, and takes a plain 304 for an error.
    A whole index costs a conditional request and about two seconds of reading for the largest public channel.

    Args:
        environ: Says where the files are, and may overrule them: ``CONDARC``, ``CONDA_CHANNEL_ALIAS``,
            ``CONDA_CHANNELS``, ``CONDA_PKGS_DIRS``, ``CONDA_SSL_VERIFY``, ``RATTLER_AUTH_FILE``, ``NETRC``,
            ``SSL_CERT_FILE``, ``HTTP_PROXY``, ``HTTPS_PROXY``, ``NO_PROXY``.

    Raises:
        ChannelSettingsError: a file cannot be understood.
    """
    conda = _merged_condarc(environ)
    rattler = _merged_rattler(environ)
    alias = _str(conda.get("channel_alias")).rstrip("/") or Channel.DEFAULT_SERVER
    custom = {
        name.strip("/"): f"{_absolute(str(place), alias)}/{name.strip('/')}"
        for name, place in _dict(conda.get("custom_channels")).items()
    }
    known = ChannelSettings(alias=alias, custom=custom)
    written = _list(conda.get("default_channels"))
    defaults = tuple(url for name in written if name != "defaults" for url in known.urls_of(name)) or DEFAULTS
    repodata = rattler.get("repodata-config")
    mirrors = rattler.get("mirrors")
    return ChannelSettings(
        alias=alias,
        custom=custom,
        default_urls=defaults,
        channels=tuple(_strings(rattler.get("default-channels")) or _list(conda.get("channels"))),
        package_folders=tuple(
            os.path.expanduser(_expanded(folder, environ)) for folder in _list(conda.get("pkgs_dirs"))
        ),
        certificates=_certificates(conda, rattler, environ),
        proxies=_proxies(conda, rattler, environ),
        no_proxy=_no_proxy(rattler, environ),
        mirrors={
            str(url).rstrip("/"): tuple(place.rstrip("/") for place in _strings(places))
            for url, places in (mirrors.items() if isinstance(mirrors, dict) else ())
        },
        auth_file=_auth_file(rattler, environ),
        netrc_file=environ.get("NETRC") or os.path.join(home_of(environ), ".netrc"),
        uses_shards=isinstance(repodata, dict) and repodata.get("disable-sharded") is False,
        rattler=rattler,
    )


def _certificates(conda: Tables, rattler: Mapping[str, object], environ: Mapping[str, str]) -> bool | str:
    if isinstance(skips := rattler.get("tls-no-verify"), bool):
        return not skips
    word = _str(conda.get("ssl_verify"))
    if word.lower() in ("false", "no", "off", "0"):
        return False
    if word and word.lower() not in ("true", "yes", "on", "1", "truststore"):
        return os.path.expanduser(_expanded(word, environ))
    return environ.get("SSL_CERT_FILE") or environ.get("REQUESTS_CA_BUNDLE") or True


def _proxies(conda: Tables, rattler: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, str]:
    own = rattler.get("proxy-config")
    places: tuple[Mapping[str, object], ...] = (own if isinstance(own, dict) else {}, _dict(conda.get("proxy_servers")))
    proxies = {}
    for scheme in ("http", "https"):
        named = environ.get(f"{scheme.upper()}_PROXY") or environ.get(f"{scheme}_proxy")
        everywhere = environ.get("ALL_PROXY") or environ.get("all_proxy")
        found = next((str(place[scheme]) for place in places if place.get(scheme)), None) or named or everywhere
        if found:
            proxies[scheme] = found
    return proxies


def _no_proxy(rattler: Mapping[str, object], environ: Mapping[str, str]) -> str:
    own = rattler.get("proxy-config")
    hosts = _strings(own.get("non-proxy-hosts")) if isinstance(own, dict) else []
    return ",".join(hosts) or environ.get("NO_PROXY") or environ.get("no_proxy") or ""


def _auth_file(rattler: Mapping[str, object], environ: Mapping[str, str]) -> str | None:
    named = environ.get("RATTLER_AUTH_FILE") or rattler.get("authentication-override-file")
    return str(named) if named else os.path.join(home_of(environ), ".rattler", "credentials.json")


def _merged_condarc(environ: Mapping[str, str]) -> Tables:
    merged: Tables = {}
    for path in condarc_files(environ):
        text = _text(path)
        if text is None:
            continue
        try:
            found = condarc.parse(text, CONDARC_KEYS)
        except ValueError as error:
            raise ChannelSettingsError(path, str(error)) from error
        for key, value in found.items():
            merged[key] = _merge(value, merged.get(key))
    for name in ("channel_alias", "ssl_verify"):
        if environ.get(f"CONDA_{name.upper()}"):
            merged[name] = environ[f"CONDA_{name.upper()}"]
    for name in ("channels", "pkgs_dirs"):
        if environ.get(f"CONDA_{name.upper()}"):
            merged[name] = [item for item in re.split(r"[,;]", environ[f"CONDA_{name.upper()}"]) if item]
    return merged


def _merge(value: condarc.Value, below: condarc.Value | None) -> condarc.Value:
    # As conda does it: tables and lists of several files add up, the nearest file first.
    if isinstance(value, list) and isinstance(below, list):
        return list(dict.fromkeys([*value, *below]))
    if isinstance(value, dict) and isinstance(below, dict):
        return {**below, **value}
    return value


def _merged_rattler(environ: Mapping[str, str]) -> dict[str, object]:
    merged: dict[str, object] = {}
    for path in rattler_files(environ):
        text = _text(path)
        if text is None:
            continue
        import tomllib  # these files are rattler's, which speaks TOML 1.0; most people have none

        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ChannelSettingsError(path, str(error)) from error
        for key, value in document.items():
            below = merged.get(key)
            merged[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        return None
    except UnicodeDecodeError as error:
        raise ChannelSettingsError(path, "this is no UTF-8 text") from error


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda found: environ.get(found[1], found[0]), text)


def _absolute(place: str, alias: str) -> str:
    if place.startswith("/"):
        return f"file://{place.rstrip('/')}"
    return place.rstrip("/") if "://" in place else f"{alias}/{place.strip('/')}"


def _str(value: condarc.Value | None) -> str:
    return value if isinstance(value, str) else ""


def _list(value: condarc.Value | None) -> list[str]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _dict(value: condarc.Value | None) -> dict[str, str | list[str]]:
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def host_of(url: str) -> str:
    """Return the host of a URL, without a port."""
    return urlsplit(url).hostname or ""


def to_toml(document: Mapping[str, object]) -> str:
    """Return a document as TOML, for an engine that takes its configuration as text."""
    return "".join(f"{json.dumps(key)} = {_toml_value(value)}\n" for key, value in document.items())


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, (str, bool, int, float)):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(str(value))


def mirrors_with_logins(settings: ChannelSettings, channels: Sequence[str]) -> dict[str, list[str]]:
    """Return where channels are really asked: the user's mirrors, and URLs with a token for those that need one.

    Args:
        settings: The user's mirrors.
        channels: URLs that may hold tokens.

    Returns:
        By URL without credentials; such a URL may be kept and shown, the places themselves not.
    """
    own = {login.url: [login.with_token(login.url)] for login in logins(channels) if login.token}
    return {**own, **{url: list(places) for url, places in settings.mirrors.items()}}
