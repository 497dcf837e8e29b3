"""One value at a time: its type, its address, and what is said of it."""

import datetime as dt

import pytest

from cwtasks.exceptions import TaskParseError, WorkspaceParseError
from cwtasks.manifests.tables import Report, dotted, found


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x", "string 'x'"),
        ("x" * 60, "a string"),
        ("two\nlines", "a string"),
        (3, "integer 3"),
        (True, "boolean true"),
        (1.5, "float 1.5"),
        (float("inf"), "float inf"),
        ([], "an empty array"),
        ([1], "an array"),
        ({}, "an empty table"),
        ({"a": 1}, "a table"),
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "date-time 2026-01-01 00:00:00+00:00"),
        (dt.date(2026, 1, 1), "date 2026-01-01"),
        (dt.time(1, 2), "time 01:02:00"),
        ("https://me:pw@h.org/t/TOKEN/c", "string 'https://h.org/c'"),
    ],
)
def test_values_are_named_as_toml_names_them(value, words):
    assert found(value) == words


@pytest.mark.parametrize(
    ("place", "key", "address"),
    [
        ("", "tasks", "tasks"),
        ("tasks", "build-docs_2", "tasks.build-docs_2"),
        ("tasks", "a b", 'tasks."a b"'),
        ("tasks", "a.b", 'tasks."a.b"'),
        ("tasks", "", 'tasks.""'),
        ("tasks", 'a"b\\', 'tasks."a\\"b\\\\"'),
        ("tasks", "a\nb", 'tasks."a\\u000ab"'),
        ("dependencies", "https://me:pw@h.org", 'dependencies."https://h.org"'),
        ("tasks", "é", 'tasks."é"'),
    ],
)
def test_keys_are_quoted_when_toml_needs_it(place, key, address):
    assert dotted(place, key) == address


def test_an_empty_report_raises_nothing():
    report = Report("pixi.toml")
    report.warn("a", "doubtful")
    report.raise_collected()
    assert report.warnings == ["pixi.toml: a: doubtful"]


@pytest.mark.parametrize(
    ("in_tasks", "outside", "error"),
    [
        pytest.param(1, 0, TaskParseError, id="tasks-only"),
        pytest.param(0, 1, WorkspaceParseError, id="outside-only"),
        pytest.param(1, 1, WorkspaceParseError, id="both"),
    ],
)
def test_the_error_tells_whether_only_tasks_are_wrong(in_tasks, outside, error):
    report = Report("pixi.toml")
    tasks = report.for_tasks()
    for _ in range(in_tasks):
        tasks.mistake("tasks.a", "is wrong", "mend it")
    for _ in range(outside):
        report.mistake("b", "is wrong")
    with pytest.raises(error) as caught:
        report.raise_collected()
    assert len(caught.value.mistakes) == in_tasks + outside


@pytest.mark.parametrize(
    ("getter", "good", "bad", "fact", "hint"),
    [
        ("text", "x", 1, "expected a string, found integer 1", 'write "1"'),
        ("text", "x", True, "expected a string, found boolean true", 'write "true"'),
        ("text", "x", ["x"], "expected a string, found an array", ""),
        ("texts", ["x"], "x", "expected an array of strings, found string 'x'", 'write ["x"]'),
        ("texts", [], "https://h.org", "expected an array of strings, found string 'https://h.org'", ""),
        ("boolean", False, "true", "expected true or false, found string 'true'", "remove the quotes"),
        ("boolean", True, 1, "expected true or false, found integer 1", ""),
        ("integer", 0, True, "expected an integer, found boolean true", ""),
        ("table", {}, [], "expected a table, found an empty array", ""),
    ],
)
def test_getters_return_the_value_or_note_the_mistake(getter, good, bad, fact, hint):
    report = Report("x.toml")
    get = getattr(report, getter)
    assert get(None, "p") is None
    assert get(good, "p") is good
    assert report.mistakes == []
    assert get(bad, "p") is None
    assert report.mistakes == [("p", fact, hint)]


def test_tables_of_strings_keep_what_is_right():
    report = Report("x.toml")
    assert report.text_table({"A": "1", "B B": 2}, "env") == {"A": "1"}
    assert report.mistakes == [('env."B B"', "expected a string, found integer 2", 'write "2"')]
