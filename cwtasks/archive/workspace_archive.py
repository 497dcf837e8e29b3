"""The public door to archives: make one, look into it, prove it, unpack it, install from it.

Joins what the other modules of this room and provision do; holds no state but where archive and receipt are.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from cwtasks.archive import errors
from cwtasks.archive.limits import ArchiveLimits
from cwtasks.archive.names import SUFFIXES, receipt_beside
from cwtasks.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cwtasks.archive import extraction, packing
    from cwtasks.archive.gathering import Package
    from cwtasks.archive.priming import PackagesAside
    from cwtasks.archive.reading import MemberEntry
    from cwtasks.archive.receipts import ArchiveReceipt
    from cwtasks.engines import Engine, Record, Report
    from cwtasks.lockfile import LockedPackage
    from cwtasks.models import Manifest
    from cwtasks.provision.bundling import BundleWish

Receipt: TypeAlias = "bool | str | Path | None"
"""``None`` or ``False``: none; ``True``: beside the archive; else its path."""

InstallHandler: TypeAlias = "Callable[[Path, str | None, Path | None, str | None], int]"
"""Installs in the place of us: gets workspace, environment, physical prefix and runtime prefix; returns a status."""

_MOST_MATCHES = 10


class WorkspaceArchiveExtractResult(NamedTuple):
    """What was unpacked."""

    target: Path
    """The workspace, absolute."""
    receipt_path: Path | None
    verified: bool
    """Whether a receipt was checked."""
    info: Mapping[str, Any]
    """As :meth:`WorkspaceArchive.inspect` tells it."""
    primed_packages: int = 0
    """Packages that were put into a cache which did not have them; count."""
    cache_priming_skipped: bool = False
    """Whether the archive carries packages and no receipt proves them."""


class WorkspaceArchiveInstallResult(NamedTuple):
    """What was unpacked and installed."""

    target: Path
    """The workspace, absolute."""
    environment: str | None
    """The one asked for; ``None`` for all."""
    install_prefix: Path | None
    """Where its files are, when a prefix was named."""
    runtime_prefix: str | None
    """The prefix written into them, when they are staged elsewhere."""
    receipt_path: Path | None
    verified: bool
    info: Mapping[str, Any]
    return_code: int = 0
    """Of the handler; 0 is success."""
    primed_packages: int = 0
    cache_priming_skipped: bool = False
    prefix_reference_matches: tuple[str, ...] = ()
    """Files below the physical prefix that hold its path; at most 10."""
    prefix_reference_matches_truncated: bool = False
    """Whether there are more."""
    installed: tuple[str, ...] = ()
    """What there is to say of each environment that was installed."""


class WorkspaceArchive:
    """An archive, which need not be there yet, and its receipt.

    Example:
        >>> archive = WorkspaceArchive("demo.tar.zst", receipt=True)
        >>> archive.receipt_path.name
        'demo.tar.zst.receipt.json'
    """

    def __init__(
        self,
        path: str | Path,
        receipt: Receipt = None,
        keys: tuple[str | Path, ...] = (),
        limits: ArchiveLimits | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            path: Of the archive; made absolute.
            receipt: ``None`` or ``False`` for none, ``True`` for the one beside the archive, else its path.
            keys: Files of public keys, one of which must have signed the receipt; none: signatures are not looked at.
            limits: How much it may ask for.
        """
        self.path = Path(os.path.realpath(os.path.expanduser(path)))
        self.receipt = receipt
        self.keys = keys
        self.limits = limits or ArchiveLimits()

    @classmethod
    def create(
        cls,
        *,
        workspace: str | Path | None = None,
        output: str | Path | None = None,
        lock: bool = False,
        bundle: bool | BundleWish = False,
        exclude: Sequence[str] = (),
        receipt: Receipt = None,
        sign: str | Path | None = None,
        passphrase: Callable[[], bytes | None] | None = None,
        progress: Callable[[packing.Progress], None] | None = None,
        report: Report | None = None,
    ) -> WorkspaceArchive:
        """Write the archive of a workspace.

        Args:
            workspace: Its folder, or any below it; the current one by default.
            output: Path of the archive, relative to the current folder; by default ``<name>.tar.zst`` in the workspace.
                Its suffix says how it is compressed.
            lock: Whether the lock is made to answer the manifest first; where ``CI`` is set, it has to answer already.
            bundle: Whether the packages of the lock go in, or which of them.
            exclude: Patterns beside those of the manifest.
            receipt: Whether, or where, a receipt is written.
            sign: PEM file of the private key that signs the receipt.
            passphrase: Asked when that key is encrypted.
            progress: Told how far packing is.
            report: Told how far solving and fetching are.

        Returns:
            The archive, with the receipt's path.

        Raises:
            WorkspaceNotFoundError: There is no workspace.
            ArchiveError: The archive cannot be made; nothing was written.
            CwtasksError: The lock cannot be made, or a package cannot be had.
        """
        from cwtasks.archive.creating import Order, plan_archive, write_archive

        if sign is not None and receipt in {None, False}:
            raise ArchiveError("sign: there is nothing to sign without a receipt", hints=["ask for one: receipt=True"])
        manifest = _load(workspace)
        told = report or (lambda _: None)
        order = Order(
            output=None if output is None else os.fspath(output),
            receipt=_receipt_order(receipt),
            exclude=tuple(exclude),
            key=None if sign is None else os.fspath(sign),
            relocked=lock,
            is_bundle=bool(bundle),
        )
        if lock:
            _relock(manifest, told)
        plan = plan_archive(manifest, order, cwd=os.getcwd())
        packages = _bundle(manifest, bundle, told) if bundle else ()
        created = write_archive(plan, packages=packages, passphrase=passphrase, progress=progress)
        made = created.plan.receipt
        return cls(Path(created.plan.output), None if made is None else Path(made))

    @property
    def receipt_path(self) -> Path | None:
        """Where the receipt is; ``None`` for none.

        Raises:
            ArchiveError: ``receipt`` is something else.
        """
        order = _receipt_order(self.receipt)
        if isinstance(order, bool):
            return Path(receipt_beside(str(self.path))) if order else None
        return Path(order)

    def default_target(self, cwd: str | Path | None = None) -> Path:
        """Return where the archive is unpacked when nothing else is said: a folder of its name.

        Args:
            cwd: In which folder; the current one by default.
        """
        name = self.path.name
        suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
        return Path(cwd or os.getcwd()) / (name.removesuffix(suffix) or name)

    def inspect(self) -> dict[str, Any]:
        """Return what there is to say of the archive without unpacking it.

        Returns:
            ``has_manifest``, ``has_lockfile``, ``has_packages`` (bool), ``package_count``, ``members``,
            ``content_bytes``, ``archive_bytes`` (int), ``manifest``, ``lockfile`` (name or ``None``),
            ``environments`` (name -> platforms), ``is_indexed`` (whether single members are found at once).

        Raises:
            ArchiveError: It cannot be read.
        """
        from cwtasks.archive.reading import ArchiveReader

        return ArchiveReader(self.path, limits=self.limits).inspect()

    def members(self) -> list[MemberEntry]:
        """Return every member, in the order of the archive.

        Raises:
            ArchiveError: It cannot be read.
        """
        from cwtasks.archive.reading import ArchiveReader

        return ArchiveReader(self.path, limits=self.limits).members()

    def read(self, name: str) -> bytes:
        """Return the content of one file of the archive.

        Raises:
            ArchiveError: There is no such file, or the archive cannot be read.
        """
        from cwtasks.archive.reading import ArchiveReader

        return ArchiveReader(self.path, limits=self.limits).read(name)

    def verify(self, *, keys: Sequence[str | Path] = ()) -> ArchiveReceipt:
        """Check the archive against its receipt.

        Args:
            keys: Public keys beside those of this object.

        Returns:
            The receipt.

        Raises:
            ReceiptError: There is no receipt, or it is none.
            SignatureError: It is not signed with one of the keys.
            ArchiveHashMismatchError: The archive is another one.
        """
        receipt = self._load_receipt(keys)
        if receipt is None:
            raise errors.ReceiptNeededError(self.path)
        receipt.verify_archive(self.path)
        return receipt

    def extract(
        self,
        *,
        target: str | Path | None = None,
        require_sha256: bool = False,
        prime_cache: bool = True,
        package_cache: str | Path | None = None,
        progress: Callable[[extraction.Progress], None] | None = None,
    ) -> WorkspaceArchiveExtractResult:
        """Unpack the archive: all of it, proven where there is a receipt, or nothing.

        Args:
            target: An empty or missing folder; :meth:`default_target` by default.
            require_sha256: Whether there must be a receipt, and a SHA-256 for every package in it.
            prime_cache: Whether packages that it carries and a receipt proves are put into a package cache.
            package_cache: Into which, as conda lays out such folders; the engine's own by default.
            progress: Told how far it is.

        Raises:
            ArchiveError: It cannot be unpacked, or is not what the receipt says; nothing is left of it.
        """
        receipt = self._load_receipt(())
        return self._extract(
            receipt, target, require_sha256, prime_cache, package_cache, keeps_packages=True, progress=progress
        )

    def _extract(
        self,
        receipt: ArchiveReceipt | None,
        target: str | Path | None,
        require_sha256: bool,  # noqa: FBT001 - private
        prime_cache: bool,  # noqa: FBT001
        package_cache: str | Path | None,
        *,
        keeps_packages: bool,
        engine: Engine | None = None,
        progress: Callable[[extraction.Progress], None] | None,
    ) -> WorkspaceArchiveExtractResult:
        from cwtasks.archive.extraction import extract

        if receipt is None and require_sha256:
            raise errors.ReceiptNeededError(self.path)
        place = Path(os.path.expanduser(target)) if target is not None else self.default_target()
        if not self.path.exists():
            raise errors.UnreadableArchiveError(self.path, "there is no such file")
        info = self.inspect()
        if not info["has_manifest"]:
            raise errors.NoManifestError(self.path)
        primes = receipt is not None and prime_cache and info["has_packages"]
        cache = _Cache(package_cache, engine or _engine(package_cache)) if primes else None
        with cache.aside() if cache else nullcontext() as aside:
            primed = 0

            def verify(tree: Path, digest: str) -> None:
                nonlocal primed
                if receipt is None:
                    return
                receipt.verify_archive(self.path, digest=digest)
                receipt.verify_extracted(tree, require_sha256=require_sha256)
                if cache is not None and aside is not None:
                    primed = cache.prime(tree, aside, receipt.workspace_paths.lockfile, is_unpacked=keeps_packages)

            done = extract(
                self.path,
                place,
                limits=self.limits,
                expected_sha256=_expected(receipt, self.path),
                expected_bytes=info["content_bytes"] if info["is_indexed"] else 0,
                expected_members=info["members"],
                verify=verify,
                packages=None if keeps_packages else aside,
                progress=progress,
            )
        return WorkspaceArchiveExtractResult(
            target=done.target,
            receipt_path=self.receipt_path,
            verified=receipt is not None,
            info=info,
            primed_packages=primed,
            cache_priming_skipped=info["has_packages"] and prime_cache and receipt is None,
        )

    def install(
        self,
        *,
        target: str | Path | None = None,
        environment: str | None = None,
        prefix: str | Path | None = None,
        dest: str | Path | None = None,
        require_sha256: bool = False,
        prime_cache: bool = True,
        package_cache: str | Path | None = None,
        install_handler: InstallHandler | None = None,
        keep_packages: bool = False,
        progress: Callable[[extraction.Progress], None] | None = None,
        report: Report | None = None,
    ) -> WorkspaceArchiveInstallResult:
        """Unpack the archive and install its environments as its lock says; no network where it carries packages.

        Args:
            target: As for :meth:`extract`. A workspace that an earlier call has unpacked there from this very archive
                is taken as it is.
            environment: Which; all of them by default.
            prefix: Where it is installed, absolute; needs ``environment``. By default where the workspace has it.
            dest: A folder that ``prefix`` is put below, as below another root; its files hold ``prefix`` all the same.
            require_sha256: As for :meth:`extract`.
            prime_cache: Likewise.
            package_cache: Likewise.
            install_handler: Installs in our place; see :data:`InstallHandler`.
            keep_packages: Whether packages that the archive carries are unpacked into the workspace, too.
            progress: Told how far unpacking is.
            report: Told how far installing is.

        Raises:
            PrefixError: ``prefix`` or ``dest`` cannot be.
            EnvironmentNotFoundError: There is no such environment.
            ArchiveError: As for :meth:`extract`.
            CwtasksError: The environment cannot be installed; what was unpacked stays.
        """
        from cwtasks.archive.prefixes import check_prefixes

        places = check_prefixes(environment, prefix, dest)
        engine = _engine(package_cache)
        if install_handler is None and self.path.exists():
            # It starts while we import what is needed, and while the archive is unpacked.
            engine.get_ready()
        try:
            from cwtasks.archive.installing import install_locked, scan

            done = self._restored(
                target, require_sha256, prime_cache, package_cache, keep_packages, engine=engine, progress=progress
            )
            said: tuple[str, ...] = ()
            code = 0
            if install_handler is not None:
                code = install_handler(done.target, environment, places.physical, places.runtime)
            else:
                is_offline = bool(done.info["has_packages"]) and done.verified and prime_cache
                said = install_locked(
                    done.target, environment, places, is_offline=is_offline, engine=engine, report=report
                )
        finally:
            engine.dismiss()
        found = scan(places.physical) if code == 0 and places.physical and places.runtime else ()
        return WorkspaceArchiveInstallResult(
            target=done.target,
            environment=environment,
            install_prefix=places.physical,
            runtime_prefix=places.runtime,
            receipt_path=done.receipt_path,
            verified=done.verified,
            info=done.info,
            return_code=code,
            primed_packages=done.primed_packages,
            cache_priming_skipped=done.cache_priming_skipped,
            prefix_reference_matches=tuple(found[:_MOST_MATCHES]),
            prefix_reference_matches_truncated=len(found) > _MOST_MATCHES,
            installed=said,
        )

    def _restored(
        self,
        target: str | Path | None,
        require_sha256: bool,  # noqa: FBT001 - private
        prime_cache: bool,  # noqa: FBT001
        package_cache: str | Path | None,
        keep_packages: bool,  # noqa: FBT001
        *,
        engine: Engine,
        progress: Callable[[extraction.Progress], None] | None,
    ) -> WorkspaceArchiveExtractResult:
        """Unpack the archive, unless an earlier call did and was stopped afterwards."""
        from cwtasks.archive.installing import is_restored

        folder = Path(os.path.expanduser(target)) if target is not None else self.default_target()
        receipt = self._load_receipt(())
        if receipt is not None and is_restored(folder, self.path, receipt):
            # It may have been killed between putting the workspace in place and tidying up.
            _Cache(package_cache, engine).tidy()
            return self._as_restored(folder, receipt)
        return self._extract(
            receipt,
            folder,
            require_sha256,
            prime_cache,
            package_cache,
            keeps_packages=keep_packages or receipt is None or not prime_cache,
            engine=engine,
            progress=progress,
        )

    def _as_restored(self, target: Path, receipt: ArchiveReceipt) -> WorkspaceArchiveExtractResult:
        receipt.verify_archive(self.path)
        return WorkspaceArchiveExtractResult(
            target=Path(os.path.realpath(target)), receipt_path=self.receipt_path, verified=True, info=self.inspect()
        )

    def _load_receipt(self, keys: Sequence[str | Path]) -> ArchiveReceipt | None:
        from cwtasks.archive.receipts import ArchiveReceipt

        place = self.receipt_path
        if place is None:
            if self.keys or keys:
                raise errors.ReceiptNeededError(self.path)
            return None
        return ArchiveReceipt.load(place, keys=(*self.keys, *keys))


