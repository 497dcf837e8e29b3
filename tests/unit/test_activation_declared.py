"""What manifests say of activation, in both dialects."""

import pytest

from cwtasks.activation import activation_of
from cwtasks.manifests import load_file

WORKSPACE = """
[workspace]
name = "space"
channels = []
platforms = ["linux-64", "osx-arm64", "win-64"]
"""


@pytest.fixture
def declared(tmp_path):
    """Return what a manifest with this text says of an environment."""

    def read(text, environment="default", *, platform="linux-64", name="pixi.toml"):
        path = tmp_path / name
        path.write_text(WORKSPACE + text)
        return activation_of(load_file(path).workspace, environment, platform=platform, subdir=platform)

    return read


TWO_FEATURES = """
[activation]
scripts = ["base.sh"]
env = { WHO = "default", BASE = "1" }
[feature.a.activation]
scripts = ["a.sh"]
env = { WHO = "a", A = "1" }
[feature.b.activation]
scripts = ["b.sh", "b2.sh"]
env = { WHO = "b" }
[environments]
ab = ["a", "b"]
alone = { features = ["b"], no-default-feature = true }
"""


@pytest.mark.parametrize(
    ("name", "environment", "scripts", "who"),
    [
        pytest.param("pixi.toml", "ab", ("a.sh", "b.sh", "b2.sh", "base.sh"), "a", id="pixi: first wins"),
        pytest.param("conda.toml", "ab", ("base.sh", "a.sh", "b.sh", "b2.sh"), "b", id="conda: last wins"),
        pytest.param("pixi.toml", "default", ("base.sh",), "default", id="pixi: default"),
        pytest.param("conda.toml", "default", ("base.sh",), "default", id="conda: default"),
        pytest.param("pixi.toml", "alone", ("b.sh", "b2.sh"), "b", id="pixi: without default"),
        pytest.param("conda.toml", "alone", ("b.sh", "b2.sh"), "b", id="conda: without default"),
    ],
)
def test_features_are_joined_as_each_dialect_does(declared, name, environment, scripts, who):
    found = declared(TWO_FEATURES, environment, name=name)
    assert (found.environment, found.scripts, dict(found.env)["WHO"]) == (environment, scripts, who)


def test_only_pixi_expands_variables(declared):
    assert declared("", name="pixi.toml").env_expands
    assert not declared("", name="conda.toml").env_expands


TARGETS = """
[activation]
scripts = ["base.sh"]
env = { A = "base", B = "base" }
[target.linux-64.activation]
scripts = ["exact.sh"]
env = { A = "exact", C = "exact" }
[target.unix.activation]
scripts = ["unix.sh", "unix2.sh"]
env = { A = "unix" }
[target.win.activation]
scripts = []
"""


@pytest.mark.parametrize(
    ("platform", "scripts", "env"),
    [
        # Not the more exact selector wins, but the one further down in the file.
        pytest.param("linux-64", ("unix.sh", "unix2.sh"), {"A": "unix", "B": "base", "C": "exact"}, id="linux"),
        pytest.param("osx-arm64", ("unix.sh", "unix2.sh"), {"A": "unix", "B": "base"}, id="mac"),
        pytest.param("win-64", (), {"A": "base", "B": "base"}, id="an empty list replaces too"),
    ],
)
def test_a_target_replaces_the_scripts_and_merges_the_variables(declared, platform, scripts, env):
    found = declared(TARGETS, platform=platform)
    assert (found.scripts, dict(found.env)) == (scripts, env)


def test_the_content_of_an_environment_is_its_strongest_feature(declared):
    found = declared(
        '[activation]\nscripts = ["base.sh"]\nenv = { A = "base" }\n'
        '[environments.x.activation]\nscripts = ["x.sh"]\nenv = { A = "x" }\n',
        "x",
    )
    assert (found.scripts, found.env) == (("x.sh", "base.sh"), (("A", "x"),))


def test_values_are_set_from_the_weakest_feature_to_the_strongest_and_from_the_strongest_table_on(declared):
    found = declared(
        '[activation]\nenv = { BASE = "1", BOTH = "base" }\n'
        '[feature.f.activation]\nenv = { PLAIN = "$EXACT", BOTH = "f" }\n'
        '[feature.f.target.linux.activation]\nenv = { EXACT = "$BASE" }\n'
        '[environments]\nx = ["f"]\n',
        "x",
    )
    assert found.env == (("BASE", "1"), ("BOTH", "f"), ("EXACT", "$BASE"), ("PLAIN", "$EXACT"))
