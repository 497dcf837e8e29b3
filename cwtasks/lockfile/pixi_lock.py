"""``pixi.lock``, versions 6 and 7: read only. Text -> lock; touches no disk.

What is not a conda archive is listed apart: packages of Python indexes, and packages that would have to be built.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.lockfile.conda_lock import pypi_package
from cwtasks.lockfile.document import LockDocument
from cwtasks.lockfile.model import Lock, LockedEnvironment, LockPlatform
from cwtasks.lockfile.records import LockedPackage, LockedPyPI, has_credentials, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cwtasks.lockfile.yaml_subset import Value

VERSIONS = (6, 7)


class _Records(NamedTuple):
    """The records at the top of the file, by what environments call them."""

    conda: dict[str, LockedPackage]
    pypi: dict[str, Mapping[str, Value]]
    sources: dict[str, str]
    """Names of packages that would have to be built."""


def parse_pixi_lock(text: str, path: str | Path) -> Lock:
    """Return what the text of a ``pixi.lock`` says.

    Args:
        text: Whole file.
        path: For errors; archives with a relative path are below its folder.

    Raises:
        LockfileIntegrityError: another version, damaged, or a conda URL with credentials.
    """
    document = LockDocument(text, path)
    version = document.top.get("version")
    if isinstance(version, bool) or version not in VERSIONS or not isinstance(version, int):
        document.fail("version", _about_version(version))
    records = _records(document)
    unrecorded: set[str] = set()
    environments = {}
    for name, value in document.table(document.top.get("environments"), "environments").items():
        place = f"environments.{name}"
        table = document.table(value, place)
        packages, pypi, sources = {}, {}, {}
        for platform, references in document.table(table.get("packages"), f"{place}.packages").items():
            where = f"{place}.packages.{platform}"
            one = _Slice(document, records, where)
            for index, reference in enumerate(document.list(references, where)):
                one.add(document.table(reference, f"{where}[{index}]"), f"{where}[{index}]")
            packages[platform] = tuple(one.conda)
            unrecorded |= one.unrecorded
            if one.pypi:
                pypi[platform] = tuple(one.pypi)
            if one.sources:
                sources[platform] = tuple(one.sources)
        channels = document.channels(table, place)
        environments[name] = LockedEnvironment(channels=channels, packages=packages, pypi=pypi, sources=sources)
    return Lock(
        environments=environments,
        version=version,
        format="pixi.lock",
        platforms=_platforms(document),
        unrecorded=frozenset(unrecorded),
    )


def _about_version(version: Value) -> str:
    if isinstance(version, int) and not isinstance(version, bool):
        way_out = "run 'pixi lock' with a newer pixi" if version < min(VERSIONS) else "update cwtasks"
        return f"expected 6 or 7, found {version}: {way_out}, or remove the file and lock again"
    return f"expected 6 or 7, found {kind_of(version)}"


class _Slice:
    """The packages of one environment on one platform."""

    def __init__(self, document: LockDocument, records: _Records, place: str) -> None:
        self._document = document
        self._records = records
        self._place = place
        self.conda: list[LockedPackage] = []
        self.pypi: list[LockedPyPI] = []
        self.sources: list[str] = []
        self.unrecorded: set[str] = set()

    def add(self, item: Mapping[str, Value], place: str) -> None:
        document, records = self._document, self._records
        document.count_reference(self._place)
        url = item.get("conda")
        if isinstance(url, str):
            package = records.conda.get(url)
            if package is not None:
                self.conda.append(package)
            elif url in records.sources or not _is_archive(url):
                self.sources.append(records.sources.get(url, url))
            else:
                location = _absolute(document.clean_url(url, place), document.path)
                self.conda.append(document.package({"url": location}, place))
                self.unrecorded.add(location)
        elif isinstance(wheel := item.get("pypi"), str):
            self.pypi.append(pypi_package(document, wheel, records.pypi.get(wheel, {}), place))
        elif isinstance(source := item.get("conda_source"), str):
            self.sources.append(_source_name(source))
        else:
            document.fail(place, "expected a 'conda', 'pypi' or 'conda_source' key with text")


def _records(document: LockDocument) -> _Records:
    found = _Records({}, {}, {})
    for index, value in enumerate(document.list(document.top.get("packages"), "packages")):
        place = f"packages[{index}]"
        record = document.table(value, place)
        if isinstance(url := record.get("conda"), str):
            if not _is_archive(url) or "input" in record:
                found.sources[url] = document.text(record.get("name", url), f"{place}.name")
                continue
            if has_credentials(url):
                document.clean_url(url, f"{place}.conda")
            package = document.package({**record, "url": _absolute(url, document.path)}, place)
            if found.conda.setdefault(url, package) != package:
                document.fail(place, f"a second record of {package.fn}, and it says something else")
        elif isinstance(location := record.get("pypi"), str):
            found.pypi[location] = record
        elif not isinstance(record.get("conda_source"), str):
            document.fail(place, "expected a 'conda', 'pypi' or 'conda_source' key with text")
    return found


def _is_archive(location: str) -> bool:
    return location.endswith((".conda", ".tar.bz2"))


def _absolute(location: str, path: str | Path) -> str:
    """Return the URL of an archive: a path is relative to the folder of the lock."""
    if "://" in location:
        return location
    folder = os.path.dirname(os.path.abspath(path))
    return "file://" + os.path.normpath(os.path.join(folder, location)).replace(os.sep, "/")


def _source_name(source: str) -> str:
    """Return the name in ``name[hash] @ location``."""
    return source.partition("[")[0].partition(" @")[0].strip()


def _platforms(document: LockDocument) -> dict[str, LockPlatform]:
    platforms: dict[str, LockPlatform] = {}
    for index, value in enumerate(document.list(document.top.get("platforms"), "platforms")):
        place = f"platforms[{index}]"
        table = document.table(value, place)
        name = document.text(table.get("name"), f"{place}.name")
        if name in platforms:
            document.fail(place, "a second platform of this name")
        packages = [
            _virtual_package(document.text(item, f"{place}.virtual-packages"))
            for item in document.list(table.get("virtual-packages"), f"{place}.virtual-packages")
        ]
        platforms[name] = LockPlatform(document.text(table.get("subdir", name), f"{place}.subdir"), tuple(packages))
    return platforms


def _virtual_package(text: str) -> tuple[str, str, str]:
    name, _, rest = text.partition("=")
    version, _, build = rest.partition("=")
    return name, version, build
