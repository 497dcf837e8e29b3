"""``cwt export``: the workspace in the formats of other tools, and what these cannot say."""

import hashlib
import os

import pytest

MANIFEST = """
[workspace]
name = "shop"
channels = ["CHANNEL", "conda-forge"]
platforms = ["linux-64"]

[dependencies]
leaf = "1.0"
other = { version = ">=1", channel = "conda-forge", build-number = ">=0" }

[pypi-dependencies]
requests = { version = ">=2", extras = ["socks"] }
tool = { git = "https://user:secret@host.org/tool", tag = "v1", subdirectory = "py" }

[activation.env]
PORT = "8080"
"""


def export(space, *words: str, **options) -> str:
    return space.doit("export", "--format", *words, program="cwt", **options)


def refuses(space, *words: str) -> str:
    return space.fails("export", "--format", *words, program="cwt")


def test_environment_yaml_says_what_the_manifest_asks_for(work):
    work.write(MANIFEST)
    assert (
        export(work.space, "environment-yaml")
        == f"""\
name: shop
channels:
  - {work.channel.url}
  - conda-forge
dependencies:
  - conda-forge::other >=1[build_number='>=0']
  - leaf ==1.0
  - pip
  - pip:
      - requests[socks]>=2
      - tool @ git+https://host.org/tool@v1#subdirectory=py
variables:
  PORT: '8080'
"""
    )


LOSSY = """
[workspace]
channels = ["conda-forge"]
platforms = ["linux-64", "win-64"]
channel-priority = "disabled"

[dependencies]
python = "3.12.*"

[pypi-dependencies]
mine = { version = "*", index = "https://host.org/simple" }

[system-requirements]
cuda = "12"

[activation]
scripts = ["setup.sh"]

[target.win-64.dependencies]
vs2019_win-64 = "*"

[feature.test.dependencies]
pytest = "*"

[environments]
test = ["test"]
"""


def test_what_would_be_lost_stops_an_export(space):
    space.write({"conda.toml": LOSSY})
    assert (
        refuses(space, "environment-yaml", "-o", "environment.yml")
        == """\
error: environment-yaml cannot say all of it; lost would be
  environments beside 'default' (-e names one): test
  for win-64 only: vs2019_win-64
  activation scripts: setup.sh
  system requirements: cuda 12
  channel priority: disabled
  index of PyPI dependency 'mine'
hint: --allow-loss goes on
"""
    )
    assert not space.exists("environment.yml")


def test_what_is_lost_is_told_where_that_is_allowed(space):
    space.write({"conda.toml": LOSSY})
    done = space.run("export", "--format", "environment-yaml", "-e", "default", "--allow-loss", program="cwt")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == "warning: left out: for win-64 only: vs2019_win-64"
    assert (
        done.stdout
        == """\
name: space
channels:
  - conda-forge
dependencies:
  - python 3.12.*
  - pip
  - pip:
      - mine
"""
    )


def test_one_platform_has_nothing_only_for_others(space):
    space.write(
        {"conda.toml": '[workspace]\nplatforms = ["linux-64", "win-64"]\n[target.win-64.dependencies]\na = "*"\n'}
    )
    assert export(space, "environment-yaml", "--platform", "win-64") == "name: space\ndependencies:\n  - a\n"
    assert export(space, "environment-yaml", "--platform", "linux-64") == "name: space\ndependencies: []\n"


def test_explicit_lists_urls_with_digests(work):
    work.write()
    work.doit("lock")
    (package,) = (work.channel.folder / "noarch").glob("leaf-1.0-0.*")
    md5 = hashlib.md5(package.read_bytes()).hexdigest()
    expected = f"""\
# conda create --name NAME --file THIS_FILE
# platform: linux-64
@EXPLICIT
{work.channel.url}/noarch/{package.name}#{md5}
"""
    assert export(work.space, "explicit", "-e", "default", "--platform", "linux-64") == expected
    assert "leaf-2.0-0" in export(work.space, "explicit", "-e", "new", "--platform", "osx-arm64")


def test_a_lock_of_some_environments_and_platforms(work):
    work.write()
    work.doit("lock")
    assert export(work.space, "conda-lock") == work.space.read("conda.lock")
    text = export(work.space, "conda-lock", "-e", "new", "--platform", "linux-64")
    assert "leaf-2.0-0" in text
    assert "leaf-1.0-0" not in text
    assert "default" not in text
    assert "osx-arm64" not in text


def test_a_lock_that_is_missing_or_stale_is_not_exported(work):
    work.write()
    assert refuses(work.space, "explicit", "-e", "new") == (
        "error: conda.lock: no such file: environment 'default' is not locked\n"
        "hint: run 'doit lock' and commit the file it writes\n"
    )
    work.doit("lock")
    work.edit('leaf = ">=2"', 'leaf = ">=3"')
    assert refuses(work.space, "conda-lock").startswith("error: conda.lock does not answer conda.toml: ")
    frozen = export(work.space, "conda-lock", env={"CWTASKS_FROZEN": "1"})
    assert frozen == work.space.read("conda.lock")


