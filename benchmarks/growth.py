"""What a long history does to the rate, and how fast all views are made anew from it."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import mean

from benchmarks import documents, end_to_end
from benchmarks.history import lay_in, open_invoices
from benchmarks.measured import Figure, say
from hub.policy import Policy
from ops.stack import Addresses
from streams.rebuild import forget_everything, rebuild

#: The share of an empty hub's rate that one with a history is to reach.
KEPT = 0.8

#: How many jobs the facts are from which all views are made anew, and how many the whole history.
REBUILT, GROWN = 4, 10


def growth(addresses: Addresses, config: Path, records: int) -> list[Figure]:
    """Measure a hub that grows to ten times the job of ``records``, and rebuilds on the way."""
    first, anew = _empty_hub(addresses, config, records)
    _grow(addresses, records, range(1, REBUILT))
    from_facts = _rebuild(addresses, records * REBUILT, first)
    _grow(addresses, records, range(REBUILT, GROWN))
    return [
        _next_job(addresses, config, records, GROWN, mean((first, anew))),
        from_facts,
        Figure(
            f"everything anew from {records:,} events of the topics, one worker",
            anew,
            "events/s",
            "the first time",
            first,
        ),
    ]


def large_growth(addresses: Addresses, config: Path, records: int, times: int) -> list[Figure]:
    """Measure a job of ``records`` on an empty hub and on one with ``times`` as much history."""
    empty = mean(_empty_hub(addresses, config, records))
    _grow(addresses, records, range(1, times))
    return [_next_job(addresses, config, records, times, empty)]


def _empty_hub(addresses: Addresses, config: Path, records: int) -> tuple[float, float]:
    """Process the documents from which the history is made, twice; return both rates."""
    say(f"publishing {records:,} invoices and payments")
    documents.publish(addresses.cluster, documents.invoices_and_payments(records))
    say("end to end: one worker, no history")
    first, _ = end_to_end.drain(addresses, end_to_end.workers_of(config))
    say("everything anew from the topics: one worker")
    began = time.perf_counter()
    forget_everything(addresses.database_url, Policy())
    forgotten_s = time.perf_counter() - began
    rate, _ = end_to_end.drain(addresses, end_to_end.workers_of(config))
    return first, records / (forgotten_s + records / rate)


def _grow(addresses: Addresses, records: int, copies: range) -> None:
    say(f"laying in {records * copies.stop:,} documents")
    began = time.perf_counter()
    lay_in(
        addresses.database_url,
        records,
        copies,
        lambda number: say(f"  {number:,} after {time.perf_counter() - began:.0f} s"),
    )


def _next_job(addresses: Addresses, config: Path, records: int, times: int, empty: float) -> Figure:
    """Process a job whose payments pay open invoices from all over the history."""
    history = records * times
    say(f"publishing {records:,} more")
    waiting = open_invoices(records, times, records)
    documents.publish(
        addresses.cluster,
        documents.invoices_and_payments(records, 3, first=history, waiting=waiting),
    )
    say(f"end to end: one worker, {history:,} documents before")
    rate, _ = end_to_end.drain(addresses, end_to_end.workers_of(config))
    return Figure(
        f"end to end, one worker, {history:,} documents before",
        rate,
        "events/s",
        "no history",
        empty,
        target=KEPT,
    )


def _rebuild(addresses: Addresses, facts: int, from_topics: float) -> Figure:
    say(f"all views anew from {facts:,} facts")
    began = time.perf_counter()
    rebuild(addresses.database_url, Policy())
    return Figure(
        f"all views anew from {facts:,} facts",
        facts / (time.perf_counter() - began),
        "events/s",
        "end to end, no history",
        from_topics,
    )
