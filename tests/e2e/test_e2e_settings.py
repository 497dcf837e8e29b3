"""Settings of a workspace, and of the one who calls."""

import os

import pytest

MANIFEST = """
[tasks.copy]
cmd = "cat in.txt > out.txt"
inputs = ["in.txt"]
outputs = ["out.txt"]
"""


def back_and_forth(space, **options) -> str:
    """Build one state, then another, then the first again; return what the last run says."""
    for text in ("one", "two", "one"):
        space.write({"in.txt": text})
        said = space.doit("copy", **options)
    assert space.read("out.txt") == "one"
    return said


@pytest.mark.parametrize(
    ("table", "environ", "expected"),
    [
        pytest.param("", {}, "-- copy (restored)\n", id="on-by-default"),
        pytest.param("", {"CWTASKS_KEEP_OUTPUTS": "off"}, ".  copy\n", id="off-by-variable"),
        pytest.param("[tool.cwtasks]\nkeep-outputs = false\n", {}, ".  copy\n", id="off-in-the-manifest"),
        pytest.param(
            "[tool.cwtasks]\nkeep-outputs = false\n",
            {"CWTASKS_KEEP_OUTPUTS": "on"},
            "-- copy (restored)\n",
            id="the-variable-wins",
        ),
    ],
)
def test_keeping_outputs_can_be_switched_off(space, table: str, environ: dict[str, str], expected: str):
    space.write({"conda.toml": MANIFEST + table})
    assert back_and_forth(space, env=environ) == expected


def test_a_setting_that_means_nothing_is_an_error_and_nothing_runs(space):
    space.write({"conda.toml": MANIFEST, "in.txt": "one"})
    done = space.run("copy", env={"CWTASKS_CACHE_SIZE": "much"})
    assert done.returncode == 3
    assert done.stderr == "error: CWTASKS_CACHE_SIZE: found 'much', expected a size\nhint: write it as 500M or 20G\n"
    assert not space.exists("out.txt")


def test_an_unknown_setting_is_warned_of(space):
    space.write({"conda.toml": MANIFEST + "[tool.cwtasks]\nkeep-output = false\n", "in.txt": "one"})
    done = space.run("copy")
    assert done.returncode == 0
    assert done.stderr.startswith("warning: conda.toml: tool.cwtasks.keep-output: unknown key; did you mean")


def test_a_setting_nobody_knows_may_be_anything(space):
    table = "[tool.cwtasks]\nwhen = 2026-01-01\nmore = { at = 10:00:00 }\n"
    space.write({"conda.toml": f'{table}[tasks]\na = "echo a"\n'})
    os.utime(space.root / "conda.toml", (1, 1))
    for _ in range(2):
        done = space.run("a")
        assert (done.returncode, done.stdout) == (0, ".  a\na\n"), done.stderr
