"""Requirements and the lock there is -> the lock there should be, through an engine.

What still answers is kept as it is; what does not is solved again, with what was locked before as a preference, so that
nothing moves without need. Environments of one solve group are solved as one and each gets its part. Reads and writes
no file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.engines import Progress, SolveRequest
from cwtasks.exceptions import AllTargetsUnsolvableError, PackageNotLockedError, SolveError, UnsatisfiableError
from cwtasks.lockfile import Lock, LockedEnvironment, LockedPackage, public_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cwtasks.engines import Engine, Report
    from cwtasks.provision.wish import Wish
    from cwtasks.requirements import Requirements

    Slice = tuple[str, str]
    """Names of an environment and of a platform of the manifest."""

SOLVES_AT_ONCE = min(4, os.cpu_count() or 1)
"""Solvers that run side by side; for a large channel each takes up to 1 GB of memory."""


class Relocked(NamedTuple):
    """The lock there should be."""

    lock: Lock
    solved: int
    """How many environments on how many platforms were solved anew."""
    skipped: tuple[SolveError, ...] = ()
    """Why each that was left out could not be solved."""


class _Solve(NamedTuple):
    """What one call of a solver decides: a group of environments on one platform."""

    members: tuple[Requirements, ...]
    locked: tuple[LockedPackage, ...]
    """What should stay."""

    @property
    def label(self) -> str:
        names = ", ".join(member.environment for member in self.members)
        return f"{names} for {self.members[0].platform}"


def relock(
    old: Lock | None,
    asked: Sequence[Requirements],
    *,
    stale: Mapping[Slice, str],
    wish: Wish,
    engine: Engine,
    offline: bool,
    report: Report,
) -> Relocked:
    """Make a lock that answers.

    Args:
        old: What is locked now.
        asked: Of every environment on every platform.
        stale: Those of which the old lock is no answer, with the reason.
        wish: What else is to be solved, or what alone.
        engine: Solves.
        offline: Use kept indexes only.
        report: Is told of each solve, and may be called from several threads.

    Raises:
        UnsatisfiableError: no packages satisfy an environment; all such are named.
        AllTargetsUnsolvableError: all were to be skipped.
        PackageNotLockedError: an upgrade names a package that no environment has.
        ChannelUnavailableError, BadSpecError, EngineCrashError, EngineMissingError: the engine cannot solve.
    """
    _check_upgrades(old, wish)
    known = {(one.environment, one.platform): _locked_before(old, one) for one in asked}
    chosen: dict[Slice, tuple[LockedPackage, ...] | None] = dict(known)
    solves = []
    for members in _groups(asked):
        if not any(_is_due(member, stale, wish) for member in members):
            continue
        if any(member.specs for member in members):
            solves.append(_Solve(members, _preferred(members, known, wish)))
        else:
            chosen.update(((member.environment, member.platform), ()) for member in members)
    failures: list[SolveError] = []
    for solve, outcome in _solved(solves, engine, offline=offline, report=report):
        for member in solve.members:
            slice_ = (member.environment, member.platform)
            chosen[slice_] = None if isinstance(outcome, SolveError) else outcome[member.environment]
        if isinstance(outcome, SolveError):
            failures.append(outcome)
    if failures and not wish.skips_unsolvable:
        raise failures[0] if len(failures) == 1 else UnsatisfiableError.of_several(failures)
    if failures and len(failures) == len(solves):
        raise AllTargetsUnsolvableError(failures)
    return Relocked(_assembled(asked, chosen), len(solves), tuple(failures))


def _check_upgrades(old: Lock | None, wish: Wish) -> None:
    locked = {package.name for package in old.packages()} if old else set()
    for name in wish.upgrades or ():
        if name not in locked:
            raise PackageNotLockedError(name, locked)


def _locked_before(old: Lock | None, asked: Requirements) -> tuple[LockedPackage, ...] | None:
    """Return the packages of an environment on a platform in the old lock, ``None`` where there is nothing of it."""
    environment = old.environments.get(asked.environment) if old else None
    if old is None or environment is None:
        return None
    return environment.packages.get(old.platform_name(asked.platform, asked.subdir, asked.virtual_packages) or "")


def _groups(asked: Sequence[Requirements]) -> list[tuple[Requirements, ...]]:
    """Return what is solved as one, in the order of the first of each."""
    groups: dict[tuple[str, str, str], list[Requirements]] = {}
    for one in asked:
        kind, name = ("group", one.solve_group) if one.solve_group else ("environment", one.environment)
        groups.setdefault((kind, name, one.platform), []).append(one)
    return [tuple(members) for members in groups.values()]


def _is_due(member: Requirements, stale: Mapping[Slice, str], wish: Wish) -> bool:
    is_stale = (member.environment, member.platform) in stale
    return wish.covers(member) and (is_stale or wish.upgrades is not None)


def _preferred(
    members: Sequence[Requirements], known: Mapping[Slice, Sequence[LockedPackage] | None], wish: Wish
) -> tuple[LockedPackage, ...]:
    """Return what should stay: what was locked, from channels that still count, and is not to be upgraded.

    A locked package is a candidate for the solver even when no channel has it, so one of a channel that has left the
    manifest must not be offered.
    """
    if wish.upgrades == ():
        return ()
    channels = {channel.public_url for member in members for channel in member.channels}
    spelled = {public_url(str(spec.get_raw_value("channel"))) for member in members for spec in member.specs}
    locked: dict[str, LockedPackage] = {}
    for member in members:
        for package in known[member.environment, member.platform] or ():
            if package.name not in (wish.upgrades or ()) and package.channel in channels | spelled:
                locked.setdefault(package.name, package)
    return tuple(locked.values())


def _solved(
    solves: Sequence[_Solve], engine: Engine, *, offline: bool, report: Report
) -> Iterable[tuple[_Solve, dict[str, tuple[LockedPackage, ...]] | SolveError]]:
    """Solve several at once; yields each with its packages by environment, or with why it has none, as given."""
    from concurrent.futures import ThreadPoolExecutor

    # A daemon thread per solver would outlive an error; a pool waits for what runs, which ends within seconds.
    with ThreadPoolExecutor(SOLVES_AT_ONCE) as pool:
        begun = [
            pool.submit(_solve, solve, engine, offline=offline, report=_numbered(report, number, len(solves)))
            for number, solve in enumerate(solves, 1)
        ]
        try:
            for solve, future in zip(solves, begun, strict=True):
                yield solve, future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _numbered(report: Report, number: int, total: int) -> Callable[[str], None]:
    return lambda label: report(Progress("solve", number, total, label))


def _solve(
    solve: _Solve, engine: Engine, *, offline: bool, report: Callable[[str], None]
) -> dict[str, tuple[LockedPackage, ...]] | SolveError:
    report(solve.label)
    try:
        together = _ask(engine, solve.members, locked=solve.locked, offline=offline)
        if len(solve.members) == 1:
            return {solve.members[0].environment: together}
        # Without channels the solution of the group is all there is to choose from.
        return {
            member.environment: _ask(engine, (member,), locked=together, offline=True, has_channels=False)
            for member in solve.members
        }
    except UnsatisfiableError as error:
        names = ", ".join(member.environment for member in solve.members)
        return UnsatisfiableError(names, error.reason, solve.members[0].platform)


def _ask(
    engine: Engine,
    members: Sequence[Requirements],
    *,
    locked: Sequence[LockedPackage],
    offline: bool,
    has_channels: bool = True,
) -> tuple[LockedPackage, ...]:
    """Have the specs of some environments solved together."""
    first = members[0]
    specs = tuple(dict.fromkeys(str(spec) for member in members for spec in member.specs))
    if not specs:
        return ()
    channels = dict.fromkeys(channel.base_url for member in members for channel in member.channels)
    virtual = {one.name: one for member in members for one in member.virtual_packages}
    request = SolveRequest(
        channels=tuple(channels) if has_channels else (),
        specs=specs,
        platform=first.subdir,
        virtual_packages=tuple((one.name, one.version, one.build) for one in virtual.values()),
        locked=tuple(package.to_record() for package in locked),  # type: ignore[misc]  # JSON, said more loosely
        channel_priority=first.channel_priority,  # type: ignore[arg-type]  # one of three words
        offline=offline,
    )
    try:
        return tuple(map(LockedPackage.from_record, engine.solve(request, report=lambda _: None)))
    except ValueError as mistake:
        names = ", ".join(member.environment for member in members)
        raise SolveError(
            names, f"a channel has a record that says nothing sensible: {mistake}", first.platform
        ) from None


def _assembled(asked: Sequence[Requirements], chosen: Mapping[Slice, Sequence[LockedPackage] | None]) -> Lock:
    channels: dict[str, tuple[str, ...]] = {}
    packages: dict[str, dict[str, tuple[LockedPackage, ...]]] = {}
    for one in asked:
        channels.setdefault(one.environment, tuple(channel.public_url for channel in one.channels))
        platforms = packages.setdefault(one.environment, {})
        found = chosen[one.environment, one.platform]
        if found is not None:
            platforms[one.platform] = tuple(sorted(found, key=lambda package: (package.name, package.url)))
    return Lock(
        environments={
            name: LockedEnvironment(channels=channels[name], packages=platforms) for name, platforms in packages.items()
        }
    )
