import pytest

from cwtasks.lockfile.yaml_subset import YamlLimits, YamlMistake, parse_yaml, write_scalar

READ = {
    "nothing": ("", None),
    "comment-only": ("# a\n\n", None),
    "scalar": ("a b\n", "a b"),
    "mapping": ("a: b\nc: d\n", {"a": "b", "c": "d"}),
    "no-line-end": ("a: b", {"a": "b"}),
    "windows-line-ends": ("a:\r\n- b\r\n", {"a": ["b"]}),
    "byte-order-mark": ("\ufeffa: b", {"a": "b"}),
    "document-marks": ("---\na: b\n...\n", {"a": "b"}),
    "list-at-the-column-of-its-key": ("a:\n- b\n- c\nd: e", {"a": ["b", "c"], "d": "e"}),
    "list-indented": ("a:\n    - b\n    - c\nd: e", {"a": ["b", "c"], "d": "e"}),
    "mappings-in-a-list": ("- a: b\n  c: d\n- e: f\n", [{"a": "b", "c": "d"}, {"e": "f"}]),
    "list-in-a-mapping-in-a-list": ("- a:\n  - b\n  c: d", [{"a": ["b"], "c": "d"}]),
    "wide-dash": ("-   a: b\n    c: d", [{"a": "b", "c": "d"}]),
    "dash-alone": ("-\n- a\n-\n  b: c", [None, "a", {"b": "c"}]),
    "empty-value": ("a:\nb: c", {"a": None, "b": "c"}),
    "empty-collections": ("a: []\nb: {}\n", {"a": [], "b": {}}),
    "comments": ("a: b # c\n# d\ne: f#g\nh: # i\n- j # k\n", {"a": "b", "e": "f#g", "h": ["j"]}),
    "comment-before-a-mapping": ("a: # b\n  c: d\n", {"a": {"c": "d"}}),
    "url": ("a: https://channel.example/x:y", {"a": "https://channel.example/x:y"}),
    "signs-within": ("- a >=1,<2\n- -x\n- ?x\n- :x\n- a|b", ["a >=1,<2", "-x", "?x", ":x", "a|b"]),
    "single-quotes": ("a: 'it''s: #'", {"a": "it's: #"}),
    "double-quotes": (r'a: "\" \\ \n \x41 \u00e9 \U0001F600"', {"a": '" \\ \n A é 😀'}),
    "quoted-with-comment": ("a: 'b' # c", {"a": "b"}),
    "quoted-keys": ("'a: b': c\n\"1\": d\nlong key: e", {"a: b": "c", "1": "d", "long key": "e"}),
    "quoted-item-is-no-key": ("- 'a'\n- 'a': b", ["a", {"a": "b"}]),
    "long-plain": ("a: b\n  c\n\n  d\ne: f", {"a": "b c\nd", "e": "f"}),
    "long-plain-seen-before": ("x: b\na: b\n  c", {"x": "b", "a": "b c"}),
    "long-plain-in-a-list": ("- b\n- b\n  c\n- d", ["b", "b c", "d"]),
    "long-plain-on-the-next-line": ("a:\n  b\n  c\nd: e", {"a": "b c", "d": "e"}),
    "long-quoted": ("a: 'b\n  c: d\n\n  e'\nf: g", {"a": "b c: d\ne", "f": "g"}),
    "long-quoted-with-an-apostrophe": ("a: 'it''s\n  b'", {"a": "it's b"}),
    "long-double-quoted": ('a: "b\\\n   c\\\n   \\ d\n   e"', {"a": "bc d e"}),
    "literal": ("a: |-\n  b\n   c\n\n  d: e\nf: |\n  g\n", {"a": "b\n c\n\nd: e", "f": "g\n"}),
    "numbers": ("- 1\n- -2\n- 012\n- 0x1F\n- 0o17\n- 1.5\n- 1e3", [1, -2, 12, 31, 15, 1.5, 1000.0]),
    "texts-that-look-like-numbers": (
        "- 1.2.3\n- 1_000\n- 1:30\n- 2024-01-01",
        ["1.2.3", "1_000", "1:30", "2024-01-01"],
    ),
    "words": ("- true\n- False\n- null\n- ~\n- yes\n- No", [True, False, None, None, "yes", "No"]),
    "infinite": ("- .inf\n- -.inf", [float("inf"), float("-inf")]),
}


