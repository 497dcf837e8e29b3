"""The vocabulary: what records answer about themselves."""

import pytest

from cwtasks import models
from cwtasks.exceptions import EnvironmentNotFoundError, FeatureNotFoundError, PlatformError
from cwtasks.models import (
    ArchiveConfig,
    Channel,
    Environment,
    Feature,
    MatchSpec,
    PyPIDependency,
    TargetTable,
    Task,
    TaskArg,
    TaskDependency,
    TaskOverride,
    WorkspaceConfig,
    without_credentials,
)


def test_public_names_are_there():
    assert models.__all__ == sorted(models.__all__, key=lambda name: (name != name.upper(), name[0].islower(), name))
    assert all(hasattr(models, name) for name in models.__all__)


@pytest.mark.parametrize(
    ("record", "toml"),
    [
        (TaskArg("a"), "a"),
        (TaskArg("a", ""), {"arg": "a", "default": ""}),
        (TaskArg("a", None, ["x"]), {"arg": "a", "choices": ["x"]}),
        (TaskDependency("t"), "t"),
        (TaskDependency("t", ["x", {"a": "b"}], "e"), {"task": "t", "args": ["x", {"a": "b"}], "environment": "e"}),
    ],
)
def test_manifest_form(record, toml):
    assert record.to_toml() == toml


def test_alias_and_hidden_tasks():
    assert Task("a", depends_on=[TaskDependency("b")]).is_alias
    assert not Task("a").is_alias
    assert not Task("a", "x", depends_on=[TaskDependency("b")]).is_alias
    assert Task("_a").is_hidden
    assert not Task("a_").is_hidden


def test_a_platform_replaces_whole_fields_and_only_its_own():
    task = Task(
        "t",
        "a",
        env={"A": "1"},
        cwd="d",
        clean_env=True,
        platforms={"win-64": TaskOverride("b", env={}, clean_env=False)},
    )
    assert task.resolve_for_platform("linux-64") is task
    assert task.resolve_for_platform("win") is task
    assert Task("x").resolve_for_platform("win-64").platforms is None
    windows = task.resolve_for_platform("win-64")
    assert (windows.cmd, windows.env, windows.cwd, windows.clean_env) == ("b", {}, "d", False)
    assert windows.platforms == task.platforms


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("zlib", {}),
        ("ZLIB", {}),
        ("zlib *", {"version": "*"}),
        ("zlib >=1.2, <2", {"version": ">=1.2,<2"}),
        ("zlib >= 1.2", {"version": ">=1.2"}),
        ("zlib>=1.2", {"version": ">=1.2"}),
        ("zlib 1.2|1.3", {"version": "1.2|1.3"}),
        ("zlib=1.2", {"version": "1.2.*"}),
        ("zlib =1.2", {"version": "1.2.*"}),
        ("zlib = 1.2", {"version": "1.2.*"}),
        ("zlib=1.2.*", {"version": "1.2.*"}),
        ("zlib==1.2", {"version": "1.2"}),
        ("zlib 1.2 py_0", {"version": "1.2", "build": "py_0"}),
        ("zlib >=1,<2 py*", {"version": ">=1,<2", "build": "py*"}),
        ("zlib=1.2=ab", {"version": "1.2", "build": "ab"}),
        ("zlib ==1.2=ab", {"version": "1.2", "build": "ab"}),
        ("zlib =1.2 ab", {"version": "1.2.*", "build": "ab"}),
        ("conda-forge::zlib", {"channel": "conda-forge"}),
        ("conda-forge/linux-64::zlib", {"channel": "conda-forge", "subdir": "linux-64"}),
        ("zlib[md5=ab]", {"md5": "ab"}),
        ("zlib[version='>=1,<2', build_number=3]", {"version": ">=1,<2", "build_number": "3"}),
        ("zlib[license=MIT, track_features='a b']", {"license": "mit", "track_features": frozenset("ab")}),
    ],
)
def test_match_spec_text(text, fields):
    assert MatchSpec(text) == MatchSpec(name="zlib", **fields)


@pytest.mark.parametrize("text", ["", "  ", "[md5=ab]", "zlib[nonsense=1]", "zlib]"])
def test_match_spec_text_that_is_none(text):
    with pytest.raises(ValueError, match="match spec"):
        MatchSpec(text)


def test_match_spec_fields():
    spec = MatchSpec(
        name="Py",
        version="1",
        build="",
        channel="https://me:pw@h.org/t/TOKEN/c",
        build_number=">=2",
        features=["b", "a"],
    )
    assert (spec.name, spec.version, spec.build) == ("py", "1", None)
    assert spec.get_raw_value("channel") == "https://h.org/c"
    assert spec.get_raw_value("build_number") == ">=2"
    assert spec.get_raw_value("features") == frozenset({"a", "b"})
    assert spec.get_exact_value("build_number") is None
    assert spec.get_exact_value("version") == "1"
    assert MatchSpec("a ==1").get_exact_value("version") == "1"
    assert MatchSpec("a") != MatchSpec("a *")
    assert len({MatchSpec("a 1"), MatchSpec("A 1")}) == 1
    with pytest.raises(ValueError, match="unknown field 'nonsense'"):
        MatchSpec("a", nonsense=1)
    with pytest.raises(ValueError, match="needs a name"):
        MatchSpec(version="1")


