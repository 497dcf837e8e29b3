"""What follows from a manifest about locking and installing, and whether it is the same after it was kept."""

import marshal

import pytest

from cwtasks.environments import Catalog
from cwtasks.host import Host
from cwtasks.manifests import load_file
from cwtasks.provision.plan import NO_PLAN, Plan, plan_of

MANIFEST = """
[workspace]
channels = ["conda-forge"]
platforms = ["linux-64", "osx-arm64"]
[dependencies]
leaf = ">=1"
[target.osx-arm64.dependencies]
apple = "*"
[feature.none]
[environments]
empty = { features = ["none"], no-default-feature = true }
[tasks]
a = "true"
"""


@pytest.fixture
def planned(tmp_path):
    def planned(text: str, *, host: str = "linux-64", **environ: str) -> Plan:
        path = tmp_path / "conda.toml"
        path.write_text(text)
        return plan_of(Catalog(load_file(path), Host(host)), root=str(tmp_path), environ=environ)

    return planned


def test_only_environments_that_ask_for_packages_have_a_prefix(planned, tmp_path):
    plan = planned(MANIFEST)
    assert plan.installed == ("default",)
    assert plan.environments["default"].prefix == str(tmp_path / ".conda" / "envs" / "default")
    assert plan.environments["empty"].prefix == ""


def test_it_is_for_the_machine_it_is_on(planned):
    assert planned(MANIFEST).environments["default"].specs == ("leaf >=1",)
    assert planned(MANIFEST, host="osx-arm64").environments["default"].specs == ("apple *", "leaf >=1")
    assert not planned(MANIFEST, host="win-64").environments["default"].is_runnable


def test_it_survives_being_kept(planned):
    plan = planned(MANIFEST + '[activation]\nscripts = ["a.sh"]\nenv = { A = "1" }\n')
    assert Plan.from_plain(marshal.loads(marshal.dumps(plan.to_plain()))) == plan


@pytest.mark.parametrize(
    ("old", "new", "matters"),
    [
        pytest.param('a = "true"', 'a = "false"', False, id="a command"),
        pytest.param("[tasks]", "[activation.env]\nA = '1'\n[tasks]", False, id="a variable"),
        pytest.param('"conda-forge"]', '"conda-forge", "other"]', True, id="a channel"),
        pytest.param(', "osx-arm64"]', "]", True, id="a platform"),
        pytest.param('">=1"', '">=2"', True, id="a version"),
        pytest.param("channels", 'channel-priority = "disabled"\nchannels', True, id="the priority of channels"),
        pytest.param("[tasks]", "[system-requirements]\nlibc = '2.30'\n[tasks]", True, id="a system requirement"),
        pytest.param("[environments]", "[environments]\nmore = []", True, id="an environment"),
    ],
)
def test_the_question_to_the_lock_is_what_a_solve_depends_on(planned, old, new, matters):
    assert old in MANIFEST
    assert (planned(MANIFEST).question != planned(MANIFEST.replace(old, new)).question) is matters


def test_overridden_virtual_packages_are_part_of_the_question(planned):
    assert planned(MANIFEST).question != planned(MANIFEST, CONDA_OVERRIDE_GLIBC="2.40").question


def test_nothing_is_asked_where_there_are_no_packages(planned):
    assert planned('[workspace]\nchannels = []\nplatforms = ["linux-64"]\n').question == ""
    assert planned('[tasks]\na = "true"\n') == NO_PLAN


def test_without_platforms_the_one_of_the_machine_is_meant(planned):
    plan = planned('[workspace]\nchannels = ["c"]\n[dependencies]\nleaf = "*"\n')
    assert plan.environments["default"].platform == "linux-64"
    assert plan.environments["default"].is_runnable
