"""``environment.yml`` is read as people write it, and refused with the line of what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwtasks.exceptions import ManifestImportError
from cwtasks.exchange.environment_file import parse_environment_file
from cwtasks.exchange.pip_lines import UnsaidError, parse_pip_line
from cwtasks.exchange.spelling import conda_text, requirement_text
from cwtasks.manifests import ManifestParser
from cwtasks.manifests.imported import Imported, manifest_text
from cwtasks.manifests.tables import parse_toml
from cwtasks.models import MatchSpec, PyPIDependency


def read(text: str):
    return parse_environment_file(text.encode(), "environment.yml")


def refused(text: str) -> list[str]:
    with pytest.raises(ManifestImportError) as caught:
        read(text)
    return caught.value.render().splitlines()


def test_yaml_in_all_its_shapes():
    text = "&a {name: ~, channels: [&c conda-forge, *c], dependencies: [a, {pip: [b]}, {pip: }], variables: {A: }}"
    assert read(text).imported == Imported(
        None, ("conda-forge",), {"a": MatchSpec("a")}, {"b": PyPIDependency("b")}, {"A": ""}
    )


def test_values_are_what_is_written():
    imported = read("name: 3.10\ndependencies: [a 1.10]\nvariables: {A: 1e3, B: no, C: '~', D: 2020-01-01}").imported
    assert imported.name == "3.10"
    assert imported.conda["a"].version == "1.10"
    assert imported.variables == {"A": "1e3", "B": "no", "C": "~", "D": "2020-01-01"}


def test_a_package_that_is_named_twice():
    conda = read("dependencies: [a, a >=1, a <2, b=1, b=1, 'c::d', d]").imported.conda
    assert conda["a"] == MatchSpec("a >=1,<2")
    assert conda["b"] == MatchSpec("b 1.*")
    assert conda["d"] == MatchSpec("c::d")
    assert refused("dependencies:\n- a=1=b\n- a=2=c\n") == [
        "error: environment.yml: line 3: dependencies[1]: 'a' is asked for twice",
        "hint: make one line of the two",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "error: environment.yml: expected a table, found nothing"),
        ("- a", "error: environment.yml: line 1: expected a table, found a list"),
        ("name: a\n", "error: environment.yml: 'dependencies' is missing"),
        ("a: 1\na: 2\n", "error: environment.yml: line 2: 'a' is given twice"),
        ("name: 'a\n", "error: environment.yml: line 2: found unexpected end of stream"),
        ("a: 1\n---\nb: 1\n", "error: environment.yml: line 2: but found another document"),
        ("a: *b\n", "error: environment.yml: line 1: found undefined alias 'b'"),
        ("[" * 5000, "error: environment.yml: lists or tables are nested too deeply"),
        ("a\0: 1", "error: environment.yml: unacceptable character #x0000: special characters are not allowed"),
        ("? [a]\n: 1\n", "error: environment.yml: line 1: expected text as a key"),
        ("dependencies: {a: 1}", "error: environment.yml: line 1: dependencies: expected a list, found a table"),
        ("dependencies: [~]", "error: environment.yml: line 1: dependencies[0]: expected a dependency, found nothing"),
        ("dependencies: [[a]]", "error: environment.yml: line 1: dependencies[0]: expected text, found a list"),
        ("dependencies: [a*b]", "error: environment.yml: line 1: dependencies[0]: 'a*b' is no name of a package"),
        ("channels: [~]\ndependencies: []", "error: environment.yml: line 1: channels[0]: expected a channel, found nothing"),
        ("dependencies: [{pip: [':']}]", "error: environment.yml: line 1: dependencies[0].pip[0]: ':' is no requirement of pip"),
        ("dependencies: [{pip: [a, a]}]", "error: environment.yml: line 1: dependencies[0].pip[1]: 'a' is asked for twice"),
        ("variables: [a]\ndependencies: []", "error: environment.yml: line 1: variables: expected a table, found a list"),
    ],
)  # fmt: skip
def test_mistakes(text: str, said: str):
    assert refused(text)[0] == said


def test_bytes_that_are_no_text():
    with pytest.raises(ManifestImportError, match="line 2: expected UTF-8"):
        parse_environment_file(b"name: a\n\xff", "environment.yml")


def test_an_unknown_key_is_a_note():
    assert read("dependencis: []\ndependencies: []").notes == (
        "dependencis: unknown key; did you mean 'dependencies'?",
    )


@pytest.mark.parametrize(
    ("line", "dependency"),
    [
        ("a", PyPIDependency("a")),
        ("a[x, y] >=1,<2 ; os_name=='nt'  # why", PyPIDependency("a", ">=1,<2", ("x", "y"), env_markers="os_name=='nt'")),
        ("git+https://u:p@h.org/a.git@v1#egg=a[x]", PyPIDependency("a", extras=("x",), git="https://h.org/a.git", rev="v1")),
        ("a @ git+ssh://git:p@h.org/a@main", PyPIDependency("a", git="ssh://git@h.org/a", rev="main")),
        ("https://h.org/a.zip#egg=a", PyPIDependency("a", url="https://h.org/a.zip")),
        ("a @ https://u:p@h.org/a.whl", PyPIDependency("a", url="https://h.org/a.whl")),
        ("--editable=./a#egg=a", PyPIDependency("a", path="./a", editable=True)),
        ("./a[x]#egg=a", PyPIDependency("a", extras=("x",), path="./a")),
        ("file:///src/a#egg=a", PyPIDependency("a", path="/src/a")),
    ],
)  # fmt: skip
def test_lines_of_pip(line: str, dependency: PyPIDependency):
    assert parse_pip_line(line) == dependency


@pytest.mark.parametrize("line", ["-r a.txt", "--index-url https://h.org", "-e .", ".", "git+https://h.org/a"])
def test_lines_of_pip_that_a_manifest_cannot_say(line: str):
    with pytest.raises(UnsaidError):
        parse_pip_line(line)


NAMES = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)
SPECS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "version": st.from_regex(r"((>=|<|!=|~=)[0-9](\.[0-9])?|[0-9]\.[0-9]|[0-9]\.\*)", fullmatch=True),
        "build": st.from_regex(r"\*?[a-z0-9_]+\*?", fullmatch=True),
        "build_number": st.from_regex(r"(>=)?[0-9]", fullmatch=True),
        "channel": st.sampled_from(["conda-forge", "https://host.org/c"]),
        "md5": st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    },
).map(lambda fields: MatchSpec(None, **fields))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LINES = st.tuples(
    NAMES.map(lambda name: name.rstrip("._-")),
    st.sampled_from(["", ">=1", "==1.2,<3"]),
    st.sampled_from([(), ("x",), ("x", "y")]),
    st.sampled_from([None, "python_version < '3.12'"]),
).map(lambda parts: PyPIDependency(*parts[:3], env_markers=parts[3]))
ENVIRONMENTS = st.tuples(
    st.none() | TEXTS.filter(str.strip),
    st.lists(st.sampled_from(["conda-forge", "https://host.org/c"]), unique=True).map(tuple),
    st.lists(SPECS, unique_by=lambda spec: spec.name, max_size=4).map(
        lambda specs: {spec.name: spec for spec in specs}
    ),
    st.lists(LINES, unique_by=lambda line: line.name, max_size=4).map(
        lambda lines: {line.name: line for line in lines}
    ),
    st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=3),
).map(Imported._make)


@pytest.mark.parametrize("alias", ["conda", "pixi", "pyproject"])
@given(imported=ENVIRONMENTS)
def test_a_manifest_says_what_the_file_said(alias, imported, tmp_path_factory):
    parser = ManifestParser.for_format_alias(alias)
    path = tmp_path_factory.getbasetemp() / parser.manifest_filename
    text = manifest_text(imported, alias, platforms=("linux-64",))
    workspace = parser.read_data(parse_toml(text.encode(), path), path).workspace
    default = workspace.features["default"]
    assert [channel.canonical_name for channel in workspace.channels] == list(imported.channels)
    assert {name: conda_text(spec) for name, spec in default.conda_dependencies.items()} == {
        name: conda_text(spec) for name, spec in imported.conda.items()
    }
    assert default.pypi_dependencies == dict(imported.pypi)
    assert default.activation_env == dict(imported.variables)
    assert imported.name is None or workspace.name == imported.name


@given(
    st.lists(LINES, unique_by=lambda line: line.name, max_size=4),
    st.lists(SPECS, unique_by=lambda spec: spec.name, max_size=4),
)
def test_what_is_exported_is_read_back(lines, specs):
    texts = [f"  - {conda_text(spec)}\n" for spec in specs]
    pip = ["  - pip:\n", *(f"      - {requirement_text(line)}\n" for line in lines)] if lines else []
    imported = read("".join(["dependencies:\n", *texts, *pip])).imported
    assert list(map(conda_text, imported.conda.values())) == list(map(conda_text, specs))
    assert list(imported.pypi.values()) == lines


def test_an_error_may_carry_a_hint():
    error = ManifestImportError("a.yml", "no environment", hints=["name another file"])
    assert error.render() == "error: a.yml: no environment\nhint: name another file"
