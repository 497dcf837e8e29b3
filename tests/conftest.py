"""How many cases a law is tried with: few in the daily suite, thousands with ``HYPOTHESIS_PROFILE=thorough``."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "thorough",
    max_examples=5000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
if name := os.environ.get("HYPOTHESIS_PROFILE"):
    settings.load_profile(name)
