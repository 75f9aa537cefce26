"""The clock of the plant's day runs while the hub works, not while it starts."""

from __future__ import annotations

import pytest

from benchmarks.plant_day import NotTaken, Stopwatch
from ops.running import Progress


def _progress(*states: str) -> Progress:
    return Progress([{"state": state} for state in states], behind=0, outbox=0)


def test_the_clock_runs_from_the_first_source_that_is_read_to_the_last_look() -> None:
    watch = Stopwatch(iter([10.0, 12.0, 13.5, 20.0]).__next__)
    for progress in (
        _progress(),
        _progress("waiting", "waiting"),
        _progress("reading", "waiting"),
        _progress("done", "done"),
    ):
        watch.look(progress)
    assert watch.seconds == 6.5


def test_a_run_that_read_no_source_took_no_time_that_could_be_told() -> None:
    watch = Stopwatch(iter([10.0, 12.0]).__next__)
    watch.look(_progress())
    watch.look(_progress("waiting"))
    with pytest.raises(NotTaken, match="no source was read"):
        _ = watch.seconds
