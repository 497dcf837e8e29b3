"""Law: whatever stands in a manifest, reading it gives a manifest or an error that says what is wrong."""

import copy
import datetime as dt
from pathlib import Path

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from cwtasks.exceptions import ManifestError
from cwtasks.manifests import find_parser
from cwtasks.manifests.scopes import flat_tasks
from cwtasks.models import Manifest

VALID = """
[workspace]
name = "law"
version = "1"
channels = ["conda-forge", { channel = "https://h.org/t/secret/c", priority = 1 }]
platforms = ["linux-64", { platform = "linux-64", cuda = "12.0" }, { name = "gpu", platform = "win-64", cuda = { driver = "12" } }]
channel-priority = "strict"
envs-dir = "envs"
dependencies = { zlib = "*", numpy = { version = "1", channel = "conda-forge" } }
archive = { include = ["a"], exclude = ["b"], compression = "gz", compression-level = 3 }

[dependencies]
zlib = { workspace = true, build = "h*" }
python = ">=3.11"
detailed = { version = "1", build-number = 3, features = ["a"], license = "MIT" }

[pypi-dependencies]
requests = "*"
local = { path = ".", editable = true, extras = ["x"] }

[activation]
scripts = ["a.sh"]
env = { A = "1" }

[system-requirements]
libc = { family = "glibc", version = "2.28" }

[target.linux-64]
dependencies = { a = "*" }
pypi-dependencies = { b = "*" }
activation = { env = { B = "2" } }
tasks = { build = { cmd = "x", env = { C = "3" } } }

[tasks]
plain = "echo"
listed = { cmd = ["echo", "hi"] }
alias = [{ task = "plain", args = ["a", { b = "c" }], environment = "test" }]
build = { cmd = "make", depends-on = ["plain", { task = "alias" }], args = ["a", { arg = "b", default = "1", choices = ["1"] }], inputs = ["i"], outputs = ["o"], env = { X = "1" }, cwd = "c", clean-env = true, default-environment = "test", description = "d", target = { win-64 = { cmd = "y" } } }

[feature.test]
dependencies = { pytest = "*" }
channels = ["conda-forge"]
platforms = ["linux-64"]
tasks = { test = { cmd = "pytest" } }
target = { unix = { tasks = { test = "pytest -n4" } } }

[environments]
test = ["test"]
docs = { features = ["test"], solve-group = "g", no-default-feature = true, dependencies = { sphinx = "*" }, tasks = { docs = "sphinx" } }
"""

names = st.sampled_from(["", "a", "tasks", "default", "workspace", "a.b", "é", "::", "x[y]", "linux-64", "cmd", "\x7f"])
scalars = st.one_of(
    st.text(max_size=8),
    names,
    st.integers(-3, 2**70),
    st.floats(),
    st.booleans(),
    st.sampled_from([dt.date(2026, 1, 1), dt.time(1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]),
)
garbage = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)


def places(value, path=()):
    """Every address in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def replaced(document, path, value):
    changed = copy.deepcopy(document)
    table = changed
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    return changed


def valid(name):
    document = tomli.loads(VALID)
    if name == "conda.toml":
        return document
    # Pixi refuses system requirements beside rich platforms.
    del document["system-requirements"]
    if name == "pixi.toml":
        return document
    project = {
        "name": "law",
        "requires-python": ">=3.11",
        "dependencies": ["a>=1", "law[x]"],
        "optional-dependencies": {"x": ["b"]},
    }
    return {
        "project": project,
        "dependency-groups": {"g": ["c", {"include-group": "h"}], "h": ["d"]},
        "tool": {"pixi": document},
    }


@pytest.mark.parametrize("name", ["conda.toml", "pixi.toml", "pyproject.toml"])
def test_the_untouched_manifest_is_valid(name):
    assert find_parser(Path(name)).read_data(valid(name), Path("/law") / name).has_workspace


@pytest.mark.parametrize("name", ["conda.toml", "pixi.toml", "pyproject.toml"])
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_reading_garbage_gives_a_manifest_or_a_manifest_error(name, data):
    document = valid(name)
    changed = replaced(document, data.draw(st.sampled_from(list(places(document)))), data.draw(garbage))
    path = Path("/law") / name
    try:
        manifest = find_parser(path).read_data(changed, path)
    except ManifestError as error:
        assert error.mistakes
        assert "secret" not in str(error)
    else:
        assert isinstance(manifest, Manifest)
        assert all("secret" not in warning for warning in manifest.warnings)
        flat_tasks(manifest.workspace)


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=60) | st.text("[]{}=\"'\n.#a1é-,", max_size=60).map(str.encode))
def test_reading_any_bytes_gives_a_manifest_or_a_manifest_error(raw, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "pixi.toml"
    path.write_bytes(raw)
    try:
        assert isinstance(find_parser(path).read(path), Manifest)
    except ManifestError as error:
        assert error.mistakes
