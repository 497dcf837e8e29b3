"""Write conda.schema.json: what `cwt schema` says."""

import subprocess
import sys
from pathlib import Path


def render() -> str:
    """Return the schema."""
    return subprocess.run(
        [Path(sys.executable).with_name("cwt"), "schema"], capture_output=True, text=True, check=True
    ).stdout


if __name__ == "__main__":
    (Path(__file__).parent / "conda.schema.json").write_text(render())
