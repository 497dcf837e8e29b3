"""What the steps of a workspace are called and what they need, whatever its tasks are called."""

import pytest

from cwtasks.exceptions import EnvironmentNotFoundError
from cwtasks.graph.workspace_steps import NO_WORKSPACE_STEPS, WorkspaceName, WorkspaceSteps

ENVIRONMENTS = ("default", "docs", "bare")


def steps(*tasks: str) -> WorkspaceSteps:
    return WorkspaceSteps(frozenset(tasks), ENVIRONMENTS, ("default", "docs"), ("default", "docs"))


@pytest.mark.parametrize(
    ("tasks", "word", "named"),
    [
        pytest.param([], "lock", WorkspaceName("lock"), id="lock"),
        pytest.param([], "install", WorkspaceName("install"), id="install"),
        pytest.param([], "install:docs", WorkspaceName("install", "docs"), id="one environment"),
        pytest.param([], "workspace:install:docs", WorkspaceName("install", "docs"), id="in full"),
        pytest.param([], "test", None, id="a task"),
        pytest.param([], "locks", None, id="nearly"),
        pytest.param(["lock"], "lock", None, id="a task called lock"),
        pytest.param(["lock"], "workspace:lock", WorkspaceName("lock"), id="which does not hide it"),
        pytest.param(["install"], "install:docs", None, id="a task called install in an environment"),
        pytest.param(["install:docs"], "install:docs", None, id="a task called so"),
    ],
)
def test_a_word_names_a_step_unless_a_task_wins(tasks, word, named):
    assert steps(*tasks).read(word) == named


def test_what_a_step_is_called_is_what_names_it():
    for tasks in ((), ("lock",), ("install",), ("lock", "install")):
        mine = steps(*tasks)
        for name in mine.names(variants=True):
            assert mine.read(mine.name(*name)) == name


def test_an_environment_that_does_not_exist():
    with pytest.raises(EnvironmentNotFoundError, match="environment 'dosc' is not defined"):
        steps().read("install:dosc")


def test_each_environment_needs_the_lock_and_all_of_them_need_each():
    found = {step.id: step.needs for step in steps().steps("install")}
    assert found == {
        "lock": (),
        "install:default": ("lock",),
        "install:docs": ("lock",),
        "install": ("install:default", "install:docs"),
    }


def test_there_is_nothing_to_do_for_an_environment_without_packages():
    (step,) = steps().steps("install", "bare")
    assert step.is_alias


def test_what_was_asked_for_beside_it_is_part_of_a_lock():
    (step,) = steps().steps("lock", None, {"upgrade": "numpy scipy", "skip-unsolvable": ""})
    assert step.id == "lock(--upgrade numpy scipy --skip-unsolvable)"
    assert step.arguments == (("upgrade", "numpy scipy"), ("skip-unsolvable", ""))


def test_a_workspace_without_packages_has_no_steps():
    assert NO_WORKSPACE_STEPS.read("lock") is None
    assert NO_WORKSPACE_STEPS.names(variants=True) == []
