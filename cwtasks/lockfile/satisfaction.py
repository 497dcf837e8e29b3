"""Does this lock answer this workspace, and if not, why not?

The checks are those of conda-workspaces and in its order, so that both call the same locks stale:

1. the version of the format; 2. no environments that the manifest does not have; 3. every environment is there;
4. the channels are the same, in the same order; 5. every platform is there; and for each platform that is asked for:
6. only conda packages; 7. every URL is below a channel of the environment; 8. every package has a record and a digest;
9. the record says what its URL says, and is for this platform; 10. one package of each name; 11. the dependencies of
the manifest are satisfied; 12. so are those of the packages, and nothing is there that a package excludes; 13. the path
of Python's modules stays inside of the prefix.

A ``pixi.lock`` may know more environments, packages of Python indexes and packages to be built. Knows no manifest: what
it asks for comes as records. Solves nothing.
"""

from __future__ import annotations

import re
from itertools import starmap
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from cwtasks.lockfile.conda_lock import VERSION
from cwtasks.lockfile.matching import parse_requirement, requirement_of, same_channel, virtual_package
from cwtasks.lockfile.pixi_lock import VERSIONS
from cwtasks.lockfile.records import identity_of, public_url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from cwtasks.lockfile.model import Lock, LockedEnvironment
    from cwtasks.lockfile.records import LockedPackage
    from cwtasks.models.packages import MatchSpec
    from cwtasks.requirements import Requirements

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.+!-]+")


class WantedPlatform(NamedTuple):
    """What an environment asks for on one platform."""

    subdir: str
    """Conda platform."""
    specs: tuple[MatchSpec, ...]
    """Dependencies, those on virtual packages too."""
    virtual_packages: tuple[tuple[str, str, str], ...] = ()
    """What the platform promises: name, version and build of each."""


class WantedEnvironment(NamedTuple):
    """What the manifest asks of one environment."""

    name: str
    channels: tuple[str, ...]
    """URLs, in order of priority."""
    platforms: Mapping[str, WantedPlatform]
    """By the name of the platform in the manifest."""


def wanted_of(requirements: Iterable[Requirements]) -> tuple[WantedEnvironment, ...]:
    """Return what a workspace asks of its lock.

    Args:
        requirements: Of every environment on every platform.
    """
    channels: dict[str, tuple[str, ...]] = {}
    platforms: dict[str, dict[str, WantedPlatform]] = {}
    for one in requirements:
        channels.setdefault(one.environment, tuple(channel.public_url for channel in one.channels))
        platform = WantedPlatform(one.subdir, one.specs, one.virtual_packages)
        platforms.setdefault(one.environment, {})[one.platform] = platform
    return tuple(WantedEnvironment(name, urls, platforms[name]) for name, urls in channels.items())


def why_stale(
    lock: Lock, wanted: Sequence[WantedEnvironment], *, platforms: Collection[str] | None = None
) -> str | None:
    """Return the first reason why a lock does not answer a workspace, ``None`` when it does.

    Args:
        lock: As read.
        wanted: Every environment of the manifest, with every platform it is declared for.
        platforms: Names of the platforms whose packages are looked at; ``None`` for all. That all are there at all is
            asked in any case.
    """
    return next(_reasons(lock, wanted, platforms), None)


def stale_slices(lock: Lock, wanted: Sequence[WantedEnvironment]) -> dict[tuple[str, str], str]:
    """Return the environments and platforms that a lock is no answer for, each with its first reason.

    Args:
        lock: As read.
        wanted: Every environment of the manifest, with every platform it is declared for.
    """
    stale = {}
    whole = next(_version(lock), None)
    for environment in wanted:
        locked = lock.environments.get(environment.name)
        everywhere = whole or (next(_channels(environment, locked), None) if locked else "it is not locked")
        for name, platform in environment.platforms.items():
            reason = everywhere
            if reason is None and _locked_name(lock, environment, name, platform) is None:
                reason = "it is not locked"
            reason = reason or next(_Slice(lock, environment, name, platform).reasons(), None)
            if reason is not None:
                stale[environment.name, name] = reason
    return stale