def test_an_output_is_not_overwritten(work):
    work.write(MANIFEST)
    words = ["environment-yaml", "-o", "environment.yml"]
    assert export(work.space, *words) == ""
    text = work.space.read("environment.yml")
    assert text.startswith("name: shop\n")
    work.space.write({"environment.yml": "mine"})
    assert refuses(work.space, *words) == "error: environment.yml: already exists\nhint: --force overwrites it\n"
    assert work.space.read("environment.yml") == "mine"
    export(work.space, *words, "--force")
    assert work.space.read("environment.yml") == text
    assert sorted(os.listdir(work.space.root)) == ["conda.toml", "environment.yml", "in"]


def test_a_link_to_nowhere_is_not_written_through(work):
    work.write(MANIFEST)
    (work.space.root / "out.yml").symlink_to("elsewhere")
    assert "already exists" in refuses(work.space, "environment-yaml", "-o", "out.yml")
    assert not work.space.exists("elsewhere")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["conda-lok"],
            (
                "error: format 'conda-lok' does not exist\n"
                "hint: did you mean 'conda-lock'? Known formats: conda-lock, conda-toml, environment-yaml, explicit, pixi-toml, pyproject-toml\n"
            ),
        ),
        (
            ["explicit", "-e", "tets"],
            "error: environment 'tets' is not defined\nhint: did you mean 'test'? Defined environments: default, test\n",
        ),
        (
            ["explicit", "--platform", "osx-64"],
            "error: platform 'osx-64' is not available\nhint: Known platforms: linux-64, win-64\n",
        ),
        (
            ["explicit", "-e", "test", "-e", "default"],
            "error: format 'explicit' holds one environment\nhint: name one with -e\n",
        ),
        (
            ["explicit", "--platform", "linux-64", "--platform", "win-64"],
            "error: format 'explicit' holds one platform\nhint: name one with --platform\n",
        ),
        (
            ["environment-yaml", "-e", "test", "--platform", "win-64", "-o", "nosuch/env.yml"],
            (
                "error: environment-yaml cannot say all of it; lost would be\n  activation scripts: setup.sh\n"
                "  system requirements: cuda 12\n  channel priority: disabled\n  index of PyPI dependency 'mine'\n"
                "hint: --allow-loss goes on\n"
            ),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_questions(space, words, said):
    space.write({"conda.toml": LOSSY})
    assert refuses(space, *words) == said


def test_an_output_that_cannot_be_written(work):
    work.write(MANIFEST)
    said = refuses(work.space, "environment-yaml", "-o", "nosuch/env.yml")
    assert said == "error: nosuch/env.yml: cannot be written: No such file or directory\n"


def test_tasks_alone_are_no_workspace(space):
    space.write({"conda.toml": '[tasks]\na = "true"\n'})
    assert "no workspace manifest" in refuses(space, "environment-yaml")


TO_TOML = """
[workspace]
name = "w"
channels = ["conda-forge"]
platforms = ["linux-64", "osx-arm64"]

[dependencies]
python = ">=3.11"
numpy = { version = "2.*", channel = "conda-forge" }

[target.linux-64.dependencies]
gcc = "*"

[pypi-dependencies]
requests = { version = ">=2", extras = ["socks"] }
"""


@pytest.mark.parametrize("name", ["conda-toml", "pixi-toml", "pyproject-toml"])
def test_a_manifest_of_another_format_asks_for_the_same(space, name):
    space.write({"conda.toml": TO_TOML})
    text = space.doit("export", "--format", name, program="cwt")
    other = {"conda-toml": "conda.toml", "pixi-toml": "pixi.toml", "pyproject-toml": "pyproject.toml"}[name]
    (space.root / "conda.toml").unlink()
    space.write({other: text})
    yaml = space.doit("export", "--format", "environment-yaml", "--platform", "linux-64", program="cwt")
    space.write({"conda.toml": TO_TOML})
    (space.root / other).unlink() if other != "conda.toml" else None
    assert yaml == space.doit("export", "--format", "environment-yaml", "--platform", "linux-64", program="cwt")
    assert "gcc" in yaml


def test_what_an_exported_manifest_would_lose_is_told(space):
    space.write({"conda.toml": TO_TOML + '[tasks]\nsay = "echo 1"\n[activation.env]\nA = "1"\n'})
    error = space.fails("export", "--format", "pixi-toml", program="cwt")
    assert "  tasks ('cwt task export' writes them): say\n  variables: A\n" in error
    assert space.run("export", "--format", "pixi-toml", "--allow-loss", program="cwt").returncode == 0
