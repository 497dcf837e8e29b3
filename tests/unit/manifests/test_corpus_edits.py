"""Manifests of public projects: what is put in and taken out again leaves every byte as its author wrote it."""

import shutil
from pathlib import Path

import pytest

from cwtasks.manifests import find_parser
from cwtasks.models import MatchSpec, PyPIDependency, Task, TaskOverride

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
NAMES = ("conda.toml", "pixi.toml", "pyproject.toml")
PATHS = sorted(path for path in CORPUS.glob("*/*.toml") if path.name in NAMES)

pytestmark = pytest.mark.skipif(not PATHS, reason="no corpus of public manifests beside the repository")

each = pytest.mark.parametrize("original", [pytest.param(path, id=path.parent.name) for path in PATHS])
TASK = Task("brand new", ["echo", 'it\'s "new"'], description="a task that nobody has")


@pytest.fixture
def copy(original, tmp_path):
    path = tmp_path / original.name
    shutil.copyfile(original, path)
    return path


def untouched(before, after):
    """Whether every line of one text is in the other, in order."""
    following = iter(after.splitlines())
    return all(line in following for line in before.splitlines())


@each
def test_a_task_put_in_and_taken_out_leaves_the_same_bytes(original, copy):
    parser, before = find_parser(copy), original.read_bytes()
    tasks = parser.parse_tasks(copy)
    parser.add_task(copy, TASK.name, TASK)
    assert untouched(before.decode(), copy.read_text())
    assert parser.parse_tasks(copy) == {**tasks, TASK.name: TASK}
    assert not parser.add_task(copy, TASK.name, TASK).has_changes
    parser.remove_task(copy, TASK.name)
    assert copy.read_bytes() == before


@each
def test_overrides_and_tasks_of_features_leave_their_neighbours_alone(original, copy):
    parser, before = find_parser(copy), original.read_bytes()
    task = Task(TASK.name, "x", platforms={"linux-64": TaskOverride("y")})
    parser.add_task(copy, TASK.name, task)
    parser.add_task(copy, TASK.name, TASK, feature="brand new")
    assert untouched(before.decode(), copy.read_text())
    features = parser.parse(copy).features
    assert features["brand new"].tasks == {TASK.name: TASK}
    assert features["default"].tasks[TASK.name] == Task(TASK.name, "x")


@each
def test_dependencies_put_in_and_taken_out_leave_the_same_bytes(original, copy):
    parser = find_parser(copy)
    parser.add_dependencies(copy, [MatchSpec("brand-new >=1"), PyPIDependency("brand-new", "==2")])
    before = original.read_text()
    assert untouched(before, copy.read_text())
    default = parser.parse(copy).features["default"]
    assert default.conda_dependencies["brand-new"] == MatchSpec("brand-new >=1")
    assert default.pypi_dependencies["brand-new"] == PyPIDependency("brand-new", "==2")
    parser.remove_dependencies(copy, ["brand-new"])
    parser.remove_dependencies(copy, ["brand-new"], is_pypi=True)
    assert untouched(before, copy.read_text())
    # A table that was made for it stays.
    assert set(copy.read_text().splitlines()) - set(before.splitlines()) <= {
        "",
        "[dependencies]",
        "[pypi-dependencies]",
    } | {f"[tool.{tool}.{table}]" for tool in ("pixi", "conda") for table in ("dependencies", "pypi-dependencies")}


@each
def test_every_task_can_be_taken_out(original, copy):
    parser = find_parser(copy)
    features = parser.parse(copy).features
    for feature in features.values():
        parser.remove_tasks(copy, feature.tasks, feature=None if feature.is_default else feature.name)
    after = parser.parse(copy)
    assert not any(feature.tasks for feature in after.features.values())
    assert after.features.keys() == features.keys()
    assert {name: feature.conda_dependencies for name, feature in after.features.items()} == {
        name: feature.conda_dependencies for name, feature in features.items()
    }
