"""Manifests of public projects: every task that its author did not break must compile."""

import marshal
from pathlib import Path

import pytest

from cwtasks.environments import Catalog
from cwtasks.exceptions import TaskNotAvailableError, TaskNotFoundError
from cwtasks.graph.compiler import Request, Surroundings, compile_all, compile_steps
from cwtasks.graph.workspace_steps import WorkspaceSteps
from cwtasks.host import Host
from cwtasks.manifests import load_file
from cwtasks.provision.plan import Plan, plan_of, requirements_here

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
NAMES = ("conda.toml", "pixi.toml", "pyproject.toml")
PATHS = sorted(path for path in CORPUS.glob("*/*.toml") if path.name in NAMES)

pytestmark = pytest.mark.skipif(not PATHS, reason="no corpus of public manifests beside the repository")

#: Project -> task as asked for -> the dependency that is not there.
BROKEN = {
    "pydata__sparse__root": {
        # Its dependencies live in features that no environment has together.
        "test-all:test": "test-finch",
        "test-all:mlir": "test-finch",
        "test-all:finch": "test-mlir",
        "test-all:notebooks": "test-examples",
        "test-all:xp-tests": "test-mlir",
        "test-all:mindeps": "test-examples",
    }
}


def requests_for(catalog, name):
    """Ask for a task as a user must: by name where that decides, else in each environment that offers it."""
    wishes = [None] if catalog.usual(name) else [offer.name for offer in catalog.offers(name)]
    for wish in wishes:
        task = catalog.choose(name, wish).task
        values = [arg.choices[0] if arg.choices else "x" for arg in task.args if arg.default is None]
        yield Request(name, wish, tuple(values))


def missing_dependencies(catalog):
    """Compile each task by itself and return what failed, and for want of which task."""
    missing = {}
    for request in (request for name in catalog.names() for request in requests_for(catalog, name)):
        try:
            graph = compile_steps(catalog, [request], Surroundings())
        except (TaskNotFoundError, TaskNotAvailableError) as error:
            assert error.needed_by[0] == request.task
            assert error.name not in catalog.environments[request.environment or "default"].tasks
            missing[f"{request.task}:{request.environment}"] = error.name
        else:
            assert [*graph.steps][-1] == graph.roots[0]
    return missing


def test_the_whole_corpus_is_here():
    assert len(PATHS) == 52


@pytest.mark.parametrize("subdir", ["linux-64", "osx-arm64"])
@pytest.mark.parametrize("path", [pytest.param(path, id=path.parent.name) for path in PATHS])
def test_public_manifest_compiles_task_by_task(path, subdir):
    catalog = Catalog(load_file(path), Host(subdir))
    assert catalog.names()
    assert missing_dependencies(catalog) == BROKEN.get(path.parent.name, {})


@pytest.mark.parametrize("path", [pytest.param(path, id=path.parent.name) for path in PATHS])
def test_public_manifest_compiles_as_a_whole(path):
    catalog = Catalog(load_file(path), Host("linux-64"))
    graph = compile_all(catalog, Surroundings())
    assert [name for name in catalog.names() if catalog.usual(name) and name in graph.broken] == wanting_arguments(
        catalog
    )


@pytest.mark.parametrize("subdir", ["linux-64", "osx-arm64", "win-64"])
@pytest.mark.parametrize("path", [pytest.param(path, id=path.parent.name) for path in PATHS])
def test_public_manifest_says_what_to_lock_and_install(path, subdir):
    catalog = Catalog(load_file(path), Host(subdir))
    plan = plan_of(catalog, root="/w", environ={})
    assert Plan.from_plain(marshal.loads(marshal.dumps(plan.to_plain()))) == plan
    assert bool(plan.question) == any(one.specs for one in requirements_here(catalog, environ={}))
    steps = WorkspaceSteps(frozenset(catalog.names()), tuple(plan.environments), plan.installed, plan.installed)
    graph = compile_all(catalog, Surroundings(), workspace_steps=steps)
    for step in graph.steps.values():
        if step.kind == "task" and not step.is_alias and step.environment in plan.installed:
            assert steps.name("install", step.environment) in step.needs


def wanting_arguments(catalog):
    return [
        name
        for name in catalog.names()
        if catalog.usual(name) and any(arg.default is None for arg in catalog.choose(name).task.args)
    ]
