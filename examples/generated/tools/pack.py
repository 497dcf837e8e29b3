"""Pack modules into one runnable zip; equal modules give equal bytes."""

import sys
import zipfile
from pathlib import Path

target, *patterns = sys.argv[1:]
modules = sorted({path for pattern in patterns for path in Path().glob(pattern)})
with zipfile.ZipFile(target, "w") as archive:
    for module in modules:
        archive.writestr(zipfile.ZipInfo(module.name), module.read_bytes())
