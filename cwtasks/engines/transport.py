"""Opens archives by URL: files of this machine, and servers through the user's proxies, mirrors and credentials.

Knows nothing of packages beyond their URL. Credentials are put into requests here and come back in no error.
"""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING, Self, cast
from urllib.parse import urlsplit

from cwtasks.engines.channels import Login, host_of, logins, stored_credential
from cwtasks.engines.fetch import TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from cwtasks.engines.channels import ChannelSettings

TIMEOUT_SECONDS = 30
BAD_MOMENTS = frozenset({408, 425, 429, 500, 502, 503, 504})


class Transport:
    """The ways to the servers, as the user configured them."""

    def __init__(self, settings: ChannelSettings, channels: Sequence[str] = ()) -> None:
        self._settings = settings
        self._logins = logins(channels)

    def places(self, url: str) -> list[str]:
        """Return where an archive may be: conda's own cache, mirrors, and its channel."""
        name = url.rpartition("/")[2]
        kept = [os.path.join(folder, name) for folder in self._settings.package_folders]
        local = [f"file://{path}" for path in kept if os.path.isfile(path)]
        mirrored = [
            mirror + url.removeprefix(channel)
            for channel, mirrors in self._settings.mirrors.items()
            if url.startswith(f"{channel}/")
            for mirror in mirrors
        ]
        return [*local, *(mirrored or [url])]

    def open(self, place: str) -> BinaryIO:
        """Open a URL.

        Raises:
            OSError: it cannot be read.
            TransientError: it cannot be read now; another try may succeed.
        """
        scheme = urlsplit(place).scheme
        if scheme == "file":
            return open(urllib.request.url2pathname(urlsplit(place).path), "rb")
        if scheme not in ("http", "https"):
            raise OSError(f"{scheme}:// is not supported")
        request = self._request(place)
        try:
            return cast("BinaryIO", _Body(self._opener(place).open(request, timeout=TIMEOUT_SECONDS)))
        except urllib.error.HTTPError as error:
            with error:
                text = f"HTTP status {error.code} ({error.reason})"
            raise (TransientError(text) if error.code in BAD_MOMENTS else OSError(text)) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise OSError(str(error.reason)) from None
            raise TransientError(str(error.reason)) from None
        except (http.client.HTTPException, OSError) as error:
            raise TransientError(str(error) or type(error).__name__) from None

    def _request(self, place: str) -> urllib.request.Request:
        login = Login.of(place)  # a mirror may have its own
        if not (login.user or login.token):
            login = next((one for one in self._logins if one.covers(place)), login)
        url, header = login.with_token(Login.of(place).url), login.authorization
        if not (login.user or login.token):
            stored = stored_credential(self._settings, host_of(place))
            if stored and stored.kind == "token":
                url = Login(place, token=stored.value).with_token(place)
            elif stored:
                header = stored.value
        request = urllib.request.Request(url, headers={"User-Agent": "cwtasks"})  # noqa: S310 - scheme checked above
        if header:
            request.add_unredirected_header("Authorization", header)
        return request

    def _opener(self, place: str) -> urllib.request.OpenerDirector:
        proxies = dict(self._settings.proxies)
        direct = {"no": self._settings.no_proxy}
        if urllib.request.proxy_bypass_environment(urlsplit(place).netloc.rpartition("@")[2], direct):  # type: ignore[attr-defined]
            proxies = {}
        opener = urllib.request.OpenerDirector()
        # Not build_opener(): it adds file:// and ftp://, to which no server may redirect us.
        for handler in (
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=self._context()),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirect(),
            urllib.request.UnknownHandler(),
        ):
            opener.add_handler(handler)
        return opener

    def _context(self) -> ssl.SSLContext:
        believed = self._settings.certificates
        if isinstance(believed, str):
            is_folder = os.path.isdir(believed)
            return ssl.create_default_context(
                cafile=None if is_folder else believed, capath=believed if is_folder else None
            )
        context = ssl.create_default_context()
        if not believed:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Follows redirects; credentials go along only to the same server."""

    def redirect_request(  # noqa: PLR0917 - the library's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        old_place, new_place = urlsplit(req.full_url), urlsplit(newurl)
        header = req.unredirected_hdrs.get("Authorization")
        if new is not None and header and (old_place.scheme, old_place.netloc) == (new_place.scheme, new_place.netloc):
            new.add_unredirected_header("Authorization", header)
        return new


class _Body:
    """The bytes of an answer; a connection that breaks off is a bad moment, and so is an answer cut short."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end.

        Raises:
            TransientError: the connection broke.
        """
        try:
            data = self._response.read(size)
        except (http.client.HTTPException, OSError) as error:
            raise TransientError(str(error) or type(error).__name__) from None
        # With a size given, http.client takes an early end for the end.
        if not data and self._response.length:
            raise TransientError(f"{self._response.length} bytes are missing")
        return data