class _Cache:
    """The package cache that packages of an archive go into."""

    def __init__(self, folder: str | Path | None, engine: Engine) -> None:
        self._own = None if folder is None else os.path.realpath(os.path.expanduser(folder))
        self._engine = engine

    def aside(self) -> Any:  # noqa: ANN401 - a context manager
        """Make room beside the cache."""
        from cwtasks.archive.priming import packages_aside

        self.tidy()
        return packages_aside(self._folder)

    def tidy(self) -> None:
        """Remove what killed runs left beside the cache."""
        from cwtasks.archive.priming import remove_left_overs

        remove_left_overs(self._folder)

    @property
    def _folder(self) -> str:
        return self._own or self._engine.package_folder

    def prime(self, tree: Path, aside: PackagesAside, lockfile: str, *, is_unpacked: bool) -> int:
        """Put the packages that the lock names into the cache; how many were missing there."""
        from cwtasks.archive import priming
        from cwtasks.lockfile import read_lock

        lock = read_lock(tree / lockfile)
        names = _packages_in(tree) if is_unpacked else list(aside.found)
        wanted = priming.by_member_name(lock.packages(), names)
        if is_unpacked:
            priming.copy_aside(str(tree), wanted, aside)
        priming.check_packages(wanted, {name: one.sha256 for name, one in aside.found.items()})
        if self._own is not None:
            return priming.prime(wanted, aside.found, self._place_of)
        proven = self._engine.proven(_records(wanted))
        missing = {name: package for name, package in wanted.items() if package.url not in proven}
        primed = priming.prime(missing, aside.found, self._place_of)
        self._engine.note_proven(_records(missing))
        return primed

    def _place_of(self, package: LockedPackage) -> str:
        if self._own is not None:
            return os.path.join(self._own, package.fn)
        return self._engine.package_path(package.to_record())  # type: ignore[arg-type]  # JSON, said more loosely


