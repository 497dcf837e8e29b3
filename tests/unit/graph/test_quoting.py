"""Words become text that a shell reads back as the same words."""

from __future__ import annotations

import subprocess

import pytest

from cwtasks.graph.quoting import double_quoted, list_text, one_line, posix_words, windows_words


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(["echo", "$HOME", "&&", "ls", "*.py"], "echo $HOME && ls *.py", id="raw"),
        pytest.param(["echo", ""], 'echo ""', id="empty"),
        pytest.param(["pytest", "a b"], 'pytest "a b"', id="space"),
        pytest.param(["x", "a[0]"], 'x "a[0]"', id="brackets"),
        pytest.param(["x", "a\tb", "c\nd"], 'x "a\tb" "c\nd"', id="tab-and-line-end"),
        pytest.param(["x", 'say "hi"'], 'x "say \\"hi\\""', id="quotes-in-a-quoted-item"),
        pytest.param(["x", 'a"b'], 'x a"b', id="quote-alone-stays-raw"),
        pytest.param(["x", "a b\\"], 'x "a b\\\\"', id="backslash-does-not-open-the-quote"),
    ],
)
def test_list_items_are_joined_as_pixi_does(words, text):
    assert list_text(words) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param('say "hi"', 'say "hi"', id="quotes"),
        pytest.param("$A and ${A}", "one and one", id="variables"),
        pytest.param("$(echo x)`echo y`", "xy", id="commands"),
        pytest.param("\\$A", "$A", id="escaped-dollar"),
        pytest.param("C:\\dir", "C:\\dir", id="backslash"),
        pytest.param("C:\\dir\\", "C:\\dir\\", id="last-backslash"),
        pytest.param("a\\\\", "a\\", id="two-last-backslashes-are-one-as-in-bash"),
        pytest.param('a\\"b', 'a\\"b', id="backslash-before-quote"),
        pytest.param("100% {a,b} 'c' !x", "100% {a,b} 'c' !x", id="not-special"),
        pytest.param("two\nlines", "two\nlines", id="line-end"),
    ],
)
def test_double_quoted_text_expands_and_cannot_leave_its_quotes(text, value):
    script = f"A=one; printf '%s' {double_quoted(text)}"

    assert subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout == value


def test_posix_words_are_quoted_only_where_needed():
    assert posix_words(["a", "b c", "it's"]) == "a 'b c' 'it'\"'\"'s'"
    assert posix_words([]) == ""


@pytest.mark.parametrize(
    ("word", "text"),
    [
        pytest.param("a b", '"a b"', id="space"),
        pytest.param('a"b', '"a\\"b"', id="quote"),
        pytest.param("a\\", '"a\\\\"', id="last-backslash"),
        pytest.param("a\\b", '"a\\b"', id="inner-backslash"),
        pytest.param('a\\"b', '"a\\\\\\"b"', id="backslash-before-quote"),
    ],
)
def test_windows_words_follow_the_rules_of_its_programs(word, text):
    assert windows_words([word]) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param(" \n\t\n", "", id="blanks"),
        pytest.param("  echo a ", "echo a", id="one"),
        pytest.param("\n  echo a\n\n  echo b\n", "echo a; echo b", id="lines"),
        pytest.param("echo a \\\n  b", "echo a b", id="continued"),
        pytest.param("a &&\nb ||\nc;\nd", "a && b || c; d", id="open-lines"),
        pytest.param("if a\nthen\nb\nfi", "if a; then b; fi", id="open-words"),
        pytest.param("a" * 20, "a" * 20, id="fits"),
        pytest.param("a" * 30, "a" * 19 + "…", id="cut"),
        pytest.param("a" * 18 + " bcd", "a" * 18 + "…", id="no-blank-before-the-cut"),
    ],
)
def test_a_command_is_shown_in_one_line(text, line):
    assert one_line(text, 20) == line
