"""Where tables and entries stand in a text, whatever form TOML allows them."""

import pytest
import tomli

from cwtasks.manifests.layout import all_entries, blocks, inline_entries

HARD = '''
# comment with [brackets] and "quotes
top = 1
"quoted.key" = 'a # no comment'
multi = """
[not a table]
x = "y"
"""  # comment
literal = \'\'\'
]]]\'\'\'
array = [
  "]", # ]
  { a = 1, b = [2] },
]
date = 1979-05-27 07:32:00
dotted . "key" . a = true

  [ table . "sub table" ]  # after
  a.b = { c.d = 1, e = { f = "}" } }
  quotes = """a""b"""""

[[list]]
name = 1
[list.sub]
x = 1
[[list]]
name = 2
'''


def test_every_value_is_found_where_it_stands():
    document = tomli.loads(HARD)
    found = {entry.path: HARD[entry.value : entry.end] for _, entry in all_entries(HARD)}
    values = {path: tomli.loads(f"x = {text}")["x"] for path, text in found.items()}
    assert values["quoted.key",] == document["quoted.key"]
    assert values["multi",] == document["multi"]
    assert values["literal",] == document["literal"]
    assert values["array",] == document["array"]
    assert values["date",] == document["date"]
    assert values["dotted", "key", "a"] is True
    assert values["table", "sub table", "a", "b"] == document["table"]["sub table"]["a"]["b"]
    assert values["table", "sub table", "quotes"] == 'a""b""'
    assert len(found) == 12


def test_entries_of_arrays_of_tables_are_nobodys_address():
    names = [entry.path for block, entry in all_entries(HARD) if block.is_array]
    assert len(set(names)) == 2
    assert ("list", "name") not in names


def test_a_header_may_be_indented_and_spaced():
    (block,) = [block for block in blocks(HARD) if block.path == ("table", "sub table")]
    assert HARD[block.start : block.header_end] == '  [ table . "sub table" ]'


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "\r\n# two\r\n"])
def test_a_text_without_entries_is_one_block(text):
    assert [(block.path, block.entries) for block in blocks(text)] == [((), ())]


def test_inline_tables_may_span_lines_and_hold_comments():
    text = "a = { # first }\n  b = 1, # one }\n  c.d = [1,\n 2], }\n"
    ((_, entry),) = all_entries(text)
    assert [(one.path, text[one.value : one.end]) for one in inline_entries(text, entry)] == [
        (("a", "b"), "1"),
        (("a", "c", "d"), "[1,\n 2]"),
    ]


def test_what_is_no_inline_table_has_no_entries():
    text = "a = [{ b = 1 }]\n"
    ((_, entry),) = all_entries(text)
    assert inline_entries(text, entry) is None
