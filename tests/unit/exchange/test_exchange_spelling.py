"""Specs and requirements are spelt so that reading them gives back what they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwtasks.exchange.spelling import conda_text, requirement_text
from cwtasks.models import MatchSpec, PyPIDependency

CASES = {
    "zlib": "zlib",
    "zlib *": "zlib",
    "zlib 1.2": "zlib ==1.2",
    "zlib =1.2": "zlib 1.2.*",
    "zlib >=1.2, <2": "zlib >=1.2,<2",
    "zlib 1.2 h1_0": "zlib 1.2 h1_0",
    "zlib=1.2=h1_0": "zlib 1.2 h1_0",
    "conda-forge::zlib": "conda-forge::zlib",
    "https://u:p@host.org/t/x/c::zlib": "https://host.org/c::zlib",
    "zlib[build='h*']": "zlib[build='h*']",
    "zlib >=1[md5=0123]": "zlib >=1[md5='0123']",
    "zlib[version='1 2',build_number='>=2']": "zlib[version='1 2',build_number='>=2']",
    "conda-forge/linux-64::zlib": "conda-forge::zlib[subdir='linux-64']",
    "zlib[url=https://u:p@host.org/zlib-1-0.conda]": "zlib[url='https://host.org/zlib-1-0.conda']",
}


@pytest.mark.parametrize(("text", "expected"), [pytest.param(*case, id=case[0]) for case in CASES.items()])
def test_conda_specs(text: str, expected: str):
    assert conda_text(MatchSpec(text)) == expected


VERSIONS = st.from_regex(
    r"(>=|<|=|==|!=|~=)?[0-9]+(\.[0-9a-z]+){0,2}(\.\*)?([,|](>=|<|!=)[0-9](\.[0-9])?)?", fullmatch=True
)
FIELDS = {
    "version": VERSIONS,
    "build": st.from_regex(r"[a-z0-9_]+\*?", fullmatch=True),
    "build_number": st.from_regex(r"(>=|<|!=)?[0-9]+", fullmatch=True),
    "channel": st.sampled_from(["conda-forge", "https://host.org/c", "conda-forge/label/dev"]),
    "subdir": st.sampled_from(["linux-64", "noarch"]),
    "md5": st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    "license": st.sampled_from(["mit", "bsd 3-clause, changed"]),
    "track_features": st.frozensets(st.sampled_from(["a", "b", "c"]), min_size=1),
}


@given(st.fixed_dictionaries({"name": st.from_regex(r"[a-z_][a-z0-9_.-]*", fullmatch=True)}, optional=FIELDS))
def test_any_conda_spec_is_read_back_equal(fields):
    spec = MatchSpec(None, **fields)
    assert MatchSpec(conda_text(spec)) == spec


@pytest.mark.parametrize(
    ("dependency", "expected"),
    [
        (PyPIDependency("a"), "a"),
        (
            PyPIDependency("a", ">=1", ("x", "y"), env_markers="python_version < '3.12'"),
            "a[x,y]>=1 ; python_version < '3.12'",
        ),
        (PyPIDependency("a", path="lib/a"), "./lib/a"),
        (PyPIDependency("a", path=".", editable=True, extras=("x",)), "-e .[x]"),
        (PyPIDependency("a", url="https://u:p@host.org/a.whl"), "a @ https://host.org/a.whl"),
        (PyPIDependency("a", git="https://host.org/a", branch="main"), "a @ git+https://host.org/a@main"),
        (PyPIDependency("a", git="ssh://git:p@host.org/a", rev="1f"), "a @ git+ssh://git@host.org/a@1f"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_requirements(dependency, expected):
    assert requirement_text(dependency) == expected
