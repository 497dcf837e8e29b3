"""A CycloneDX document of the packages of a lock, for tools that look for licences and known holes.

Knows locks and that format. The same lock gives the same bytes: no time unless ``SOURCE_DATE_EPOCH`` says one, and a
serial number made of what the document lists.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from cwtasks.archive.names import LOCKS, SUFFIXES
from cwtasks.archive.receipt_errors import LibraryMissingError, SbomInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from cyclonedx.model.component import Component

    from cwtasks.lockfile import LockedPackage
    from cwtasks.lockfile.model import Lock


class LockReader(Protocol):
    """What takes the lock out of an archive."""

    def __call__(self, archive: str | Path, /) -> Lock:
        """Return the lock of an archive."""


def find_lock(path: str | Path, *, read_archive: LockReader | None = None) -> Lock:
    """Return the lock a path stands for.

    Args:
        path: Of a lock, of a folder with one, or of an archive.
        read_archive: What takes the lock out of an archive; without it, archives are refused.

    Raises:
        SbomInputError: there is no lock in the folder, or archives cannot be read.
        LockfileNotFoundError: no such file.
        LockfileIntegrityError: the lock cannot be used.
    """
    from cwtasks.lockfile import read_lock

    text = os.fspath(path)
    if os.path.isdir(text):
        for name in LOCKS:
            place = os.path.join(text, name)
            if os.path.exists(place):
                return read_lock(place)
        raise SbomInputError(path, f"no {' or '.join(LOCKS)} in this folder")
    if text.endswith(tuple(SUFFIXES)):
        if read_archive is None:
            raise SbomInputError(path, "archives cannot be read here; unpack it first")
        return read_archive(path)
    return read_lock(path)


def render(lock: Lock, *, name: str = "workspace", environ: Mapping[str, str] = os.environ) -> str:
    """Return the document: CycloneDX 1.6 as JSON, with a newline at its end.

    Args:
        lock: Its conda packages are listed, each once, whatever environments have it.
        name: Of what the packages are for.
        environ: Where ``SOURCE_DATE_EPOCH`` is looked up.

    Raises:
        LibraryMissingError: the library for the format is not installed.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:
        raise LibraryMissingError("an SBOM", "cyclonedx-python-lib", "sbom") from None
    import json
    from uuid import NAMESPACE_URL, uuid5

    packages = sorted(lock.packages(), key=lambda package: package.url)
    components = {package.url: _component(package) for package in packages}
    bom = Bom(
        components=components.values(),
        # Made of names and digests: two documents of one number list the same packages.
        serial_number=uuid5(NAMESPACE_URL, "\n".join([name, *(f"{p.url} {p.digest}" for p in packages)])),
    )
    whole = Component(name=name, type=ComponentType.APPLICATION, bom_ref="workspace")
    bom.metadata.component = whole
    bom.register_dependency(whole, components.values())
    for url, needed in _dependencies(lock).items():
        bom.register_dependency(components[url], [components[other] for other in sorted(needed)])
    moment = _moment(environ)
    if moment is not None:
        bom.metadata.timestamp = moment
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    if moment is None:
        # The library always writes one, and it would be the time of this run.
        document["metadata"].pop("timestamp", None)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _component(package: LockedPackage) -> Component:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    from cwtasks.archive.inventory import redact

    hashes = [
        HashType(alg=algorithm, content=digest)
        for algorithm, digest in ((HashAlgorithm.SHA_256, package.sha256), (HashAlgorithm.MD5, package.md5))
        if digest
    ]
    url = redact(package.url)
    channel = redact(package.channel)
    kind = "conda" if package.fn.endswith(".conda") else "tar.bz2"
    purl = PackageURL(
        type="conda",
        name=package.name,
        version=package.version,
        qualifiers={
            "build": package.build,
            # The name of the channel: what the type's definition asks for.
            "channel": channel.rstrip("/").rpartition("/")[2],
            "subdir": package.subdir,
            "type": kind,
        },
    )
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=url,
        purl=purl,
        hashes=hashes,
        licenses=[LicenseFactory().make_from_string(package.license)] if package.license else [],
        external_references=[ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(url))],
    )


def _dependencies(lock: Lock) -> dict[str, set[str]]:
    """Return by URL what each package needs: a name means whatever has that name in the same environment."""
    needed: dict[str, set[str]] = {}
    for environment in lock.environments.values():
        for packages in environment.packages.values():
            urls = {package.name: package.url for package in packages}
            for package in packages:
                found = (urls.get(name) for name in _names(package.depends))
                needed.setdefault(package.url, set()).update(url for url in found if url and url != package.url)
    return needed


def _names(depends: Iterable[str]) -> Iterable[str]:
    import re

    for text in depends:
        yield re.split(r"[\s=<>!~\[]", text.strip().rpartition("::")[2], maxsplit=1)[0].lower()


def _moment(environ: Mapping[str, str]) -> datetime | None:
    from datetime import UTC, datetime

    told = environ.get("SOURCE_DATE_EPOCH", "")
    if not (told.isascii() and told.isdigit()) or len(told) > 11:
        return None
    return datetime.fromtimestamp(int(told), UTC)
