"""``pixi.toml``: pixi's own manifest. Knows only what sets the file apart from ``conda.toml``."""

from __future__ import annotations

from cwtasks.manifests.toml import CondaTomlParser


class PixiTomlParser(CondaTomlParser):
    """Reads ``pixi.toml``, with ``[workspace]`` or, as it was once spelled, ``[project]``."""

    format_alias = "pixi"
    filenames = ("pixi.toml",)
    exporter_format = "pixi-toml"
    dialect = "pixi"
    exported_dialect = "pixi"
    workspace_keys = ("workspace", "project")