@pytest.mark.parametrize(("text", "value"), [pytest.param(*case, id=name) for name, case in READ.items()])
def test_the_subset_is_read(text, value):
    assert parse_yaml(text) == value


REFUSED = {
    "anchor": ("a: &b c", "line 1: expected a value, found an anchor"),
    "alias": ("a: b\nc: *b", "line 2: expected a value, found an alias"),
    "tag": ("a: !!python/object:os.system b", "line 1: expected a value, found a tag"),
    "merge": ("a: b\n<<: *c", "line 2: expected a value, found an alias"),
    "flow-list": ("a: [b]", "line 1: expected a value, found a list in brackets"),
    "flow-mapping": ("- {a: b}", "line 1: expected a value, found a mapping in braces"),
    "folded": ("a: >-\n  b", "line 1: expected a value, found a folded block of text"),
    "literal-with-a-number": ("a: |2\n  b", "line 1: expected a value, found an unusual block of text"),
    "explicit-key": ("? a\n: b", "line 1: expected a value, found a key marked with '?'"),
    "at-sign": ("a: @b", "line 1: expected a value, found a sign that has to be quoted"),
    "directive": ("%YAML 1.2\n---\na: b", "line 1: expected a value, found a directive"),
    "second-document": ("a: b\n---\nc: d", "line 2: expected 'key: value'"),
    "equal-keys": ("a: b\nc: d\na: b", "line 3: expected each key once, found one twice"),
    "equal-keys-one-quoted": ("a: b\n'a': b", "line 2: expected each key once, found one twice"),
    "number-as-key": ("1: b", "line 1: expected a key that is text, found a number or a word with a meaning: quote it"),
    "word-as-key": (
        "null: b",
        "line 1: expected a key that is text, found a number or a word with a meaning: quote it",
    ),
    "huge-key": (
        "9" * 5000 + ": b",
        "line 1: expected a key that is text, found a number or a word with a meaning: quote it",
    ),
    "huge-number": ("a:\n- " + "9" * 5000, "line 2: expected a smaller number"),
    "two-colons": ("a: b: c", "line 1: expected one value, found signs that have to be quoted"),
    "colon-at-the-end": ("- x\n- a b: c:", "line 2: expected one value, found signs that have to be quoted"),
    "tab": ("a: b\tc", "line 1: expected one value, found signs that have to be quoted"),
    "tab-at-the-beginning": ("a:\n\tb: c", "line 2: expected 'key: value'"),
    "open-quote": ("a: 'b\nc: d\n", "line 1: expected a closing quote"),
    "more-after-a-quote": ("a: 'b' c", "line 1: expected the end of the line after a quoted value"),
    "unknown-escape": ('a: "\\q"', "line 1: expected a known escape after '\\'"),
    "escape-beyond-unicode": ('a: "\\UFFFFFFFF"', "line 1: expected a known escape after '\\'"),
    "deeper-after-a-scalar": ("a: b\n  c: d", "line 2: expected more of a value, found a key"),
    "deeper-after-a-mapping": ("a:\n    b: c\n  d: e", "line 3: expected the end of a value, found an indented line"),
    "deeper-after-a-comment": ("a: b # c\n  d", "line 2: expected the end of a value, found an indented line"),
    "list-in-a-mapping": ("a: b\n- c", "line 2: expected 'key: value', found a list item"),
    "mapping-in-a-list": ("- a\nb: c", "line 2: expected the end of the file, found more"),
    "list-in-a-line": ("- - a", "line 1: expected a value, found a list that begins on the line of another"),
    "merge-conflict": ("a: b\n<<<<<<< HEAD\nc: d\n", "line 2: expected 'key: value'"),
    "control-character": ("a: b\nc: \x00", "line 2: expected text, found a control character"),
    "old-line-end": ("a: b\rc: d", "line 1: expected text, found a control character"),
}


