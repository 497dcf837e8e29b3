"""What somebody who locks asked for. Plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cwtasks.requirements import Requirements


class Wish(NamedTuple):
    """What somebody who locks asked for beside an answer to the manifest."""

    upgrades: tuple[str, ...] | None = None
    """Names of packages that may move to a newer version, all when empty; ``None`` for none."""
    environments: tuple[str, ...] = ()
    """Only these are solved; empty for all."""
    platforms: tuple[str, ...] = ()
    """Likewise, by their names in the manifest, or by conda platform."""
    skips_unsolvable: bool = False
    """Whether what cannot be solved is left out of the lock rather than an error."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing was asked for."""
        return self == Wish()

    def covers(self, asked: Requirements) -> bool:
        """Say whether one environment on one platform is among those to be solved."""
        return (not self.environments or asked.environment in self.environments) and (
            not self.platforms or asked.platform in self.platforms or asked.subdir in self.platforms
        )