def test_match_spec_overlay_and_forms():
    spec = MatchSpec("a 1").overlaid(build="x", version=None, channel="c")
    assert spec == MatchSpec(name="a", version="1", build="x", channel="c")
    assert spec.conda_build_form() == "a 1 x"
    assert MatchSpec(name="a", build="x").conda_build_form() == "a * x"
    assert str(MatchSpec("a 1", md5="00")) == "a 1[md5=00]"
    assert repr(MatchSpec("a")) == "MatchSpec('a')"


@pytest.mark.parametrize(
    ("value", "name", "url"),
    [
        ("conda-forge", "conda-forge", "https://conda.anaconda.org/conda-forge"),
        ("https://conda.anaconda.org/bioconda/", "bioconda", "https://conda.anaconda.org/bioconda"),
        ("https://me:p@ss@h.org/t/TOKEN/c", "https://h.org/c", "https://h.org/c"),
        ("/abs/path/", "file:///abs/path", "file:///abs/path"),
    ],
)
def test_channel_names_never_show_credentials(value, name, url):
    channel = Channel(value)
    assert (channel.canonical_name, channel.name, str(channel)) == (name, name, url)
    assert "TOKEN" not in repr(channel)
    assert channel.urls(subdirs=["noarch", "win-64"]) == [f"{url}/noarch", f"{url}/win-64"]


def test_channel_keeps_credentials_for_those_who_ask():
    channel = Channel("https://me:pw@h.org/c/")
    assert channel.urls(with_credentials=True) == ["https://me:pw@h.org/c/noarch"]
    assert channel == Channel("https://me:pw@h.org/c")
    assert len({Channel("a"), Channel("a/")}) == 1
    assert without_credentials("me:pw@not-a-url") == "me:pw@not-a-url"


@pytest.mark.parametrize(
    ("dependency", "text"),
    [
        (PyPIDependency("a"), "a"),
        (PyPIDependency("a", ">=1", ("x", "y")), "a[x,y]>=1"),
        (PyPIDependency("a", git="https://h.org"), "a @ git+https://h.org"),
        (PyPIDependency("a", path="."), "a @ ."),
        (PyPIDependency("a", path=".", editable=True), "-e a @ ."),
        (PyPIDependency("a", url="u", env_markers="os_name == 'nt'"), "a @ u ; os_name == 'nt'"),
    ],
)
def test_pypi_dependency_text(dependency, text):
    assert str(dependency) == text


def test_workspace_has_a_default_feature_and_environment_first():
    config = WorkspaceConfig(environments={"test": Environment("test")}, platforms=["linux-64"])
    assert list(config.environments) == ["default", "test"]
    assert config.features["default"].is_default
    assert config.environments["default"].is_default
    assert config.platform_subdirs == {"linux-64": "linux-64"}
    assert (config.envs_dir, config.archive) == (".conda/envs", ArchiveConfig())
    with pytest.raises(PlatformError):
        WorkspaceConfig(platforms=["plan9"])


def test_workspace_platform_names():
    config = WorkspaceConfig(platforms=["gpu", "linux-64", "win-64"], platform_subdirs={"gpu": "linux-64"})
    assert config.platform_subdir("gpu") == "linux-64"
    assert config.platform_subdir("unknown") == "unknown"
    assert config.platform_names_for_subdir("linux-64") == ["gpu", "linux-64"]
    assert config.resolve_platform_name("gpu") == "gpu"
    assert config.resolve_platform_name("linux-64", ["gpu"]) == "gpu"
    with pytest.raises(PlatformError):
        config.resolve_platform_name("osx-64")


def test_workspace_features_of_an_environment():
    features = {"a": Feature("a"), "b": Feature("b")}
    environments = {
        "x": Environment("x", ["b", "a", "b"]),
        "lone": Environment("lone", ["a"], True),
        "bad": Environment("bad", ["c"]),
    }
    config = WorkspaceConfig(features=features, environments=environments)
    assert [feature.name for feature in config.resolve_features("x")] == ["default", "b", "a"]
    assert [feature.name for feature in config.resolve_features(environments["lone"])] == ["a"]
    with pytest.raises(FeatureNotFoundError):
        config.resolve_features("bad")
    with pytest.raises(EnvironmentNotFoundError):
        config.get_environment("nowhere")


def test_feature_targets_by_kind():
    targets = {
        "win": TargetTable("win", conda_dependencies={"a": MatchSpec("a")}),
        "osx": TargetTable("osx", pypi_dependencies={"b": PyPIDependency("b")}),
    }
    feature = Feature("f", targets=targets)
    assert feature.target_conda_dependencies == {"win": {"a": MatchSpec("a")}}
    assert feature.target_pypi_dependencies == {"osx": {"b": PyPIDependency("b")}}


def test_a_folder_called_t_is_no_token():
    assert Channel("/srv/t/channel").public_url == "file:///srv/t/channel"
    assert Channel("https://channel.example/t/secret/main").public_url == "https://channel.example/main"
