"""What a solve has to satisfy, for each environment and platform of a manifest."""

import pytest

from cwtasks.manifests import load_file
from cwtasks.requirements import VirtualPackage, requirements_of

HEAD = """
[workspace]
name = "space"
channels = ["main"]
platforms = ["linux-64", "osx-arm64"]
"""


@pytest.fixture
def required(tmp_path):
    """Return the requirements of a manifest's text by (environment, platform)."""

    def read(text: str, name: str = "pixi.toml", *, head: str = HEAD, **environ: str):
        path = tmp_path / name
        path.write_text(head + text)
        workspace = load_file(path).workspace
        return {(item.environment, item.platform): item for item in requirements_of(workspace, environ=environ)}

    return read


def names(channels) -> list[str]:
    return [channel.canonical_name for channel in channels]


def test_every_environment_has_requirements_on_every_platform(required):
    found = required('[dependencies]\nzlib = "*"\n[environments]\ntest = []\n')
    assert list(found) == [
        ("default", "linux-64"),
        ("default", "osx-arm64"),
        ("test", "linux-64"),
        ("test", "osx-arm64"),
    ]


TWO = """
[dependencies]
zlib = ">=1"
[feature.a.dependencies]
zlib = ">=1.1"
[feature.b.dependencies]
zlib = "<2"
[environments]
both = ["a", "b"]
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("pixi.toml", ["zlib <2", "zlib >=1", "zlib >=1.1"], id="pixi-keeps-all"),
        pytest.param("conda.toml", ["zlib <2"], id="conda-takes-the-last"),
    ],
)
def test_specs_of_several_features(required, name: str, expected: list[str]):
    assert [str(spec) for spec in required(TWO, name)["both", "linux-64"].specs] == expected


def test_targets_change_a_platform_only(required):
    found = required(
        '[dependencies]\na = "1"\n[target.unix.dependencies]\na = "2"\n[target.osx.dependencies]\nb = "*"\n'
    )
    assert [str(spec) for spec in found["default", "linux-64"].specs] == ["a 2"]
    assert [str(spec) for spec in found["default", "osx-arm64"].specs] == ["a 2", "b *"]


def test_pixi_sorts_channels_by_priority_and_asks_the_feature_first(required):
    found = required(
        '[feature.f]\nchannels = ["own", { channel = "late", priority = -1 }, { channel = "first", priority = 1 }]\n'
        '[environments]\nf = ["f"]\n'
    )
    assert names(found["f", "linux-64"].channels) == ["first", "own", "main", "late"]


def test_conda_asks_the_workspace_first(required):
    found = required('[feature.f]\nchannels = ["own"]\n[environments]\nf = ["f"]\n', "conda.toml")
    assert names(found["f", "linux-64"].channels) == ["main", "own"]


def test_virtual_packages_are_fixed_per_platform(required):
    found = required("")
    assert found["default", "linux-64"].virtual_packages == (
        VirtualPackage("__archspec", "1", "x86_64"),
        VirtualPackage("__glibc", "2.28"),
        VirtualPackage("__linux", "4.18"),
        VirtualPackage("__unix", "0"),
    )
    assert [package.name for package in found["default", "osx-arm64"].virtual_packages] == [
        "__archspec",
        "__osx",
        "__unix",
    ]


def test_a_rich_platform_declares_more(required):
    head = HEAD.replace('"linux-64"', '{ platform = "linux-64", cuda = "12.0", glibc = "2.34" }')
    (platform,) = [key for key in required("", head=head) if key[1].startswith("linux")]
    packages = required("", head=head)[platform].virtual_packages
    assert VirtualPackage("__cuda", "12.0") in packages
    assert VirtualPackage("__glibc", "2.34") in packages


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({"CONDA_OVERRIDE_CUDA": "12.4"}, "12.4", id="set"),
        pytest.param({"CONDA_OVERRIDE_CUDA": ""}, None, id="removed"),
        pytest.param({}, None, id="nothing-of-this-machine"),
    ],
)
def test_variables_override_virtual_packages(required, environ: dict[str, str], expected: str | None):
    found = required("", **environ)
    versions = {package.name: package.version for package in found["default", "linux-64"].virtual_packages}
    assert versions.get("__cuda") == expected
    assert "__cuda" not in {package.name for package in found["default", "osx-arm64"].virtual_packages}


@pytest.mark.parametrize(("name", "expected"), [("pixi.toml", "g"), ("conda.toml", None)])
def test_solve_groups_are_pixis(required, name: str, expected: str | None):
    found = required('[environments]\na = { features = [], solve-group = "g" }\n', name)
    assert found["a", "linux-64"].solve_group == expected
