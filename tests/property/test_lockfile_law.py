"""Locks survive being written and read, and our readings are those of the programs we share files with.

1. Reading what was written gives the same lock, and writing that gives the same bytes.
2. PyYAML reads what we write as we do.
3. Versions and their constraints mean what they mean to rattler.
4. No text makes the reader fail otherwise than with its own error.
"""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cwtasks.exceptions import LockfileIntegrityError
from cwtasks.lockfile import (
    Lock,
    LockedEnvironment,
    LockedPackage,
    format_conda_lock,
    parse_conda_lock,
    parse_constraint,
    parse_pixi_lock,
    parse_version,
)
from cwtasks.lockfile.yaml_subset import YamlMistake, parse_yaml, write_scalar

TRICKY = st.sampled_from(
    ["1.10", "1e5", "0x1f", "yes", "null", "~", "*", ">=1", "a: b", "a #b", "#", "-", "- a", "'", '"', "1:30", "a:", "é",
     " a", "a ", "\n", "a\n b", "\t", "=", "<<", "...", "---", "[]", "{}", "&a", "!a", "|", "2024-01-01", ".5", "0b1", "."]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=20), TRICKY, st.text("0123456789.e_:+-xob", max_size=8))
WORDS = st.from_regex(r"[a-z_][a-z0-9_.]{0,8}", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,3}(a1|rc2|post1)?", fullmatch=True)
SPECS = st.lists(TEXTS, max_size=3).map(tuple)


@st.composite
def packages(draw):
    name, version, build = draw(WORDS), draw(VERSIONS), draw(st.sampled_from(["0", "py310_1", "h123_2", "pyhd_0", "x"]))
    subdir = draw(st.sampled_from(["linux-64", "noarch"]))
    suffix = draw(st.sampled_from([".conda", ".tar.bz2"]))
    record = {"url": f"https://channel.example/main/{subdir}/{name}-{version}-{build}{suffix}"}
    record |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "build_number": st.integers(0, 10),
                "sha256": st.text("0123456789abcdef", min_size=64, max_size=64),
                "md5": st.text("0123456789e", min_size=32, max_size=32),
                "size": st.integers(0, 2**40),
                "depends": SPECS,
                "constrains": SPECS,
                "license": TEXTS,
                "license_family": TEXTS,
                "features": TEXTS,
                "track_features": SPECS,
                "noarch": st.sampled_from([None, "python", "generic"]),
                "timestamp": st.integers(10**12, 2**45),
                "python_site_packages_path": TEXTS,
                "name": TEXTS,
                "version": TEXTS,
                "fn": TEXTS,
            },
        )
    )
    return LockedPackage.from_record(record)


@st.composite
def locks(draw):
    pool = draw(st.lists(packages(), max_size=5, unique_by=lambda package: package.url))
    slices = st.lists(st.sampled_from(pool), unique=True) if pool else st.just([])
    ordered = slices.map(lambda some: tuple(sorted(some, key=lambda package: (package.name, package.url))))
    environments = st.builds(
        LockedEnvironment,
        channels=st.lists(st.sampled_from(["https://channel.example/main", "file:///srv/t/x"]), max_size=2).map(tuple),
        packages=st.dictionaries(TEXTS, ordered, max_size=3),
    )
    return Lock(environments=draw(st.dictionaries(TEXTS, environments, max_size=3)))


def refuses(text):
    return "://" in text and "@" in text


@given(locks())
def test_locks_survive_being_written_and_read(lock):
    text = format_conda_lock(lock)
    assume(not refuses(text.replace("https://channel.example", "")))
    read = parse_conda_lock(text, "conda.lock")
    assert read == lock
    assert list(read.environments) == list(lock.environments)
    assert format_conda_lock(read) == text


@given(locks())
def test_pyyaml_reads_what_we_write_as_we_do(lock):
    yaml = pytest.importorskip("yaml", reason="PyYAML is only compared with")
    text = format_conda_lock(lock)
    assert yaml.safe_load(text) == parse_yaml(text)


@given(TEXTS)
def test_pyyaml_reads_each_scalar_as_it_was(value):
    yaml = pytest.importorskip("yaml", reason="PyYAML is only compared with")
    text = write_scalar(value)
    assert parse_yaml(f"- {text}\n- {text}: v\n") == [value, {value: "v"}]
    assert yaml.safe_load(f"- {text}\n- a: {text}\n") == [value, {"a": value}]


PIECES = st.sampled_from(
    ["a", "a: b", "a:", "- ", "-", "  ", "\n", "\n  ", "\n- ", "'", '"', "\\", "#", " #", "|", "|-", "[]", "{}", "...",
     "---", "&", ": ", "1", "version: 1", "version: 6", "environments:", "packages:", "conda: ", "channels:", "url: ",
     "https://channel.example/noarch/a-1-0.conda", "default:", "linux-64:", "\n    ", "\n      ", "pypi: "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map(lambda pieces: "".join([*pieces, "\n"])))
def test_no_text_makes_the_reader_fail_otherwise_than_with_its_own_error(text):
    yaml = pytest.importorskip("yaml", reason="PyYAML is only compared with")
    try:
        value = parse_yaml(text)
    except YamlMistake:
        pass
    else:
        # Empty lines before a block of text, and the end of a document that has nothing, are read in several ways.
        if "|" not in text and "..." not in text:
            assert yaml.safe_load(text) == value
    for read in (parse_conda_lock, parse_pixi_lock):
        try:
            read(text, "some.lock")
        except LockfileIntegrityError as error:
            assert "\n" not in error.error_message


ATOMS = st.sampled_from(["0", "1", "2", "10", "a", "b", "rc1", "a1", "dev", "post", "post1", "dev0", "1a", "2b3", "01"])


@st.composite
def versions(draw):
    separator = draw(st.sampled_from([".", ".", ".", "_", "-"]))
    text = separator.join(draw(st.lists(ATOMS, min_size=1, max_size=4)))
    epoch = draw(st.sampled_from(["", "", "1!"]))
    return epoch + text + draw(st.sampled_from(["", "", "", "_" if separator == "_" else "", "+a", "+1.2"]))


def rattler():
    return pytest.importorskip("rattler", reason="py-rattler is only compared with")


@given(versions(), versions())
def test_versions_have_the_order_of_rattler(one, other):
    theirs, others = rattler().Version(one), rattler().Version(other)
    ours, mine = parse_version(one), parse_version(other)
    assert (ours < mine, ours == mine, ours > mine) == (theirs < others, theirs == others, theirs > others)


#: Without a local part, a trailing "_" or zeros before letters: there rattler's prefixes are not prefixes.
PLAIN = st.lists(st.sampled_from(["1", "2", "10", "1a", "2b3", "3rc1"]), min_size=1, max_size=3).map(".".join)
TERMS = st.one_of(
    st.tuples(
        st.sampled_from(["", "=", "==", "!=", "<", "<=", ">", ">=", "~="]), PLAIN, st.sampled_from(["", ".*", "*"])
    ),
    st.tuples(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), versions(), st.just("")),
).map("".join)


@given(
    st.lists(TERMS, min_size=1, max_size=3),
    st.lists(st.sampled_from(",|"), min_size=2, max_size=2),
    st.one_of(PLAIN, versions()),
)
def test_constraints_mean_what_they_mean_to_rattler(terms, signs, version):
    text = "".join(term + sign for term, sign in zip(terms, [*signs[: len(terms) - 1], ""], strict=True))
    expected = rattler().VersionSpec(text).matches(rattler().Version(version))
    assert parse_constraint(text)(parse_version(version)) == expected
