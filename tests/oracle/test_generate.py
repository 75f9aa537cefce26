"""Random histories: repeatable, and full of what a hub must bear."""

from __future__ import annotations

from tests.oracle.documents import read_documents
from tests.oracle.generate import AS_OF, BASE_CURRENCY, generate
from tests.oracle.handwritten import log_of
from tests.oracle.receivables import receivables


def test_the_same_seed_gives_the_same_history_and_another_seed_another() -> None:
    assert generate(7, events=300) == generate(7, events=300)
    assert generate(7, events=300) != generate(8, events=300)


def test_a_history_has_everything_that_a_hub_must_bear() -> None:
    events = generate(3, customers=15, events=900, poison=26, tombstones=4)
    assert len(events) == 900
    assert sum(event.value is None for event in events) == 4
    found = read_documents(log_of(events))
    assert len(found.undecodable) + len(found.rejected) == 26
    assert len(found.rejected) == 8
    assert any(conflict.newest for conflict in found.conflicts)
    repeated = [event.value for event in events]
    assert len(set(repeated)) < len(repeated)
    for kind in ("customer", "opportunity", "order", "shipment", "invoice", "payment"):
        assert found.newest[kind]
        assert any(body["version"] > 1_000_000 for body in found.newest[kind].values())
    assert any(body["deleted"] for body in found.newest["invoice"].values())
    kinds = {body["kind"] for body in found.newest["invoice"].values()}
    assert kinds == {"invoice", "credit_note", "cancellation"}
    assert any(body["reversed_on"] for body in found.newest["payment"].values())


def test_receivables_of_a_history_are_never_unallocated_above_zero_by_allocations() -> None:
    found = read_documents(log_of(generate(4, customers=15, events=900)))
    refunds = {
        body["customer"]["id"]
        for body in found.live("payment").values()
        if body["kind"] == "refund"
    }
    rows = receivables(found, AS_OF, BASE_CURRENCY)
    assert len(rows) > 5
    assert sum(row.unallocated > 0 for row in rows.values()) <= len(refunds)
