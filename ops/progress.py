"""Shows on standard error how far a bounded run is: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from datetime import date, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.status import Status

if TYPE_CHECKING:
    from connectors.report import SourceReport
    from ops.running import Progress
    from ops.source_runs import SourceRun

_LINE_SECONDS = 5.0


class _Display:
    """What is live on a terminal while it is entered, and lines every few seconds elsewhere."""

    def __init__(self, console: Console, live: Bars | Status) -> None:
        self._console = console
        self._live = live
        self._line_due = time.monotonic() + _LINE_SECONDS

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def _may_say(self) -> bool:
        """Whether it is time for a line; the next one has to wait."""
        now = time.monotonic()
        if now < self._line_due:
            return False
        self._line_due = now + _LINE_SECONDS
        return True


class ProgressDisplay(_Display):
    """Shows progress while it is entered; call it with each one."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        super().__init__(console, self._bars)
        self._last_line = ""
        self._most_behind = 0
        self._reading = self._bars.add_task("reading sources", total=None)
        self._processing = self._bars.add_task("processing", total=None)

    def __call__(self, progress: Progress) -> None:
        """Show where the run is now."""
        if self._console.is_terminal:
            self._move_bars(progress)
        elif self._may_say():
            line = line_of(progress)
            if line != self._last_line:
                self._console.print(line)
            self._last_line = line

    def _move_bars(self, progress: Progress) -> None:
        done = sum(one["state"] in ("done", "paused", "failed") for one in progress.sources)
        self._bars.update(
            self._reading,
            total=len(progress.sources) or None,
            completed=done,
            description=f"reading sources: {_count(progress, 'read'):,} records",
        )
        behind = (progress.behind or 0) + (progress.outbox or 0)
        self._most_behind = max(self._most_behind, behind)
        self._bars.update(
            self._processing,
            total=self._most_behind or None,
            completed=self._most_behind - behind,
            description="processing",
        )


class SourceBars(_Display):
    """Shows how far each source is read: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console,
            transient=True,
        )
        super().__init__(console, self._bars)
        self._began: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}

    def show_run(self, run: SourceRun) -> None:
        """Show a source that is read."""
        self._show(run.source, run)

    def show_report(self, report: SourceReport) -> None:
        """Show a source of which a period is read again."""
        self._show(report.source, report)

    def _show(self, source: str, counts: SourceRun | SourceReport) -> None:
        now = time.monotonic()
        seconds = now - self._began.setdefault(source, now)
        line = counts_line(counts, seconds)
        if self._console.is_terminal:
            if source not in self._tasks:
                self._tasks[source] = self._bars.add_task(source, total=None, counts="")
            total = counts.bytes_ahead or None
            done = counts.bytes_read if total is None else min(counts.bytes_read, total)
            self._bars.update(self._tasks[source], total=total, completed=done, counts=line)
        elif self._may_say():
            self._console.print(f"{source}: {line}")


class DayLine(_Display):
    """Shows how far a plant was played; call it with each day."""

    def __init__(self, console: Console, until: date) -> None:
        self._status = console.status("playing")
        super().__init__(console, self._status)
        self._until = until

    def __call__(self, day: date) -> None:
        """Show this day."""
        line = f"playing {day} of {self._until}"
        if self._console.is_terminal:
            self._status.update(line)
        elif self._may_say():
            self._console.print(line)


def counts_line(counts: SourceRun | SourceReport, seconds: float) -> str:
    """What was done with a source in so many seconds, how fast, and how long it may yet take."""
    parts = [
        f"{counts.read:,} read",
        f"{counts.published:,} published",
        f"{counts.rejected:,} rejected",
        f"{counts.repeated:,} repeated",
    ]
    if seconds >= 1:
        parts.append(f"{counts.read / seconds:,.0f}/s")
        left = (counts.bytes_ahead or 0) - counts.bytes_read
        if left > 0 and counts.bytes_read > 0:
            parts.append(
                f"about {timedelta(seconds=round(left * seconds / counts.bytes_read))} left"
            )
    return ", ".join(parts)


def line_of(progress: Progress) -> str:
    """Progress in one line."""
    read = f"read {_count(progress, 'read'):,} records"
    published = f"published {_count(progress, 'published'):,} documents"
    if progress.behind is None or progress.outbox is None:
        return f"{read}, {published}; waiting for the servers"
    return (
        f"{read}, {published}; {progress.behind:,} still to process,"
        f" {progress.outbox:,} changes to publish"
    )


def _count(progress: Progress, name: str) -> int:
    return sum(int(one[name]) for one in progress.sources)
