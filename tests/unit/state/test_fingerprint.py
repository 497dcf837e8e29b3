import pytest

from cwtasks.graph.step import Step
from cwtasks.state.digests import FileState
from cwtasks.state.fingerprint import NOTHING, Reason, StepState, differences, facts_of


def facts(root="/w", platform="linux-64", **fields):
    return facts_of(Step(id="s", task="s", **{"environment": None, **fields}), platform=platform, root=root)


def texts(was, now):
    return [reason.text for reason in differences(was, now)]


def changed(before, after):
    return texts(StepState(facts(**before), {}, {}), StepState(facts(**after), {}, {}))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"command": "a"}, {"command": "b"}, "command changed"),
        ({"command": ("a", "b c")}, {"command": ("a", "b", "c")}, "command changed"),
        ({"words": ("x",)}, {}, "appended words changed"),
        (
            {"arguments": (("path", "tests"),)},
            {"arguments": (("path", "tests/unit"),)},
            "argument path: tests → tests/unit",
        ),
        ({}, {"arguments": (("path", ""),)}, "argument path: (none) → (empty)"),
        ({"env": (("CFLAGS", "-O1"),)}, {"env": (("CFLAGS", "-O2"),)}, "variable CFLAGS changed: -O1 → -O2"),
        ({}, {"env": (("CFLAGS", "-O2"),)}, "variable CFLAGS is new"),
        ({"env": (("CFLAGS", "-O2"),)}, {}, "variable CFLAGS is gone"),
        ({"env": (("A", "$B"),)}, {"env": (("A", "$B"),), "env_expands": True}, "expansion of variables changed"),
        ({"cwd": "a"}, {}, "working directory changed"),
        ({}, {"clean_env": True}, "isolation from outside variables changed"),
        ({}, {"platform": "osx-64"}, "platform changed: linux-64 → osx-64"),
        ({"environment": "a"}, {"environment": "b"}, "environment changed: a → b"),
    ],
)
def test_each_fact_has_its_sentence(before, after, expected):
    assert changed(before, after) == [expected]
    assert changed(before, before) == []


def test_an_order_of_variables_counts_where_one_may_name_another():
    one, other = (("A", "1"), ("B", "$A")), (("B", "$A"), ("A", "1"))
    assert changed({"env": one}, {"env": other}) == []
    assert changed({"env": one, "env_expands": True}, {"env": other, "env_expands": True}) != []


def test_a_checkout_elsewhere_is_equal():
    assert facts("/w", command="cc /w/a.c -I/w", env=(("P", "/w/bin:/w"),)) == facts(
        "/home/x/y", command="cc /home/x/y/a.c -I/home/x/y", env=(("P", "/home/x/y/bin:/home/x/y"),)
    )


def test_the_root_is_not_replaced_within_another_name():
    assert facts("/w", command="ls /work /w-1")["command"] == "ls /work /w-1"


def test_files_have_their_sentences():
    one, other = FileState("1", ""), FileState("2", "")
    was = StepState({}, {"src/a.c": one, "gone.c": one, "same.c": one}, {"dist/app": one, "dist/lib": one})
    now = StepState({}, {"src/a.c": other, "src/b.c": one, "same.c": FileState("1", "touched")}, {"dist/app": other})
    assert texts(was, now) == [
        "input gone.c is gone",
        "input src/a.c changed",
        "input src/b.c is new",
        "output dist/app was edited",
        "output dist/lib is missing",
    ]


def test_reasons_carry_both_values():
    was, now = NOTHING._replace(facts={"command": "a"}), NOTHING._replace(facts={"command": "b"})
    assert differences(was, now) == [Reason("command", "", "a", "b")]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("never-ran"), "never ran"),
        (Reason("failed"), "last run failed"),
        (Reason("undeclared"), "declares neither inputs nor outputs"),
        (Reason("unmatched", "{x}"), "pattern '{x}' matches nothing"),
        (Reason("unrecorded"), "last run was not recorded"),
    ],
)
def test_reasons_without_values_have_their_sentence(reason, text):
    assert reason.text == text
