"""Shows on standard error how far a bounded run is: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from datetime import date, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from connectors.report import SourceReport
    from ops.running import Progress
    from ops.source_runs import SourceRun

_LINE_SECONDS = 5.0


class ProgressDisplay:
    """Shows progress while it is entered; call it with each one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line_due = time.monotonic() + _LINE_SECONDS
        self._last_line = ""
        self._most_behind = 0
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._reading = self._bars.add_task("reading sources", total=None)
        self._processing = self._bars.add_task("processing", total=None)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the run is now."""
        if self._console.is_terminal:
            self._move_bars(progress)
        elif time.monotonic() >= self._line_due:
            line = line_of(progress)
            if line != self._last_line:
                self._console.print(line)
            self._last_line = line
            self._line_due = time.monotonic() + _LINE_SECONDS

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


class _Line:
    """A line that says where something is: live on a terminal, every few seconds elsewhere."""

    def __init__(self, console: Console, waiting: str) -> None:
        self._console = console
        self._status = console.status(waiting) if console.is_terminal else None
        self._due = time.monotonic() + _LINE_SECONDS

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def _say(self, line: str) -> None:
        if self._status is not None:
            self._status.update(line)
        elif time.monotonic() >= self._due:
            self._console.print(line)
            self._due = time.monotonic() + _LINE_SECONDS


class SourceBars:
    """Shows how far each source is read: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._due = time.monotonic() + _LINE_SECONDS
        self._began: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

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
        elif now >= self._due:
            self._console.print(f"{source}: {line}")
            self._due = now + _LINE_SECONDS


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


class DayLine(_Line):
    """Shows how far a plant was played; call it with each day."""

    def __init__(self, console: Console, until: date) -> None:
        super().__init__(console, "playing")
        self._until = until

    def __call__(self, day: date) -> None:
        """Show this day."""
        self._say(f"playing {day} of {self._until}")


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
