"""Where configuration of channels may stand: conda's and rattler's files. Reads none of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = ("CONDA_CHANNEL_ALIAS", "CONDA_CHANNELS")
"""Variables that say which channels there are; others only say how servers are reached."""


def condarc_files(environ: Mapping[str, str]) -> list[str]:
    """Return where conda looks for its configuration, the file that counts most last."""
    home, config = home_of(environ), _config_home(environ)
    folders = ["/etc/conda", "/var/lib/conda", environ.get("CONDA_ROOT", ""), os.path.join(config, "conda")]
    folders += [os.path.join(home, ".conda")]
    files = [os.path.join(folder, name) for folder in folders if folder for name in (".condarc", "condarc")]
    files.append(os.path.join(home, ".condarc"))
    if environ.get("CONDA_PREFIX"):
        files.append(os.path.join(environ["CONDA_PREFIX"], ".condarc"))
    return [*dict.fromkeys(files), *([environ["CONDARC"]] if environ.get("CONDARC") else [])]


def rattler_files(environ: Mapping[str, str]) -> list[str]:
    """Return where rattler and this program look for channel configuration, the file that counts most last."""
    home, config = home_of(environ), _config_home(environ)
    folders = ["/etc/rattler", "/etc/cwtasks", os.path.join(config, "rattler"), os.path.join(config, "cwtasks")]
    folders.append(os.path.join(home, ".cwtasks"))
    return [os.path.join(folder, "config.toml") for folder in folders]


def home_of(environ: Mapping[str, str]) -> str:
    """Return the user's home."""
    return environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")


def _config_home(environ: Mapping[str, str]) -> str:
    return environ.get("XDG_CONFIG_HOME") or os.path.join(home_of(environ), ".config")
