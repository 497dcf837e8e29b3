"""Makes the archive of a workspace: what is to go in is settled first, then written in one pass with its receipt.

Knows manifests, locks, selection, packing and receipts; how the lock came to be and where packages lie is told.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.archive import errors
from cwtasks.archive.compressing import LEVELS
from cwtasks.archive.headers import DEFAULT_MTIME
from cwtasks.archive.names import LOCKS, compression_of, receipt_beside
from cwtasks.archive.receipts import ArchiveReceipt, ReceiptOptions
from cwtasks.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cwtasks.archive.gathering import Package
    from cwtasks.archive.packing import Packed, Progress
    from cwtasks.archive.selection import Selection
    from cwtasks.lockfile import Lock
    from cwtasks.models import Manifest
    from cwtasks.models.workspace import ArchiveConfig

_SECRET_URL = re.compile(
    rb"""https?://(?!git@)[^\s/"'@]+@|[a-z][a-z0-9+.-]*://[^\s/"'@:]*:[^\s/"'@]+@|https?://[^\s"']+/t/[^\s/"']+/""",
    re.IGNORECASE,
)
_PORTABLE_NAME = re.compile(r"[^\x00-\x1f<>:\"|?*/\\]+")


class Order(NamedTuple):
    """What is asked for."""

    output: str | None = None
    """Path of the archive, relative to the caller's folder; ``None`` for the usual one."""
    receipt: bool | str = False
    """Path of the receipt, or whether there is one beside the archive."""
    exclude: tuple[str, ...] = ()
    """Patterns beside those of the manifest."""
    key: str | None = None
    """File of the private key that signs the receipt."""
    relocked: bool = False
    """Whether the lock was made to answer the manifest before; only noted."""
    is_bundle: bool = False
    """Whether packages go in."""


class ArchivePlan(NamedTuple):
    """Everything that is settled before a byte is written."""

    root: str
    manifest: Manifest
    config: ArchiveConfig
    order: Order
    output: str
    """Absolute path."""
    receipt: str | None
    """Absolute path."""
    kind: str
    """``zstd``, ``gzip`` or ``bzip2``."""
    lock: str | None
    """Name of the lock below the root, when it goes in."""
    mtime: int

    @property
    def manifest_name(self) -> str:
        """Name of the manifest below the root."""
        return self.manifest.path.name

    @property
    def outputs(self) -> tuple[str, ...]:
        """Absolute paths of what is written."""
        return (self.output,) if self.receipt is None else (self.output, self.receipt)

    def select(self, *, is_thorough: bool = False) -> Selection:
        """Choose the files; see :func:`cwtasks.archive.selection.select`.

        Raises:
            ArchiveError: they cannot be chosen, or manifest or lock are left out.
        """
        from cwtasks.archive.selection import select

        always = [self.manifest_name, *([self.lock] if self.lock else [])]
        selection = select(
            self.root,
            self.config,
            always=always,
            outputs=self.outputs,
            workspace_name=workspace_name(self.manifest, self.root),
            envs_dir=self.manifest.workspace.envs_dir,
            is_thorough=is_thorough,
        )
        chosen = set(selection.names)
        for name in always:
            if name not in chosen and (name == self.manifest_name or self.receipt is not None):
                reason = next((left.reason for left in selection.left_out if left.name == name), "is missing")
                raise errors.NeededFileError(name, reason)
            if self.receipt is not None and os.path.islink(os.path.join(self.root, name)):
                # Who unpacks it proves what lies there, and takes no link for it.
                raise errors.NeededFileError(name, "is a link")
        return selection


class Created(NamedTuple):
    """What was written."""

    plan: ArchivePlan
    packed: Packed
    warnings: Sequence[str]


def workspace_name(manifest: Manifest, root: str) -> str:
    """Return how a workspace is called in file names."""
    return manifest.workspace.name or os.path.basename(root)


