"""Speed, as ratios taken in one run: ``python -m tests.benchmarks [SUBJECT ...]``. Nothing here asserts a time."""

import sys
from importlib import import_module

SUBJECTS = ("start", "null_build", "graph", "state", "environments", "extract", "archives", "bundles")

for subject in sys.argv[1:] or SUBJECTS:
    print(f"\n{subject}")
    for name, value in import_module(f"tests.benchmarks.{subject}").measure():
        print(f"  {name:<68} {value}")
