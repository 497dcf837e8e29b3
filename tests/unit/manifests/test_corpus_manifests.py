"""Manifests of public projects: what users bring must load, and must not be met with false warnings."""

import re
from pathlib import Path

import pytest

from cwtasks.manifests import find_parser, load

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
NAMES = ("conda.toml", "pixi.toml", "pyproject.toml")
PLACES = sorted(path.parent for path in CORPUS.glob("*/*.toml") if path.name in NAMES) if CORPUS.is_dir() else []
# The only doubtful things in manifests that pixi accepts: spellings it has deprecated itself.
KNOWN_WARNING = re.compile(r"\w+\.toml: [\w.-]+: old spelling; write '(workspace|depends-on)'")


@pytest.fixture(autouse=True)
def _no_user_level_tasks(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.mark.skipif(not PLACES, reason=f"no corpus of public manifests beside the repository ({CORPUS.name})")
def test_the_whole_corpus_is_here():
    assert len(PLACES) == 52


@pytest.mark.parametrize("place", [pytest.param(place, id=place.name) for place in PLACES])
def test_public_manifest_loads_without_false_warnings(place):
    manifest = load(place)
    assert manifest.has_workspace
    assert manifest.workspace.name
    assert manifest.workspace.platforms
    assert [warning for warning in manifest.warnings if not KNOWN_WARNING.fullmatch(warning)] == []
    assert find_parser(manifest.path).parse_tasks(manifest.path)