def _reasons(lock: Lock, wanted: Sequence[WantedEnvironment], platforms: Collection[str] | None) -> Iterator[str]:
    yield from _version(lock)
    yield from _environments(lock, wanted)
    for environment in wanted:
        yield from _channels(environment, lock.environments[environment.name])
    for environment in wanted:
        for name, platform in environment.platforms.items():
            if _locked_name(lock, environment, name, platform) is None:
                yield f"environment '{environment.name}' is not locked for {name}"
    for environment in wanted:
        for name, platform in environment.platforms.items():
            if platforms is None or name in platforms:
                for reason in _Slice(lock, environment, name, platform).reasons():
                    yield f"environment '{environment.name}', {name}: {reason}"


def _environments(lock: Lock, wanted: Sequence[WantedEnvironment]) -> Iterator[str]:
    names = {environment.name for environment in wanted}
    for name in lock.environments:
        if name not in names and lock.format == "conda.lock":
            yield f"environment '{name}' is locked, and the manifest has none of this name"
    for environment in wanted:
        if environment.name not in lock.environments:
            yield f"environment '{environment.name}' is not locked"


def _version(lock: Lock) -> Iterator[str]:
    known = (VERSION,) if lock.format == "conda.lock" else VERSIONS
    if lock.version not in known:
        found = "no version" if lock.version is None else f"version {lock.version}"
        yield f"expected {lock.format} of version {' or '.join(map(str, known))}, found {found}"


def _channels(wanted: WantedEnvironment, locked: LockedEnvironment) -> Iterator[str]:
    asked = list(dict.fromkeys(map(same_channel, wanted.channels)))
    found = list(dict.fromkeys(map(same_channel, locked.channels)))
    if asked != found:
        yield (
            f"environment '{wanted.name}': channels are {', '.join(asked) or 'none'}, "
            f"locked with {', '.join(found) or 'none'}"
        )


def _locked_name(lock: Lock, wanted: WantedEnvironment, name: str, platform: WantedPlatform) -> str | None:
    packages = lock.environments[wanted.name].packages
    found = lock.platform_name(name, platform.subdir, platform.virtual_packages)
    if found in packages:
        return found
    # Pixi writes no packages at all for an environment that asks for none.
    return (found or name) if lock.format == "pixi.lock" and not packages and not platform.specs else None


