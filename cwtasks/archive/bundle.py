"""The package files of a lock as members of an archive: what each is called there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.archive.errors import PackageCollisionError
from cwtasks.archive.gathering import Package
from cwtasks.archive.names import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cwtasks.provision.bundling import Bundled


def packages_for(bundled: Iterable[Bundled]) -> tuple[Package, ...]:
    """Return the members for package files, sorted by name.

    A file is called by its own name in ``packages/``; where two different ones have that name, all but the first are
    in the folder of their subdir.

    Args:
        bundled: Each package once.

    Raises:
        PackageCollisionError: Two different files have one name and one subdir.
    """
    found: dict[str, Package] = {}
    for one in sorted(bundled, key=lambda one: (one.package.fn, one.package.subdir, one.package.url)):
        digest = one.package.sha256 or ""
        for name in (f"{PACKAGES}{one.package.fn}", f"{PACKAGES}{one.package.subdir}/{one.package.fn}"):
            known = found.setdefault(name, Package(name, one.path, digest))
            if known.sha256 == digest:
                break
        else:
            raise PackageCollisionError(one.package.fn)
    return tuple(found[name] for name in sorted(found))
