"""What is run for a step: argv, folder, variables."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cwtasks.exceptions import WorkingDirectoryError
from cwtasks.graph.step import Step
from cwtasks.steps.command import Shell, find_shell, prepare, seen_of_outside, workspace_variables

CMD = Shell(("cmd", "/d", "/s", "/c"), is_posix=False)
PRINT_ARGUMENTS = (sys.executable, "-S", "-c", "import sys; sys.stdout.buffer.write(ascii(sys.argv[1:]).encode())")


def step(command="true", **fields) -> Step:
    return Step(id="greet", task="greet", environment=None, command=command, **fields)


def prepared(step, tmp_path, *, variables=None, outside=None, **options):
    outside = {"PATH": os.environ["PATH"], **(outside or {})}
    seen = seen_of_outside(outside, clean=step.clean_env)
    return prepare(step, root=str(tmp_path), variables={**seen, **(variables or {})}, **options)


def output_of(invocation) -> str:
    done = subprocess.run(
        invocation.argv, cwd=invocation.cwd, env=invocation.env, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


def test_text_goes_through_bash(tmp_path):
    argv = prepared(step("echo $0 ${BASH_VERSION:+bash}"), tmp_path).argv

    assert os.path.basename(argv[0]) == "bash"
    assert argv[1:] == ("-c", "echo $0 ${BASH_VERSION:+bash}")


def test_words_of_a_command_run_without_a_shell(tmp_path):
    assert prepared(step(("echo", "$HOME"), words=("a b",)), tmp_path).argv == ("echo", "$HOME", "a b")


def test_an_alias_has_nothing_to_run(tmp_path):
    with pytest.raises(ValueError, match="step 'greet' is an alias"):
        prepared(step(None), tmp_path)


def test_appended_words_stand_at_the_very_end(tmp_path):
    assert output_of(prepared(step("echo a && echo b\n", words=("c  d", "$x")), tmp_path)) == "a\nb c  d $x\n"


def test_the_shell_is_the_first_bash_else_sh_on_the_path_of_the_command(tmp_path):
    for folder, name in [("one", "sh"), ("two", "bash"), ("two", "sh")]:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch(mode=0o755)
    one, two = str(tmp_path / "one"), str(tmp_path / "two")

    assert find_shell(f"relative::{one}:{two}", "linux") == Shell((f"{two}/bash", "-c"), is_posix=True)
    assert find_shell(one, "linux") == Shell((f"{one}/sh", "-c"), is_posix=True)
    assert find_shell("", "darwin") == Shell(("/bin/sh", "-c"), is_posix=True)
    assert find_shell("", "win32") == CMD


def test_a_file_that_cannot_be_executed_is_no_shell(tmp_path):
    (tmp_path / "bash").touch(mode=0o644)
    (tmp_path / "sh").mkdir()

    assert find_shell(str(tmp_path), "linux").argv == ("/bin/sh", "-c")


def test_variables_of_the_task_beat_the_environment_beats_the_outside(tmp_path):
    env = prepared(
        step(env=(("A", "task"),)),
        tmp_path,
        variables={"A": "workspace", "B": "workspace"},
        outside={"A": "outside", "B": "outside", "C": "outside"},
    ).env

    assert (env["A"], env["B"], env["C"]) == ("task", "workspace", "outside")


@pytest.mark.parametrize("command", ['printf "%s" "$V"', ("sh", "-c", 'printf "%s" "$V"')], ids=["text", "words"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("$OUTSIDE/x", "out side/x", id="outside"),
        pytest.param("${OUTSIDE}", "out side", id="braces"),
        pytest.param("$EARLIER!", "first!", id="earlier-key"),
        pytest.param("$WORKSPACE", "ours", id="workspace-variable"),
        pytest.param("$(echo x)", "x", id="command"),
        pytest.param("`echo x`", "x", id="backticks"),
        pytest.param('a "quoted" word', 'a "quoted" word', id="quotes"),
        pytest.param("it's", "it's", id="single-quote"),
        pytest.param("100%s", "100%s", id="percent"),
        pytest.param("{a,b} *", "{a,b} *", id="brace-and-star"),
        pytest.param("a\\", "a\\", id="last-backslash"),
        pytest.param("C:\\new", "C:\\new", id="backslash"),
        pytest.param("\\$OUTSIDE", "$OUTSIDE", id="escaped"),
        pytest.param("$UNSET_ANYWHERE.", ".", id="unset"),
        pytest.param("a\nb", "a\nb", id="line-end"),
        pytest.param("größe", "größe", id="unicode"),
    ],
)
def test_variables_expand_as_in_pixi(tmp_path, command, value, expected):
    invocation = prepared(
        step(command, env=(("EARLIER", "first"), ("V", value)), env_expands=True),
        tmp_path,
        variables={"WORKSPACE": "ours"},
        outside={"OUTSIDE": "out side"},
    )

    assert output_of(invocation) == expected


def test_variables_do_not_expand_outside_pixi(tmp_path):
    assert output_of(prepared(step('printf "%s" "$V"', env=(("V", "$HOME"),)), tmp_path)) == "$HOME"


def test_a_variable_may_extend_the_outer_one_of_its_name(tmp_path):
    extended = step('printf "%s" "$V"', env=(("V", "$V:more"),), env_expands=True)

    assert output_of(prepared(extended, tmp_path, outside={"V": "outer"})) == "outer:more"


def test_words_stay_words_when_the_variables_need_a_shell(tmp_path):
    command = step((*PRINT_ARGUMENTS, "$A"), words=("b c",), env=(("A", "x"),), env_expands=True)

    assert output_of(prepared(command, tmp_path)) == "['$A', 'b c']"


def test_a_name_no_shell_can_export_is_handed_over_as_it_is(tmp_path):
    invocation = prepared(step(env=(("my.key", "$HOME"),), env_expands=True), tmp_path)

    assert invocation.env["my.key"] == "$HOME"
    assert invocation.argv[-1] == "true"


def test_a_clean_environment_keeps_who_and_where_the_user_is(tmp_path):
    env = prepared(
        step(clean_env=True, env=(("MINE", "1"),)),
        tmp_path,
        variables={"PIXI_IN_SHELL": "1"},
        outside={"PATH": "/bin", "HOME": "/h", "XPC_FLAGS": "0", "CONDA_PREFIX": "/c", "PYTHONPATH": "/p"},
    ).env

    assert env == {"PATH": "/bin", "HOME": "/h", "XPC_FLAGS": "0", "PIXI_IN_SHELL": "1", "MINE": "1"}


def test_the_folder_is_relative_to_the_workspace(tmp_path):
    (tmp_path / "docs").mkdir()

    assert prepared(step(), tmp_path).cwd == str(tmp_path)
    assert prepared(step(cwd="docs"), tmp_path).cwd == str(tmp_path / "docs")
    assert prepared(step(cwd=str(tmp_path)), tmp_path / "docs").cwd == str(tmp_path)


def test_a_missing_folder_is_an_error_with_the_name_of_the_step(tmp_path):
    with pytest.raises(WorkingDirectoryError) as caught:
        prepared(step(cwd="nowhere"), tmp_path)

    assert (caught.value.task, caught.value.cwd) == ("greet", "nowhere")


def test_windows_runs_text_with_cmd_and_leaves_variables_alone(tmp_path):
    invocation = prepared(
        step("echo a\necho b\n", words=("c d",), env=(("Name", "%HOME% $HOME"),), env_expands=True),
        tmp_path,
        platform="win32",
    )

    assert invocation.argv == (*CMD.argv, 'echo a & echo b "c d"')
    assert invocation.env["NAME"] == "%HOME% $HOME"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5))
@pytest.mark.parametrize("kind", ["text", "words"])
def test_appended_words_arrive_unchanged(tmp_path, kind, words):
    program = tmp_path / "print"
    program.write_text(f"#!{sys.executable} -S\n{PRINT_ARGUMENTS[-1]}")
    program.chmod(0o755)
    command = step(f"'{program}'" if kind == "text" else (str(program),), words=tuple(words))

    assert output_of(prepared(command, tmp_path, outside={"PYTHONUTF8": "1"})) == ascii(words)


def variables(**changes):
    known = {
        "root": "/w", "name": "demo", "version": None, "manifest": "/w/pixi.toml",
        "environment": "default", "platforms": ["linux-64", "win-64"], "init_cwd": "/w/docs",
    }  # fmt: skip
    return workspace_variables(**(known | changes))


def test_a_command_is_told_about_its_workspace():
    assert variables() == {
        "PIXI_PROJECT_ROOT": "/w",
        "PIXI_PROJECT_MANIFEST": "/w/pixi.toml",
        "INIT_CWD": "/w/docs",
        "PIXI_PROJECT_NAME": "demo",
        "PIXI_PROJECT_VERSION": "NO_VERSION_SPECIFIED",
        "PIXI_IN_SHELL": "1",
        "PIXI_ENVIRONMENT_NAME": "default",
        "PIXI_ENVIRONMENT_PLATFORMS": "linux-64,win-64",
        "PIXI_PROMPT": "(demo) ",
        "CONDA_DEFAULT_ENV": "demo",
    }


def test_another_environment_shows_in_prompt_and_name():
    told = variables(environment="test", version="1.2")

    assert (told["PIXI_PROMPT"], told["CONDA_DEFAULT_ENV"]) == ("(demo:test) ", "demo:test")
    assert told["PIXI_PROJECT_VERSION"] == "1.2"


def test_without_environment_only_places_are_told():
    assert variables(environment=None).keys() == {"PIXI_PROJECT_ROOT", "PIXI_PROJECT_MANIFEST", "INIT_CWD"}
