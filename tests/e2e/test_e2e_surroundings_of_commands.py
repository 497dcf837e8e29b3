"""The folder and the variables a command runs with."""

import pytest

PIXI = '[workspace]\nname = "w"\nversion = "1.2"\nchannels = []\nplatforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]\n'
PLATFORMS = "linux-64,linux-aarch64,osx-64,osx-arm64,win-64"


def test_a_command_runs_in_the_workspace_or_in_its_cwd(space):
    space.write(
        {"conda.toml": '[tasks]\nhere = "pwd"\nthere = { cmd = "pwd", cwd = "a/b" }\n', "a/b/file": "", "c/file": ""}
    )
    assert space.doit("here", "there", cwd="c") == f".  here\n{space.root}\n.  there\n{space.root}/a/b\n"


def test_a_cwd_that_is_missing_is_an_error_of_the_task(space):
    space.write({"conda.toml": '[tasks]\nt = { cmd = "echo no", cwd = "gone" }\n'})
    done = space.run("t")
    assert done.returncode == 1
    assert done.stdout == ".  t\n"
    assert done.stderr == (
        "error: task 't': cwd 'gone' is not a directory\n"
        "hint: create it, or let a task it depends on create it; it is relative to the workspace\n"
    )


def test_a_cwd_may_be_made_by_a_dependency(space):
    space.write(
        {"conda.toml": '[tasks]\nmake = "mkdir -p made"\nt = { cmd = "pwd", cwd = "made", depends-on = ["make"] }\n'}
    )
    assert space.doit("t").endswith(f"{space.root}/made\n")


ENV = """
[tasks.show]
cmd = "echo $A-$B-$C-$OUT"
env = { A = "one", B = "$A two", C = "$(echo three) \\"q\\"", OUT = "own {{ 1 + 1 }}" }
"""


def test_variables_expand_in_the_pixi_dialect_one_after_the_other(space):
    space.write({"pixi.toml": PIXI + ENV})
    assert space.doit("show", env={"OUT": "outside", "A": "outside"}) == '.  show\none-one two-three "q"-own 2\n'


def test_variables_are_handed_over_as_they_are_in_the_conda_dialect(space):
    space.write({"conda.toml": ENV})
    assert space.doit("show") == '.  show\none-$A two-$(echo three) "q"-own 2\n'


@pytest.mark.parametrize("name", ["conda.toml", "pixi.toml"])
def test_clean_env_keeps_the_outside_away(space, name: str):
    tasks = '[tasks]\nt = { cmd = "echo ${OUTSIDE:-none} ${OWN} $HOME", env = { OWN = "own" }, clean-env = true }\n'
    space.write({name: (PIXI if name == "pixi.toml" else "") + tasks})
    assert space.doit("t", env={"OUTSIDE": "seen"}) == f".  t\nnone own {space.home}\n"


def test_outside_variables_reach_a_command(space):
    space.write({"conda.toml": '[tasks]\nt = "echo $OUTSIDE"\n'})
    assert space.doit("t", env={"OUTSIDE": "seen"}) == ".  t\nseen\n"


VARIABLES = ("PIXI_PROJECT_ROOT", "PIXI_PROJECT_MANIFEST", "INIT_CWD")
OF_ENVIRONMENT = (
    "PIXI_PROJECT_NAME",
    "PIXI_PROJECT_VERSION",
    "PIXI_IN_SHELL",
    "PIXI_ENVIRONMENT_NAME",
    "PIXI_ENVIRONMENT_PLATFORMS",
    "PIXI_PROMPT",
    "CONDA_DEFAULT_ENV",
)


def show(names: tuple[str, ...]) -> str:
    return "; ".join(f"echo ${name}" for name in names)


@pytest.mark.parametrize(
    ("environment", "label"), [pytest.param("default", "w", id="default"), pytest.param("dev", "w:dev", id="named")]
)
def test_a_command_knows_its_workspace_and_environment(space, environment: str, label: str):
    manifest = f'{PIXI}[tasks]\nt = "{show(VARIABLES + OF_ENVIRONMENT)}"\n[feature.x]\n[environments]\ndev = ["x"]\n'
    space.write({"pixi.toml": manifest, "sub/file": ""})
    assert space.doit("-e", environment, "t", cwd="sub").splitlines()[1:] == [
        str(space.root), f"{space.root}/pixi.toml", f"{space.root}/sub",
        "w", "1.2", "1", environment, PLATFORMS, f"({label})", label,
    ]  # fmt: skip


def test_without_a_workspace_only_the_places_are_told(space):
    space.write({"conda.toml": f'[tasks]\nt = "{show(VARIABLES)}; env | grep -c PIXI_"\n', "sub/file": ""})
    assert space.doit("t", cwd="sub") == (f".  t\n{space.root}\n{space.root}/conda.toml\n{space.root}/sub\n2\n")


def test_a_shell_of_the_workspace_chooses_the_environment(space):
    space.write(
        {"pixi.toml": f'{PIXI}[tasks]\nt = "echo $PIXI_ENVIRONMENT_NAME"\n[feature.x]\n[environments]\ndev = ["x"]\n'}
    )
    shell = {"PIXI_IN_SHELL": "1", "PIXI_PROJECT_ROOT": str(space.root), "PIXI_ENVIRONMENT_NAME": "dev"}
    assert space.doit("t", env=shell) == ".  t:dev\ndev\n"
    assert space.doit("t", env={**shell, "PIXI_PROJECT_ROOT": "/elsewhere"}) == ".  t\ndefault\n"


def test_a_task_that_calls_doit_runs_in_the_workspace(space):
    space.write({"conda.toml": '[tasks]\nouter = "doit inner"\ninner = "echo inside"\n'})
    assert space.doit("outer") == ".  outer\n.  inner\ninside\n"
