"""What a new lock has that the old one had not, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cwtasks.lockfile import Lock
    from cwtasks.provision.solving import Relocked
    from cwtasks.requirements import Requirements

#: How many packages are named; the rest is counted.
MAX_NAMED = 12


def changes(old: Lock | None, done: Relocked, asked: Sequence[Requirements]) -> Iterator[str]:
    """Yield a line for the whole and one for each package whose versions changed.

    Args:
        old: What was locked before, if anything.
        done: What is locked now.
        asked: Of every environment on every platform.
    """
    environments = len({one.environment for one in asked})
    platforms = len({one.platform for one in asked})
    yield f"{_count(environments, 'environment')} on {_count(platforms, 'platform')}, {done.solved} solved anew"
    for error in done.skipped:
        yield f"skipped: environment '{error.environment}' cannot be solved for {error.platform}"
    if old is None:
        return
    lines = list(_moves(_versions(old), _versions(done.lock)))
    yield from lines[:MAX_NAMED]
    if len(lines) > MAX_NAMED:
        yield f"… and {len(lines) - MAX_NAMED} more"


def _versions(lock: Lock) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for package in lock.packages():
        found.setdefault(package.name, set()).add(package.version)
    return found


def _moves(before: dict[str, set[str]], after: dict[str, set[str]]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, set()), after.get(name, set())
        if was == now:
            continue
        if not was:
            yield f"+ {name} {_listed(now)}"
        elif not now:
            yield f"- {name} {_listed(was)}"
        else:
            yield f"~ {name} {_listed(was)} → {_listed(now)}"


def _listed(versions: Iterable[str]) -> str:
    return ", ".join(sorted(versions))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
