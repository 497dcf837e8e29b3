"""Law: whatever an ``environment.yml`` holds, reading it says what it means, or what is wrong with it."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from cwtasks.exceptions import ManifestImportError
from cwtasks.exchange.environment_file import parse_environment_file
from cwtasks.manifests import CondaTomlParser
from cwtasks.manifests.imported import manifest_text
from cwtasks.manifests.tables import parse_toml

VALID = """\
name: lab
channels: [conda-forge, https://user:secret@host.org/c]
dependencies:
  - python=3.10
  - conda-forge::zlib >=1,<2
  - blas[build='*x', md5=0123]
  - pip:
      - a[x]>=1 ; python_version < '3'
      - git+https://host.org/b@v1#egg=b
variables: {A: 1, B: "2"}
"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["pip", "a", ""]), inner, max_size=3),
    max_leaves=6,
)


def reads(content: bytes) -> None:
    with suppress(ManifestImportError):
        read = parse_environment_file(content, "environment.yml")
        # What can be read can be written, and is then a manifest without mistakes.
        text = manifest_text(read.imported, "conda", platforms=("linux-64",))
        CondaTomlParser().read_data(parse_toml(text.encode(), "conda.toml"), "conda.toml")


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(content: bytes):
    reads(content)


@given(st.integers(0, len(VALID)), st.integers(0, 8), st.text(alphabet="[]{}:-,'\"#&*!|>%@ \n=ax1", max_size=6))
def test_a_good_file_with_a_change(start: int, length: int, text: str):
    reads((VALID[:start] + text + VALID[start + length :]).encode())


@given(st.dictionaries(st.sampled_from(["name", "channels", "dependencies", "variables", "prefix", "x"]), VALUES))
def test_a_document_with_values_of_any_kind(document: dict):
    import yaml

    reads(yaml.safe_dump(document).encode())
