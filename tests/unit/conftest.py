"""Catalogs made from manifest text, the way a user writes it."""

from functools import partial

import pytest

from cwtasks.environments import Catalog
from cwtasks.host import Host
from cwtasks.manifests import load_file

WORKSPACE = """
[workspace]
name = "space"
channels = ["conda-forge"]
platforms = ["linux-64", "osx-arm64", "win-64"]
"""


@pytest.fixture
def catalog_of(tmp_path):
    """Return the catalog of a manifest with this text; a workspace table is put before it."""

    def make(text, name="pixi.toml", *, workspace=WORKSPACE, host="linux-64", has_cuda=False):
        path = tmp_path / name
        path.write_text(workspace + text)
        return Catalog(load_file(path), Host(host, has_cuda))

    return make


@pytest.fixture
def pixi(catalog_of):
    return catalog_of


@pytest.fixture
def conda(catalog_of):
    return partial(catalog_of, name="conda.toml")