def plan_archive(manifest: Manifest, order: Order, *, cwd: str, environ: Mapping[str, str] = os.environ) -> ArchivePlan:
    """Settle where an archive goes and what decides about its content.

    Args:
        manifest: Of the workspace.
        order: What is asked for.
        cwd: What relative paths of the order start from.
        environ: ``SOURCE_DATE_EPOCH`` is used.

    Raises:
        UnknownSuffixError: The output's name does not say how to compress.
        OutputError: Archive or receipt would take the place of something that is needed.
        NeededFileError: A receipt is asked for and there is no lock.
        ArchiveError: A value means nothing.
    """
    root = os.path.realpath(manifest.path.parent)
    config = manifest.workspace.archive
    config = config._replace(exclude=(*config.exclude, *order.exclude))
    output = _output(manifest, root, order, cwd)
    kind = compression_of(output)
    if kind is None:
        raise errors.UnknownSuffixError(output)
    _check_level(config, kind, manifest.path.name)
    lock = next((name for name in LOCKS if os.path.isfile(os.path.join(root, name))), None)
    receipt = _receipt_path(output, order, cwd)
    if receipt is not None and lock is None:
        raise errors.NeededFileError(LOCKS[0], "there is none")
    protected = {os.path.join(root, name): name for name in (manifest.path.name, *LOCKS)}
    for path in (output, receipt):
        if path in protected:
            raise errors.OutputError(path, f"it is {protected[path]} of the workspace")
    if receipt == output:
        raise errors.OutputError(output, "archive and receipt cannot be one file")
    return ArchivePlan(root, manifest, config, order, output, receipt, kind, lock, source_date(environ))


def _output(manifest: Manifest, root: str, order: Order, cwd: str) -> str:
    if order.output is not None:
        path = os.path.join(cwd, os.path.expanduser(order.output))
        return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    name = workspace_name(manifest, root)
    if not _PORTABLE_NAME.fullmatch(name):
        raise ArchiveError(
            f"{manifest.path.name}: workspace.name: '{name}' cannot be the name of a file",
            hints=["say where the archive goes with --output"],
        )
    return os.path.join(root, f"{name}.tar.{manifest.workspace.archive.compression}")


def _receipt_path(output: str, order: Order, cwd: str) -> str | None:
    if isinstance(order.receipt, bool):
        return receipt_beside(output) if order.receipt else None
    path = os.path.join(cwd, os.path.expanduser(order.receipt))
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def _check_level(config: ArchiveConfig, kind: str, manifest: str) -> None:
    least, most = LEVELS[kind]
    level = config.compression_level
    if level is not None and not least <= level <= most:
        raise ArchiveError(
            f"{manifest}: workspace.archive.compression-level: found {level}, {kind} has {least} to {most}",
            hints=["leave it out for a good compromise"],
        )


def source_date(environ: Mapping[str, str]) -> int:
    """Return the time that all members get; seconds since the epoch.

    Raises:
        ArchiveError: ``SOURCE_DATE_EPOCH`` is no such number.
    """
    told = environ.get("SOURCE_DATE_EPOCH", "")
    if not told:
        return DEFAULT_MTIME
    if not re.fullmatch(r"[0-9]{1,11}", told):
        raise ArchiveError(
            f"SOURCE_DATE_EPOCH: found '{told}', expected seconds since 1970", hints=["unset it, or 'date +%s' it"]
        )
    return int(told)