def _records(packages: Mapping[str, LockedPackage]) -> list[Record]:
    return [package.to_record() for package in packages.values()]  # type: ignore[misc]  # JSON, said more loosely


def _engine(package_cache: str | Path | None) -> Engine:
    """Return the user's engine, which looks for packages in one folder more."""
    from cwtasks import engines
    from cwtasks.settings import Settings

    environ = dict(os.environ)
    if package_cache is not None:
        environ["CONDA_PKGS_DIRS"] = os.path.realpath(os.path.expanduser(package_cache))
    settings = Settings.read(environ)
    return engines.choose(settings.engine, cache_folder=settings.cache_folder, environ=environ)


def _packages_in(tree: Path) -> list[str]:
    from cwtasks.archive.names import PACKAGES, is_package

    found = []
    for folder, _, names in os.walk(tree / PACKAGES):
        below = os.path.relpath(folder, tree).replace(os.sep, "/")
        found += [f"{below}/{name}" for name in names if is_package(f"{below}/{name}")]
    return found


def _expected(receipt: ArchiveReceipt | None, path: Path) -> str | None:
    """Return the digest an archive must have, where the receipt leaves no choice."""
    allowed = receipt.archive_digests(path.name) if receipt is not None else []
    return allowed[0] if len(allowed) == 1 else None


