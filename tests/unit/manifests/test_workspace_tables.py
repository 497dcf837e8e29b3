"""Every table of a workspace, in both dialects, as the record it becomes."""

import pytest

from cwtasks.manifests import load_file
from cwtasks.manifests.dependencies import parse_requirement
from cwtasks.manifests.platforms import generated_name
from cwtasks.models import ArchiveConfig, Channel, MatchSpec, PyPIDependency, TaskDependency


@pytest.fixture
def read(tmp_path):
    def read(text, name="conda.toml"):
        (tmp_path / name).write_text(text)
        return load_file(tmp_path / name).workspace

    return read


def test_workspace_fields(read):
    config = read("""
[workspace]
name = "n"
version = "1"
description = "d"
channels = ["conda-forge", { channel = "https://h.org/c/", priority = 3 }, "./local", "../up"]
platforms = ["linux-64", "win-64"]
channel-priority = "flexible"
envs-dir = "envs"
[workspace.archive]
include = ["a"]
exclude = ["b", "c"]
compression = "gz"
compression-level = 9
""")
    assert (config.name, config.version, config.description) == ("n", "1", "d")
    root = config.root
    assert config.channels == [Channel(c) for c in ("conda-forge", "https://h.org/c", f"{root}/local", f"{root}/../up")]
    assert [channel.priority for channel in config.channels] == [0, 3, 0, 0]
    assert config.platforms == ["linux-64", "win-64"]
    assert (config.channel_priority, config.envs_dir) == ("flexible", "envs")
    assert config.archive == ArchiveConfig(("a",), ("b", "c"), "gz", 9)


def test_defaults(read):
    config = read('[workspace]\nversion = "1"\n')
    assert (config.name, config.channels, config.platforms) == (None, [], [])
    assert (config.channel_priority, config.envs_dir, config.archive) == (None, ".conda/envs", ArchiveConfig())
    assert list(config.features) == list(config.environments) == ["default"]


def test_pixi_falls_back_to_package_and_directory_for_the_name(read, tmp_path):
    assert read('[workspace]\nchannels = []\n[package]\nname = "pkg"\n', "pixi.toml").name == "pkg"
    assert read("[workspace]\nchannels = []\n", "pixi.toml").name == tmp_path.name


@pytest.mark.parametrize(
    ("subdir", "requirements", "name"),
    [
        ("linux-64", {"cuda": "12.0"}, "linux-64-cuda-12-0"),
        ("osx-arm64", {"osx": "13.0"}, "osx-arm64"),
        ("linux-aarch64", {"archspec": "armv8-a", "__custom": "1.2"}, "linux-aarch64-archspec-armv8-a-custom-1-2"),
        ("linux-64", {"glibc": "2.28", "linux": "4.18"}, "linux-64"),
        ("linux-64", {"glibc": "2.17", "cuda": "12"}, "linux-64-cuda-12-glibc-2-17"),
        ("win-64", {"win": "10"}, "win-64-win-10"),
        ("linux-64", {"musl": "1.2"}, "linux-64-musl-1-2"),
    ],
)
def test_generated_platform_names(subdir, requirements, name):
    assert generated_name(subdir, requirements) == name


def test_rich_platforms(read):
    config = read("""
[workspace]
platforms = [
  "linux-64",
  { platform = "linux-64", cuda = 12 },
  { name = "mac", platform = "osx-arm64", macos = "14.0" },
  { name = "win-64" },
  { name = "old", platform = "linux-64", libc = { family = "musl", version = "1.2" }, __raw = "1=b" },
  { name = "gpu", platform = "linux-64", cuda = { driver = "12.4", arch = "8.6" } },
]
""")
    assert config.platforms == ["linux-64", "linux-64-cuda-12", "mac", "win-64", "old", "gpu"]
    assert config.platform_subdirs["mac"] == "osx-arm64"
    assert config.platform_subdirs["win-64"] == "win-64"
    assert config.platform_system_requirements == {
        "linux-64-cuda-12": {"cuda": "12"},
        "mac": {"osx": "14.0"},
        "old": {"musl": "1.2", "__raw": "1=b"},
        "gpu": {"cuda": "12.4", "__cuda_arch": "8.6"},
    }


