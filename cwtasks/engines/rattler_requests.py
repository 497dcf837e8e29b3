"""What the worker of rattler is asked, and what its answers mean: plain documents and errors, no process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cwtasks.engines.channels import Login, host_of, logins, mirrors_with_logins, to_toml
from cwtasks.engines.protocol import file_name, redacted, text_of
from cwtasks.exceptions import (
    BadSpecError,
    ChannelUnavailableError,
    CwtasksError,
    InstallError,
    LinkScriptError,
    UnsatisfiableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cwtasks.engines.channels import ChannelSettings
    from cwtasks.engines.protocol import InstallRequest, Record, SolveRequest


def solve_document(
    request: SolveRequest, settings: ChannelSettings, *, retries: int, cache_folder: str
) -> dict[str, Any]:
    """Return what a solve is asked with.

    Args:
        request: What is to be chosen.
        settings: The user's configuration of channels.
        retries: How often an index is asked for again.
        cache_folder: Where indexes are kept, absolute.
    """
    found = logins(request.channels)
    # A password goes into a header. The client that can do this cannot be told to believe any server, so then
    # rattler gets the whole URL, and as it writes URLs into its cache, that one is thrown away.
    by_url = any(login.user for login in found) and settings.certificates is False
    mirrors = mirrors_with_logins(settings, [] if by_url else request.channels)
    configuration: dict[str, object] = {**settings.rattler, "mirrors": mirrors}
    if settings.certificates is False:
        configuration["tls-no-verify"] = True
    elif settings.certificates is not True:
        configuration["tls-root-certs"] = "system"
    return {
        "channels": [url if by_url else Login.of(url).url for url in request.channels],
        "forgets_index": by_url,
        "headers": [
            [host_of(login.url), _path_of(login.with_token(login.url)) + "/", login.authorization]
            for login in ([] if by_url else found)
            if login.user
        ],
        "mirrors": mirrors,
        "config": to_toml(configuration),
        "uses_shards": settings.uses_shards,
        "retries": retries,
        "cache_folder": cache_folder,
        "specs": request.specs,
        "constraints": request.constraints,
        "platform": request.platform,
        "virtual_packages": request.virtual_packages,
        "locked": [complete(record) for record in request.locked],
        "channel_priority": request.channel_priority,
        "strategy": request.strategy,
        "exclude_newer": request.exclude_newer,
        "offline": request.offline,
    }


def solve_error(error: Mapping[str, Any], request: SolveRequest) -> CwtasksError:
    """Return what to raise for the error a solve answered."""
    if error["kind"] == "spec":
        return BadSpecError(error["spec"], error["reason"])
    if error["kind"] == "channel":
        public = Login.of(error["channel"]).url
        return ChannelUnavailableError(public, error["reason"], is_offline=request.offline)
    return UnsatisfiableError("", error["reason"], request.platform)


def install_document(request: InstallRequest, records: Sequence[Record], *, cache_folder: str) -> dict[str, Any]:
    """Return what an install is asked with.

    Args:
        request: What the prefix shall hold.
        records: Those of the request, complete and with SHA-256.
        cache_folder: Where rattler keeps what it unpacked, absolute.
    """
    return {
        "prefix": request.prefix,
        "target_prefix": request.target_prefix,
        "records": records,
        "archives": dict(request.archives),
        "platform": request.platform,
        "requested": request.requested,
        "link_scripts": request.link_scripts,
        "cache_folder": cache_folder,
    }


def install_error(error: Mapping[str, Any], request: InstallRequest) -> CwtasksError:
    """Return what to raise for the error an install answered."""
    if error["kind"] == "link-script":
        return LinkScriptError(request.prefix, error["packages"], error["stderr"])
    return InstallError(request.prefix, error["reason"])


def worker_environ(settings: ChannelSettings, outside: Mapping[str, str]) -> dict[str, str]:
    """Return the variables a worker runs with.

    Args:
        settings: The user's configuration of channels, part of which rattler takes from variables only.
        outside: Those of this process.
    """
    environ = {**outside}
    for scheme, proxy in settings.proxies.items():
        environ[f"{scheme.upper()}_PROXY"] = environ[f"{scheme}_proxy"] = proxy
    if settings.no_proxy:
        environ["NO_PROXY"] = environ["no_proxy"] = settings.no_proxy
    if isinstance(settings.certificates, str):
        environ["SSL_CERT_FILE"] = settings.certificates
    if settings.auth_file and os.path.isfile(settings.auth_file):
        environ["RATTLER_AUTH_FILE"] = settings.auth_file
    return environ


def redacted_error(error: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """Return an error a worker answered, without credentials in what may be shown."""
    shown = {
        key: redacted(value, secrets) if isinstance(value, str) and key != "channel" else value
        for key, value in error.items()
    }
    return {**shown, "reason": shown["reason"].strip()}


def public(record: Record) -> dict[str, Any]:
    """Return a record whose URL and channel may be written and shown."""
    url = Login.of(text_of(record, "url")).url
    return {**record, "url": url, "channel": _channel_of(record, url)}


def _channel_of(record: Record, url: str) -> str:
    # rattler blots credentials out of the channel, which is then no URL of anything.
    beside = f"/{text_of(record, 'subdir')}/{file_name(record)}"
    return url.removesuffix(beside) if url.endswith(beside) else text_of(record, "channel").rstrip("/")


def complete(record: Record) -> dict[str, Any]:
    """Return a record with the fields a worker reads without asking."""
    url = text_of(record, "url")
    subdir = text_of(record, "subdir") or url.rpartition("/")[0].rpartition("/")[2]
    known = {**record, "fn": file_name(record), "subdir": subdir}
    return {**known, "channel": text_of(record, "channel") or _channel_of(known, url)}


def _path_of(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]
