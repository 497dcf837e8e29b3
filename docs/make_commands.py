"""Write commands.md: what `doit help` says of each command in a workspace."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cwtasks.cli.verb import VERBS

COMMANDS = ("run", "list", "why", "info", "clean", "forget", "ignore", "reset-dep", "help")


def render() -> str:
    """Return the page."""
    parts = [
        "# Commands",
        "",
        "Made by `docs/make_commands.py` from what `doit help` and `cwt help` say in a workspace.",
    ]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "conda.toml").write_text("[tasks]\n")
        for command, is_verb in [*((name, False) for name in COMMANDS), *((name, True) for name in VERBS)]:
            said = subprocess.run(
                [Path(sys.executable).with_name("cwt" if is_verb else "doit"), "help", command],
                cwd=folder,
                env={**os.environ, "COLUMNS": "80"},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            heading = f"cwt {command}" if is_verb else command
            text = "\n".join(line.rstrip() for line in said.strip().splitlines())
            parts += ["", f"## {heading}", "", "```text", text, "```"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "commands.md").write_text(render())
