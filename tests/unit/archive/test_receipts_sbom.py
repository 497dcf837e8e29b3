"""The list of packages for other tools, checked against the schema of its format."""

import json
import subprocess
import sys

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cwtasks.archive.receipt_errors import SbomInputError
from cwtasks.archive.sbom import find_lock, render

ZLIB = "https://channel.example/main/linux-64/zlib-1.3-h4_6.conda"
LIBC = "https://channel.example/main/linux-64/libc-2.1-0.conda"


def test_the_document_is_valid_and_says_what_the_lock_says(packed):
    text = render(find_lock(packed), environ={})
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    parts = {part["bom-ref"]: part for part in document["components"]}
    assert len(parts) == 3
    assert parts[ZLIB]["purl"] == "pkg:conda/zlib@1.3?build=h4_6&channel=main&subdir=linux-64&type=conda"
    assert {entry["alg"]: entry["content"] for entry in parts[ZLIB]["hashes"]} == {
        "SHA-256": "ab" * 32,
        "MD5": "cd" * 16,
    }
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in document["dependencies"]}
    assert needs[ZLIB] == [LIBC]
    assert needs["workspace"] == sorted(parts)


@pytest.mark.parametrize(
    ("said", "where"),
    [
        pytest.param("MIT", {"license": {"id": "MIT"}}, id="one of the list"),
        pytest.param("MIT OR Apache-2.0", {"expression": "MIT OR Apache-2.0"}, id="expression"),
        pytest.param("Free as beer", {"license": {"name": "Free as beer"}}, id="own words"),
    ],
)
def test_licences(packed, said, where):
    lock = packed / "conda.lock"
    text = lock.read_text()
    lock.write_text(text.replace("  build_number: 6\n", f"  build_number: 6\n  license: {said}\n"))
    document = json.loads(render(find_lock(lock), environ={}))
    [found] = [part["licenses"] for part in document["components"] if "licenses" in part]
    assert [without_acknowledgement(entry) for entry in found] == [where]


def without_acknowledgement(entry):
    inner = entry.get("license", entry)
    inner.pop("acknowledgement", None)
    return entry


def test_the_same_lock_gives_the_same_bytes_and_the_time_only_when_told(packed):
    lock = find_lock(packed)
    assert render(lock, environ={}) == render(lock, environ={})
    assert "timestamp" not in json.loads(render(lock, environ={}))["metadata"]
    dated = json.loads(render(lock, environ={"SOURCE_DATE_EPOCH": "0"}))
    assert dated["metadata"]["timestamp"] == "1970-01-01T00:00:00+00:00"


def test_an_archive_needs_a_reader_and_a_folder_a_lock(packed, tmp_path):
    lock = find_lock(packed)
    assert find_lock("a.tar.zst", read_archive=lambda _: lock) is lock
    with pytest.raises(SbomInputError) as caught:
        find_lock("a.tar.zst")
    assert str(caught.value) == (
        "a.tar.zst: archives cannot be read here; unpack it first\nhint: name a lock, or a folder with one"
    )
    with pytest.raises(SbomInputError, match=r"no conda\.lock or pixi\.lock in this folder"):
        find_lock(tmp_path)


def run_sbom(*words, cwd, code="import sys; from cwtasks.cli import main; sys.exit(main())"):
    return subprocess.run(
        [sys.executable, "-c", code, "sbom", *words], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_verb_writes_the_document(packed):
    done = run_sbom(cwd=packed)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["metadata"]["component"]["name"] == "widget"
    assert run_sbom("conda.lock", cwd=packed).stdout == done.stdout


def test_without_the_library_the_verb_says_what_to_install(packed):
    code = "import sys; sys.modules['cyclonedx'] = None; from cwtasks.cli import main; sys.exit(main())"
    done = run_sbom(cwd=packed, code=code)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "error: an SBOM needs cyclonedx-python-lib, which is not installed\nhint: pip install 'cwtasks[sbom]'\n"
    )
