"""What ten times the history does to the rate of the same job, and how fast views are made anew.

The job is done twice: after ``records`` documents, and after a multiple of them. Both times the
tables are settled before, the same chances are drawn, and equally many invoices of the history can
be paid; only how much stands in the tables differs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import documents, end_to_end
from benchmarks.documents import Document
from benchmarks.history import lay_in, open_invoices, settle
from benchmarks.measured import Figure, say
from hub.policy import Policy
from ops.stack import Addresses
from streams.rebuild import rebuild

#: The share of the rate after one history that is to be kept after a multiple of it.
KEPT = 0.8

#: How many histories the grown one is. What is multiplied is the first with its job, so it is even.
GROWN = 10
#: From how many histories the views are made anew: 1,000,000 facts, where one has 300,000.
REBUILT = 10 / 3


@dataclass(slots=True)
class _Grower:
    """A hub that has processed the first ``records`` of `documents.invoices_and_payments`."""

    addresses: Addresses
    config: Path
    records: int
    _still_open: list[Document] = field(default_factory=list)
    #: How many invoices of the history each job may pay.
    _to_pay: int = 0
    #: How many copies of the first history and its job the tables hold, these themselves included.
    _copies: int = 1

    def __post_init__(self) -> None:
        for _ in documents.invoices_and_payments(self.records, waiting=self._still_open):
            pass
        self._to_pay = len(self._still_open)

    def first_job(self) -> float:
        """Return the rate of a job after the processed documents."""
        waiting = open_invoices(self._still_open, self.records, 1, self._to_pay)
        rate = self._job(self.records, waiting)
        self._still_open = waiting
        return rate

    def grow(self, documents: int) -> None:
        """Lay in copies until the tables hold at least so many documents."""
        number, before = 2 * self.records, self._copies
        self._copies = max(before, -(-documents // number))
        say(f"laying in documents up to {self._copies * number:,}")
        began = time.perf_counter()
        lay_in(
            self.addresses.database_url,
            number,
            range(before, self._copies),
            lambda laid_in: say(f"  {laid_in:,} after {time.perf_counter() - began:.0f} s"),
        )

    def job_after(self, times: int) -> float:
        """Return the rate of the same job, done next, after ``times`` times the documents."""
        self.grow(times * self.records)
        number = 2 * self.records
        waiting = open_invoices(self._still_open, number, self._copies, self._to_pay)
        return self._job(times * self.records, waiting)

    def _job(self, first: int, waiting: list[Document]) -> float:
        say(f"publishing {self.records:,} more")
        documents.publish(
            self.addresses.cluster,
            documents.invoices_and_payments(self.records, 3, first=first, waiting=waiting),
        )
        settle(self.addresses.database_url)
        say(f"end to end: one worker, {first:,} documents before")
        rate, _ = end_to_end.drain(self.addresses, end_to_end.workers_of(self.config))
        return rate


def growth(addresses: Addresses, config: Path, records: int) -> list[Figure]:
    """Measure the job after one and after `GROWN` histories, and a rebuild between the two.

    Args:
        addresses: of a hub that has processed `documents.invoices_and_payments` of ``records``.
        config: of that hub.
        records: of the first history, and of the job.
    """
    grower = _Grower(addresses, config, records)
    once = grower.first_job()
    grower.grow(round(REBUILT * records))
    return [_rebuild(addresses, once), _grown(grower, once, GROWN)]


def large_growth(addresses: Addresses, config: Path, records: int, times: int) -> list[Figure]:
    """Measure the job after ``records`` documents and after ``times`` as many; the hub is empty."""
    say(f"publishing {records:,} invoices and payments")
    documents.publish(addresses.cluster, documents.invoices_and_payments(records))
    say("end to end: one worker, no history")
    end_to_end.drain(addresses, end_to_end.workers_of(config))
    grower = _Grower(addresses, config, records)
    return [_grown(grower, grower.first_job(), times)]


def _grown(grower: _Grower, once: float, times: int) -> Figure:
    return Figure(
        f"end to end, one worker, {times * grower.records:,} documents before",
        grower.job_after(times),
        "events/s",
        f"{grower.records:,} before",
        once,
        target=KEPT,
    )


def _rebuild(addresses: Addresses, once: float) -> Figure:
    say("all views anew from the facts")
    began = time.perf_counter()
    facts = rebuild(addresses.database_url, Policy())["receivables"]
    return Figure(
        f"all views anew from {facts:,} facts",
        facts / (time.perf_counter() - began),
        "events/s",
        "end to end, one worker",
        once,
    )
