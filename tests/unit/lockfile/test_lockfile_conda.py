from dataclasses import replace

import pytest

from cwtasks.exceptions import LockfileIntegrityError
from cwtasks.lockfile import Lock, LockedEnvironment, LockedPyPI, format_conda_lock, parse_conda_lock, read_lock

URL = "https://channel.example/main/linux-64/a-1-0.conda"
SHA256 = "ab" * 32

TEXT = f"""\
version: 1
environments:
  default:
    channels:
    - url: https://channel.example/main
    - url: file:///srv/channel
    packages:
      linux-64:
      - conda: https://channel.example/main/noarch/a-1.0-py_0.conda
      - conda: https://channel.example/main/linux-64/b-1.10-h1_2.tar.bz2
      linux-64-cuda-12-0:
      - conda: https://channel.example/main/noarch/a-1.0-py_0.conda
      win-64: []
  'on':
    channels: []
    packages: {{}}
packages:
- conda: https://channel.example/main/noarch/a-1.0-py_0.conda
  build_number: 0
  sha256: {SHA256}
  depends:
  - python >=3.10
  - '*'
  - b 1.10
  constrains: []
  license: MIT
- conda: https://channel.example/main/linux-64/b-1.10-h1_2.tar.bz2
  build_number: 2
  sha256: {SHA256}
  md5: {"cd" * 16}
  depends: []
  constrains:
  - c >1
  features: '1.10'
  track_features:
  - x
  license: 'yes'
  license_family: Other
  size: 12345
  timestamp: 1700000000000
  python_site_packages_path: lib/python3.10/site-packages
"""


@pytest.fixture
def lock(package):
    a = package("a-1.0-py_0", subdir="noarch", depends=["python >=3.10", "*", "b 1.10"], license="MIT")
    b = package(
        "b-1.10-h1_2",
        constrains=["c >1"],
        md5="cd" * 16,
        features="1.10",
        track_features=["x"],
        license="yes",
        license_family="Other",
        size=12345,
        timestamp=1700000000000,
        python_site_packages_path="lib/python3.10/site-packages",
    )
    b = replace(b, url=b.url.replace(".conda", ".tar.bz2"), fn=b.fn.replace(".conda", ".tar.bz2"))
    environment = LockedEnvironment(
        channels=("https://channel.example/main", "file:///srv/channel"),
        packages={"linux-64": (a, b), "linux-64-cuda-12-0": (a,), "win-64": ()},
    )
    return Lock(environments={"default": environment, "on": LockedEnvironment(channels=(), packages={})})


def test_a_lock_is_written_as_conda_workspaces_writes_it(lock):
    assert format_conda_lock(lock) == TEXT


def test_a_lock_is_read_back(lock):
    assert parse_conda_lock(TEXT, "conda.lock") == lock


def test_packages_are_sorted_whatever_the_order_of_the_solver(package, lock_of):
    packages = [package("b-1-0"), package("a-2-0"), package("a-1-0", subdir="noarch")]
    assert format_conda_lock(lock_of(*packages)) == format_conda_lock(lock_of(*reversed(packages)))


def test_credentials_are_not_written(package, lock_of):
    secret = replace(package("a-1-0"), url=URL.replace("https://", "https://me:secret@"))
    text = format_conda_lock(lock_of(secret, channels=("https://channel.example/t/secret/main",)))
    assert "secret" not in text
    assert parse_conda_lock(text, "conda.lock").packages()[0].url == URL


def test_only_conda_packages_can_be_written(lock_of):
    lock = lock_of()
    foreign = replace(lock.environments["default"], pypi={"linux-64": (LockedPyPI("x", "1", "x"),)})
    with pytest.raises(ValueError, match="environment 'default' holds what is no conda package"):
        format_conda_lock(Lock(environments={"default": foreign}))


def test_an_empty_lock_survives():
    text = format_conda_lock(Lock(environments={}))
    assert text == "version: 1\nenvironments: {}\npackages: []\n"
    assert parse_conda_lock(text, "conda.lock") == Lock(environments={})


