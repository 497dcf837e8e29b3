import pytest

from cwtasks.lockfile import Version, parse_constraint, parse_version, version_matches
from cwtasks.lockfile.version import glob_matches

#: As conda's own documentation orders them; one line, one version in several spellings.
ASCENDING = [
    ["0.4", "0.4.0"],
    ["0.4.1.rc", "0.4.1.RC"],
    ["0.4.1"],
    ["0.5a1"],
    ["0.5b3"],
    ["0.5C1", "0.5c1"],
    ["0.5"],
    ["0.9.6"],
    ["0.960923"],
    ["1.0"],
    ["1.1dev1"],
    ["1.1_"],
    ["1.1a1"],
    ["1.1.0dev1", "1.1.dev1"],
    ["1.1.a1"],
    ["1.1.0rc1"],
    ["1.1.0+a.1"],
    ["1.1.0", "1.1"],
    ["1.1.0+1", "1.1+1"],
    ["1.1.0post1", "1.1.post1"],
    ["1.1.1_3", "1.1.1-3", "1.1.1.3"],
    ["1.1post1"],
    ["1996.07.12"],
    ["1!0.4.1"],
    ["1!3.1.1.6"],
    ["2!0.4.1"],
]


def test_versions_have_condas_order():
    flat = [(place, Version(text)) for place, texts in enumerate(ASCENDING) for text in texts]
    for place, one in flat:
        for other_place, other in flat:
            assert (one < other, one == other) == (place < other_place, place == other_place), (one, other)


def test_equal_versions_have_equal_hashes():
    assert len({Version("1.0"), Version("1"), Version("1.0.0"), Version("0!1")}) == 1


@pytest.mark.parametrize(
    "text", ["", "1..2", "1.", ".1", "1.0+", "+a", "1!", "!1", "a!1", "1!2!3", "1+a+b", "1-2_3", "é"]
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="is no version"):
        Version(text)
    assert parse_version(text) is None


def test_hostile_versions_are_refused():
    assert parse_version("9" * 5000) is None
    assert parse_version("1" * 200) is None


MATCHES = {
    "any": ("*", ["1", "1!0a"], []),
    "nothing-asked": ("", ["1"], []),
    "exact-bare": ("1.2", ["1.2", "1.2.0"], ["1.2.1", "1.2+x", "1.2a"]),
    "exact": ("==1.2", ["1.2.0"], ["1.2.1"]),
    "fuzzy": ("=1.2", ["1.2", "1.2.9", "1.2a", "1.2post1"], ["1.20", "1!1.2", "1.1"]),
    "star": ("1.2.*", ["1.2", "1.2.9", "1.2+x"], ["1.20"]),
    "star-without-a-dot": ("1.2*", ["1.2.9"], ["1.20"]),
    "star-after-a-zero": ("1.0.0.*", ["1", "1.0", "1.0.0.5"], ["1.0.1"]),
    "fuzzy-star": ("=1.2.*", ["1.2.3"], ["1.3"]),
    "exact-star": ("==1.2.*", ["1.2"], ["1.2.3"]),
    "least-star": (">=1.2.*", ["1.2", "2"], ["1.1"]),
    "not": ("!=1.2", ["1.2.1"], ["1.2", "1.2.0"]),
    "not-star": ("!=1.2.*", ["1.3"], ["1.2", "1.2.3"]),
    "between": (">=1.2,<2", ["1.2", "1.9"], ["2", "1.1"]),
    "below-pre-release": (">=1.2,<2.0a0", ["1.9", "2.0dev"], ["2.0a0", "2.0"]),
    "blanks": (">=1.2 , <2 | 3", ["1.2", "3"], ["2"]),
    "compatible": ("~=1.2.3", ["1.2.3", "1.2.9"], ["1.3", "1.2.3a", "1.2.2"]),
    "compatible-short": ("~=1.2", ["1.3"], ["2.0"]),
    "or": ("1.2|>=2", ["1.2", "3"], ["1.3"]),
    "and-binds-more": (">=1|<0.5,!=0.4", ["1", "0.3"], ["0.4", "0.7"]),
    "parentheses": ("(1|2),!=1", ["2"], ["1"]),
    "epoch": (">=1!0", ["1!0.1"], ["5"]),
    "local": ("==1.0+cu118", ["1.0+cu118"], ["1.0"]),
    "star-within": ("1.*.2", ["1.3.2"], ["1.3.3"]),
    "not-star-within": ("!=1.*.2", ["1.3.3"], ["1.3.2"]),
}


@pytest.mark.parametrize(
    ("constraint", "good", "bad"), [pytest.param(*case, id=name) for name, case in MATCHES.items()]
)
def test_constraints_allow_what_conda_allows(constraint, good, bad):
    assert {text: version_matches(text, constraint) for text in [*good, *bad]} == {
        **dict.fromkeys(good, True),
        **dict.fromkeys(bad, False),
    }


@pytest.mark.parametrize(
    "text", [">", ">*", "!=*", ">=1,", "|1", "(1", "1)", "1 2", "=>1", "===1", "<>1", ">=1.*.2", "^1$", "(" * 50 + "1"]
)
def test_what_is_no_constraint_is_refused(text):
    with pytest.raises(ValueError, match="is no version"):
        parse_constraint(text)


def test_what_is_no_version_is_allowed_by_itself_only():
    assert version_matches("1..2", "==1..2")
    assert version_matches("1..2", "*")
    assert not version_matches("1..2", ">=1")


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        pytest.param("abc", "abc", True, id="same"),
        pytest.param("abc", "ab", False, id="longer"),
        pytest.param("abc", "a*", True, id="begins"),
        pytest.param("abc", "*c", True, id="ends"),
        pytest.param("abc", "a*c", True, id="around"),
        pytest.param("ac", "a*c", True, id="around-nothing"),
        pytest.param("a", "a*a", False, id="not-twice-the-same-letter"),
        pytest.param("py310_cp310", "*_cp3*", True, id="within"),
        pytest.param("", "*", True, id="empty"),
        pytest.param("a" * 50, "*a" * 40 + "*b", False, id="hostile"),
    ],
)
def test_globs(text, pattern, expected):
    assert glob_matches(text, pattern) is expected