def _receipt_order(receipt: Receipt) -> bool | str:
    if receipt is None or isinstance(receipt, bool):
        return bool(receipt)
    if isinstance(receipt, str | Path):
        return os.path.expanduser(receipt)
    raise ArchiveError(f"receipt: found {receipt!r}, expected a path, True or None")


def _relock(manifest: Manifest, report: Report) -> None:
    from cwtasks.provision.opening import open_provision
    from cwtasks.provision.wish import Wish

    open_provision(manifest).lock(Wish(), report)


def _bundle(manifest: Manifest, bundle: bool | BundleWish, report: Report) -> tuple[Package, ...]:  # noqa: FBT001 - as create has it
    from cwtasks.archive.bundle import packages_for
    from cwtasks.provision.bundling import BundleWish
    from cwtasks.provision.opening import open_provision

    wish = bundle if isinstance(bundle, BundleWish) else BundleWish()
    return packages_for(open_provision(manifest).bundle(wish, report))


def _load(workspace: str | Path | None) -> Manifest:
    from cwtasks.exceptions import WorkspaceNotFoundError
    from cwtasks.manifests import load

    manifest = load(workspace, user_level=False)
    if not manifest.has_workspace:
        raise WorkspaceNotFoundError(workspace or os.getcwd())
    return manifest
