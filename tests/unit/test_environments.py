import pytest

from cwtasks.environments import DIALECTS, Catalog, selector_matches
from cwtasks.exceptions import (
    AmbiguousTaskError,
    EnvironmentNotFoundError,
    TaskNotAvailableError,
    TaskNotFoundError,
)
from cwtasks.host import Host, host_subdir
from cwtasks.manifests import load

TWO_ENVIRONMENTS = """
[tasks]
build = "make"

[feature.test.tasks]
test = "pytest"

[feature.docs.tasks]
docs = "sphinx"

[environments]
py311 = ["test"]
py312 = ["test"]
docs = ["docs"]
"""


def chosen(catalog, name, wish=None, **options):
    return catalog.choose(name, wish, **options).environment.name


def command(catalog, name, wish=None):
    return catalog.choose(name, wish).task.cmd


def refusal(catalog, name, wish=None, **options):
    with pytest.raises(
        (AmbiguousTaskError, EnvironmentNotFoundError, TaskNotAvailableError, TaskNotFoundError)
    ) as error:
        catalog.choose(name, wish, **options)
    return error.value.render()


def test_a_task_that_every_environment_shows_runs_in_default(pixi):
    assert chosen(pixi(TWO_ENVIRONMENTS), "build") == "default"


def test_a_task_of_one_environment_runs_there(pixi):
    assert chosen(pixi(TWO_ENVIRONMENTS), "docs") == "docs"


def test_a_task_of_two_environments_is_ambiguous(pixi):
    assert refusal(pixi(TWO_ENVIRONMENTS), "test") == (
        "error: task 'test' is ambiguous: environments py311, py312 define it\nhint: name one: test:py311, or -e py311"
    )


def test_a_wish_decides_between_two_environments(pixi):
    assert chosen(pixi(TWO_ENVIRONMENTS), "test", "py312") == "py312"


def test_a_wish_beats_default(pixi):
    assert chosen(pixi(TWO_ENVIRONMENTS), "build", "docs") == "docs"


def test_a_wish_for_default_is_a_wish(pixi):
    assert refusal(pixi(TWO_ENVIRONMENTS), "docs", "default") == (
        "error: task 'docs' is not available in environment 'default'\nhint: it is defined for: docs"
    )


def test_a_task_that_is_not_in_the_environment_asked_for_says_where_it_is(pixi):
    assert refusal(pixi(TWO_ENVIRONMENTS), "test", "docs", needed_by=["all", "check"]) == (
        "error: task 'test' is not available in environment 'docs' (needed by all -> check)\n"
        "hint: it is defined for: py311, py312"
    )


def test_an_edge_beats_a_wish(pixi):
    assert chosen(pixi(TWO_ENVIRONMENTS), "test", "docs", edge="py312") == "py312"


@pytest.mark.parametrize(
    "asked", [pytest.param({"wish": "py31"}, id="wish"), pytest.param({"edge": "py31"}, id="edge")]
)
def test_an_unknown_environment_is_an_error_with_the_likely_name(pixi, asked):
    assert refusal(pixi(TWO_ENVIRONMENTS), "build", **asked) == (
        "error: environment 'py31' is not defined\n"
        "hint: did you mean 'py312'? Defined environments: default, docs, py311, py312"
    )


def test_an_unknown_task_is_an_error_with_the_likely_name(pixi):
    assert refusal(pixi(TWO_ENVIRONMENTS), "biuld", needed_by=["all"]) == (
        "error: task 'biuld' is not defined (needed by all)\nhint: did you mean 'build'? Available tasks: build, docs, test"
    )


def test_hidden_tasks_are_not_suggested(pixi):
    assert (
        refusal(pixi('[tasks]\n_setup = "x"'), "_setpu")
        == "error: task '_setpu' is not defined\nhint: Available tasks: none"
    )


def test_a_task_of_another_platform_says_which_target_has_it(pixi):
    assert refusal(pixi('[target.win-64.tasks]\nsign = "signtool"'), "sign") == (
        "error: task 'sign' is not available on linux-64\nhint: it is defined for: target.win-64"
    )


def test_another_definition_in_another_environment_makes_a_task_ambiguous(pixi):
    catalog = pixi(TWO_ENVIRONMENTS + '[feature.docs.target.unix.tasks]\nbuild = "make"')
    assert refusal(catalog, "build") == (
        "error: task 'build' is ambiguous: environments default, py311, py312, docs define it\n"
        "hint: name one: build:default, or -e default"
    )


def test_the_same_definition_reached_twice_is_not_ambiguous(pixi):
    catalog = pixi('[feature.a.tasks]\nx = "1"\n[environments]\ndefault = ["a"]\nother = ["a"]')
    assert chosen(catalog, "x") == "default"