@pytest.mark.parametrize(("text", "fact"), [pytest.param(*case, id=name) for name, case in REFUSED.items()])
def test_all_else_is_refused_with_its_line(text, fact):
    with pytest.raises(YamlMistake) as caught:
        parse_yaml(text)
    assert str(caught.value) == fact


HOSTILE = {
    "deep-mappings": ("\n".join(" " * depth + "a:" for depth in range(100)), "expected at most 64 levels, found more"),
    "deep-lists": ("\n".join(" " * depth + "-" for depth in range(100)), "expected at most 64 levels, found more"),
    "deep-comments": (
        "\n".join(" " * depth + "a: #" for depth in range(5000)),
        "expected at most 64 levels, found more",
    ),
    "many-items": ("- a\n" * 101, "expected at most 100 items, found more"),
    "many-keys": ("".join(f"a{n}:\n" for n in range(101)), "expected at most 100 keys, found more"),
    "many-lines": ("\n" * 1001, "expected at most 1000 lines"),
    "endless-quote": ("a: '\n" + "  ''\n" * 900, "expected a closing quote"),
}


@pytest.mark.parametrize(("text", "fact"), [pytest.param(*case, id=name) for name, case in HOSTILE.items()])
def test_hostile_texts_end_early(text, fact):
    with pytest.raises(YamlMistake) as caught:
        parse_yaml(text, limits=YamlLimits(items=100, lines=6000 if "#" in text else 1000))
    assert caught.value.reason == fact


WRITTEN = {
    "word": ("python", "python"),
    "spec": ("python >=3.10,<3.11.0a0 *_cp310", "python >=3.10,<3.11.0a0 *_cp310"),
    "url": ("https://channel.example/a%20b", "https://channel.example/a%20b"),
    "version": ("1.2.3", "1.2.3"),
    "float": ("1.10", "'1.10'"),
    "integer": ("10", "'10'"),
    "octal": ("0o7", "'0o7'"),
    "digits-with-one-e": ("12e34", "'12e34'"),
    "hexadecimal-digest": ("12ab", "12ab"),
    "sixty": ("1:30", "'1:30'"),
    "underscores": ("1_000", "'1_000'"),
    "date": ("2024-01-01", "'2024-01-01'"),
    "yes": ("Yes", "'Yes'"),
    "null": ("null", "'null'"),
    "tilde": ("~", "'~'"),
    "empty": ("", "''"),
    "star": ("*", "'*'"),
    "greater": (">=1.2", "'>=1.2'"),
    "hash": ("#a", "'#a'"),
    "comment": ("a #b", "'a #b'"),
    "no-comment": ("a#b", "a#b"),
    "colon": ("a: b", "'a: b'"),
    "colon-at-the-end": ("a:", "'a:'"),
    "blank-at-the-end": ("a ", "'a '"),
    "apostrophe": ("'a'", "'''a'''"),
    "line-end": ("a\nb", '"a\\x0ab"'),
    "accent": ("é", "'é'"),
    "hidden": ("a\u2028\U000e0001", '"a\\u2028\\U000e0001"'),
    "document-end": ("...", "'...'"),
    "number": (5, "5"),
}


@pytest.mark.parametrize(("value", "text"), [pytest.param(*case, id=name) for name, case in WRITTEN.items()])
def test_scalars_are_quoted_where_they_have_to_be(value, text):
    assert write_scalar(value) == text
    assert parse_yaml(f"- {text}") == [value]
