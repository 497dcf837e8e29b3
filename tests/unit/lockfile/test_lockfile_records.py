import pytest

from cwtasks.lockfile import LockedPackage, public_url
from cwtasks.lockfile.records import build_number_of, has_credentials, identity_of, noarch_of

URL = "https://channel.example/main/linux-64/numpy-1.26.4-py310h1_3.conda"
RECORD = {
    "name": "numpy",
    "version": "1.26.4",
    "build": "py310h1_3",
    "build_number": 3,
    "subdir": "linux-64",
    "fn": "numpy-1.26.4-py310h1_3.conda",
    "url": URL,
    "channel": "https://channel.example/main",
    "depends": ["python >=3.10"],
    "constrains": ["scipy >1"],
    "sha256": "ab" * 32,
    "md5": "cd" * 16,
    "size": 10,
    "license": "BSD-3-Clause",
    "license_family": "BSD",
    "features": "mkl",
    "timestamp": 1700000000000,
    "track_features": "a b",
    "python_site_packages_path": "lib/python3.10/site-packages",
}


def test_a_record_survives():
    package = LockedPackage.from_record({**RECORD, "arch": "x86_64", "platform": "linux"})
    assert package.to_record() == RECORD
    assert package.track_features == ("a", "b")


def test_what_a_record_does_not_say_is_taken_from_its_url():
    package = LockedPackage.from_record({"url": URL})
    assert (package.name, package.version, package.build, package.build_number) == ("numpy", "1.26.4", "py310h1_3", 3)
    assert (package.subdir, package.fn, package.noarch) == ("linux-64", "numpy-1.26.4-py310h1_3.conda", None)


def test_credentials_never_get_in():
    url = "https://user:secret@channel.example/t/tk-secret/main/noarch/a-1-0.conda"
    package = LockedPackage.from_record({"url": url})
    assert package.url == "https://channel.example/main/noarch/a-1-0.conda"
    assert "secret" not in str(package.to_record())


@pytest.mark.parametrize(
    ("url", "public"),
    [
        pytest.param("https://channel.example/main", "https://channel.example/main", id="clean"),
        pytest.param("https://me@channel.example/main", "https://channel.example/main", id="user"),
        pytest.param("https://me:p@ss@channel.example/main", "https://channel.example/main", id="password-with-at"),
        pytest.param("https://channel.example/t/tk/main", "https://channel.example/main", id="token"),
        pytest.param("file:///home/t/main", "file:///home/t/main", id="folder-called-t"),
        pytest.param("https://channel.example/a@b", "https://channel.example/a@b", id="at-in-the-path"),
    ],
)
def test_urls_are_shown_without_credentials(url, public):
    assert public_url(url) == public
    assert has_credentials(url) is (url != public)


@pytest.mark.parametrize(
    ("fn", "told"),
    [
        pytest.param("a-1.0-0.conda", ("a-1.0-0.conda", "a", "1.0", "0"), id="conda"),
        pytest.param("a-1.0-0.tar.bz2", ("a-1.0-0.tar.bz2", "a", "1.0", "0"), id="tar-bz2"),
        pytest.param("a-b-c-1.0-h1_0.conda", ("a-b-c-1.0-h1_0.conda", "a-b-c", "1.0", "h1_0"), id="name-with-dashes"),
        pytest.param("a-1%2Bcu-0.conda", ("a-1+cu-0.conda", "a", "1+cu", "0"), id="encoded"),
    ],
)
def test_a_url_names_its_package(fn, told):
    assert identity_of(f"https://channel.example/main/noarch/{fn}") == ("https://channel.example/main", "noarch", *told)


@pytest.mark.parametrize("fn", ["a-1.0.conda", "a-1.0-0.zip", "a--0.conda", "-1-0.conda", "", "a-1-0.conda?token=x"])
def test_a_url_that_names_no_package_is_refused_and_not_repeated(fn):
    with pytest.raises(ValueError, match="expected a URL that ends in") as caught:
        LockedPackage.from_record({"url": f"https://channel.example/main/noarch/{fn}"})
    assert "channel.example" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "fact"),
    [
        pytest.param({"url": None}, "url: expected text, found nothing", id="no-url"),
        pytest.param({"version": 1.1}, "version: expected text, found a number", id="version-unquoted"),
        pytest.param({"size": "10"}, "size: expected a whole number, found text", id="size-quoted"),
        pytest.param({"size": -1}, "size: expected a whole number, found a number", id="size-negative"),
        pytest.param({"size": True}, "size: expected a whole number, found a truth value", id="size-truth"),
        pytest.param({"depends": "python"}, "depends: expected a list of texts, found text", id="depends-text"),
        pytest.param(
            {"depends": ["python", 3]}, "depends: expected a list of texts, found a list", id="depends-number"
        ),
        pytest.param({"depends": {}}, "depends: expected a list of texts, found a table", id="depends-table"),
        pytest.param(
            {"sha256": "ab"}, "sha256: expected hexadecimal digits, as many as a sha256 has", id="sha256-short"
        ),
        pytest.param({"md5": "x" * 32}, "md5: expected hexadecimal digits, as many as a md5 has", id="md5-letters"),
        pytest.param({"license": ["MIT"]}, "license: expected text, found a list", id="license-list"),
    ],
)
def test_fields_of_the_wrong_kind_are_refused(fields, fact):
    with pytest.raises(ValueError) as caught:
        LockedPackage.from_record({**RECORD, **fields})
    assert str(caught.value) == fact


def test_digests_become_lower_case():
    assert LockedPackage.from_record({**RECORD, "sha256": "AB" * 32}).sha256 == "ab" * 32


@pytest.mark.parametrize(
    ("build", "number"), [("py310h1_3", 3), ("0", 0), ("12", 12), ("h1", 0), ("conda_forge", 0), ("100_cp314", 0)]
)
def test_the_build_number_is_read_from_the_build(build, number):
    assert build_number_of(build) == number


@pytest.mark.parametrize(
    ("subdir", "build", "kind"),
    [("noarch", "pyhd8_0", "python"), ("noarch", "hd8_0", "generic"), ("linux-64", "py310_0", None)],
)
def test_the_kind_of_noarch_is_read_from_the_build(subdir, build, kind):
    assert noarch_of(subdir, build) == kind


@pytest.mark.parametrize("written", [1761229615, 1761229615000])
def test_times_are_milliseconds(written):
    assert LockedPackage.from_record({**RECORD, "timestamp": written}).timestamp == 1761229615000


@pytest.mark.parametrize(("written", "kind"), [(True, "generic"), (False, None), ("python", "python"), (None, None)])
def test_noarch_may_be_a_truth_value(written, kind):
    assert LockedPackage.from_record({**RECORD, "noarch": written}).noarch == kind


def test_the_digest_is_the_strongest_there_is():
    strong = LockedPackage.from_record(RECORD)
    weak = LockedPackage.from_record({**RECORD, "sha256": None})
    none = LockedPackage.from_record({"url": URL})
    assert [one.digest for one in (strong, weak, none)] == [f"sha256:{'ab' * 32}", f"md5:{'cd' * 16}", f"url:{URL}"]
