import pytest

from cwtasks.graph.order import keep_file_order
from cwtasks.graph.step import Step


def after(*steps):
    """Id to what each step must run after, for steps in serial order."""
    return {step.id: step.after for step in keep_file_order(steps) if step.after}


def step(name, inputs=(), outputs=(), needs=(), after=()):
    return Step(name, name, "default", command="x", inputs=inputs, outputs=outputs, needs=needs, after=after)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(step("a", outputs=("f",)), step("b", inputs=("f",)), id="write-then-read"),
        pytest.param(step("a", inputs=("f",)), step("b", outputs=("f",)), id="read-then-write"),
        pytest.param(step("a", outputs=("f",)), step("b", outputs=("f",)), id="write-then-write"),
        pytest.param(step("a", outputs=("src/x.c",)), step("b", inputs=("src/*.c",)), id="glob-over-file"),
        pytest.param(step("a", outputs=("src/*.c",)), step("b", inputs=("src/x.c",)), id="file-under-glob"),
        pytest.param(step("a", outputs=("build",)), step("b", inputs=("build/x",)), id="directory-over-file"),
        pytest.param(step("a", inputs=("build/x",)), step("b", outputs=("build",)), id="file-under-directory"),
        pytest.param(step("a", outputs=("x.c",)), step("b", inputs=("**",)), id="everything"),
        pytest.param(step("a", outputs=("./d/../f",)), step("b", inputs=("f",)), id="another-spelling"),
        pytest.param(step("a", outputs=("build/",)), step("b", inputs=("**/x",)), id="directory-under-deep-glob"),
        pytest.param(
            step("a", outputs=("build",)),
            step("b", inputs=("**/x",)),
            id="directory-without-slash-under-deep-glob",
        ),
    ],
)
def test_two_steps_that_touch_a_file_one_of_them_writes_keep_their_order(first, second):
    assert after(first, second) == {"b": ("a",)}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(step("a", inputs=("f",)), step("b", inputs=("f",)), id="both-read"),
        pytest.param(step("a", outputs=("f",)), step("b", outputs=("g",)), id="other-files"),
        pytest.param(step("a", outputs=("src/x.c",)), step("b", inputs=("src/*.h",)), id="other-ending"),
        pytest.param(step("a", outputs=("a/x",)), step("b", inputs=("b/*",)), id="other-directory"),
        pytest.param(step("a"), step("b"), id="no-files"),
        pytest.param(step("a", outputs=("f",)), step("b", inputs=("!f",)), id="only-excluded"),
    ],
)
def test_other_steps_may_run_side_by_side(first, second):
    assert after(first, second) == {}


def test_a_step_is_not_after_what_it_needs_anyway():
    assert after(step("a", outputs=("f",)), step("b", inputs=("f",), needs=("a",))) == {}


def test_a_step_that_reads_what_it_writes_is_not_after_itself():
    assert after(step("a", inputs=("f",), outputs=("f",))) == {}


def test_what_a_step_was_after_already_is_kept():
    assert after(step("a", outputs=("f",)), step("b"), step("c", inputs=("f",), after=("b",))) == {"c": ("a", "b")}


def test_steps_without_files_in_common_are_handed_back_as_they_are():
    steps = [step("b", outputs=("f",)), step("a", outputs=("g",)), step("c")]
    assert all(kept is given for kept, given in zip(keep_file_order(steps), steps, strict=True))
