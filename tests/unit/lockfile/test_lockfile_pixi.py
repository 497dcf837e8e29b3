import json

import pytest

from cwtasks.exceptions import LockfileIntegrityError
from cwtasks.lockfile import LockedPyPI, LockPlatform, parse_pixi_lock, read_lock
from cwtasks.lockfile.yaml_subset import parse_yaml

V6 = """\
version: 6
environments:
  default:
    channels:
    - url: https://channel.example/main/
    indexes:
    - https://index.example/simple
    packages:
      linux-64:
      - conda: https://channel.example/main/noarch/a-1.0-pyhd_0.conda
      - conda: ./local/b-1-0.conda
      - conda: .
      - pypi: https://index.example/six-1.16.0-py3-none-any.whl
      - pypi: git+ssh://git@host.example/me/proj?rev=1#2
      - pypi: ./tool
  empty:
    channels:
    - url: https://channel.example/main/
    packages: {}
packages:
- conda: .
  name: mine
  version: 0.1.0
  build: pyh_0
  subdir: noarch
  input:
    hash: abc
    globs: []
- conda: https://channel.example/main/noarch/a-1.0-pyhd_0.conda
  sha256: abababababababababababababababababababababababababababababababab
  purls: []
  run_exports:
    weak:
    - x
- conda: ./local/b-1-0.conda
  subdir: linux-64
- pypi: https://index.example/six-1.16.0-py3-none-any.whl
  name: six
  version: 1.16.0
  requires_dist:
  - typing ; python_version < '3.5'
- pypi: ./tool
  name: tool
  editable: true
"""

V7 = """\
version: 7
platforms:
- name: linux-64
  virtual-packages:
  - __unix=0=0
  - __linux=4.18
  - __archspec=0=x86_64
- name: p1
  subdir: linux-64
  virtual-packages:
  - __unix=0=0
  - __linux=4.18
  - __cuda=12.0
  - __archspec=0=x86_64
environments:
  default:
    channels:
    - url: https://channel.example/main/
    packages:
      linux-64:
      - conda: https://channel.example/main/noarch/a-1.0-pyhd_0.conda
      p1:
      - conda: https://channel.example/main/noarch/a-1.0-pyhd_0.conda
      - conda_source: mine[c1282f86] @ crates/mine
packages:
- conda: https://channel.example/main/noarch/a-1.0-pyhd_0.conda
- conda_source: mine[c1282f86] @ crates/mine
  depends: []
"""


def test_version_6(tmp_path):
    lock = parse_pixi_lock(V6, tmp_path / "pixi.lock")
    default = lock.environments["default"]
    assert (lock.version, lock.format) == (6, "pixi.lock")
    assert default.channels == ("https://channel.example/main/",)
    assert [one.url for one in default.packages["linux-64"]] == [
        "https://channel.example/main/noarch/a-1.0-pyhd_0.conda",
        f"file://{tmp_path}/local/b-1-0.conda",
    ]
    assert default.packages["linux-64"][0].noarch == "python"
    assert default.sources == {"linux-64": ("mine",)}
    assert default.pypi["linux-64"] == (
        LockedPyPI("six", "1.16.0", "https://index.example/six-1.16.0-py3-none-any.whl"),
        LockedPyPI("proj?rev=1#2", None, "git+ssh://host.example/me/proj?rev=1#2"),
        LockedPyPI("tool", None, "./tool"),
    )
    assert lock.environments["empty"].packages == {}


def test_what_is_left_out_can_be_told(tmp_path):
    lock = parse_pixi_lock(V6, tmp_path / "pixi.lock")
    assert list(lock.environments["default"].left_out("linux-64")) == ["six 1.16.0", "proj?rev=1#2", "tool", "mine"]


def test_version_7():
    lock = parse_pixi_lock(V7, "pixi.lock")
    assert lock.platforms["p1"] == LockPlatform(
        "linux-64",
        (("__unix", "0", "0"), ("__linux", "4.18", ""), ("__cuda", "12.0", ""), ("__archspec", "0", "x86_64")),
    )
    assert lock.environments["default"].sources == {"p1": ("mine",)}
    assert [one.name for one in lock.environments["default"].packages["p1"]] == ["a"]


BARE = (("__archspec", "1", "x86_64"), ("__glibc", "2.28", "0"), ("__linux", "4.18", "0"), ("__unix", "0", "0"))


