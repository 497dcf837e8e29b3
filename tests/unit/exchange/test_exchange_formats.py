"""What each format says of a workspace, and what it says it cannot say."""

from pathlib import Path

import pytest

from cwtasks.environments import Catalog
from cwtasks.exceptions import (
    CwtasksError,
    LockfileStaleError,
    LossyConversionError,
    PlatformError,
    UnknownFormatError,
)
from cwtasks.exchange.asked import Asked
from cwtasks.exchange.formats import FORMATS, export, find_format
from cwtasks.host import Host
from cwtasks.lockfile import Lock, parse_conda_lock, parse_pixi_lock
from cwtasks.manifests import find_parser
from cwtasks.manifests.tables import parse_toml
from cwtasks.provision.plan import requirements_here

MANIFEST = """
[workspace]
name = "shop"
channels = ["https://user:secret@host.org/main"]
platforms = ["linux-64", { name = "gpu", platform = "linux-64", cuda = "12" }, "win-64"]

[dependencies]
a = "*"

[pypi-dependencies]
six = ">=1"

[activation]
env = { HOME_OF = "$HOME/x", PLAIN = "1" }

[feature.win]
platforms = ["win-64"]

[feature.win.activation]
scripts = ["a.bat"]

[environments]
win = { features = ["win"], no-default-feature = true, solve-group = "g" }
"""
SHA = "ab" * 32
LOCK = f"""\
version: 7
platforms:
- name: linux-64
- name: p1
  subdir: linux-64
  virtual-packages:
  - __cuda=12
- name: win-64
environments:
  default:
    channels:
    - url: https://host.org/main/
    packages:
      linux-64:
      - conda: https://host.org/main/noarch/a-1.0-pyhd_0.conda
      - pypi: https://index.example/six-1.16.0-py3-none-any.whl
      win-64:
      - conda: https://host.org/main/win-64/a-1.0-0.conda
packages:
- conda: https://host.org/main/noarch/a-1.0-pyhd_0.conda
  sha256: {SHA}
- conda: https://host.org/main/win-64/a-1.0-0.conda
  sha256: {SHA}
  md5: {"cd" * 16}
- pypi: https://index.example/six-1.16.0-py3-none-any.whl
  name: six
  version: 1.16.0
"""


def asked(text: str = MANIFEST, *, name: str = "pixi.toml", lock: str = LOCK, **named) -> Asked:
    path = Path("/w") / name
    manifest = find_parser(path).read_data(parse_toml(text.encode(), path), path)
    catalog = Catalog(manifest, Host("linux-64"))
    return Asked(
        manifest=manifest,
        requirements=requirements_here(catalog, environ={}),
        host="linux-64",
        lock_path="/w/pixi.lock",
        lock=lambda: parse_pixi_lock(lock, "/w/pixi.lock") if lock else Lock(environments={}),
        **named,
    )


def test_an_environment_of_the_pixi_dialect():
    exported = export("environment-yaml", asked(environments=("default",)), allow_loss=True)
    assert (
        exported.text
        == """\
name: shop
channels:
  - https://host.org/main
dependencies:
  - a
  - pip
  - pip:
      - six>=1
variables:
  PLAIN: '1'
"""
    )
    assert exported.losses == ("variables that a shell expands: HOME_OF", "system requirements: cuda 12")


def test_an_environment_of_one_platform_is_named_after_the_workspace_and_itself():
    exported = export("environment-yaml", asked(environments=("win",)), allow_loss=True)
    assert exported.text.startswith("name: shop-win\n")
    assert exported.losses == ("activation scripts: a.bat", "solve group: g")


def test_an_explicit_list_says_what_it_leaves_out():
    exported = export("explicit", asked(), allow_loss=True)
    assert exported.text.splitlines()[1:] == [
        "# platform: linux-64",
        "@EXPLICIT",
        f"https://host.org/main/noarch/a-1.0-pyhd_0.conda#{SHA}",
    ]
    assert exported.losses == (
        "environments beside 'default' (-e names one): win",
        "variables: HOME_OF, PLAIN",
        "what is no conda package: six 1.16.0, six>=1",
    )


def test_an_explicit_list_of_another_platform_prefers_the_md5():
    exported = export("explicit", asked(platforms=("win-64",)), allow_loss=True)
    assert exported.text.splitlines()[-1] == f"https://host.org/main/win-64/a-1.0-0.conda#{'cd' * 16}"


def test_a_platform_that_is_not_locked_is_an_error():
    with pytest.raises(LockfileStaleError, match="environment 'default' is not locked for gpu"):
        export("explicit", asked(platforms=("gpu",)))


def test_a_part_of_a_pixi_lock_becomes_a_conda_lock():
    exported = export("conda-lock", asked(platforms=("linux-64", "win-64")), allow_loss=True)
    lock = parse_conda_lock(exported.text, "conda.lock")
    assert {name: list(one.packages) for name, one in lock.environments.items()} == {
        "default": ["linux-64", "win-64"],
        "win": ["win-64"],
    }
    assert lock.environments["win"].packages["win-64"] == ()
    assert lock.environments["win"].channels == ("https://host.org/main",)
    assert exported.losses == ("environment 'default' for linux-64: six 1.16.0",)


def test_an_environment_that_does_not_exist_on_a_platform():
    with pytest.raises(PlatformError, match="platform 'linux-64' is not available"):
        export("conda-lock", asked(environments=("win",), platforms=("linux-64",)))


def test_an_environment_that_is_for_other_machines_needs_a_platform():
    with pytest.raises(CwtasksError, match="environment 'win' is not for this machine"):
        export("explicit", asked(environments=("win",)))


def test_losses_stop_an_export():
    with pytest.raises(LossyConversionError) as caught:
        export("conda-lock", asked(platforms=("linux-64", "win-64")))
    assert caught.value.losses == ("environment 'default' for linux-64: six 1.16.0",)
    assert caught.value.target == "conda-lock"


def test_nothing_secret_is_written():
    for name in FORMATS:
        exported = export(name, asked(platforms=("win-64",), environments=("default",)), allow_loss=True)
        assert "secret" not in exported.text + "".join(exported.losses)


def test_formats_that_nobody_knows():
    with pytest.raises(UnknownFormatError) as caught:
        find_format("explict")
    assert caught.value.hints == [
        "did you mean 'explicit'? Known formats: conda-lock, conda-toml, environment-yaml, explicit, pixi-toml, pyproject-toml",
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_every_line_of_the_table_has_what_writes_it(name: str):
    assert callable(FORMATS[name].export)
    assert FORMATS[name].purpose
