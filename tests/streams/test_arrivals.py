"""Documents that come early, late, changed or doubled: what the ledger then says."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal

import pytest

from streams.receivables.reading import Row, read_receivables
from tests.oracle.check import check_hub
from tests.oracle.generate import BASE_CURRENCY, Event
from tests.oracle.handwritten import (
    allocation,
    customer,
    exchange_rate,
    invoice,
    log_of,
    opportunity,
    order,
    payment,
    product,
)
from tests.streams.keeping import assert_balances_are_the_sums, kept
from tests.streams.ledger import POLICY, Ledger

AS_OF = date(2026, 9, 30)
THIRDS = [("2026-07-31", "30"), ("2026-08-31", "50"), ("2026-10-31", "20")]


def row(ledger: Ledger, as_of: date = AS_OF) -> Row:
    """Return the only customer's receivables, or the total of none."""
    with ledger.reading() as connection:
        report = read_receivables(
            connection, as_of=as_of, limits=POLICY.ageing_limits, base_currency=BASE_CURRENCY
        )
    return report.rows[0] if report.rows else report.total


def assert_like_the_oracle(ledger: Ledger, *events: Event) -> None:
    answers = ledger.answers(AS_OF, date(2026, 7, 31), date(2026, 8, 31))
    log = log_of(events, partitions=1)
    assert check_hub(answers, log, as_of=AS_OF, base_currency=BASE_CURRENCY) == []
    assert_balances_are_the_sums(ledger)


def test_late_invoice_takes_the_payment_that_came_before_it(ledger: Ledger) -> None:
    paid = payment("erp|9", "erp|C", "2026-08-15", "40", allocation("erp|1", "40"))
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100", instalments=THIRDS)
    ledger.apply(paid)
    assert [row(ledger).outstanding, row(ledger).unallocated] == [-40, -40]
    ledger.apply(bill)
    found = row(ledger)
    assert [found.not_due, found.buckets[0].amount, found.unallocated] == [20, 40, 0]
    assert_like_the_oracle(ledger, paid, bill)


def test_a_cancellation_that_came_before_its_invoice_closes_it_when_it_arrives(
    ledger: Ledger,
) -> None:
    closing = invoice("erp|2", "erp|C", "2026-08-01", "0", kind="cancellation", cancels="erp|1")
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100")
    ledger.apply(closing)
    ledger.apply(bill)
    assert row(ledger).outstanding == 0
    assert row(ledger, date(2026, 7, 31)).outstanding == 100
    assert_like_the_oracle(ledger, closing, bill)


SOURCES = [
    customer("erp|C", "Yongding"),
    customer("crm|A", "Yongding Ltd", same_as=["erp|C"]),
    invoice("erp|1", "erp|C", "2026-07-01", "100", instalments=THIRDS),
    payment("erp|9", "erp|C", "2026-08-15", "70", allocation("erp|1", "60")),
    invoice("erp|2", "erp|C", "2026-08-01", "0", kind="cancellation", cancels="erp|1"),
]


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(4)))[::3])
def test_no_order_of_arrival_changes_what_is_owed(ledger: Ledger, arrival: tuple[int, ...]) -> None:
    events = [SOURCES[index] for index in arrival]
    for event in events:
        ledger.apply(event)
    found = row(ledger)
    assert found.name in ("Yongding Ltd", "Yongding")
    assert [found.outstanding, found.unallocated] == [30, -10]
    ledger.apply(SOURCES[4])
    assert [row(ledger).outstanding, row(ledger).unallocated] == [-70, -70]
    assert_like_the_oracle(ledger, *events, SOURCES[4])


def test_a_deleted_payment_opens_again_what_it_had_paid(ledger: Ledger) -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100")
    paid = payment("erp|9", "erp|C", "2026-08-15", "40", allocation("erp|1", "40"))
    gone = payment("erp|9", "erp|C", "2026-08-15", "40", version=2, deleted=True)
    ledger.apply(bill, paid)
    assert row(ledger).outstanding == 60
    ledger.apply(gone)
    assert row(ledger).outstanding == 100
    assert_like_the_oracle(ledger, bill, paid, gone)


def test_a_deleted_invoice_leaves_its_payment_unallocated(ledger: Ledger) -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100")
    paid = payment("erp|9", "erp|C", "2026-08-15", "40", allocation("erp|1", "40"))
    gone = invoice("erp|1", "erp|C", "2026-07-01", "100", version=2, deleted=True)
    again = invoice("erp|1", "erp|C", "2026-07-01", "30", version=3)
    ledger.apply(bill, paid)
    ledger.apply(gone)
    assert [row(ledger).outstanding, row(ledger).unallocated] == [-40, -40]
    ledger.apply(again)
    assert [row(ledger).outstanding, row(ledger).unallocated] == [-10, -10]
    assert_like_the_oracle(ledger, bill, paid, gone, again)


def test_an_invoice_that_becomes_a_credit_note_lowers_what_is_owed(ledger: Ledger) -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100")
    wrong = invoice("erp|2", "erp|C", "2026-07-05", "30")
    mended = invoice(
        "erp|2",
        "erp|C",
        "2026-07-05",
        "30",
        kind="credit_note",
        allocations=[allocation("erp|1", "20")],
        version=2,
    )
    ledger.apply(bill, wrong)
    assert row(ledger).outstanding == 130
    ledger.apply(mended)
    found = row(ledger)
    assert [found.outstanding, found.unallocated, found.items] == [70, -10, 1]
    assert_like_the_oracle(ledger, bill, wrong, mended)


