"""What is remembered between runs: records, fingerprints, why a step is out of date.

:mod:`.store` is the door. Behind it :mod:`.fingerprint` says what a step depends on and what changed, :mod:`.digests`
what a file holds, :mod:`.records` how a run is written down, and :mod:`.journal` keeps that in a file which survives
whatever happens to the process. Knows steps and patterns; never doit.
"""

from cwtasks.state.digests import FileState
from cwtasks.state.fingerprint import Reason, ReasonKind, StepState
from cwtasks.state.records import Record, RunStatus
from cwtasks.state.store import StateStore, Verdict

__all__ = ["FileState", "Reason", "ReasonKind", "Record", "RunStatus", "StateStore", "StepState", "Verdict"]
