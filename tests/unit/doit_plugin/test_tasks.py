"""Our doit tasks are made in a short way; they must be what doit's long way makes."""

import pickle

from doit.task import Task

from cwtasks.doit_plugin.tasks import make_task, make_tasks
from cwtasks.graph.step import Step

STEP = Step("build", "build", None, command="true", needs=("gen", "gone"), description="Build it")
ONLY_OURS = {"step", "_action_instances"}


def test_a_task_made_the_short_way_has_what_doit_gives_its_own():
    ours = vars(make_task(STEP, None, ["gen"]))
    own = vars(Task("build", None, task_dep=["gen"], doc="Build it"))
    assert ours.keys() - own.keys() <= ONLY_OURS
    for name in own.keys() - ONLY_OURS - {"io"}:
        assert ours[name] == own[name], name
        assert type(ours[name]) is type(own[name]), name


def test_tasks_share_nothing_that_can_change():
    first, second = make_task(STEP, None), make_task(STEP, None)
    shared = [
        name
        for name, value in vars(first).items()
        if isinstance(value, (list, dict, set)) and value is vars(second)[name]
    ]
    assert shared == []


def test_a_dependency_that_is_no_task_of_this_run_counts_as_done():
    gen = Step("gen", "gen", None, command="true")
    assert [task.task_dep for task in make_tasks([gen, STEP], None)] == [[], ["gen"]]


def test_an_alias_has_no_action():
    assert make_task(Step("all", "all", None), None).actions == []


def test_a_task_travels_to_another_process():
    task = make_task(Step("all", "all", None, needs=("a",)), None, ["a"])
    copy = pickle.loads(pickle.dumps(task))
    assert (copy.name, copy.task_dep, copy.step) == ("all", ["a"], task.step)
