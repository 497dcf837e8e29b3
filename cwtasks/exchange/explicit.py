"""``explicit``: the packages of one environment on one platform as URLs, for ``conda create --file``.

Each URL carries its md5, which every conda reads; the sha256 stands where there is no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.exchange.asked import Exported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cwtasks.exchange.asked import Asked
    from cwtasks.lockfile import LockedPackage


def export(name: str, asked: Asked) -> Exported:
    """Return the packages that are locked for one environment, on this machine's platform when none is named.

    Args:
        name: Of the format, for errors.
        asked: What of which workspace.

    Raises:
        CwtasksError: the workspace has no such environment or platform, or the lock cannot be used.
    """
    from cwtasks.lockfile import public_url

    one = asked.of_one_platform(name)
    locked = asked.locked(one)
    lines = [
        "# conda create --name NAME --file THIS_FILE",
        f"# platform: {one.subdir}",
        "@EXPLICIT",
        *(public_url(package.url) + _fragment(package) for package in in_order(locked.packages)),
    ]
    losses = [*asked.not_exported(), *asked.activation(one, can_say_variables=False)]
    others = dict.fromkeys([*locked.others, *map(str, one.pypi)])
    if others:
        losses.append(f"what is no conda package: {', '.join(others)}")
    return Exported("\n".join([*lines, ""]), tuple(losses))


def _fragment(package: LockedPackage) -> str:
    digest = package.md5 or package.sha256
    return f"#{digest}" if digest else ""


def in_order(packages: Iterable[LockedPackage]) -> list[LockedPackage]:
    """Return packages with those they depend on before them, otherwise by name.

    Tools install the lines of such a file as they stand. Packages that need each other stand by name.

    Args:
        packages: One of each name.
    """
    by_name = {package.name: package for package in sorted(packages, key=lambda package: package.name)}
    ordered: dict[str, LockedPackage] = {}
    seen: set[str] = set()
    for name, package in by_name.items():
        # Without recursion: a chain may be longer than Python lets functions call each other.
        stack = [(name, _needs(package, by_name))] if name not in seen else []
        seen.add(name)
        while stack:
            current, needs = stack[-1]
            following = next((need for need in needs if need not in seen), None)
            if following is None:
                ordered[current] = by_name[current]
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, _needs(by_name[following], by_name)))
    return list(ordered.values())


def _needs(package: LockedPackage, known: Iterable[str]) -> Iterator[str]:
    names = {text.split(None, 1)[0].partition("=")[0].partition("[")[0] for text in package.depends if text.strip()}
    return iter(sorted(names.intersection(known)))
