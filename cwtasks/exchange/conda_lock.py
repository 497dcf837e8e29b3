"""``conda-lock``: a ``conda.lock`` of some environments and platforms. Knows nothing of its text, see ``lockfile``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwtasks.exchange.asked import Exported

if TYPE_CHECKING:
    from cwtasks.exchange.asked import Asked, LockedSlice


def export(name: str, asked: Asked) -> Exported:  # noqa: ARG001 - every format is told its name
    """Return the lock of what is asked for; all of it when nothing is named.

    Args:
        name: Of the format.
        asked: What of which workspace.

    Raises:
        CwtasksError: the workspace has no such environment or platform, or the lock cannot be used.
    """
    from cwtasks.lockfile import Lock, LockedEnvironment, format_conda_lock

    slices = [asked.locked(one) for one in asked.slices()]
    environments: dict[str, list[LockedSlice]] = {}
    for one in slices:
        environments.setdefault(one.asked.environment, []).append(one)
    lock = Lock(
        environments={
            environment: LockedEnvironment(
                channels=mine[0].channels, packages={one.asked.platform: one.packages for one in mine}
            )
            for environment, mine in environments.items()
        },
        unrecorded=asked.lock().unrecorded,
    )
    losses = [
        f"environment '{one.asked.environment}' for {one.asked.platform}: {', '.join(one.others)}"
        for one in slices
        if one.others
    ]
    return Exported(format_conda_lock(lock), tuple(losses))