@pytest.mark.parametrize(
    ("raw", "spec"),
    [
        ('"*"', MatchSpec(name="p", version="*")),
        ('">=1.2, <2"', MatchSpec(name="p", version=">=1.2,<2")),
        ('"==1.2"', MatchSpec(name="p", version="1.2")),
        ('""', MatchSpec(name="p")),
        ("{}", MatchSpec(name="p")),
        ('{ version = "1", build = "h*" }', MatchSpec(name="p", version="1", build="h*")),
        ('{ version = "1", build-number = ">=2", channel = "c" }', MatchSpec(name="p", version="1", build_number=">=2", channel="c")),
        ("{ build-number = 2 }", MatchSpec(name="p", build_number="2")),
        ('{ file-name = "f", license-family = "MIT" }', MatchSpec(name="p", fn="f", license_family="mit")),
        ('{ features = ["a", "b"], track-features = "x y" }', MatchSpec(name="p", features=["b", "a"], track_features=["x", "y"])),
        ('{ url = "https://h.org/p.conda", md5 = "0", sha256 = "1" }', MatchSpec(name="p", url="https://h.org/p.conda", md5="0", sha256="1")),
        ('{ path = "../p" }', MatchSpec(name="p")),
        ('{ git = "https://h.org/p", tag = "v1", subdirectory = "s" }', MatchSpec(name="p")),
        ('{ version = "1", extras = ["x"], flags = ["f"], when = "y" }', MatchSpec(name="p", version="1")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["conda.toml", "pixi.toml"])
def test_conda_dependencies(read, name, raw, spec):
    assert read(f"[dependencies]\np = {raw}\n", name).features["default"].conda_dependencies == {"p": spec}


def test_conda_version_may_carry_a_build_in_the_conda_dialect(read):
    assert read('[dependencies]\np = "1.2 py*"\n').features["default"].conda_dependencies["p"] == MatchSpec("p 1.2 py*")


def test_host_and_build_dependencies_are_installed_too(read):
    text = '[build-dependencies]\ncmake = "1"\nmake = "1"\n[host-dependencies]\ncmake = "2"\n[dependencies]\nmake = "3"\n[dev]\nx = { path = "." }\n[constraints]\ny = "1"\n'
    found = read(text, "pixi.toml").features["default"].conda_dependencies
    assert {name: spec.version for name, spec in found.items()} == {"cmake": "2", "make": "3"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('"*"', PyPIDependency("p")),
        ('">=1"', PyPIDependency("p", ">=1")),
        ('{ version = "*", extras = ["a"] }', PyPIDependency("p", extras=("a",))),
        ('{ path = ".", editable = true }', PyPIDependency("p", path=".", editable=True)),
        ('{ git = "g", branch = "b", subdirectory = "s" }', PyPIDependency("p", git="g", branch="b", subdirectory="s")),
        ('{ url = "u" }', PyPIDependency("p", url="u")),
        ('{ version = "1", index = "i", env-markers = "m" }', PyPIDependency("p", "1", index_url="i", env_markers="m")),
    ],
)
def test_pypi_dependencies(read, raw, expected):
    assert read(f"[pypi-dependencies]\np = {raw}\n").features["default"].pypi_dependencies == {"p": expected}


def test_inheritance_from_the_pool(read):
    config = read("""
[workspace]
dependencies = { zlib = ">=1", full = { version = "2", channel = "a", build = "x" } }
[dependencies]
zlib = { workspace = true }
[feature.f.dependencies]
full = { workspace = true, build = "y" }
[target.win-64.dependencies]
zlib = { workspace = true, channel = "c" }
[environments.e.dependencies]
zlib = { workspace = true }
""")
    assert config.workspace_dependencies["zlib"] == MatchSpec("zlib >=1")
    assert config.features["default"].conda_dependencies["zlib"] == MatchSpec("zlib >=1")
    assert config.features["f"].conda_dependencies["full"] == MatchSpec(
        name="full", version="2", channel="a", build="y"
    )
    assert config.features["default"].target_conda_dependencies["win-64"]["zlib"] == MatchSpec("c::zlib >=1")
    assert config.environments["e"].inline.conda_dependencies["zlib"] == MatchSpec("zlib >=1")


def test_old_project_spelling_has_no_pool(read):
    assert read('[project]\nname = "x"\ndependencies = { a = "1" }\n', "pixi.toml").workspace_dependencies == {}


def test_features(read):
    feature = read("""
[feature.test]
channels = ["bioconda"]
platforms = ["linux-64"]
[feature.test.dependencies]
pytest = "*"
[feature.test.system-requirements]
libc = { family = "glibc", version = "2.17" }
macos = "13.0"
cuda = "12"
[feature.test.activation]
scripts = ["a.sh"]
env = { A = "1" }
[feature.test.tasks]
test = "pytest"
[feature.test.target.win-64.activation]
env = { A = "2" }
[feature.test.target.unix.activation]
scripts = []
[feature.test.target.unix.pypi-dependencies]
uvloop = "*"
[feature.test.target.unix.tasks]
test = { cmd = "pytest -n4", cwd = "t" }
""").features["test"]
    assert feature.channels == [Channel("bioconda")]
    assert feature.platforms == ["linux-64"]
    assert feature.system_requirements == {"glibc": "2.17", "osx": "13.0", "cuda": "12"}
    assert (feature.activation_scripts, feature.activation_env) == (["a.sh"], {"A": "1"})
    assert list(feature.targets) == ["win-64", "unix"]
    assert (feature.targets["win-64"].activation_scripts, feature.targets["win-64"].activation_env) == (
        None,
        {"A": "2"},
    )
    assert feature.targets["unix"].activation_scripts == []
    assert list(feature.target_pypi_dependencies) == ["unix"]
    assert feature.targets["unix"].tasks["test"].cwd == "t"
    assert feature.targets["unix"].overrides["test"].cmd == "pytest -n4"


def test_targets_keep_the_order_of_the_file(read):
    text = "".join(f'[target.{name}.tasks]\na = "{name}"\n' for name in ("linux-64", "unix", "linux"))
    assert list(read(text, "pixi.toml").features["default"].targets) == ["linux-64", "unix", "linux"]


def test_environments(read):
    config = read("""
[feature.a]
[feature.b]
[environments]
py = ["a", "b"]
default = ["a"]
lone = { features = ["default", "b"], no-default-feature = true, solve-group = "g" }
inline = { features = ["a"], dependencies = { x = "*" }, channels = ["c"], tasks = { t = ["u"] } }
""", "pixi.toml")  # fmt: skip
    assert list(config.environments) == ["default", "py", "lone", "inline"]
    assert config.environments["default"].features == ["a"]
    assert config.environments["py"].features == ["a", "b"]
    lone = config.environments["lone"]
    assert (lone.features, lone.no_default_feature, lone.solve_group, lone.inline) == (["b"], True, "g", None)
    inline = config.environments["inline"].inline
    assert (list(inline.conda_dependencies), inline.channels) == (["x"], [Channel("c")])
    assert inline.tasks["t"].depends_on == [TaskDependency("u")]


def test_conda_dialect_leaves_unknown_features_to_resolution(read):
    assert read('[environments]\ne = ["nowhere"]\n').environments["e"].features == ["nowhere"]


def test_a_dependency_on_a_missing_task_is_no_mistake(read):
    assert read('[tasks]\na = { depends-on = ["nowhere"] }\n', "pixi.toml").features["default"].tasks["a"].is_alias


PYPROJECT = """
[project]
name = "My_Proj"
requires-python = ">=3.11, <4"
dependencies = ["numpy>=1", "Requests[socks] ; python_version < '4'"]
[project.optional-dependencies]
docs = ["sphinx"]
all = ["my.proj[docs]", "extra"]
[dependency-groups]
test = ["pytest>8", { include-group = "lint" }]
lint = ["ruff"]
docs = ["furo"]
[tool.TOOL.workspace]
channels = []
platforms = ["linux-64"]
[tool.TOOL.pypi-dependencies]
requests = "==2"
[tool.TOOL.feature.test.pypi-dependencies]
pytest = "==9"
[tool.TOOL.environments]
default = ["test"]
docs = ["docs", "all"]
"""


def test_pyproject_gives_pixi_its_requirements_as_features(read):
    features = read(PYPROJECT.replace("TOOL", "pixi"), "pyproject.toml").features
    assert features["default"].conda_dependencies == {"python": MatchSpec(name="python", version=">=3.11,<4")}
    assert features["default"].pypi_dependencies == {
        "numpy": PyPIDependency("numpy", ">=1"),
        "requests": PyPIDependency("requests", "==2"),
    }
    assert set(features["all"].pypi_dependencies) == {"sphinx", "extra"}
    assert set(features["docs"].pypi_dependencies) == {"sphinx", "furo"}
    assert features["test"].pypi_dependencies == {
        "ruff": PyPIDependency("ruff"),
        "pytest": PyPIDependency("pytest", "==9"),
    }


def test_pyproject_python_dependency_of_the_manifest_wins(read):
    text = PYPROJECT.replace("TOOL", "pixi") + '[tool.pixi.dependencies]\npython = "3.12.*"\n'
    assert read(text, "pyproject.toml").features["default"].conda_dependencies["python"].version == "3.12.*"


def test_pyproject_gives_conda_only_its_name(read):
    config = read(PYPROJECT.replace("TOOL", "conda"), "pyproject.toml")
    assert config.name == "My_Proj"
    assert config.features["default"].conda_dependencies == {}
    assert list(config.features) == ["default", "test"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy", PyPIDependency("numpy")),
        (" numpy >=1, <2 ", PyPIDependency("numpy", ">=1, <2")),
        ("numpy(>=1)", PyPIDependency("numpy", ">=1")),
        ("a[b, c]~=1.0; os_name == 'nt'", PyPIDependency("a", "~=1.0", ("b", "c"), env_markers="os_name == 'nt'")),
        ("a @ https://h.org/a;b.whl ; x", PyPIDependency("a", url="https://h.org/a;b.whl", env_markers="x")),
        ("a @ git+https://h.org/a@main", PyPIDependency("a", git="https://h.org/a@main")),
        ("a b", None),
        ("", None),
        (">=1", None),
    ],
)
def test_requirements(text, expected):
    assert parse_requirement(text) == expected


def test_values_are_plain_python(read):
    config = read('[workspace]\nname = "x"\n[tasks]\na = { cmd = ["b"], env = { C = "d" } }\n')
    task = config.features["default"].tasks["a"]
    assert {type(config.name), type(task.cmd[0]), type(task.env["C"])} == {str}
