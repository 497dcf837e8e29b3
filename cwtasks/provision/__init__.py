"""From what a manifest asks for to environments one can run in: lock, install, and whether that is to be done at all.

:class:`Provision` is the door. ``plan`` says what follows from the manifest alone, ``solving`` makes a lock, ``prefix``
makes an environment of it, ``memory`` keeps the answers that cost too much for every start. The room knows locks,
engines and activation; no step, no state of steps, no doit.
"""

from __future__ import annotations

from cwtasks.provision.plan import NO_PLAN, EnvironmentPlan, Plan, plan_of, prefix_path, requirements_here
from cwtasks.provision.provision import Locked, Provision, Wish

__all__ = [
    "NO_PLAN",
    "EnvironmentPlan",
    "Locked",
    "Plan",
    "Provision",
    "Wish",
    "plan_of",
    "prefix_path",
    "requirements_here",
]
