"""A history that is laid in stands in the tables as if its documents had been processed."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from benchmarks.documents import SOURCE, Document, invoices_and_payments, renumbered
from benchmarks.history import lay_in, open_invoices
from schemas.catalogue import DOCUMENTS
from schemas.codec import encode
from schemas.keys import record_key
from sinks.tables import metadata
from tests.oracle.generate import Event
from tests.streams.databases import empty
from tests.streams.ledger import Ledger, Row

NUMBER = 400
COPIES = range(1, 4)
#: The numbers of documents that are no part of the history begin here.
ELSEWHERE = 20_000_000

#: What a worker keeps of how the records came, not of what they say, and what is published.
_OF_THE_WAY = {"stream_offsets", "source_freshness", "outbox"}
#: Laid in when a database is made, whatever it processes.
_CONTRACTS = {"registry_schemas", "registry_versions"}

pytestmark = pytest.mark.stack


def _event(kind: str, document: Document) -> Event:
    topic = DOCUMENTS[kind]
    return Event(
        topic.name, record_key(SOURCE, document["id"]).encode(), 0, encode(topic, document)
    )


def _process(ledger: Ledger, documents: Iterable[tuple[str, Document]]) -> None:
    events = [_event(kind, document) for kind, document in documents]
    ledger.apply(*sorted(events, key=lambda event: event.topic))


def _history() -> tuple[list[tuple[str, Document]], list[Document]]:
    """Return (type, document) of what is copied, and the invoices among them that stay open."""
    still_open: list[Document] = []
    return list(invoices_and_payments(NUMBER, waiting=still_open)), still_open


def _tables(ledger: Ledger) -> dict[str, list[Row]]:
    return {
        name: sorted(ledger.rows(f"SELECT * FROM {name}"), key=repr)
        for name in sorted(metadata.tables.keys() - _OF_THE_WAY - _CONTRACTS)
    }


def test_a_history_laid_in_is_what_processing_would_have_left(
    ledger: Ledger,
) -> None:
    base = list(invoices_and_payments(NUMBER))
    _process(ledger, base)
    first_copy = COPIES.start
    lay_in(ledger.url, NUMBER, range(first_copy, first_copy + 1))
    lay_in(ledger.url, NUMBER, range(first_copy + 1, COPIES.stop))
    laid_in = _tables(ledger)

    empty(ledger.url)
    _process(ledger, base)
    for copy in COPIES:
        _process(ledger, [(kind, renumbered(one, copy * NUMBER)) for kind, one in base])

    processed = _tables(ledger)
    assert len(processed["fact_invoice"]) == len(COPIES) * 240 + 240
    assert any(row for row in processed["receivable_allocations"])
    assert laid_in == processed


def test_documents_beside_the_history_are_not_multiplied(ledger: Ledger) -> None:
    base, _ = _history()
    others = list(invoices_and_payments(NUMBER, 2, first=ELSEWHERE))
    _process(ledger, base)
    _process(ledger, others)
    lay_in(ledger.url, NUMBER, COPIES)
    laid_in = _tables(ledger)

    empty(ledger.url)
    _process(ledger, others)
    for copy in (0, *COPIES):
        _process(ledger, [(kind, renumbered(one, copy * NUMBER)) for kind, one in base])

    assert len(laid_in["fact_invoice"]) == 240 * (COPIES.stop + 1)
    assert laid_in == _tables(ledger)


def test_the_invoices_that_a_job_pays_are_open_in_the_history(ledger: Ledger) -> None:
    base, waiting = _history()
    _process(ledger, base)
    lay_in(ledger.url, NUMBER, COPIES)

    still_open = {
        key for (key,) in ledger.rows("SELECT key FROM receivable_invoices WHERE open_amount <> 0")
    }
    some = open_invoices(waiting, NUMBER, COPIES.stop, 50)
    assert len({one["id"] for one in some}) == 50
    assert {record_key(SOURCE, one["id"]) for one in some} <= still_open
    every = open_invoices(waiting, NUMBER, COPIES.stop, 10_000)
    assert {record_key(SOURCE, one["id"]) for one in every} == still_open


def test_the_payments_of_a_job_after_the_history_pay_open_invoices_of_both(ledger: Ledger) -> None:
    base, still_open = _history()
    _process(ledger, base)
    lay_in(ledger.url, NUMBER, COPIES)

    history = NUMBER * COPIES.stop
    waiting = open_invoices(still_open, NUMBER, COPIES.stop, 100)
    job = list(invoices_and_payments(NUMBER, 3, first=history, waiting=waiting))
    _process(ledger, job)

    paid = [one["allocations"][0]["invoice"]["id"] for kind, one in job if kind == "payment"]
    assert len({id for id in paid if int(id[2:]) < history}) > 50
    assert len({id for id in paid if int(id[2:]) >= history}) > 10
    assert ledger.rows("SELECT count(*) FROM fact_payment") == [(160 * (COPIES.stop + 1),)]
    assert not ledger.rows("SELECT key FROM receivable_receipts WHERE unallocated <> 0")
    assert not ledger.rows("SELECT key FROM receivable_invoices WHERE open_amount < 0")
    assert not ledger.rows("SELECT code, reason FROM dead_letters")
