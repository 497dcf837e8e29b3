"""``cwt schema``: print the JSON schema of ``conda.toml``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""


def run(arguments: Namespace) -> int:  # noqa: ARG001 - it takes none
    """Write the schema to standard output.

    Returns:
        0.
    """
    from cwtasks.manifests.schema import conda_schema

    json.dump(conda_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0