def write_archive(
    plan: ArchivePlan,
    *,
    packages: Sequence[Package] = (),
    passphrase: Callable[[], bytes | None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Created:
    """Write an archive and its receipt: both whole, or neither.

    Args:
        plan: What is settled.
        packages: Package files that are carried along.
        passphrase: Asked when the key that signs is encrypted.
        progress: Called now and then.

    Raises:
        FileChangedError: A file changes while it is read.
        MemberRefusedError: A name or a link would not be unpacked again.
        SecretInFileError: Manifest or lock hold a credential.
        OutputError: Archive or receipt cannot be written.
        ArchiveError: Whatever else is wrong, in its subclass.
    """
    selection = plan.select()
    try:
        return _write(plan, selection, packages, passphrase, progress)
    except errors.FileMissingError:
        # Git lists deleted files too, and submodules. That there are any is seen when one is missing.
        looked = plan.select(is_thorough=True)
        if looked.names == selection.names:
            raise
        return _write(plan, looked, packages, passphrase, progress)


def _write(
    plan: ArchivePlan,
    selection: Selection,
    packages: Sequence[Package],
    passphrase: Callable[[], bytes | None] | None,
    progress: Callable[[Progress], None] | None,
) -> Created:
    from cwtasks.archive.crew import Crew
    from cwtasks.archive.members import check_tree
    from cwtasks.archive.packing import pack
    from cwtasks.archive.publishing import aside, publish

    front = [name for name in (plan.manifest_name, plan.lock or "") if name in selection.names]
    for name in front:
        _check_secrets(plan.root, name)
    names = [*selection.names, *(package.name for package in packages)]
    with ExitStack() as stack:
        file, path = stack.enter_context(aside(plan.output))
        # While files are read: names are judged, links when it is known where they lead, and the lock is parsed.
        beside = Crew(1, "cwtasks-beside")
        stack.callback(beside.close)
        judged = beside.submit(lambda: check_tree(names, {}, folders=selection.folders))
        lock = beside.submit(_lock_of, plan)
        packed = pack(
            file,
            plan.root,
            selection.names,
            kind=plan.kind,
            front=front,
            folders=selection.folders,
            packages=packages,
            level=plan.config.compression_level,
            mtime=plan.mtime,
            notes=_notes(plan, front, packages),
            progress=progress,
        )
        judged.result()
        if packed.links:
            check_tree(names, packed.links, folders=selection.folders)
        files = [(file, path, plan.output)]
        if plan.receipt is not None:
            content = _receipt(plan, packed, lock.result()).to_bytes()
            if plan.order.key is not None:
                from cwtasks.archive.signing import sign

                content = sign(content, plan.order.key, passphrase=passphrase)
            receipt, receipt_path = stack.enter_context(aside(plan.receipt))
            receipt.write(content)
            files.append((receipt, receipt_path, plan.receipt))
        publish(files)
    return Created(plan, packed, selection.warnings)


def _check_secrets(root: str, name: str) -> None:
    with open(os.path.join(root, name), "rb") as file:
        content = file.read()
    if found := _SECRET_URL.search(content):
        raise errors.SecretInFileError(name, content.count(b"\n", 0, found.start()) + 1)


def _notes(plan: ArchivePlan, front: Sequence[str], packages: Sequence[Package]) -> dict[str, object]:
    from cwtasks.archive.reading import environments_of

    return {
        "environments": environments_of(plan.manifest),
        "lockfile": plan.lock if plan.lock in front else None,
        "manifest": plan.manifest_name,
        "packages": len(packages),
    }


def _lock_of(plan: ArchivePlan) -> Lock | None:
    """Return the lock where a receipt tells what is in it."""
    if plan.receipt is None or plan.lock is None:
        return None
    from cwtasks.lockfile import read_lock

    return read_lock(os.path.join(plan.root, plan.lock))


def _receipt(plan: ArchivePlan, packed: Packed, lock: Lock | None) -> ArchiveReceipt:
    from cwtasks.provision.plan import prefix_path

    workspace = plan.manifest.workspace
    assert plan.lock is not None  # noqa: S101 - the plan would not have a receipt
    return ArchiveReceipt.build(
        root=plan.root,
        archive_path=plan.output,
        archive_config=plan.config,
        manifest_path=os.path.join(plan.root, plan.manifest_name),
        lockfile_path=os.path.join(plan.root, plan.lock),
        environment_prefixes={
            name: prefix_path(plan.root, workspace.envs_dir, name) for name in workspace.environments
        },
        options=ReceiptOptions(lock=plan.order.relocked, bundle=plan.order.is_bundle),
        digests={**packed.digests, Path(plan.output).name: packed.sha256},
        lock=lock,
    )
