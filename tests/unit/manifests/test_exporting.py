"""Environments, ours or conda's, written as manifests that ask for the same."""

from types import SimpleNamespace

import pytest

from cwtasks.exceptions import LossyConversionError
from cwtasks.manifests import ManifestParser
from cwtasks.models import Channel, MatchSpec, PyPIDependency

CONDA, PIXI, PYPROJECT = (ManifestParser.for_format_alias(alias) for alias in ("conda", "pixi", "pyproject"))


def environment(platform="linux-64", specs=(), pip=(), *, name="default", channels=("conda-forge",), explicit=()):
    return SimpleNamespace(
        name=name,
        platform=platform,
        config=SimpleNamespace(channels=channels),
        requested_packages=list(specs),
        external_packages={"pip": list(pip)},
        explicit_packages=list(explicit),
    )


class CondaChannel:
    """A channel as conda's own class shows it."""

    def __init__(self, name):
        self.canonical_name = name


class CondaSpec:
    """A match spec as conda's own class shows it: fields are objects of its own."""

    def __init__(self, name, **fields):
        self.name = name
        self.fields = fields

    def get_raw_value(self, field):
        return self.fields.get(field)


class CondaVersion:
    def __str__(self):
        return ">=2"


TWO = [
    environment("osx-arm64", ["python 3.12.*", "appnope", "zlib 1"], ["requests>=2", "only==1"]),
    environment("linux-64", ["zlib 2", "python 3.12.*"], ["requests>=2"], name=None),
]
TWO_TEXT = """\
[@workspace]
name = "default"
channels = ["conda-forge"]
platforms = ["linux-64", "osx-arm64"]

[@dependencies]
python = "3.12.*"

[@pypi-dependencies]
requests = ">=2"

[@target.linux-64.dependencies]
zlib = "2"

[@target.osx-arm64.dependencies]
appnope = "*"
zlib = "1"

[@target.osx-arm64.pypi-dependencies]
only = "==1"
"""


@pytest.mark.parametrize(("parser", "at"), [(CONDA, ""), (PIXI, ""), (PYPROJECT, "tool.conda.")])
def test_what_platforms_share_stands_at_the_top(parser, at):
    assert parser.export(TWO) == TWO_TEXT.replace("@", at)


def test_the_data_of_an_export_is_decided_once():
    assert ManifestParser.manifest_data(iter(TWO)) == {
        "name": "default",
        "platforms": ["linux-64", "osx-arm64"],
        "channels": ["conda-forge"],
        "conda_deps": {"python": "3.12.*"},
        "pypi_deps": {"requests": ">=2"},
        "target": {
            "linux-64": {"conda": {"zlib": "2"}, "pypi": {}},
            "osx-arm64": {"conda": {"appnope": "*", "zlib": "1"}, "pypi": {"only": "==1"}},
        },
    }


def test_of_two_environments_for_one_platform_the_later_counts():
    assert CONDA.manifest_data([environment(specs=["a"]), environment(specs=["b"])])["conda_deps"] == {"b": "*"}


def test_rows_intersect_by_name_and_value():
    rows = {"linux-64": {"a": "1", "b": "2", "c": "3"}, "osx-64": {"c": "3", "b": "x", "a": "1"}}
    assert list(ManifestParser._intersect_rows(rows).items()) == [("a", "1"), ("c", "3")]


def test_an_export_of_nothing_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="At least one Environment"):
        CONDA.export([])


def test_an_environment_with_nothing_in_it_is_a_workspace():
    bare = SimpleNamespace(name=None, platform="linux-64", config=None, requested_packages=None, external_packages=None)
    assert CONDA.export([bare]) == '[workspace]\nchannels = []\nplatforms = ["linux-64"]\n\n[dependencies]\n'


def test_nothing_of_a_spec_is_lost():
    spec = MatchSpec(
        name="a",
        version="1.2",
        build="h*",
        build_number=">=3",
        channel="https://u:secret@h.org/t/secret/c",
        subdir="noarch",
        md5="m",
        sha256="s",
        url="u",
        fn="f",
        license="MIT",
        license_family="BSD",
        features=["z", "b"],
        track_features="q p",
    )
    assert CONDA.manifest_data([environment(specs=[spec])])["conda_deps"]["a"] == {
        "version": "1.2",
        "build": "h*",
        "build-number": ">=3",
        "channel": "https://h.org/c",
        "subdir": "noarch",
        "md5": "m",
        "sha256": "s",
        "url": "u",
        "file-name": "f",
        "license": "mit",
        "license-family": "bsd",
        "features": ["b", "z"],
        "track-features": ["p", "q"],
    }