def test_lists_may_be_indented():
    indented = "\n".join(f"  {line}" if line.lstrip().startswith("- ") else line for line in TEXT.split("\n"))
    body, _, packages = indented.partition("\npackages:\n")
    packages = packages.replace("\n  ", "\n    ").replace("    - conda", "  - conda").replace("      - ", "      - ")
    assert parse_conda_lock(f"{body}\npackages:\n{packages}", "conda.lock") == parse_conda_lock(TEXT, "conda.lock")


def test_a_record_may_say_url_and_its_identity(package, lock_of):
    text = format_conda_lock(lock_of(package("a-1-0"))).replace("\n- conda:", "\n- url:")
    identity = "  name: a\n  version: '1'\n  build: '0'\n  subdir: linux-64\n  fn: a-1-0.conda\n"
    assert parse_conda_lock(text + identity, "conda.lock") == lock_of(package("a-1-0"))


def test_an_identity_that_contradicts_the_url_survives(package, lock_of):
    odd = lock_of(replace(package("a-1-0"), name="b", version="1.10"))
    text = format_conda_lock(odd)
    assert "  name: b\n  version: '1.10'\n" in text
    assert parse_conda_lock(text, "conda.lock") == odd


def test_references_without_a_record_are_noted(package, lock_of):
    text = format_conda_lock(lock_of(package("a-1-0"))).partition("packages:\n- conda")[0] + "packages: []\n"
    lock = parse_conda_lock(text, "conda.lock")
    assert lock.unrecorded == {URL}
    assert [one.name for one in lock.packages()] == ["a"]
    assert format_conda_lock(lock) == text.replace("packages: []", "packages:")


def test_packages_of_an_index_are_kept_apart():
    text = (
        "version: 1\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n"
        "      - pypi: https://index.example/six-1.16.whl\n      - pypi: ./local\npackages:\n"
        "- pypi: https://index.example/six-1.16.whl\n  name: six\n  version: 1.16\n"
    )
    lock = parse_conda_lock(text, "conda.lock")
    assert lock.environments["default"].pypi == {
        "linux-64": (
            LockedPyPI("six", "1.16", "https://index.example/six-1.16.whl"),
            LockedPyPI("local", None, "./local"),
        )
    }


@pytest.mark.parametrize(
    ("version", "found"), [("2", 2), ("'1'", None), ("true", None), ("1.0", None), ("[]", None), ("", None)]
)
def test_another_version_is_an_empty_lock(version, found):
    assert parse_conda_lock(f"version: {version}\nenvironments: 5\n", "conda.lock") == Lock(
        environments={}, version=found
    )


HEAD = "version: 1\nenvironments:\n  default:\n    channels:\n    - url: https://channel.example/main\n    packages:\n"
ENTRY = f"{HEAD}      linux-64:\n      - conda: {URL}\npackages:\n- conda: {URL}\n"