@pytest.mark.parametrize(
    ("name", "subdir", "virtual_packages", "found"),
    [
        pytest.param("linux-64", "linux-64", BARE, "linux-64", id="same-name"),
        pytest.param("linux-64-cuda-12-0", "linux-64", (*BARE, ("__cuda", "12.0", "0")), "p1", id="by-content"),
        pytest.param("linux-64-cuda-11", "linux-64", (*BARE, ("__cuda", "11", "0")), None, id="another-cuda"),
        pytest.param("old", "linux-64", (("__linux", "3.10", "0"), *BARE[3:]), None, id="another-kernel"),
        pytest.param("mine", "linux-64", BARE, "linux-64", id="another-name"),
        pytest.param("win-64", "win-64", (), None, id="another-system"),
        pytest.param("linux-64", "linux-aarch64", BARE, None, id="name-of-another-system"),
    ],
)
def test_platforms_are_found_by_name_or_by_what_they_are(name, subdir, virtual_packages, found):
    assert parse_pixi_lock(V7, "pixi.lock").platform_name(name, subdir, virtual_packages) == found


@pytest.mark.parametrize(
    ("version", "fact"),
    [
        (
            "5",
            "version: expected 6 or 7, found 5: run 'pixi lock' with a newer pixi, or remove the file and lock again",
        ),
        (
            "1",
            "version: expected 6 or 7, found 1: run 'pixi lock' with a newer pixi, or remove the file and lock again",
        ),
        ("8", "version: expected 6 or 7, found 8: update cwtasks, or remove the file and lock again"),
        ("'6'", "version: expected 6 or 7, found text"),
        ("true", "version: expected 6 or 7, found a truth value"),
        ("", "version: expected 6 or 7, found nothing"),
    ],
)
def test_other_versions_name_the_way_out(version, fact):
    with pytest.raises(LockfileIntegrityError) as caught:
        parse_pixi_lock(f"version: {version}\nenvironments: {{}}\n", "pixi.lock")
    assert caught.value.reason == fact


DAMAGED = {
    "reference": (
        V7.replace("- conda_source: mine[c1282f86] @ crates/mine\npackages", "- cargo: x\npackages"),
        "environments.default.packages.p1[1]: expected a 'conda', 'pypi' or 'conda_source' key with text",
    ),
    "record": (f"{V7}- cargo: x\n", "packages[2]: expected a 'conda', 'pypi' or 'conda_source' key with text"),
    "record-twice": (
        f"{V7}- conda: https://channel.example/main/noarch/a-1.0-pyhd_0.conda\n  size: 1\n",
        "packages[2]: a second record of a-1.0-pyhd_0.conda, and it says something else",
    ),
    "platform-twice": (V7.replace("name: p1", "name: linux-64"), "platforms[1]: a second platform of this name"),
    "secret": (
        V7.replace("https://channel.example", "https://me:secret@channel.example"),
        "packages[0].conda: the URL holds credentials, which do not belong into a lock",
    ),
    "token": (
        V7.replace("url: https://channel.example", "url: https://channel.example/t/secret"),
        "environments.default.channels[0].url: the URL holds credentials, which do not belong into a lock",
    ),
}


@pytest.mark.parametrize(("text", "fact"), [pytest.param(*case, id=name) for name, case in DAMAGED.items()])
def test_damage_is_named_with_its_place(text, fact):
    with pytest.raises(LockfileIntegrityError) as caught:
        parse_pixi_lock(text, "pixi.lock")
    assert caught.value.reason == fact


def test_public_locks_are_read_as_pyyaml_reads_them(public_lock):
    yaml = pytest.importorskip("yaml", reason="PyYAML is only compared with")
    text = public_lock.read_text()
    assert parse_yaml(text) == yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def test_public_locks_hold_what_rattler_finds_in_them(public_lock):
    rattler = pytest.importorskip("rattler", reason="py-rattler is only compared with")
    theirs = rattler.LockFile.from_path(public_lock)
    ours = read_lock(public_lock)
    for name, environment in theirs.environments():
        for platform in environment.platforms():
            records = map(
                json.loads, (record.to_json() for record in environment.conda_repodata_records_for_platform(platform))
            )
            packages = ours.environments[name].packages.get(platform.name, ())
            assert {package.url: _essence(package.to_record()) for package in packages} == {
                record["url"]: _essence(record) for record in records
            }


def _essence(record):
    """Return a record without what rattler says twice or leaves out, and its names in one order."""
    features = record.get("track_features") or []
    return {
        **{key: value for key, value in record.items() if key not in ("arch", "platform", "run_exports")},
        "constrains": sorted(record.get("constrains", ())),
        "depends": sorted(record["depends"]),
        "channel": record["channel"].rstrip("/"),
        "track_features": features.split() if isinstance(features, str) else features,
    }
