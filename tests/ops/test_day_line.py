"""How far a plant was played is shown: live on a terminal, now and then in lines elsewhere."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from rich.console import Console

from ops.progress import DayLine

UNTIL = date(2024, 3, 31)


def test_elsewhere_a_line_comes_only_when_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("ops.progress.time.monotonic", lambda: now)
    printed = io.StringIO()
    with DayLine(Console(file=printed, width=80), UNTIL) as line:
        for number in range(12):
            line(date(2024, 3, 1) + timedelta(days=number))
            now += 1.0
    assert printed.getvalue().splitlines() == [
        "playing 2024-03-06 of 2024-03-31",
        "playing 2024-03-11 of 2024-03-31",
    ]


def test_on_a_terminal_the_day_is_shown_at_once() -> None:
    printed = io.StringIO()
    with DayLine(Console(file=printed, force_terminal=True, width=80), UNTIL) as line:
        line(date(2024, 3, 1))
    assert "playing 2024-03-01 of 2024-03-31" in printed.getvalue()
    assert "\n" not in printed.getvalue().strip("\r\n").rsplit("2024-03-31", 1)[0]