class _Slice:
    """One environment on one platform: what was asked, and what was locked."""

    def __init__(self, lock: Lock, wanted: WantedEnvironment, platform_name: str, platform: WantedPlatform) -> None:
        self._lock = lock
        self._wanted = wanted
        self._platform = platform
        locked = lock.environments[wanted.name]
        name = _locked_name(lock, wanted, platform_name, platform) or platform_name
        self._packages = locked.packages.get(name, ())
        self._pypi = locked.pypi.get(name, ())
        self._sources = frozenset(locked.sources.get(name, ()))
        self._by_name: dict[str, LockedPackage] = {
            package.name: package for package in starmap(virtual_package, platform.virtual_packages)
        }
        self._by_name.update((package.name, package) for package in self._packages)

    def reasons(self) -> Iterator[str]:
        yield from self._shapes()
        yield from self._origins()
        yield from self._digests()
        yield from self._identities()
        yield from self._names()
        yield from self._dependencies()
        yield from self._relations()
        yield from self._module_paths()

    def _shapes(self) -> Iterator[str]:
        if self._lock.format == "conda.lock":
            for foreign in self._pypi:
                yield f"{foreign.name} is no conda package"

    def _origins(self) -> Iterator[str]:
        """Find packages that come from elsewhere; the channels and URLs that the manifest itself spells are fine."""
        spelled = [spec.get_raw_value("channel") for spec in self._platform.specs]
        channels = [*map(same_channel, self._wanted.channels), *(str(channel) for channel in spelled if channel)]
        subdirs = {self._platform.subdir, "noarch"}
        folders = {f"{channel}/{subdir}" for channel in channels for subdir in subdirs}
        allowed: set[_Place | None] = set(map(_place, folders)) - {None}
        urls = [spec.get_raw_value("url") for spec in self._platform.specs]
        direct = {public_url(str(url).partition("#")[0]) for url in urls if url}
        for package in self._packages:
            folder, _, fn = package.url.rpartition("/")
            if folder in folders and _PLAIN_NAME.fullmatch(fn):
                continue
            place = _place(package.url)
            if (place is None or place.parent() not in allowed) and package.url not in direct:
                yield f"{package.fn} is not from a channel of this environment"

    def _digests(self) -> Iterator[str]:
        for package in self._packages:
            if package.url in self._lock.unrecorded:
                yield f"{package.fn} has no record"
            elif not package.sha256 and not package.md5:
                yield f"{package.fn} has neither a sha256 nor an md5"

    def _identities(self) -> Iterator[str]:
        subdirs = (self._platform.subdir, "noarch")
        for package in self._packages:
            try:
                told = identity_of(package.url)
            except ValueError:
                yield f"{package.fn}: the URL does not name a package"
                continue
            for field, value in told._asdict().items():
                if field != "channel" and value != (mine := getattr(package, field)):
                    yield f"{told.fn}: its record says {field} '{mine}'"
            if package.subdir not in subdirs:
                yield f"{package.fn} is for {package.subdir}"

    def _names(self) -> Iterator[str]:
        seen: dict[str, LockedPackage] = {}
        for package in self._packages:
            other = seen.setdefault(package.name, package)
            if other is not package:
                yield f"two packages called {package.name}: {other.fn} and {package.fn}"

    def _dependencies(self) -> Iterator[str]:
        for spec in self._platform.specs:
            if spec.name in self._sources:
                continue
            shown = public_url(str(spec))
            try:
                is_met = self._is_met(spec)
            except ValueError as mistake:
                yield f"'{shown}' cannot be checked: {mistake}"
                continue
            if not is_met:
                yield f"'{shown}' is asked for, {self._locked_as(spec.name)}"

    def _is_met(self, spec: MatchSpec) -> bool:
        requirement = requirement_of(spec)
        package = self._by_name.get(requirement.name)
        return package is not None and requirement.allows(package)

    def _relations(self) -> Iterator[str]:
        by_name = self._by_name
        for package in self._packages:
            for text in package.depends:
                try:
                    requirement = parse_requirement(text)
                except ValueError:
                    # A grammar that is newer than ours: the solver read it, and it is not for us to doubt.
                    continue
                other = by_name.get(requirement.name)
                if other is None:
                    if requirement.name not in self._sources:
                        yield f"{_called(package)} needs '{text}', {self._locked_as(requirement.name)}"
                elif not requirement.allows(other):
                    yield f"{_called(package)} needs '{text}', {self._locked_as(requirement.name)}"
            yield from self._exclusions(package)

    def _exclusions(self, package: LockedPackage) -> Iterator[str]:
        for text in package.constrains:
            try:
                requirement = parse_requirement(text)
            except ValueError:
                continue
            other = self._by_name.get(requirement.name)
            if other is not None and not requirement.allows(other):
                yield f"{_called(package)} goes only with '{text}', {self._locked_as(requirement.name)}"

    def _module_paths(self) -> Iterator[str]:
        for package in self._packages:
            path = package.python_site_packages_path
            if path is not None and not _is_inside(path):
                yield f"{package.fn}: the path of its modules leaves the environment"

    def _locked_as(self, name: str) -> str:
        package = self._by_name.get(name)
        if name.startswith("__"):
            return f"the platform has {_called(package)}" if package else f"the platform has no {name}"
        return f"locked is {_called(package)}" if package else "which is not locked"


class _Place(NamedTuple):
    """A URL, decoded: what two ways of writing it have in common."""

    origin: str
    names: tuple[str, ...]

    def parent(self) -> _Place:
        return _Place(self.origin, self.names[:-1])


def _place(url: str) -> _Place | None:
    """Return a URL taken apart, ``None`` for one that a server and we might understand differently.

    A name that is ``..``, or that holds an encoded slash, could lead out of the channel it seems to be in.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.query or parts.fragment or not parts.scheme:
        return None
    standard = {"http": 80, "https": 443}.get(parts.scheme)
    origin = f"{parts.scheme}://{parts.hostname or ''}" + (f":{port}" if port not in (None, standard) else "")
    names = tuple(map(unquote, parts.path.removeprefix("/").split("/")))
    if any(name in ("", ".", "..") or re.search(r"[/\\\0%]", name) for name in names):
        return None
    return _Place(origin, names)


def _called(package: LockedPackage | None) -> str:
    return f"{package.name} {package.version} {package.build}" if package else ""


def _is_inside(path: str) -> bool:
    names = path.split("/")
    return bool(path) and not ({"", ".", ".."} & set(names)) and not re.search(r"[\\\0:]", path)