def test_another_definition_in_an_environment_that_cannot_run_here_does_not_count(pixi):
    catalog = pixi(
        '[tasks]\nbuild = "make"\n[feature.win]\nplatforms = ["win-64"]\ntasks = { build = "nmake" }\n[environments]\nwin = ["win"]'
    )
    assert chosen(catalog, "build") == "default"
    assert command(catalog, "build", "win") == "nmake"


def test_a_task_of_an_environment_that_cannot_run_here_is_found_on_its_first_platform(pixi):
    catalog = pixi(
        '[feature.win]\nplatforms = ["win-64"]\ntarget.win.tasks = { sign = "signtool" }\n[environments]\nwin = ["win"]'
    )
    assert chosen(catalog, "sign") == "win"
    assert (catalog.environments["win"].platform, catalog.environments["win"].runnable) == ("win-64", False)


DEFAULT_ENVIRONMENT = """
[tasks]
test = { cmd = "pytest", default-environment = "py312" }

[feature.a]
platforms = PLATFORMS

[environments]
py311 = []
py312 = ["a"]
"""


def test_default_environment_beats_default(pixi):
    assert chosen(pixi(DEFAULT_ENVIRONMENT.replace("PLATFORMS", '["linux-64"]')), "test") == "py312"


def test_a_wish_beats_default_environment(pixi):
    assert chosen(pixi(DEFAULT_ENVIRONMENT.replace("PLATFORMS", '["linux-64"]')), "test", "py311") == "py311"


def test_default_environment_that_cannot_run_here_is_passed_over(pixi):
    assert chosen(pixi(DEFAULT_ENVIRONMENT.replace("PLATFORMS", '["win-64"]')), "test") == "default"


def test_default_environment_that_does_not_exist_is_passed_over(pixi):
    catalog = pixi('[tasks]\nx = { cmd = "1", default-environment = "nope" }')
    assert chosen(catalog, "x") == "default"


def test_the_environment_named_by_default_environment_gives_the_definition(pixi):
    catalog = pixi(
        '[tasks]\nx = { cmd = "1", default-environment = "e" }\n[feature.f.tasks]\nx = "2"\n[environments]\ne = ["f"]'
    )
    assert (chosen(catalog, "x"), command(catalog, "x")) == ("e", "2")


def test_default_environment_decides_between_environments_other_than_default(pixi):
    catalog = pixi(
        '[feature.f.tasks]\nx = { cmd = "1", default-environment = "b" }\n[environments]\na = ["f"]\nb = ["f"]'
    )
    assert chosen(catalog, "x") == "b"


def test_no_default_feature_leaves_the_top_level_tasks_out(pixi):
    catalog = pixi(
        '[tasks]\nx = "1"\n[feature.f.tasks]\ny = "2"\n[environments]\ne = { features = ["f"], no-default-feature = true }'
    )
    assert [offer.name for offer in catalog.offers("x")] == ["default"]
    assert list(catalog.environments["e"].tasks) == ["y"]


def test_the_first_listed_feature_wins_in_pixi_and_the_last_in_conda(pixi, conda):
    text = '[tasks]\nx = "0"\n[feature.a.tasks]\nx = "a"\n[feature.b.tasks]\nx = "b"\n[environments]\nab = ["a", "b"]\nba = ["b", "a"]'
    assert [command(pixi(text), "x", name) for name in ("default", "ab", "ba")] == ["0", "a", "b"]
    assert [command(conda(text), "x", name) for name in ("default", "ab", "ba")] == ["0", "b", "a"]


def test_inline_tasks_win_over_listed_features_and_stay_in_their_environment(pixi):
    catalog = pixi(
        '[tasks]\nx = "0"\n[feature.a.tasks]\nx = "a"\n[environments.e]\nfeatures = ["a"]\ntasks = { x = "inline", y = "own" }'
    )
    assert command(catalog, "x", "e") == "inline"
    assert chosen(catalog, "y") == "e"
    assert [offer.name for offer in catalog.offers("y")] == ["e"]


def test_inline_targets_apply_as_those_of_a_feature(pixi):
    catalog = pixi('[environments.e]\ntasks = { y = "base" }\ntarget.linux.tasks = { y = "linux" }')
    assert command(catalog, "y") == "linux"


TARGETS = """
[tasks]
x = { cmd = "base", cwd = "src", env = { A = "1" }, inputs = ["in"] }

[target.linux-64.tasks]
x = { cmd = "first", outputs = ["out"] }

[target.linux.tasks]
x = { cmd = "second" }
"""


def test_a_pixi_target_replaces_the_whole_task_and_the_order_of_the_file_decides(pixi):
    task = pixi(TARGETS).choose("x").task
    assert (task.cmd, task.cwd, task.env, task.inputs, task.outputs) == ("second", None, {}, [], [])


