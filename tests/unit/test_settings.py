"""Settings come from variables, and a value that means nothing is an error."""

import pytest

from cwtasks.exceptions import CwtasksError
from cwtasks.settings import Settings, log_level


def test_nothing_set_gives_the_defaults():
    settings = Settings.read({"HOME": "/home/ada"})
    assert settings == Settings(keeps_outputs=True, cache_folder="/home/ada/.cache/cwtasks", cache_bytes=5 * 1024**3)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("on", True), ("OFF", False), ("0", False), ("yes", True), ("", True)],
)
def test_the_switch(value: str, expected: bool):
    assert Settings.read({"CWTASKS_KEEP_OUTPUTS": value}).keeps_outputs is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0", 0), ("500M", 500 * 1024**2), ("20 GB", 20 * 1024**3), ("1gib", 1024**3), ("7k", 7 * 1024)],
)
def test_a_size_has_units(value: str, expected: int):
    assert Settings.read({"CWTASKS_CACHE_SIZE": value}).cache_bytes == expected


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"CWTASKS_KEEP_OUTPUTS": "maybe"}, "CWTASKS_KEEP_OUTPUTS: found 'maybe', expected on or off"),
        (
            {"CWTASKS_CACHE_SIZE": "much"},
            "CWTASKS_CACHE_SIZE: found 'much', expected a size\nhint: write it as 500M or 20G",
        ),
    ],
)
def test_a_value_that_means_nothing_is_an_error(environ: dict[str, str], message: str):
    with pytest.raises(CwtasksError) as error:
        Settings.read(environ)
    assert str(error.value) == message


def test_a_variable_wins_over_the_manifest():
    table = {"keep-outputs": False, "cache-size": "1G"}
    assert Settings.read({}, table)[:1] == (False,)
    settings = Settings.read({"CWTASKS_KEEP_OUTPUTS": "on"}, table)
    assert (settings.keeps_outputs, settings.cache_bytes) == (True, 1024**3)


def test_an_unknown_key_of_the_manifest_is_warned_of():
    known = "archive, cache-size, engine, frozen, install, keep-outputs, link-scripts, locked, offline, skip-unsolvable"
    (warning,) = Settings.read({}, {"keep-output": False}).warnings
    assert warning == f"tool.cwtasks.keep-output: unknown key; did you mean 'keep-outputs'? Known keys: {known}"


def test_the_cache_folder_follows_the_users_wishes():
    assert Settings.read({"XDG_CACHE_HOME": "/var/cache"}).cache_folder == "/var/cache/cwtasks"
    assert Settings.read({"XDG_CACHE_HOME": "/var/cache", "CWTASKS_CACHE": "/fast"}).cache_folder == "/fast"


def test_the_log_is_silent_unless_asked():
    assert log_level({}) is None
    assert log_level({"CWTASKS_LOG": "debug"}) == 10
    with pytest.raises(CwtasksError, match="did you mean 'debug'"):
        log_level({"CWTASKS_LOG": "debgu"})


def test_locks_are_final_where_nobody_commits_them():
    assert Settings.read({"CI": "true"}).locked
    assert not Settings.read({"CI": "true", "CWTASKS_LOCKED": "off"}).locked
    assert not Settings.read({"CI": "false"}).locked
    assert not Settings.read({"CI": "some-service"}).locked
    assert Settings.read({}, {"locked": True}).locked


@pytest.mark.parametrize("key", ["install", "locked", "frozen", "offline", "link-scripts", "skip-unsolvable"])
def test_a_switch_that_is_neither_on_nor_off(key):
    with pytest.raises(CwtasksError, match=f"tool.cwtasks.{key}: found 'maybe', expected on or off"):
        Settings.read({}, {key: "maybe"})