DAMAGED = {
    "not-a-table": ("- a", "expected a table, found a list"),
    "empty": ("", "expected a table, found nothing"),
    "environments-list": ("version: 1\nenvironments: []", "environments: expected a table, found a list"),
    "environment-text": ("version: 1\nenvironments:\n  a: b", "environments.a: expected a table, found text"),
    "channels-text": (
        "version: 1\nenvironments:\n  a:\n    channels: b",
        "environments.a.channels: expected a list, found text",
    ),
    "channel-text": (
        "version: 1\nenvironments:\n  a:\n    channels:\n    - b",
        "environments.a.channels[0]: expected a table, found text",
    ),
    "channel-without-url": (
        "version: 1\nenvironments:\n  a:\n    channels:\n    - {}",
        "environments.a.channels[0].url: expected text, found nothing",
    ),
    "platform-text": (
        f"{HEAD}      linux-64: a",
        "environments.default.packages.linux-64: expected a list, found text",
    ),
    "reference-text": (
        f"{HEAD}      linux-64:\n      - a",
        "environments.default.packages.linux-64[0]: expected a table, found text",
    ),
    "reference-of-two-keys": (
        f"{HEAD}      linux-64:\n      - conda: {URL}\n        b: c",
        "environments.default.packages.linux-64[0]: expected one key, 'conda', with a URL",
    ),
    "reference-unknown": (
        f"{HEAD}      linux-64:\n      - npm: left-pad",
        "environments.default.packages.linux-64[0]: expected one key, 'conda', with a URL",
    ),
    "reference-to-no-package": (
        f"{HEAD}      linux-64:\n      - conda: https://channel.example/index.html",
        (
            "environments.default.packages.linux-64[0]: "
            "expected a URL that ends in /<platform>/<name>-<version>-<build>.conda or .tar.bz2"
        ),
    ),
    "record-without-url": (f"{ENTRY}- sha256: a", "packages[1]: expected a 'conda' key with a URL"),
    "record-of-two-urls": (f"{ENTRY}  url: x", "packages[0]: 'conda' and 'url' say different URLs"),
    "record-twice": (
        f"{ENTRY}- conda: {URL}\n  size: 1\n",
        "packages[1]: a second record of a-1-0.conda, and it says something else",
    ),
    "digest": (
        f"{ENTRY}  sha256: abc",
        "packages[0]: sha256: expected hexadecimal digits, as many as a sha256 has",
    ),
    "digest-of-digits": (f"{ENTRY}  sha256: {'1' * 20}", "packages[0]: sha256: expected text, found a number"),
    "yaml": (f"{ENTRY}  md5: *x", "line 11: expected a value, found an alias"),
    "equal-environments": (
        "version: 1\nenvironments:\n  a: {}\n  a: {}\n",
        "line 4: expected each key once, found one twice",
    ),
}


@pytest.mark.parametrize(("text", "fact"), [pytest.param(*case, id=name) for name, case in DAMAGED.items()])
def test_damage_is_named_with_its_place(text, fact):
    with pytest.raises(LockfileIntegrityError) as caught:
        parse_conda_lock(text, "conda.lock")
    assert caught.value.render() == (
        f"error: conda.lock: {fact}\nhint: restore the file from version control, or remove it and run 'doit lock'"
    )


def test_an_equal_record_twice_is_no_damage():
    once = parse_conda_lock(ENTRY, "conda.lock")
    assert parse_conda_lock(f"{ENTRY}- conda: {URL}\n", "conda.lock") == once


SECRETS = {
    "user-in-a-channel": ENTRY.replace("url: https://", "url: https://secret@"),
    "token-in-a-channel": ENTRY.replace("url: https://channel.example", "url: https://channel.example/t/secret"),
    "user-in-a-url": ENTRY.replace("conda: https://", "conda: https://me:secret@"),
    "token-in-a-url": ENTRY.replace("conda: https://channel.example", "conda: https://channel.example/t/secret"),
    "user-in-a-comment": f"{ENTRY}# https://me:secret@channel.example\n",
    "user-in-any-field": f"{ENTRY}  license: see https://me:secret@channel.example/x",
    "damage-beside": f"{ENTRY}  license: &secret secret",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in SECRETS.items()])
def test_secrets_are_refused_and_never_shown(text):
    with pytest.raises(LockfileIntegrityError) as caught:
        parse_conda_lock(text, "conda.lock")
    assert "secret" not in caught.value.render()


def test_public_locks_become_conda_locks(public_lock):
    read = read_lock(public_lock)
    lock = Lock(
        environments={
            name: replace(
                environment,
                pypi={},
                sources={},
                packages={
                    platform: tuple(sorted(packages, key=lambda package: (package.name, package.url)))
                    for platform, packages in environment.packages.items()
                },
            )
            for name, environment in read.environments.items()
        }
    )
    text = format_conda_lock(lock)
    assert parse_conda_lock(text, "conda.lock") == lock


def test_the_digest_of_a_slice_follows_content_only(package, lock_of):
    one, two = package("a-1-0"), package("b-1-0", sha256="cd" * 32)
    digest = lock_of(one, two).slice_digest("default", "linux-64")
    assert len(digest) == 64
    assert lock_of(two, one, name="default").slice_digest("default", "linux-64") == digest
    assert lock_of(one, replace(two, sha256="ef" * 32)).slice_digest("default", "linux-64") != digest
    assert lock_of(one).slice_digest("default", "linux-64") != digest
    with pytest.raises(KeyError):
        lock_of(one).slice_digest("default", "win-64")