def test_specs_and_channels_of_conda_are_asked_what_they_say():
    specs = [CondaSpec("numpy", version=CondaVersion(), channel=CondaChannel("conda-forge")), CondaSpec("zlib")]
    data = CONDA.manifest_data([environment(specs=specs, channels=[CondaChannel("defaults"), "https://h.org/t/x/c"])])
    assert data["conda_deps"] == {"numpy": {"version": ">=2", "channel": "conda-forge"}, "zlib": "*"}
    assert data["channels"] == ["defaults", "https://h.org/c"]


def test_channels_of_ours_are_written_by_name():
    channels = [Channel("https://conda.anaconda.org/a"), Channel("/d/c")]
    assert CONDA.manifest_data([environment(channels=channels)])["channels"] == ["a", "file:///d/c"]


RECORD = SimpleNamespace(
    name="zlib",
    version="1.3",
    build="h_0",
    channel="conda-forge",
    subdir="linux-64",
    url="https://u",
    md5=None,
    sha256="a" * 64,
)


def test_packages_that_were_never_asked_for_are_asked_for_exactly():
    elsewhere = SimpleNamespace(name="own", url="https://u:pw@h.org/own-1-0.conda")
    assert CONDA.manifest_data([environment(explicit=[RECORD, elsewhere])])["conda_deps"] == {
        "zlib": {
            "version": "==1.3",
            "build": "h_0",
            "channel": "conda-forge",
            "subdir": "linux-64",
            "sha256": "a" * 64,
        },
        "own": {"url": "https://h.org/own-1-0.conda"},
    }


def test_packages_do_not_count_where_something_is_asked_for():
    assert CONDA.manifest_data([environment(specs=["a"], explicit=[RECORD])])["conda_deps"] == {"a": "*"}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("requests", "requests", "*"),
        ("requests*", "requests", "*"),
        ("requests >= 2, < 3", "requests", ">= 2, < 3"),
        ("requests[socks,x]", "requests", {"version": "*", "extras": ["socks", "x"]}),
        ("a @ https://h.org/a.whl", "a", {"url": "https://h.org/a.whl"}),
        (
            "a @ git+https://h.org/a.git@v1#egg=a&subdirectory=sub",
            "a",
            {"git": "https://h.org/a.git", "rev": "v1", "subdirectory": "sub"},
        ),
        ("a @ git+ssh://git@h.org/a.git", "a", {"git": "ssh://git@h.org/a.git"}),
        ("a>=1 ; sys_platform == 'linux'", "a", {"version": ">=1", "env-markers": "sys_platform == 'linux'"}),
    ],
)
def test_words_of_pip_become_tables(text, name, value):
    assert PIXI.manifest_data([environment(pip=[text])])["pypi_deps"] == {name: value}


def test_an_export_that_would_lose_something_names_it_and_stops():
    specs = ["a[features=x]", "b <2|3", "b >=1"]
    pip = ["-e .", "git+https://u:pw@h.org/x", "c @ https://u:pw@h.org/c.whl"]
    with pytest.raises(LossyConversionError) as raised:
        PIXI.export([environment(specs=specs, pip=pip)])
    assert str(raised.value) == (
        "pixi-toml cannot say all of it; lost would be\n"
        "  a: features\n"
        "  b: asked for twice for linux-64; only the last one stays\n"
        "  pip: -e .\n"
        "  pip: git+https://h.org/x\n"
        "  c: credentials of url\n"
        "hint: --allow-loss goes on"
    )


def test_a_loss_may_be_allowed():
    envs = [environment(specs=["a[features=x]"], pip=["-e .", "b; sys_platform == 'x'"])]
    assert PIXI.manifest_data(envs, allow_loss=True)["conda_deps"] == {"a": "*"}
    text = CONDA.export(envs, allow_loss=True)
    assert 'a = { features = ["x"] }\n' in text
    assert text.endswith('[pypi-dependencies]\nb = "*"\n')


def test_two_versions_of_one_package_are_asked_for_together():
    assert CONDA.manifest_data([environment(specs=["a >=1", "a", "a <2", "a <2"])])["conda_deps"] == {"a": ">=1,<2,<2"}


def test_requirements_of_ours_come_through_whole():
    requirement = PyPIDependency("a", path="./a", editable=True, extras=("x",))
    assert CONDA.manifest_data([environment(pip=[requirement])])["pypi_deps"] == {
        "a": {"extras": ["x"], "path": "./a", "editable": True}
    }
