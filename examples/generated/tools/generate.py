"""units.csv -> a module with the table METRES."""

import csv
import sys
from pathlib import Path

source, target = map(Path, sys.argv[1:])
with source.open(newline="") as rows:
    table = {name: float(metres) for name, metres in csv.reader(rows)}
target.parent.mkdir(exist_ok=True)
target.write_text(f"METRES = {table!r}\n")
