"""How far sources are read is shown with counts, rate and remaining time."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from connectors.report import SourceReport
from ops.progress import SourceBars, counts_line


def test_remaining_time_follows_from_the_bytes_that_were_read() -> None:
    report = SourceReport("erp", 4_000, 3_000, 900, 100, bytes_read=250, bytes_ahead=1_000)
    assert counts_line(report, 10.0) == (
        "4,000 read, 3,000 published, 100 rejected, 900 repeated, 400/s, about 0:00:30 left"
    )


@pytest.mark.parametrize(("read", "ahead"), [(0, 100), (100, None), (100, 100), (120, 100)])
def test_nothing_is_said_of_the_remaining_time_where_nobody_knows(
    read: int, ahead: int | None
) -> None:
    report = SourceReport("erp", 5, bytes_read=read, bytes_ahead=ahead)
    assert "left" not in counts_line(report, 10.0)


def test_pipe_gets_a_line_now_and_then_and_no_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("ops.progress.time.monotonic", lambda: clock[0])
    told = io.StringIO()
    with SourceBars(Console(file=told, width=200)) as bars:
        for second in range(12):
            clock[0] = float(second)
            bars.show_report(SourceReport("erp", read=second))
    assert [line[:11] for line in told.getvalue().splitlines()] == ["erp: 5 read", "erp: 10 rea"]


def test_terminal_gets_a_bar_with_the_counts() -> None:
    told = io.StringIO()
    console = Console(file=told, width=120, force_terminal=True)
    with SourceBars(console) as bars:
        bars.show_report(SourceReport("erp", read=7, bytes_read=5, bytes_ahead=10))
    assert "7 read, 0 published" in told.getvalue()
