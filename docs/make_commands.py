"""Write commands.md: what `doit help` says of each command in a workspace."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = ("run", "list", "why", "info", "clean", "forget", "ignore", "reset-dep", "help")


def render() -> str:
    """Return the page."""
    parts = ["# Commands", "", "Made by `docs/make_commands.py` from what `doit help` says in a workspace."]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "conda.toml").write_text("[tasks]\n")
        for command in COMMANDS:
            said = subprocess.run(
                [sys.executable, "-m", "cwtasks", "help", command],
                cwd=folder,
                env={**os.environ, "COLUMNS": "80"},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            text = "\n".join(line.rstrip() for line in said.replace("cwt ", "doit ").strip().splitlines())
            parts += ["", f"## {command}", "", "```text", text, "```"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "commands.md").write_text(render())
