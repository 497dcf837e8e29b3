"""The JSON schema accepts what the readers accept, table by table and key by key."""

import datetime as dt
import json
from pathlib import Path

import pytest
import tomli
from jsonschema import Draft7Validator

from cwtasks.exceptions import ManifestError
from cwtasks.manifests import CondaTomlParser, dependencies, features, normalize, platforms, schema, workspace

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT.parent / "shared" / "corpus"
SCHEMA = schema.conda_schema()
VALIDATOR = Draft7Validator(SCHEMA)
INVALID = sorted((ROOT / "tests" / "invalid").glob("conda-*.toml"))
NOT_OF_SHAPE = {
    "conda-arg-default-not-a-choice": "compares two values",
    "conda-arg-required-after-optional": "depends on an order",
    "conda-arg-twice": "compares two values",
    "conda-environment-name-case": "compares two keys",
    "conda-inherit-missing": "looks a name up",
    "conda-platform-name-of-another": "compares two values",
    "conda-platform-twice": "compares two values",
}
"""Manifests that are wrong in a way no schema can say."""


def test_it_is_a_schema():
    Draft7Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem) for file in INVALID])
def test_what_is_wrong_in_shape_is_refused(file: Path):
    is_refused = not VALIDATOR.is_valid(tomli.loads(file.read_text()))
    assert is_refused == (file.stem not in NOT_OF_SHAPE)


def test_the_list_of_exceptions_is_about_files_that_are_there():
    assert NOT_OF_SHAPE.keys() <= {file.stem for file in INVALID}


GOOD = [
    *ROOT.glob("examples/*/conda.toml"),
    *ROOT.glob("tests/**/conda.toml"),
    *CORPUS.glob("*/conda.toml"),
]


@pytest.mark.parametrize("file", [pytest.param(file, id=str(file.relative_to(ROOT.parent))) for file in GOOD])
def test_good_manifests_are_accepted(file: Path):
    errors = [error.message for error in VALIDATOR.iter_errors(tomli.loads(file.read_text()))]
    assert errors == []


def sections() -> list[tuple[str, dict]]:
    """Every section of the corpus, whatever file and dialect it is written for."""
    found = []
    for path in sorted(CORPUS.glob("*/*.toml")):
        data = tomli.loads(path.read_text())
        tools = data.get("tool", {})
        content = data if path.name == "pixi.toml" else tools.get("conda") or tools.get("pixi") or {}
        found.append((f"{path.parent.name}/{path.name}", content))
    return found


@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus of public manifests beside the repository")
def test_the_manifests_of_the_corpus_are_judged_as_the_reader_judges_them():
    judged = {name: (accepts(content), VALIDATOR.is_valid(content)) for name, content in sections()}
    assert {name: verdict for name, verdict in judged.items() if verdict[0] != verdict[1]} == {}
    assert sum(read for read, _ in judged.values()) > 30


def accepts(content: dict) -> bool:
    """Tell whether the reader has nothing to say against a manifest: no mistake, no key it does not know."""
    try:
        manifest = CondaTomlParser().read_data(content, Path("/w/conda.toml"))
    except ManifestError:
        return False
    return not any("unknown key" in warning for warning in manifest.warnings)


PROBES = [
    "x",
    "",
    "linux-64",
    1,
    1.5,
    True,
    dt.date(2020, 1, 1),
    [],
    ["x"],
    [1],
    [{}],
    {},
    {"x": "y"},
    {"x": 1},
    {"x": {}},
]
TASK = {"cmd": "x"}
TABLES = {
    "root": (workspace.ROOT_KEYS, lambda content: content),
    "workspace": (workspace.WORKSPACE_KEYS, lambda content: {"workspace": content}),
    "archive": (workspace.ARCHIVE_KEYS, lambda content: {"workspace": {"archive": content}}),
    "channel": (dependencies.CHANNEL_KEYS, lambda content: {"workspace": {"channels": [{"channel": "c", **content}]}}),
    "platform": (
        ("name", "platform", *platforms.REQUIREMENTS, "__x"),
        lambda content: {"workspace": {"platforms": [{"platform": "linux-64", **content}]}},
    ),
    "pool": (
        dependencies.CONDA_KEYS,
        lambda content: {"workspace": {"dependencies": {"a": content}}},
    ),
    "dependency": (dependencies.CONDA_KEYS - {"workspace"}, lambda content: {"dependencies": {"a": content}}),
    "inherited": (
        dependencies.CONDA_KEYS,
        lambda content: {
            "workspace": {"dependencies": {"a": "*"}},
            "dependencies": {"a": {"workspace": True, **content}},
        },
    ),
    "pypi dependency": (dependencies.PYPI_KEYS, lambda content: {"pypi-dependencies": {"a": content}}),
    "activation": (features.ACTIVATION_KEYS, lambda content: {"activation": content}),
    "system requirements": ((*platforms.REQUIREMENTS, "__x"), lambda content: {"system-requirements": content}),
    "feature": (features.FEATURE_KEYS, lambda content: {"feature": {"f": content}}),
    "environment": (
        workspace.ENVIRONMENT_OWN_KEYS | features.ENVIRONMENT_CONTENT_KEYS,
        lambda content: {"environments": {"e": content}},
    ),
    "target": (
        features.TARGET_KEYS.union(features.NOT_IN_TARGETS),
        lambda content: {"target": {"linux-64": content}},
    ),
    "task": (normalize.TASK_KEYS, lambda content: {"tasks": {"t": content}}),
    "task of a target": (normalize.TASK_KEYS, lambda content: {"target": {"linux-64": {"tasks": {"t": content}}}}),
    "target of a task": (normalize.TASK_KEYS, lambda content: {"tasks": {"t": {"target": {"linux-64": content}}}}),
    "argument": (normalize.ARG_KEYS, lambda content: {"tasks": {"t": {**TASK, "args": [{"arg": "a", **content}]}}}),
    "needed task": (
        normalize.DEPENDENCY_KEYS,
        lambda content: {"tasks": {"t": {"depends-on": [{"task": "a", **content}]}}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_every_key_holds_what_the_reader_takes(name: str):
    keys, place = TABLES[name]
    differ = []
    for key in sorted(keys):
        for probe in PROBES:
            content = place({key: probe})
            verdicts = accepts(content), VALIDATOR.is_valid(content)
            if verdicts[0] != verdicts[1]:
                differ.append((key, probe, verdicts))
    assert differ == []


@pytest.mark.parametrize("name", TABLES)
def test_a_key_that_nobody_knows_is_refused(name: str):
    _, place = TABLES[name]
    content = place({"nosuch": "x"})
    assert (accepts(content), VALIDATOR.is_valid(content)) == (False, False)


def test_a_shape_for_a_key_that_no_reader_knows_is_an_error():
    with pytest.raises(ValueError, match="no reader knows"):
        schema._table(("a",), {"b": {}})
