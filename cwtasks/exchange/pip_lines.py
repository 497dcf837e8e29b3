"""One line of pip's requirements, as far as a manifest can say the same. Opens no file that a line names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cwtasks.manifests.dependencies import parse_requirement
from cwtasks.models import PyPIDependency, without_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+)(.+)", re.DOTALL)
_PLACE = re.compile(r"(git\+|https?://|file:|\.{0,2}/|\.{1,2}$)")
_EXTRAS = re.compile(r"(.*?)\[([^\]]*)\]$")


class UnsaidError(ValueError):
    """A line that means something to pip and has no counterpart in a manifest; says why."""


def parse_pip_line(text: str, *, name_at: Callable[[str], str | None] = lambda _: None) -> PyPIDependency:
    """Read one line.

    Args:
        text: As it stands in the file.
        name_at: Tells the name of the package in a folder that the line names, as it stands there.

    Raises:
        UnsaidError: a manifest has no place for it.
        ValueError: it is no requirement at all.
    """
    line = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
    editable = _EDITABLE.fullmatch(line)
    if editable:
        return _located(editable[1].strip().strip("'\""), is_editable=True, name_at=name_at)
    if line.startswith("-"):
        raise UnsaidError("an option of pip")
    if _PLACE.match(line):
        return _located(line, is_editable=False, name_at=name_at)
    found = parse_requirement(line)
    if found is None:
        raise ValueError(f"'{without_credentials(line)}' is no requirement of pip")
    if found.git:
        return _with_repository(found, found.git)
    return found._replace(url=without_credentials(found.url)) if found.url else found


def _located(place: str, *, is_editable: bool, name_at: Callable[[str], str | None]) -> PyPIDependency:
    """Read a place without a name in front; the name may stand behind it, or in the folder.

    Raises:
        UnsaidError: it does neither.
    """
    location, _, marker = (part.strip() for part in place.partition(" ;"))
    name, _, behind = _fragments(location).get("egg", "").partition("[")
    path, _, _ = location.partition("#")
    bracketed = _EXTRAS.fullmatch(path)
    path, extras = (bracketed[1], bracketed[2]) if bracketed else (path, behind.rstrip("]"))
    is_local = path.startswith("file:") or "://" not in path
    if is_local:
        path = path.removeprefix("file://").removeprefix("file:")
        name = name or name_at(path) or ""
    if not name:
        raise UnsaidError("the name of the package is not said")
    dependency = PyPIDependency(
        name,
        extras=tuple(extra.strip() for extra in extras.split(",") if extra.strip()),
        env_markers=marker or None,
    )
    if location.startswith("git+"):
        return _with_repository(dependency, location.removeprefix("git+"))
    if is_local:
        return dependency._replace(path=path, editable=is_editable)
    return dependency._replace(url=without_credentials(path))


def _with_repository(dependency: PyPIDependency, url: str) -> PyPIDependency:
    """Return a dependency from a repository: ``URL[@REV][#subdirectory=…]``."""
    fragments = _fragments(url)
    url = url.partition("#")[0]
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    path, _, rev = path.partition("@")
    url = f"{scheme}{separator}{host}{slash}{path}"
    # The user of an ssh URL is part of the place.
    url = re.sub(r"(?<=://)([^/:@]*):[^/]*@", r"\1@", url) if scheme == "ssh" else without_credentials(url)
    return dependency._replace(git=url, rev=rev or None, subdirectory=fragments.get("subdirectory"))


def _fragments(location: str) -> Mapping[str, str]:
    parts = location.partition("#")[2].strip().split("&")
    return {key: value for key, _, value in (part.partition("=") for part in parts)}
