"""``conda.lock``, version 1: the lock that is written here, and that conda-workspaces writes.

Text -> lock and lock -> text; touches no disk. The text of equal locks is equal, byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.lockfile.document import LockDocument, refuse_credentials
from cwtasks.lockfile.model import Lock, LockedEnvironment
from cwtasks.lockfile.records import (
    LockedPackage,
    LockedPyPI,
    has_credentials,
    identity_of,
    noarch_of,
    public_url,
)
from cwtasks.lockfile.yaml_subset import write_scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from cwtasks.lockfile.yaml_subset import Value

VERSION = 1
_IDENTITY = ("name", "version", "build", "subdir", "fn")


def format_conda_lock(lock: Lock) -> str:
    """Return the text of a lock: environments and platforms in its order, packages by name.

    Args:
        lock: What it holds beside conda packages cannot be written and is an error.

    Raises:
        ValueError: it holds packages of a Python index or packages to be built.
    """
    lines = [f"version: {VERSION}"]
    lines += _block("environments", lock.environments, "")
    records: dict[str, LockedPackage] = {}
    for name, environment in lock.environments.items():
        if any(environment.pypi.values()) or any(environment.sources.values()):
            raise ValueError(f"environment '{name}' holds what is no conda package: conda.lock has no place for it")
        lines += [f"  {write_scalar(name)}:", *_block("channels", environment.channels, "    ")]
        lines += [f"    - url: {write_scalar(public_url(url))}" for url in environment.channels]
        lines += _block("packages", environment.packages, "    ")
        for platform, packages in environment.packages.items():
            lines += _block(write_scalar(platform), packages, "      ", empty="[]")
            for package in sorted(packages, key=lambda package: (package.name, package.url)):
                url = public_url(package.url)
                records.setdefault(url, package)
                lines.append(f"      - conda: {write_scalar(url)}")
    lines += _block("packages", records, "", empty="[]")
    for url, package in records.items():
        if url not in lock.unrecorded:
            lines += _record_lines(url, package)
    return "\n".join([*lines, ""])


def _block(key: str, content: Iterable[object], indent: str, *, empty: str | None = None) -> list[str]:
    if content:
        return [f"{indent}{key}:"]
    return [f"{indent}{key}: {empty or ('[]' if isinstance(content, tuple) else '{}')}"]


def _record_lines(url: str, package: LockedPackage) -> Iterator[str]:
    yield f"- conda: {write_scalar(url)}"
    # Said only where the URL says something else, so that nothing is lost; a correct record never needs it.
    try:
        told: tuple[object, ...] = tuple(getattr(identity_of(url), name) for name in _IDENTITY)
    except ValueError:
        told = (None,) * len(_IDENTITY)
    for name, value in zip(_IDENTITY, told, strict=True):
        if getattr(package, name) != value:
            yield f"  {name}: {write_scalar(getattr(package, name))}"
    if package.noarch != noarch_of(package.subdir, package.build):
        yield f"  noarch: {'null' if package.noarch is None else write_scalar(package.noarch)}"
    yield f"  build_number: {package.build_number}"
    yield from _field_lines(package, "sha256", "md5")
    yield from _list_lines("depends", package.depends)
    yield from _list_lines("constrains", package.constrains)
    yield from _field_lines(package, "features")
    if package.track_features:
        yield from _list_lines("track_features", package.track_features)
    yield from _field_lines(package, "license", "license_family", "size", "timestamp", "python_site_packages_path")


def _field_lines(package: LockedPackage, *names: str) -> Iterator[str]:
    for name in names:
        value = getattr(package, name)
        if value is not None:
            yield f"  {name}: {write_scalar(value)}"


def _list_lines(name: str, values: tuple[str, ...]) -> Iterator[str]:
    yield f"  {name}:" if values else f"  {name}: []"
    for value in values:
        yield f"  - {write_scalar(value)}"


def parse_conda_lock(text: str, path: str | Path) -> Lock:
    """Return what the text of a ``conda.lock`` says.

    A text of another version is an empty lock of that version. References to what is no conda package are kept apart,
    references without a record are noted: whether that is good enough is asked elsewhere.

    Args:
        text: Whole file.
        path: For errors.

    Raises:
        LockfileIntegrityError: damaged, contradictory, or with credentials.
    """
    refuse_credentials(text, path)
    document = LockDocument(text, path)
    version = document.top.get("version")
    if isinstance(version, bool) or version != VERSION or not isinstance(version, int):
        is_number = isinstance(version, int) and not isinstance(version, bool)
        return Lock(environments={}, version=version if is_number else None)  # type: ignore[arg-type]  # just tested
    records, others = _records(document)
    unrecorded: dict[str, LockedPackage] = {}
    environments = {}
    for name, value in document.table(document.top.get("environments"), "environments").items():
        place = f"environments.{name}"
        table = document.table(value, place)
        packages, pypi = {}, {}
        for platform, references in document.table(table.get("packages"), f"{place}.packages").items():
            where = f"{place}.packages.{platform}"
            found: list[LockedPackage] = []
            foreign: list[LockedPyPI] = []
            for index, reference in enumerate(document.list(references, where)):
                item = document.table(reference, f"{where}[{index}]")
                url = item.get("conda") if len(item) == 1 else None
                package = records.get(url) if isinstance(url, str) else None
                if package is not None:
                    document.count_reference(where)
                    found.append(package)
                elif isinstance(url, str):
                    found.append(_unrecorded(document, url, f"{where}[{index}]", unrecorded))
                else:
                    foreign.append(_foreign(document, item, f"{where}[{index}]", others))
            packages[platform] = tuple(found)
            if foreign:
                pypi[platform] = tuple(foreign)
        channels = document.channels(table, place)
        environments[name] = LockedEnvironment(channels=channels, packages=packages, pypi=pypi)
    return Lock(environments=environments, unrecorded=frozenset(unrecorded))


def _records(document: LockDocument) -> tuple[dict[str, LockedPackage], dict[str, dict[str, Value]]]:
    """Return the conda packages by URL, and the records of others by theirs."""
    records: dict[str, LockedPackage] = {}
    others: dict[str, dict[str, Value]] = {}
    for index, value in enumerate(document.list(document.top.get("packages"), "packages")):
        place = f"packages[{index}]"
        record = document.table(value, place)
        url = record.get("conda", record.get("url"))
        if "pypi" in record and "conda" not in record:
            others[document.text(record["pypi"], f"{place}.pypi")] = record
            continue
        if not isinstance(url, str):
            document.fail(place, "expected a 'conda' key with a URL")
        if record.get("url", url) != url:
            document.fail(place, "'conda' and 'url' say different URLs")
        if has_credentials(url):
            document.clean_url(url, f"{place}.conda")
        package = document.package({**record, "url": url}, place)
        if records.setdefault(url, package) != package:
            document.fail(place, f"a second record of {package.fn}, and it says something else")
    return records, others


def _unrecorded(document: LockDocument, url: str, place: str, known: dict[str, LockedPackage]) -> LockedPackage:
    document.count_reference(place)
    if url not in known:
        document.clean_url(url, place)
        known[url] = document.package({"url": url}, place)
    return known[url]


def _foreign(
    document: LockDocument, item: Mapping[str, Value], place: str, others: Mapping[str, Mapping[str, Value]]
) -> LockedPyPI:
    location = item.get("pypi") if len(item) == 1 else None
    if not isinstance(location, str):
        document.fail(place, "expected one key, 'conda', with a URL")
    return pypi_package(document, location, others.get(location, {}), place)


def pypi_package(document: LockDocument, location: str, record: Mapping[str, Value], place: str) -> LockedPyPI:
    """Return a package of a Python index.

    Args:
        document: For errors.
        location: URL or path.
        record: What the lock says of it; may be empty.
        place: For errors.
    """
    name, version = record.get("name"), record.get("version")
    if name is None:
        name = location.rstrip("/").rpartition("/")[2].partition("-")[0] or location
    text = None if version is None else version if isinstance(version, str) else str(version)
    return LockedPyPI(document.text(name, f"{place}.name"), text, public_url(location))