def test_a_payment_of_another_customer_moves_with_its_contribution(ledger: Ledger) -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100")
    wrong = payment("erp|9", "erp|X", "2026-08-15", "40")
    mended = payment("erp|9", "erp|C", "2026-08-15", "40", version=2)
    ledger.apply(bill, wrong)
    ledger.apply(mended)
    assert row(ledger).outstanding == 60
    assert ledger.rows(
        "SELECT unallocated FROM receivable_balances WHERE customer_key = 'erp|X'"
    ) == [(0,)]
    assert_like_the_oracle(ledger, bill, wrong, mended)


def test_a_payment_that_names_another_invoice_in_its_new_version_frees_the_first(
    ledger: Ledger,
) -> None:
    first = invoice("erp|1", "erp|C", "2026-07-01", "100")
    second = invoice("erp|2", "erp|C", "2026-07-01", "100")
    paid = payment("erp|9", "erp|C", "2026-08-15", "40", allocation("erp|1", "40"))
    moved = payment("erp|9", "erp|C", "2026-08-15", "40", allocation("erp|2", "40"), version=2)
    ledger.apply(first, second, paid)
    ledger.apply(moved)
    assert ledger.rows("SELECT key, open_amount FROM receivable_invoices ORDER BY key") == [
        ("erp|1", Decimal(100)),
        ("erp|2", Decimal(60)),
    ]
    assert_like_the_oracle(ledger, first, second, paid, moved)


def test_an_older_version_that_comes_late_changes_nothing(ledger: Ledger) -> None:
    newer = invoice("erp|1", "erp|C", "2026-07-01", "100", version=5)
    older = invoice("erp|1", "erp|X", "2026-07-01", "70", version=4)
    ledger.apply(newer)
    before = kept(ledger)
    ledger.apply(older, newer)
    assert kept(ledger) == before
    assert_like_the_oracle(ledger, newer, older)


def test_allocations_that_claim_more_than_the_payment_are_applied_up_to_it(ledger: Ledger) -> None:
    bills = [invoice(f"erp|{number}", "erp|C", "2026-07-01", "100") for number in (1, 2)]
    paid = payment(
        "erp|9", "erp|C", "2026-08-15", "120", allocation("erp|1", "90"), allocation("erp|2", "90")
    )
    ledger.apply(*bills, paid)
    found = row(ledger)
    assert [found.outstanding, found.unallocated] == [80, 0]
    assert_like_the_oracle(ledger, *bills, paid)


def test_an_allocation_to_an_instalment_that_there_is_not_stays_unallocated(ledger: Ledger) -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100", instalments=THIRDS)
    paid = payment("erp|9", "erp|C", "2026-08-15", "40", allocation("erp|1", "40", instalment=7))
    ledger.apply(bill, paid)
    assert [row(ledger).outstanding, row(ledger).unallocated] == [60, -40]
    assert_like_the_oracle(ledger, bill, paid)


def test_an_item_is_paid_at_the_invoices_rate_and_the_difference_stands_beside(
    ledger: Ledger,
) -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "1000", currency="USD", rate="7.10")
    paid = payment(
        "erp|9",
        "erp|C",
        "2026-08-15",
        "1000",
        allocation("erp|1", "600"),
        currency="USD",
        rate="7.00",
    )
    ledger.apply(bill, paid)
    found = row(ledger)
    assert [found.outstanding, found.unallocated] == [Decimal(400) * Decimal("7.10") - 2800, -2800]
    assert_like_the_oracle(ledger, bill, paid)


def test_an_amount_without_a_rate_is_listed_outside_the_base_totals(ledger: Ledger) -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "1000", currency="USD")
    ledger.apply(bill)
    with ledger.reading() as connection:
        report = read_receivables(
            connection, as_of=AS_OF, limits=POLICY.ageing_limits, base_currency=BASE_CURRENCY
        )
    assert not report.rows
    assert report.total.outstanding == 0
    (aside,) = report.unconverted
    assert aside.currency == "USD"
    assert aside.outstanding == 1000
    rate = exchange_rate("erp|r", "USD", "7.2", "2026-09-30")
    ledger.apply(rate)
    assert row(ledger).outstanding == 7200
    assert_like_the_oracle(ledger, bill, rate)


def test_an_order_that_came_before_its_opportunity_takes_from_it_when_it_arrives(
    ledger: Ledger,
) -> None:
    known = product("crm|P", same_as=["erp|EX"])
    sold = order("erp|1", "erp|C", "2026-06-01", [("erp|EX", 3, "2026-10-01")], opportunity="crm|O")
    won = opportunity("crm|O", "crm|A", "won", [("crm|P", 5, "2026-10-20")])
    ledger.apply(sold, won)
    ledger.apply(known)
    answer = ledger.answers(AS_OF).demand
    assert answer is not None
    assert [(one["product"], one["orders"], one["pipeline"]) for one in answer["rows"]] == [
        ("crm|P", "3", "2")
    ]
    assert_like_the_oracle(ledger, sold, won, known)


def test_an_opportunity_that_does_not_say_when_it_was_opened_is_kept(ledger: Ledger) -> None:
    undated = opportunity("crm|O", "crm|A", "propose", [("crm|P", 4, "2026-10-20")], opened_on=None)
    ledger.apply(undated)
    assert ledger.rows("SELECT count(*) FROM demand_lines") == [(1,)]
    assert_like_the_oracle(ledger, undated)


def test_a_tombstone_erases_a_customer_and_what_came_after_it_stands(ledger: Ledger) -> None:
    known = customer("erp|C", "Yongding", version=9)
    erased = Event(known.topic, known.key, 0, None)
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100")
    ledger.apply(known, bill)
    ledger.apply(erased)
    assert row(ledger).name is None
    assert row(ledger).outstanding == 100
    again = customer("erp|C", "Yongding Ltd", version=1)
    ledger.apply(again)
    assert row(ledger).name == "Yongding Ltd"
    assert_like_the_oracle(ledger, known, bill, erased, again)
