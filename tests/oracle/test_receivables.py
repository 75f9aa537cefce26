"""DOMAIN.md's examples of receivables, and the corners of its rules, held by the oracle."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hub.ids import customer_uuid
from tests.oracle.generate import Event
from tests.oracle.handwritten import (
    allocation,
    customer,
    documents_of,
    exchange_rate,
    invoice,
    payment,
)
from tests.oracle.receivables import Receivable, receivables, settle, total_of

AS_OF = "2026-09-30"


def row_of(*events: Event, as_of: str = AS_OF, key: str = "erp|C") -> Receivable:
    rows = receivables(documents_of(*events), date.fromisoformat(as_of), "CNY")
    return rows.get(str(customer_uuid(key)), Receivable())


def open_amounts(*events: Event, as_of: str = AS_OF) -> list[Decimal]:
    items, _ = settle(documents_of(*events), date.fromisoformat(as_of), "CNY")
    return [item.open for item in items]


THIRDS = [("2026-07-31", "30"), ("2026-08-31", "50"), ("2026-10-31", "20")]


def test_forty_paid_of_a_hundred_in_terms_30_50_20_leave_0_40_20() -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100", instalments=THIRDS)
    paid = payment("erp|9", "erp|C", "2026-08-15", "40", allocation("erp|1", "40"))
    assert open_amounts(bill, paid) == [0, 40, 20]
    assert open_amounts(paid, bill, as_of="2026-08-14") == [30, 50, 20]
    row = row_of(bill, paid)
    assert [row.not_due, row.buckets[(1, 30)], row.outstanding] == [20, 40, 60]
    assert [row.items, row.overdue_items] == [2, 1]


def test_an_advance_without_an_invoice_is_outstanding_below_zero() -> None:
    row = row_of(payment("erp|9", "erp|C", "2026-09-01", "1000"))
    assert [row.outstanding, row.unallocated, row.items] == [-1000, -1000, 0]


def test_a_cent_stays_of_99_99_paid_of_100() -> None:
    row = row_of(
        invoice("erp|1", "erp|C", "2026-09-01", "100"),
        payment("erp|9", "erp|C", "2026-09-02", "99.99", allocation("erp|1", "99.99")),
    )
    assert row.outstanding == row.buckets[(1, 30)] == Decimal("0.01")


@pytest.mark.parametrize(
    ("due_on", "bucket"),
    [
        ("2026-10-01", None),
        ("2026-09-30", None),
        ("2026-09-29", (1, 30)),
        ("2026-08-31", (1, 30)),
        ("2026-08-30", (31, 60)),
        ("2026-08-01", (31, 60)),
        ("2026-07-31", (61, 90)),
        ("2026-07-02", (61, 90)),
        ("2026-07-01", (91, 120)),
        ("2026-06-02", (91, 120)),
        ("2026-06-01", (121, None)),
    ],
)
def test_age_in_days_decides_on_the_bucket(
    due_on: str, bucket: tuple[int, int | None] | None
) -> None:
    row = row_of(invoice("erp|1", "erp|C", "2026-01-01", "10", instalments=[(due_on, "10")]))
    if bucket is None:
        assert row.not_due == 10
    else:
        assert row.buckets[bucket] == 10 and row.bucket_items[bucket] == 1
    assert row.outstanding == 10


def test_a_payment_that_came_before_its_invoice_waits_for_it() -> None:
    paid = payment("erp|9", "erp|C", "2026-07-20", "200", allocation("erp|1", "200"))
    bill = invoice("erp|1", "erp|C", "2026-08-10", "350", terms=(0, False, 60))
    before = row_of(paid, bill, as_of="2026-07-31")
    assert [before.outstanding, before.unallocated] == [-200, -200]
    after = row_of(paid, bill, as_of="2026-08-10")
    assert [after.outstanding, after.not_due, after.unallocated] == [150, 150, 0]


def test_allocations_that_name_an_instalment_come_first_then_by_date_and_key() -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100", instalments=THIRDS)
    whole = payment("erp|8", "erp|C", "2026-07-02", "60", allocation("erp|1", "60"))
    third = payment("erp|9", "erp|C", "2026-08-01", "50", allocation("erp|1", "50", instalment=2))
    assert open_amounts(bill, whole, third) == [0, 0, 0]
    row = row_of(bill, whole, third)
    assert [row.outstanding, row.unallocated] == [-10, -10]


def test_what_allocations_claim_beyond_the_payment_is_not_applied() -> None:
    bills = [invoice(f"erp|{n}", "erp|C", "2026-09-30", "100") for n in (1, 2)]
    paid = payment(
        "erp|9",
        "erp|C",
        "2026-09-30",
        "120",
        allocation("erp|2", "100", instalment=None),
        allocation("erp|1", "100", instalment=1),
    )
    assert open_amounts(*bills, paid) == [0, 80]


def test_a_cancellation_closes_its_invoice_whole_and_frees_what_was_paid() -> None:
    bill = invoice("erp|1", "erp|C", "2026-08-01", "100")
    paid = payment("erp|9", "erp|C", "2026-08-02", "30", allocation("erp|1", "30"))
    cancelled = [
        invoice("erp|2", "erp|C", "2026-09-01", "1", kind="cancellation", cancels="erp|1"),
        invoice("erp|3", "erp|C", "2026-08-15", "100", kind="cancellation", cancels="erp|1"),
    ]
    assert row_of(bill, paid, *cancelled, as_of="2026-08-14").outstanding == 70
    closed = row_of(bill, paid, *cancelled, as_of="2026-08-15")
    assert [closed.outstanding, closed.unallocated, closed.items] == [-30, -30, 0]


def test_a_cancellation_dated_before_its_invoice_closes_it_from_the_start() -> None:
    early = invoice("erp|2", "erp|C", "2026-07-01", "1", kind="cancellation", cancels="erp|1")
    assert row_of(invoice("erp|1", "erp|C", "2026-08-01", "100"), early).outstanding == 0


def test_a_status_of_cancelled_without_a_cancellation_closes_nothing() -> None:
    bill = invoice("erp|1", "erp|C", "2026-08-01", "100", status="cancelled")
    assert row_of(bill).outstanding == 100


def test_a_deleted_cancellation_closes_nothing() -> None:
    gone = invoice(
        "erp|2", "erp|C", "2026-08-02", "1", kind="cancellation", cancels="erp|1", deleted=True
    )
    assert row_of(invoice("erp|1", "erp|C", "2026-08-01", "100"), gone).outstanding == 100


def test_a_reversed_payment_counts_until_its_reversal() -> None:
    bill = invoice("erp|1", "erp|C", "2026-08-01", "100")
    bounced = payment(
        "erp|9",
        "erp|C",
        "2026-08-02",
        "100",
        allocation("erp|1", "100"),
        reversed_on="2026-08-10",
    )
    assert row_of(bill, bounced, as_of="2026-08-09").outstanding == 0
    assert row_of(bill, bounced, as_of="2026-08-10").outstanding == 100


def test_a_credit_note_reduces_the_invoice_that_it_is_allocated_to() -> None:
    bill = invoice("erp|1", "erp|C", "2026-08-01", "100")
    note = invoice(
        "erp|2",
        "erp|C",
        "2026-08-10",
        "30",
        kind="credit_note",
        allocations=[allocation("erp|1", "20")],
    )
    row = row_of(bill, note)
    assert [row.buckets[(31, 60)], row.unallocated, row.outstanding] == [80, -10, 70]
    assert row_of(bill, note, as_of="2026-08-09").outstanding == 100


def test_a_refund_takes_back_an_advance() -> None:
    row = row_of(
        payment("erp|8", "erp|C", "2026-08-01", "100"),
        payment("erp|9", "erp|C", "2026-08-02", "-40", kind="refund"),
    )
    assert [row.outstanding, row.unallocated] == [-60, -60]


def test_a_payment_of_a_sister_company_lowers_what_the_billed_customer_owes() -> None:
    bill = invoice("erp|1", "erp|C", "2026-09-30", "100")
    paid = payment("erp|9", "erp|D", "2026-09-30", "70", allocation("erp|1", "50"))
    assert row_of(bill, paid).outstanding == 50
    sister = row_of(bill, paid, key="erp|D")
    assert [sister.outstanding, sister.unallocated] == [-20, -20]


def test_an_allocation_reduces_an_item_at_the_rate_of_the_invoice() -> None:
    row = row_of(
        invoice("erp|1", "erp|C", "2026-09-30", "45000", currency="USD", rate="7.10"),
        payment(
            "erp|9",
            "erp|C",
            "2026-09-30",
            "20000",
            allocation("erp|1", "20000"),
            currency="USD",
            rate="7.05",
        ),
    )
    assert row.not_due == row.outstanding == Decimal("177500.00")


def test_without_a_rate_of_its_own_a_document_takes_the_newest_of_the_day() -> None:
    events = [
        invoice("erp|1", "erp|C", "2026-09-15", "5000", currency="USD"),
        exchange_rate("erp|r1", "USD", "7.12", "2026-09-01"),
        exchange_rate("erp|r2", "USD", "7.09", "2026-09-28"),
        exchange_rate("erp|r3", "USD", "9.99", "2026-09-29", base="EUR"),
    ]
    assert row_of(*events).outstanding == Decimal("35450.00")
    assert row_of(*events, as_of="2026-09-20").outstanding == Decimal("35600.00")
    assert row_of(events[0]).outstanding == 0


def test_records_of_one_customer_stand_in_one_row_and_the_rows_in_the_total() -> None:
    found = documents_of(
        customer("crm|A", same_as=["erp|C"]),
        invoice("erp|1", "erp|C", "2026-09-30", "10"),
        invoice("erp|2", "crm|A", "2026-08-01", "5"),
        invoice("erp|3", "erp|D", "2026-08-01", "7"),
    )
    rows = receivables(found, date(2026, 9, 30), "CNY")
    assert rows[str(customer_uuid("crm|A"))].outstanding == 15
    total = total_of(rows)
    assert [total.outstanding, total.not_due, total.buckets[(31, 60)]] == [22, 10, 12]
    assert [total.items, total.overdue_items, total.bucket_items[(31, 60)]] == [3, 2, 2]
