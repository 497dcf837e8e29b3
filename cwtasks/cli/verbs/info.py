"""``cwt info``: the workspace, its environments and its lock at a glance. Writes nothing and starts no engine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.exceptions import CwtasksError, LockfileIntegrityError, shown_path
from cwtasks.provision.progress import size_text

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator, Mapping

    from cwtasks.doit_plugin.workspace import Workspace
    from cwtasks.models import Environment
    from cwtasks.provision.provision import Provision


class LockStatus(NamedTuple):
    """How the lock stands to the manifest."""

    status: str
    """``current``, ``stale``, ``missing``, ``damaged``, ``frozen`` (used as it is), or ``not needed``."""
    reason: str | None
    """Why it is not current, one line."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.epilog = "With the name of a task, 'cwt info TASK' is the command of doit: what the task does, and where."
    parser.add_argument("--json", action="store_true", help="write JSON")


def run(arguments: Namespace) -> int:
    """Write the overview.

    Returns:
        0, whatever the state of the workspace.

    Raises:
        CwtasksError: there is no manifest, or it has mistakes.
    """
    from cwtasks.doit_plugin.workspace import Workspace

    workspace = Workspace(environ=os.environ, is_read_only=True)
    workspace.warn(workspace.manifest.warnings)
    facts = facts_of(workspace)
    if arguments.json:
        import json

        json.dump(facts, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(facts))
    return 0


def facts_of(workspace: Workspace) -> dict[str, Any]:
    """Return all that is told, as JSON has it.

    Args:
        workspace: One that keeps nothing.

    Raises:
        CwtasksError: its manifest has mistakes.
    """
    from cwtasks import __version__

    manifest = workspace.manifest
    config = manifest.workspace
    lock = _lock_status(workspace.provision)
    return {
        "cwtasks": __version__,
        "name": config.name,
        "version": config.version,
        "description": config.description,
        "manifest": str(manifest.path),
        "root": workspace.root,
        "has_workspace": manifest.has_workspace,
        "dialect": config.dialect,
        "channels": [channel.canonical_name for channel in config.channels],
        "platforms": list(config.platforms),
        "platform_subdirs": dict(config.platform_subdirs),
        "features": list(config.features),
        "tasks": len(workspace.catalog.names()),
        "lock": {"file": workspace.provision.lock_path, "status": lock.status, "reason": lock.reason},
        "environments": [_environment(workspace, one) for one in config.environments.values()],
    }


def _lock_status(provision: Provision) -> LockStatus:
    if not provision.plan.question:
        return LockStatus("not needed", "no environment asks for conda packages")
    try:
        reason = provision.why_lock()
    except LockfileIntegrityError as error:
        return LockStatus("damaged", error.reason)
    if not os.path.exists(provision.lock_path):
        return LockStatus("missing", reason)
    if provision.settings.frozen:
        return LockStatus("frozen", "it is used as it is")
    return LockStatus("stale" if reason else "current", reason)


def _environment(workspace: Workspace, environment: Environment) -> dict[str, Any]:
    from cwtasks.environments import features_of, platforms_of
    from cwtasks.provision.extent import extent_of

    config = workspace.manifest.workspace
    plan = workspace.plan.environments.get(environment.name)
    prefix = plan.prefix if plan else ""
    extent = extent_of(prefix) if prefix else None
    return {
        "name": environment.name,
        "features": [feature.name for feature in features_of(config, environment)],
        "solve_group": environment.solve_group,
        "platforms": platforms_of(config, environment),
        "dependencies": list(plan.specs) if plan else [],
        "pypi_dependencies": list(plan.left_out) if plan else [],
        "prefix": prefix or None,
        "installed": extent is not None,
        "reason": _why_install(workspace.provision, environment.name) if prefix else None,
        "packages": extent.packages if extent else None,
        "size_bytes": extent.size_bytes if extent else None,
    }


def _why_install(provision: Provision, name: str) -> str | None:
    """Return why an environment has to be installed, ``None`` when it holds what is locked."""
    if not provision.plan.environments[name].is_runnable:
        return f"it is for {provision.plan.environments[name].platform}"
    try:
        return provision.why_install(name)
    except CwtasksError:
        return "the lock is damaged"


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    rows = {
        "workspace": " ".join(str(facts[key]) for key in ("name", "version") if facts[key]) or "(no name)",
        "description": facts["description"],
        "manifest": shown_path(str(facts["manifest"])),
        "root": facts["root"],
        "channels": _listed(facts["channels"]),
        "platforms": _listed(facts["platforms"]),
        "tasks": facts["tasks"],
        "lock": _lock_text(facts["lock"]),
    }
    yield from (f"{label:<13}{value}" for label, value in rows.items() if value is not None)
    for environment in facts["environments"]:
        yield ""
        yield f"environment '{environment['name']}'"
        yield from (f"  {label:<13}{value}" for label, value in _environment_rows(environment))


def _environment_rows(environment: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield "features", _listed(environment["features"])
    yield "platforms", _listed(environment["platforms"])
    if environment["dependencies"]:
        yield "depends on", _listed(environment["dependencies"])
    if environment["pypi_dependencies"]:
        yield "from PyPI", _listed(environment["pypi_dependencies"])
    if environment["prefix"] is None:
        yield "prefix", "none: it asks for no conda packages"
        return
    yield "prefix", shown_path(str(environment["prefix"]))
    yield "state", _state(environment)


def _state(environment: Mapping[str, Any]) -> str:
    reason = environment["reason"]
    if not environment["installed"]:
        return "not installed" if reason in (None, "it is not installed") else f"not installed: {reason}"
    count = environment["packages"]
    told = f"installed, {count} package{'' if count == 1 else 's'}, {size_text(environment['size_bytes'])}"
    return f"{told}; to be installed again: {reason}" if reason else told


def _lock_text(lock: Mapping[str, str | None]) -> str:
    name = os.path.basename(str(lock["file"]))
    status, reason = lock["status"], lock["reason"]
    if status == "not needed":
        return f"not needed: {reason}"
    return f"{name}: {status}" + (f", {reason}" if reason and status != "missing" else "")


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values) or "none"