def test_a_conda_target_changes_only_the_fields_it_gives(conda):
    task = conda(TARGETS).choose("x").task
    assert (task.cmd, task.cwd, task.env, task.inputs, task.outputs) == ("first", "src", {"A": "1"}, ["in"], ["out"])


def test_a_conda_target_of_a_later_feature_changes_the_task_of_an_earlier_one(conda):
    catalog = conda(
        '[tasks]\nx = { cmd = "base", cwd = "src" }\n[feature.f.target.linux-64.tasks]\nx = "changed"\n[environments]\ne = ["f"]'
    )
    task = catalog.choose("x", "e").task
    assert (task.cmd, task.cwd) == ("changed", "src")
    assert command(catalog, "x", "default") == "base"


def test_a_conda_task_has_targets_of_its_own(conda):
    text = '[tasks.x]\ncmd = "base"\ncwd = "src"\n[tasks.x.target.win-64]\ncmd = "windows"'
    assert [command(conda(text, host=host), "x") for host in ("linux-64", "win-64")] == ["base", "windows"]
    assert conda(text, host="win-64").choose("x").task.cwd == "src"


@pytest.mark.parametrize("dialect", ["pixi", "conda"])
@pytest.mark.parametrize(
    ("selector", "platform", "subdir", "in_pixi", "in_conda"),
    [
        pytest.param("linux-64", "linux-64", "linux-64", True, True, id="subdir"),
        pytest.param("linux-64", "linux-aarch64", "linux-aarch64", False, False, id="other-subdir"),
        pytest.param("linux-64", "gpu", "linux-64", True, True, id="subdir-of-rich-name"),
        pytest.param("gpu", "gpu", "linux-64", True, True, id="rich-name"),
        pytest.param("gpu", "linux-64", "linux-64", False, False, id="other-rich-name"),
        pytest.param("linux", "gpu", "linux-64", True, False, id="family-of-rich-name"),
        pytest.param("unix", "linux-64", "linux-64", True, False, id="unix-linux"),
        pytest.param("unix", "osx-arm64", "osx-arm64", True, False, id="unix-mac"),
        pytest.param("unix", "win-64", "win-64", False, False, id="unix-windows"),
        pytest.param("macos", "osx-64", "osx-64", True, False, id="macos"),
        pytest.param("osx", "osx-64", "osx-64", True, False, id="osx"),
        pytest.param("win", "win-64", "win-64", True, False, id="win"),
        pytest.param("win", "emscripten-wasm32", "emscripten-wasm32", False, False, id="win-wasm"),
        pytest.param("linux-*", "linux-64", "linux-64", True, False, id="glob"),
        pytest.param("linux-*", "gpu", "linux-64", False, False, id="glob-is-over-names"),
        pytest.param("*cuda*", "linux-64-cuda-12-0", "linux-64", True, False, id="glob-inside"),
        pytest.param("LINUX-*", "linux-64", "linux-64", False, False, id="glob-is-case-sensitive"),
        pytest.param("linux-*", "linux-", "linux-64", True, False, id="glob-star-may-be-empty"),
        pytest.param("*.64", "linux-64", "linux-64", False, False, id="glob-dot-is-a-dot"),
    ],
)
def test_a_selector_matches(dialect, selector, platform, subdir, in_pixi, in_conda):
    expected = in_pixi if dialect == "pixi" else in_conda
    assert selector_matches(selector, platform, subdir, dialect=DIALECTS[dialect]) is expected


RICH = """
[workspace]
channels = []
platforms = ["linux-64", { name = "gpu", platform = "linux-64", cuda = "12.0" }]
"""


@pytest.mark.parametrize(
    ("has_cuda", "platforms", "expected"),
    [
        pytest.param(True, [], "linux-64", id="first-in-the-list"),
        pytest.param(True, ["gpu"], "gpu", id="rich-one-with-driver"),
        pytest.param(False, ["gpu"], None, id="rich-one-without-driver"),
        pytest.param(False, ["linux-64"], "linux-64", id="subdir-stands-for-all-of-it"),
    ],
)
def test_the_platform_of_an_environment_is_one_this_machine_satisfies(pixi, has_cuda, platforms, expected):
    text = f'[feature.f]\nplatforms = {platforms}\ntasks = {{ x = "1" }}\n[environments]\ne = ["f"]'
    catalog = pixi(text if platforms else '[environments]\ne = []\n[tasks]\nx = "1"', workspace=RICH, has_cuda=has_cuda)
    environment = catalog.environments["e"]
    assert (environment.platform if environment.runnable else None) == expected


def test_targets_of_a_rich_platform_apply_only_there(pixi):
    text = (
        '[tasks]\nx = "cpu"\n[target.gpu.tasks]\nx = "gpu"\n[feature.f]\nplatforms = ["gpu"]\n[environments]\ne = ["f"]'
    )
    catalog = pixi(text, workspace=RICH, has_cuda=True)
    assert [command(catalog, "x", name) for name in ("default", "e")] == ["cpu", "gpu"]


