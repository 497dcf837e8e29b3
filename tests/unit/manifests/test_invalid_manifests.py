"""Every file of ``tests/invalid`` is wrong, and its first lines are all that a user is told."""

from pathlib import Path

import pytest

from cwtasks.exceptions import ManifestError
from cwtasks.manifests import load_file

FILES = sorted((Path(__file__).resolve().parents[2] / "invalid").glob("*.toml"))
MARK = "# expected_error: "
MANIFESTS = {"conda": "conda.toml", "pixi": "pixi.toml", "pyproject": "pyproject.toml"}


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem) for file in FILES])
def test_wrong_manifest_is_refused_with_exactly_this_text(file, tmp_path, monkeypatch):
    text = file.read_text()
    expected = [line.removeprefix(MARK) for line in text.splitlines() if line.startswith(MARK)]
    name = MANIFESTS[file.stem.partition("-")[0]]
    (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError) as caught:
        load_file(name)
    assert caught.value.render().splitlines() == expected


def test_there_are_wrong_manifests():
    assert len(FILES) > 50
