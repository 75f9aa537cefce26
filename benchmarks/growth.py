"""What ten times the history does to the rate of the same job, and how fast views are made anew.

The job is done after ``records`` documents, and after a multiple of them. Both times the tables are
settled before, the same chances are drawn, and equally many invoices of the history can be paid;
only how much stands in the tables differs. It is done several times in a row, and the best counts:
what else the machine does slows some of them, and none of them down only. Each job is itself
history for the next: after how many documents the best one stood is said beside its rate, and the
history has grown by what lies between the two best.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks import documents, end_to_end
from benchmarks.documents import Document
from benchmarks.history import lay_in, open_invoices, settle
from benchmarks.measured import Figure, say
from hub.policy import Policy
from ops.stack import Addresses
from streams.rebuild import rebuild

#: The share of the rate after one history that is to be kept after a multiple of it.
KEPT = 0.8

#: How many times as many documents there are then, at least: what is multiplied are whole copies
#: of the first history with its jobs.
GROWN = 10
#: How often the job is done after the first history, and after the grown one. The first history
#: with its jobs is the million from which the views are made anew.
JOBS_BEFORE, JOBS_AFTER = 3, 2


class Best(NamedTuple):
    """The fastest of several jobs in a row, and how many documents there were before it."""

    rate: float
    before: int
    times: int

    def __str__(self) -> str:
        return f"{self.before:,} documents before, the best of {self.times}"

    def grown_from(self, earlier: Best) -> str:
        """How many times as much history it had as an earlier one."""
        return f"{self.before / earlier.before:.1f} × the history"


def best_of(times: int, job: Callable[[int], float], before: Callable[[], int]) -> Best:
    """Do a job with the seeds 3, 4 …, and return the fastest.

    Args:
        times: how often.
        job: does it with a seed, and returns its rate per second.
        before: counts the documents that there are by then.
    """
    done = []
    for seed in range(3, 3 + times):
        count = before()
        done.append(Best(job(seed), count, times))
    return max(done, key=lambda best: best.rate)


@dataclass(slots=True)
class _Grower:
    """A hub that has processed the first ``records`` of `documents.invoices_and_payments`."""

    addresses: Addresses
    config: Path
    records: int
    #: The number of the next document.
    _next: int = 0
    _still_open: list[Document] = field(default_factory=list)
    #: How many invoices of the history the jobs may pay.
    _to_pay: int = 0

    def __post_init__(self) -> None:
        self._next = self.records
        for _ in documents.invoices_and_payments(self.records, waiting=self._still_open):
            pass
        self._to_pay = len(self._still_open)

    def jobs(self, times: int) -> Best:
        """Return the best of so many jobs in a row, done next."""
        return best_of(times, self._job, lambda: self._next)

    def grow(self, times: int) -> int:
        """Lay in copies of all there is until there are ``times`` histories; return how many."""
        number = self._next
        copies = -(-times * self.records // number)
        say(f"laying in documents up to {copies * number:,}")
        began = time.perf_counter()
        lay_in(
            self.addresses.database_url,
            number,
            range(1, copies),
            lambda laid_in: say(f"  {laid_in:,} after {time.perf_counter() - began:.0f} s"),
        )
        self._still_open = open_invoices(self._still_open, number, copies, self._to_pay)
        self._next = copies * number
        return self._next

    def _job(self, seed: int) -> float:
        say(f"publishing {self.records:,} more")
        documents.publish(
            self.addresses.cluster,
            documents.invoices_and_payments(
                self.records, seed, first=self._next, waiting=self._still_open
            ),
        )
        settle(self.addresses.database_url)
        say(f"end to end: one worker, {self._next:,} documents before")
        rate, _ = end_to_end.drain(self.addresses, end_to_end.workers_of(self.config))
        say(f"  {rate:,.0f} events/s")
        self._next += self.records
        return rate


def growth(addresses: Addresses, config: Path, records: int) -> list[Figure]:
    """Measure the job after one and after `GROWN` histories, and a rebuild between the two.

    Args:
        addresses: of a hub that has processed `documents.invoices_and_payments` of ``records``.
        config: of that hub.
        records: of the first history, and of the job.
    """
    grower = _Grower(addresses, config, records)
    once = grower.jobs(JOBS_BEFORE)
    return [_rebuild(addresses, once), _grown(grower, once, GROWN)]


def large_growth(addresses: Addresses, config: Path, records: int, times: int) -> list[Figure]:
    """Measure the job after ``records`` documents and after ``times`` as many; the hub is empty."""
    say(f"publishing {records:,} invoices and payments")
    documents.publish(addresses.cluster, documents.invoices_and_payments(records))
    say("end to end: one worker, no history")
    end_to_end.drain(addresses, end_to_end.workers_of(config))
    grower = _Grower(addresses, config, records)
    return [_grown(grower, grower.jobs(JOBS_BEFORE), times)]


def _grown(grower: _Grower, once: Best, times: int) -> Figure:
    grower.grow(times)
    return grown_figure(once, grower.jobs(JOBS_AFTER))


def grown_figure(once: Best, grown: Best) -> Figure:
    """Return what is left of a rate when the history has grown."""
    return Figure(
        f"end to end, one worker, {grown}: {grown.grown_from(once)}",
        grown.rate,
        "events/s",
        str(once),
        once.rate,
        target=KEPT,
    )


def _rebuild(addresses: Addresses, once: Best) -> Figure:
    say("all views anew from the facts")
    began = time.perf_counter()
    facts = rebuild(addresses.database_url, Policy())["receivables"]
    return Figure(
        f"all views anew from {facts:,} facts",
        facts / (time.perf_counter() - began),
        "events/s",
        f"end to end, one worker, {once}",
        once.rate,
    )
