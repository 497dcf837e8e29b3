"""The garbage collector before, during and after a piece of work that it stays away from."""

import gc
import weakref

import pytest

from cwtasks.collector import without_collector


class Knot:
    """Refers to itself: only the collector can remove it."""

    def __init__(self):
        self.self = self


@pytest.fixture
def runs():
    """The collector's runs, by generation."""
    seen = []

    def note(phase, info):
        if phase == "start":
            seen.append(info["generation"])

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def test_it_does_not_run_meanwhile(runs):
    with without_collector():
        kept = [[] for _ in range(100_000)]
    assert (len(kept), runs) == (100_000, [])


def test_it_does_not_walk_what_came_meanwhile_as_soon_as_it_may_run_again(runs):
    with without_collector():
        kept = [[] for _ in range(100_000)]
    assert gc.isenabled()
    few = [[] for _ in range(gc.get_threshold()[0] // 2)]
    assert (len(kept), len(few) > 0, runs) == (100_000, True, [])


def test_it_still_finds_what_came_meanwhile():
    with without_collector():
        knot = weakref.ref(Knot())
    assert knot() is not None
    gc.collect()
    assert knot() is None


def test_what_the_caller_has_frozen_stays_frozen():
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with without_collector():
            pass
        assert gc.get_freeze_count() >= frozen
    finally:
        gc.unfreeze()


def test_it_stays_away_where_it_was_disabled():
    gc.disable()
    try:
        with without_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
