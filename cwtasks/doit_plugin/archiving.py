"""What the steps ``archive`` and ``verify`` of a workspace are to do, and what their results depend on.

The files that go in are no pattern: they are chosen anew whenever the state asks for them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cwtasks.archive.creating import ArchivePlan, Order
    from cwtasks.archive.selection import Selection
    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.graph.step import Step
    from cwtasks.provision.bundling import BundleWish

FILES = "<the files of the archive>"
"""Stands among inputs for what selection chooses; no file of an archive can have this name."""


class Archiving:
    """One step ``archive``, or ``verify`` with the archive it is about."""

    def __init__(self, step: Step, workspace: Workspace) -> None:
        self.step = step
        self._workspace = workspace
        self._given = dict(step.arguments)

    @property
    def is_listing(self) -> bool:
        """Whether only what would go in is asked for."""
        return "list" in self._given or "dry-run" in self._given

    @property
    def has_bundle(self) -> bool:
        """Whether packages go in."""
        return "bundle" in self._given or self._workspace.settings.archive.bundle

    @cached_property
    def bundle_wish(self) -> BundleWish:
        """Which packages go in."""
        return bundle_wish_of(self.step, self._workspace)

    @cached_property
    def plan(self) -> ArchivePlan:
        """Everything that is settled before files are looked at.

        Raises:
            ArchiveError: something asked for cannot be.
        """
        from cwtasks.archive.creating import plan_archive

        workspace = self._workspace
        return plan_archive(workspace.manifest, self._order(), cwd=workspace.init_cwd, environ=workspace.environ)

    def _order(self) -> Order:
        from cwtasks.archive.creating import Order

        workspace, given = self._workspace, self._given
        settings = workspace.settings.archive
        return Order(
            output=given.get("output") or _below(workspace.root, settings.output),
            receipt=self._receipt(),
            exclude=tuple(given["exclude"].split("\n")) if "exclude" in given else (),
            key=_absolute(workspace.init_cwd, given.get("sign")) or _below(workspace.root, settings.sign),
            relocked=settings.lock and bool(workspace.plan.installed),
            is_bundle=self.has_bundle,
        )

    def _receipt(self) -> bool | str:
        told = self._workspace.settings.archive.receipt
        if "no-receipt" in self._given:
            return False
        if given := self._given.get("receipt"):
            return given
        if told in {"on", "off"}:
            return told == "on"
        if told:
            return os.path.join(self._workspace.root, told)
        return os.path.exists(self._workspace.provision.lock_path)

    @cached_property
    def seen(self) -> Step:
        """The step as the state sees it: with everything its result depends on."""
        workspace, plan = self._workspace, self.plan
        outputs = tuple(_relative(workspace.root, path) for path in plan.outputs)
        if self.step.kind == "verify":
            check = workspace.settings.archive.check
            return replace(self.step, command="verify", inputs=outputs, arguments=(("check", check),) if check else ())
        selection = plan.select()
        first = [selection.names]
        workspace.tree.define(FILES, lambda: list(first.pop() if first else plan.select().names))
        arguments = (*self._facts(), *_shape(plan.root, selection))
        return replace(self.step, command="archive", inputs=(FILES,), outputs=outputs, arguments=arguments)

    @property
    def path_of_archive(self) -> str:
        """As the state calls it."""
        return _relative(self._workspace.root, self.plan.output)

    def _facts(self) -> tuple[tuple[str, str], ...]:
        from cwtasks.archive import zstd
        from cwtasks.archive.receipts import FORMAT_VERSION

        plan = self.plan
        key = plan.order.key
        facts = {
            "format": f"{FORMAT_VERSION}, zstd {zstd.version()}" if plan.kind == "zstd" else f"{FORMAT_VERSION}",
            "compression": f"{plan.kind} {plan.config.compression_level or ''}".strip(),
            "include": " ".join(plan.config.include),
            "exclude": " ".join(plan.config.exclude),
            "time": str(plan.mtime),
            "receipt": "" if plan.receipt is None else _relative(plan.root, plan.receipt),
            "sign": "" if key is None else _digest_of(key),
            "bundle": repr(tuple(self.bundle_wish)) if self.has_bundle else "",
        }
        return tuple((name, value) for name, value in facts.items() if value)


def bundle_wish_of(step: Step, workspace: Workspace) -> BundleWish:
    """Return which packages a step is about: those asked for, else those of the settings."""
    from cwtasks.provision.bundling import BundleWish

    given, settings = dict(step.arguments), workspace.settings.archive
    return BundleWish(
        environments=tuple(given.get("environment", "").split()) or settings.environments,
        platforms=tuple(given.get("platform", "").split()) or settings.platforms,
    )


def _shape(root: str, selection: Selection) -> Iterator[tuple[str, str]]:
    """Yield what an archive depends on beside names and contents: who may be executed, links, empty folders."""
    from hashlib import sha256
    from stat import S_ISLNK

    shape = sha256(usedforsecurity=False)
    beginning = os.path.join(root, "")
    for name in selection.names:
        try:
            mode = os.lstat(beginning + name).st_mode
            if S_ISLNK(mode):
                shape.update(f"{name}\0{os.readlink(beginning + name)}\0".encode(errors="surrogateescape"))
            elif mode & 0o100:
                shape.update(f"{name}\0".encode(errors="surrogateescape"))
        except OSError:
            continue
    shape.update("\0".join(selection.folders).encode(errors="surrogateescape"))
    yield "modes, links and empty folders", shape.hexdigest()[:16]


def _digest_of(path: str) -> str:
    from hashlib import file_digest

    try:
        with open(path, "rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing"


def _below(root: str, path: str) -> str | None:
    return os.path.join(root, path) if path else None


def _absolute(cwd: str, path: str | None) -> str | None:
    return os.path.join(cwd, path) if path else None


def _relative(root: str, path: str) -> str:
    beginning = os.path.join(root, "")
    return path[len(beginning) :].replace(os.sep, "/") if path.startswith(beginning) else path
