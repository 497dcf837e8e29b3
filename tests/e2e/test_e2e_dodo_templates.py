"""Each template is run in a copy of the example it fits."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_mixed_template_builds_and_then_does_nothing(space):
    shutil.copytree(ROOT / "examples" / "generated", space.root, dirs_exist_ok=True)
    shutil.copy(ROOT / "dodo_templates" / "mixed.py", space.root / "dodo.py")
    first = space.doit("summary")
    assert [line for line in first.splitlines() if line.startswith(". ")] == [
        ".  generate",
        ".  pack",
        ".  check",
        ".  summary",
    ]
    assert "convert.pyz" in space.read("build/summary.txt")
    assert not [line for line in space.doit("summary").splitlines() if line.startswith(". ")]