@pytest.mark.parametrize(
    ("host", "declared", "expected"),
    [
        pytest.param("osx-arm64", ["osx-64", "osx-arm64"], "osx-arm64", id="own-first"),
        pytest.param("osx-arm64", ["linux-64", "osx-64"], "osx-64", id="compatible"),
        pytest.param("osx-64", ["osx-arm64"], None, id="not-the-other-way"),
        pytest.param("win-arm64", ["win-32", "win-64"], "win-64", id="best-compatible"),
    ],
)
def test_a_machine_runs_its_own_platform_or_a_compatible_one(pixi, host, declared, expected):
    catalog = pixi("", workspace=f"[workspace]\nchannels = []\nplatforms = {declared}\n", host=host)
    default = catalog.environments["default"]
    assert (default.platform if default.runnable else None) == expected


def test_a_workspace_without_platforms_runs_anywhere(pixi):
    catalog = pixi('[target.unix.tasks]\nx = "1"', workspace="[workspace]\nchannels = []\nplatforms = []\n")
    assert (catalog.environments["default"].platform, catalog.environments["default"].runnable) == ("linux-64", True)
    assert command(catalog, "x") == "1"


@pytest.mark.parametrize(
    ("sysname", "machine", "expected"),
    [
        ("linux", "x86_64", "linux-64"),
        ("linux", "aarch64", "linux-aarch64"),
        ("linux", "i686", "linux-32"),
        ("linux", "ppc64le", "linux-ppc64le"),
        ("darwin", "arm64", "osx-arm64"),
        ("darwin", "x86_64", "osx-64"),
        ("win32", "AMD64", "win-64"),
        ("win32", "ARM64", "win-arm64"),
    ],
)
def test_a_machine_has_a_conda_name(sysname, machine, expected):
    assert host_subdir(sysname, machine) == expected


def test_conda_runs_a_task_of_many_environments_in_default(conda):
    catalog = conda('[feature.f.tasks]\nx = "1"\n[environments]\na = ["f"]\nb = ["f"]')
    assert chosen(catalog, "x") == "default"
    assert command(catalog, "x") == "1"


def test_conda_runs_a_task_of_one_environment_there(conda):
    assert chosen(conda(TWO_ENVIRONMENTS), "docs") == "docs"


def test_conda_runs_any_task_in_the_environment_asked_for(conda):
    catalog = conda(TWO_ENVIRONMENTS)
    assert (chosen(catalog, "docs", "py311"), command(catalog, "docs", "py311")) == ("py311", "sphinx")


def test_conda_default_environment_must_exist(conda):
    catalog = conda('[tasks]\nx = { cmd = "1", default-environment = "tset" }\n[environments]\ntest = []')
    assert refusal(catalog, "x") == (
        "error: environment 'tset' is not defined\nhint: did you mean 'test'? Defined environments: default, test"
    )


def test_conda_default_environment_decides_unless_one_is_asked_for(conda):
    catalog = conda('[tasks]\nx = { cmd = "1", default-environment = "test" }\n[environments]\ntest = []')
    assert [chosen(catalog, "x", wish) for wish in (None, "default")] == ["test", "default"]


def test_names_and_offers_stand_in_the_order_of_the_manifest(pixi):
    catalog = pixi(TWO_ENVIRONMENTS)
    assert catalog.names() == ["build", "test", "docs"]
    assert [offer.name for offer in catalog.offers("build")] == ["default", "py311", "py312", "docs"]
    assert list(catalog.offers("nope")) == []


def test_usual_is_the_choice_or_nothing(pixi):
    catalog = pixi(TWO_ENVIRONMENTS)
    assert [catalog.usual(name) for name in ("build", "docs", "test", "nope")] == ["default", "docs", None, None]


@pytest.fixture
def with_user_tasks(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "conda").mkdir(parents=True)
    (tmp_path / "config" / "conda" / "tasks.toml").write_text('[tasks]\nbuild = "mine"\nweather = "curl wttr.in"')
    (tmp_path / "here").mkdir()

    def make(text):
        (tmp_path / "here" / "pixi.toml").write_text(text)
        return Catalog(load(tmp_path / "here"), Host("linux-64"))

    return make


def test_user_tasks_run_in_default_below_those_of_the_manifest(with_user_tasks):
    catalog = with_user_tasks('[workspace]\nchannels = []\nplatforms = ["linux-64"]\n' + TWO_ENVIRONMENTS)
    assert [offer.name for offer in catalog.offers("weather")] == ["default"]
    assert (chosen(catalog, "weather"), command(catalog, "build")) == ("default", "make")
    assert [catalog.is_user_task(name) for name in ("weather", "build", "nope")] == [True, False, False]
