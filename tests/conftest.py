"""How many cases a law is tried with, and which.

The daily suite tries few, and new ones each time. Where ``CI`` is set they are the same ones each time: what a change
broke must not be mixed up with what nobody had seen. ``HYPOTHESIS_PROFILE=thorough`` tries thousands.
"""

import os

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=SLOW, print_blob=True)
# How long a case takes says something of the machine, not of the law.
settings.register_profile("daily", deadline=None, suppress_health_check=SLOW)
settings.register_profile("thorough", max_examples=5000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "daily"))
