"""What is remembered of a manifest or of a run is never used where it does not hold any more."""

import os
import shutil

import pytest

PIXI = '[workspace]\nname = "w"\nchannels = []\nplatforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]\n'


@pytest.fixture
def warm(space):
    """A workspace in which everything that can be remembered is."""
    space.write(
        {"conda.toml": '[tasks.t]\ncmd = "cp in out"\ninputs = ["in"]\noutputs = ["out"]\n', "in": "1", "sub/file": ""}
    )
    for folder in (".", "sub"):
        for _ in range(2):
            space.doit("t", cwd=folder)
            space.doit("list", cwd=folder)
    return space


def test_a_manifest_edited_with_equal_size_and_time_is_read_again(warm):
    path = warm.root / "conda.toml"
    before = path.stat()
    path.write_text(path.read_text().replace("cp in out", "cp in o2t").replace('"out"', '"o2t"'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [warm.doit("t"), warm.exists("o2t")] == [".  t\n", True]


def test_a_manifest_exchanged_by_an_older_one_is_read_again(warm):
    path = warm.root / "conda.toml"
    old = warm.root / "old.toml"
    old.write_text(path.read_text().replace("cp in out", "cp in out && echo other"))
    os.utime(old, ns=(1, 1))
    old.replace(path)
    assert warm.doit("t") == ".  t\nother\n"


def test_a_nearer_manifest_takes_over(warm):
    warm.write({"sub/conda.toml": '[tasks]\nt = "echo nearer"\n'})
    assert warm.doit("t", cwd="sub") == ".  t\nnearer\n"
    assert warm.doit("list", cwd="sub") == "t   echo nearer\n"
    assert warm.doit("t") == "-- t\n"
    (warm.root / "sub/conda.toml").unlink()
    assert warm.doit("t", cwd="sub") == "-- t\n"


def test_a_dodo_file_takes_over(warm):
    warm.write({"dodo.py": "def task_t():\n    return {'actions': ['echo dodo'], 'verbosity': 2}\n"})
    assert warm.doit("t") == ".  t\ndodo\n"


def test_tasks_of_the_user_come_and_go(warm):
    config = warm.home / ".config" / "conda"
    config.mkdir(parents=True)
    (config / "tasks.toml").write_text('[tasks]\nnotes = "echo notes"\n')
    assert "notes   [user] echo notes\n" in warm.doit("list")
    assert warm.doit("notes") == ".  notes\nnotes\n"
    (config / "tasks.toml").write_text('[tasks]\nnotes = "echo changed"\n')
    assert warm.doit("notes") == ".  notes\nchanged\n"
    (config / "tasks.toml").unlink()
    assert "task 'notes' is not defined" in warm.fails("notes")


def test_the_folder_of_the_caller_is_that_of_this_call(space):
    task = 'cmd = "echo {{ pixi.init_cwd }} $INIT_CWD"'
    space.write({"conda.toml": f'[tasks.t]\n{task}\n[tasks.c]\n{task}\ninputs = ["conda.toml"]\n', "sub/file": ""})
    for folder in ("", "/sub", "", "/sub"):
        place = f"{space.root}{folder}"
        assert space.doit("t", cwd=place) == f".  t\n{place} {place}\n"
    assert space.ran("c") == ["c"]
    assert space.ran("c", cwd="sub") == ["c"]


def test_a_moved_workspace_is_up_to_date_and_runs_where_it_is(warm, tmp_path):
    warm.root = (warm.root).rename(tmp_path / "moved")
    assert warm.doit("t") == "-- t\n"
    warm.write({"in": "2"})
    assert warm.doit("t", cwd="sub") == ".  t\n"
    assert warm.read("out") == "2"


def test_two_copies_do_not_know_of_each_other(warm, tmp_path):
    other = shutil.copytree(warm.root, tmp_path / "other")
    warm.write({"in": "2"})
    assert warm.ran("t") == ["t"]
    assert warm.doit("t", cwd=str(other)) == "-- t\n"
    assert (other / "out").read_text() == "1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["t"], "-- t\n", id="plain"),
        pytest.param(["t", "t"], "-- t\n", id="twice"),
        pytest.param(["-r", "executed-only", "t"], "", id="reporter"),
        pytest.param(["-r", "zero", "t"], "", id="silent-reporter"),
        pytest.param(["-a", "t"], ".  t\n", id="always"),
        pytest.param(["-n", "2", "-c", "t"], "-- t\n", id="side-by-side"),
        pytest.param(["-o", "said.txt", "t"], "", id="into-a-file"),
        pytest.param(["out"], "-- t\n", id="by-output"),
    ],
)
def test_options_count_also_when_nothing_is_to_be_done(warm, words: list[str], said: str):
    assert warm.doit(*words) == said
    if "-o" in words:
        assert warm.read("said.txt") == "-- t\n"


@pytest.mark.parametrize("folder", [".", "sub"])
def test_settings_count_also_when_nothing_is_to_be_done(warm, folder: str):
    warm.write({"pyproject.toml": '[tool.doit]\nreporter = "executed-only"\n'})
    assert warm.doit("t", cwd=folder) == ""
    warm.write({"pyproject.toml": "[tool.doit]\nalways = true\n"})
    assert warm.doit("t", cwd=folder) == ".  t\n"


def test_the_environment_of_the_shell_counts_each_time(space):
    space.write(
        {"pixi.toml": PIXI + '[tasks]\nt = "echo $PIXI_ENVIRONMENT_NAME"\n[feature.x]\n[environments]\ndev = ["x"]\n'}
    )
    shell = {"PIXI_IN_SHELL": "1", "PIXI_PROJECT_ROOT": str(space.root), "PIXI_ENVIRONMENT_NAME": "dev"}
    for _ in range(2):
        assert space.doit("t") == ".  t\ndefault\n"
        assert space.doit("t", env=shell) == ".  t:dev\ndev\n"
        assert space.doit("list", env=shell) == "t   [dev] echo $PIXI_ENVIRONMENT_NAME\n"
        assert space.doit("list") == "t   echo $PIXI_ENVIRONMENT_NAME\n"


def test_arguments_of_one_call_do_not_leak_into_the_next(space):
    space.write({"conda.toml": '[tasks.t]\ncmd = "echo {{ a }}"\nargs = [{ arg = "a", default = "none" }]\n'})
    said = [space.doit("t", *words).splitlines()[1] for words in (["x"], [], ["y"], ["--", "z"], ["a=x"], [])]
    assert said == ["x", "none", "y", "none z", "x", "none"]


@pytest.mark.parametrize("name", ["conda.toml", "pixi.toml", "pyproject.toml"])
def test_a_broken_manifest_is_reported_after_a_good_one_and_a_good_one_after_it(space, name: str):
    tasks = {"conda.toml": "[tasks]\n", "pixi.toml": PIXI + "[tasks]\n", "pyproject.toml": "[tool.conda.tasks]\n"}[name]
    for _ in range(2):
        space.write({name: f'{tasks}t = {{ cmd = "echo t", inputs = ["{name}"] }}\n'})
        assert space.run("t").returncode == 0
        assert space.doit("t") == "-- t\n"
        space.write({name: f"{tasks}t = 1\n"})
        assert space.fails("t").startswith(f"error: {name}: ")
