"""What the steps ``archive`` and ``verify`` run: packing, and restoring what was packed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cwtasks.doit_plugin.actions import Action, StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doit.exceptions import TaskFailed

    from cwtasks.archive import extraction, packing
    from cwtasks.archive.creating import Created
    from cwtasks.archive.gathering import Package
    from cwtasks.doit_plugin.archiving import Archiving
    from cwtasks.provision.progress import Display


class ArchiveAction(Action):
    """Packs the workspace, or shows what would go in."""

    def run(self, out: Any, err: Any) -> TaskFailed | None:
        """Do it.

        Raises:
            CwtasksError: it cannot be done; nothing was written.
            Interrupted: the user stopped it.
        """
        del out, err
        archiving = self.workspace.archiving(self.step)
        if archiving.is_listing:
            sys.stdout.writelines(f"{line}\n" for line in listing(archiving))
            sys.stdout.flush()
            return None
        with self.shown() as display:
            created = self._create(archiving, display)
            self.written[archiving.path_of_archive] = created.packed.sha256
            if not self.is_quiet:
                for line in _said(created, self.workspace.root):
                    display.say(line)
        return None

    def _create(self, archiving: Archiving, display: Display) -> Created:
        from cwtasks.archive.bundle import packages_for
        from cwtasks.archive.creating import write_archive
        from cwtasks.steps.asking import passphrase

        packages: tuple[Package, ...] = ()
        if archiving.has_bundle:
            packages = packages_for(self.workspace.provision.bundle(archiving.bundle_wish, display))
        return write_archive(archiving.plan, packages=packages, passphrase=passphrase, progress=_packing(display))


class VerifyAction(Action):
    """Restores the archive in a temporary folder, installs from it, and has the task that checks it run there."""

    def run(self, out: Any, err: Any) -> TaskFailed | None:
        """Do it.

        Raises:
            CwtasksError: it cannot be restored.
            Interrupted: the user stopped it.
        """
        del out, err
        from tempfile import TemporaryDirectory

        from cwtasks.archive import WorkspaceArchive

        archiving = self.workspace.archiving(self.step)
        plan = archiving.plan
        archive = WorkspaceArchive(Path(plan.output), receipt=plan.receipt)
        check = self.workspace.settings.archive.check
        with self.shown() as display, TemporaryDirectory(prefix="cwtasks-verify-") as folder:
            target = Path(folder, "workspace")
            installs = archive.inspect()["has_packages"] or bool(check and self.workspace.plan.installed)
            if installs:
                result = archive.install(target=target, progress=_unpacking(display), report=display)
                lines = result.installed
            else:
                archive.extract(target=target, progress=_unpacking(display))
                lines = ()
            if not self.is_quiet:
                proof = "matches its receipt and " if plan.receipt else ""
                display.say(f"{os.path.basename(plan.output)} {proof}unpacks")
                for line in lines:
                    display.say(line)
            if check:
                display.close()
                return self._check(check, target)
        return None

    def _check(self, task: str, target: Path) -> TaskFailed | None:
        from cwtasks.steps.checking import run_task

        status = run_task(task, target, environ=self.workspace.environ)
        if status == 0:
            return None
        return StepFailed(f"task '{task}' failed in the restored workspace with exit status {status}", status)


def _packing(display: Display) -> Callable[[packing.Progress], None]:
    """Return what shows how far packing is, and stops it when a signal asks for that."""

    def told(progress: packing.Progress) -> None:
        _stop_where_told()
        display.count("packing", progress.members, progress.total, size=progress.content_bytes)

    return told


def _unpacking(display: Display) -> Callable[[extraction.Progress], None]:
    """Return what shows how far unpacking is, and stops it when a signal asks for that."""

    def told(progress: extraction.Progress) -> None:
        _stop_where_told()
        display.count("unpacking", progress.members, size=progress.raw_bytes, total_size=progress.raw_size)

    return told


def _stop_where_told() -> None:
    from cwtasks.steps.signals import Interrupted, stopping

    if (signum := stopping()) is not None:
        raise Interrupted(signum)


def listing(archiving: Archiving) -> Iterator[str]:
    """Yield what goes in, with sizes in bytes, and what does not, with the reason."""
    plan = archiving.plan
    selection = plan.select(is_thorough=True)
    total = 0
    for name in selection.names:
        try:
            size = os.lstat(os.path.join(plan.root, name)).st_size
        except OSError:
            size = 0
        total += size
        yield f"{size:>12,}  {name}"
    for name in selection.folders:
        yield f"{'':>12}  {name}/"
    if archiving.has_bundle:
        yield f"{'':>12}  packages/  the packages of the lock"
    for left in selection.left_out:
        yield f"{'-':>12}  {left.name}  {left.reason}"
    count = len(selection.names)
    yield f"{count:,} files, {total:,} bytes into {os.path.relpath(plan.output, plan.root)}"


def _said(created: Created, root: str) -> Iterator[str]:
    packed = created.packed
    for warning in created.warnings:
        yield f"warning: {warning}"
    facts = f"{packed.members:,} members, {packed.size:,} bytes, sha256 {packed.sha256}"
    yield f"{_shown(created.plan.output, root)}: {facts}"
    if created.plan.receipt is not None:
        yield f"{_shown(created.plan.receipt, root)}: {'signed ' if created.plan.order.key else ''}receipt"


def _shown(path: str, root: str) -> str:
    return os.path.relpath(path, root) if path.startswith(os.path.join(root, "")) else path
