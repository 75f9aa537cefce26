"""Receivables by plain values: the examples of DOMAIN §5, then what holds for all of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.receivables.rules import (
    Allocation,
    Cancellation,
    Invoice,
    Settlement,
    bucket_of,
    due_by_terms,
    invoice_of,
    receipt_of_credit_note,
    receipt_of_payment,
    settle,
)
from tests.streams.documents import (
    FIRST_DAY,
    allocations,
    bill,
    cancellations,
    day,
    days,
    invoices,
    receipt,
    share,
)

THIRDS = [("2026-07-31", "30"), ("2026-08-31", "50"), ("2026-10-31", "20")]
LIMITS = (30, 60, 90, 120)


def settled(
    document: dict[str, Any],
    *receipts: dict[str, Any],
    cancelled_on: str | None = None,
    as_of: str | None = None,
) -> Settlement:
    """Settle invoice erp|1 after payments erp|7, erp|8 …"""
    found: list[Allocation] = []
    for number, one in enumerate(receipts, 7):
        found += receipt_of_payment(f"erp|{number}", one).allocations
    closing = [Cancellation("erp|c", "erp|1", day(cancelled_on))] if cancelled_on else []
    return settle(
        invoice_of("erp|1", document), closing, found, as_of=day(as_of) if as_of else None
    )


def decimals(*values: str | int) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


# --- the examples of the definition


def test_forty_paid_of_a_hundred_in_terms_30_50_20_leave_0_40_20_open() -> None:
    after = settled(bill(instalments=THIRDS), receipt("40", share("40")))
    assert after.open_amounts == decimals(0, 40, 20)


def test_an_advance_without_an_invoice_is_wholly_unallocated() -> None:
    advance = receipt_of_payment("erp|7", receipt("1000"))
    assert advance.amount == 1000
    assert not advance.allocations


def test_a_cent_stays_where_99_99_of_100_is_paid() -> None:
    assert settled(bill(), receipt("99.99", share("99.99"))).open_amounts == decimals("0.01")


@pytest.mark.parametrize(
    ("age", "bucket"),
    [
        *((-1, None), (0, None), (1, 0), (30, 0), (31, 1), (60, 1)),
        *((61, 2), (90, 2), (91, 3), (120, 3), (121, 4), (4000, 4)),
    ],
)
def test_an_item_is_not_due_on_its_due_date_and_ages_by_the_day(
    age: int, bucket: int | None
) -> None:
    assert bucket_of(age, LIMITS) == bucket


@pytest.mark.parametrize(
    ("invoiced_on", "months", "end_of_month", "added", "due_on"),
    [
        ("2026-01-31", 1, False, 0, "2026-02-28"),
        ("2028-01-31", 1, False, 0, "2028-02-29"),
        ("2026-01-15", 0, True, 0, "2026-01-31"),
        ("2026-01-31", 1, True, 10, "2026-03-10"),
        ("2026-11-30", 3, False, 0, "2027-02-28"),
        ("2026-12-05", 1, False, 0, "2027-01-05"),
        ("2026-06-10", 0, False, 30, "2026-07-10"),
        ("2026-06-10", 24, False, 0, "2028-06-10"),
    ],
)
def test_terms_are_months_then_end_of_month_then_days(
    invoiced_on: str, months: int, end_of_month: bool, added: int, due_on: str
) -> None:
    terms = {"months": months, "end_of_month": end_of_month, "days": added}
    assert due_by_terms(day(invoiced_on), terms) == day(due_on)


def test_an_invoice_that_names_no_instalments_has_one_due_by_its_terms() -> None:
    terms = {"months": 0, "end_of_month": False, "days": 30}
    (item,) = invoice_of("erp|1", bill(terms=terms)).instalments
    assert (item.number, item.due_on, item.amount) == (1, day("2026-07-31"), Decimal(100))


def test_an_invoice_without_terms_is_due_on_its_own_date() -> None:
    (item,) = invoice_of("erp|1", bill()).instalments
    assert item.due_on == day("2026-07-01")


# --- allocations


def test_an_allocation_that_names_an_instalment_comes_before_an_older_one_that_does_not() -> None:
    late = receipt("50", share("50", instalment=1), received_on=day("2026-09-01"))
    early = receipt("30", share("30"), received_on=day("2026-07-02"))
    assert settled(bill(instalments=THIRDS), early, late).open_amounts == decimals(0, 20, 20)


def test_of_one_day_the_smaller_key_is_allocated_first() -> None:
    first, second = receipt("80", share("80")), receipt("80", share("80"))
    after = settled(bill(), second, first)
    assert after.applied == {("payment", "erp|7", 1): 80, ("payment", "erp|8", 1): 20}


def test_the_part_of_an_allocation_beyond_its_instalment_stays_unallocated() -> None:
    after = settled(bill(instalments=THIRDS), receipt("40", share("40", instalment=1)))
    assert after.open_amounts == decimals(0, 50, 20)
    assert after.applied == {("payment", "erp|7", 1): 30}


def test_an_allocation_to_an_instalment_that_there_is_not_pays_nothing() -> None:
    after = settled(bill(instalments=THIRDS), receipt("40", share("40", instalment=9)))
    assert after.open_amounts == decimals(30, 50, 20)
    assert after.applied == {}


def test_allocations_that_claim_more_than_the_payment_are_cut_to_it() -> None:
    paid = receipt("100", share("70", "erp|1"), share("50", "erp|2"))
    first, second = receipt_of_payment("erp|7", paid).allocations
    assert (first.amount, second.amount) == decimals(70, 30)


def test_what_a_payment_is_cut_to_goes_first_to_named_instalments() -> None:
    paid = receipt("100", share("70", "erp|1"), share("50", "erp|2", instalment=1))
    first, second = receipt_of_payment("erp|7", paid).allocations
    assert (first.amount, second.amount) == decimals(50, 50)


def test_an_allocation_below_zero_gives_the_others_no_more_than_the_payment_brought() -> None:
    paid = receipt("100", share("150", "erp|1"), share("-60", "erp|2"))
    assert [one.amount for one in receipt_of_payment("erp|7", paid).allocations] == [100, 0]


def test_a_refund_pays_no_invoice() -> None:
    back = receipt("-40", share("40"), kind="refund")
    assert settled(bill(), back).open_amounts == decimals(100)


def test_an_allocation_counts_from_the_latest_of_payment_invoice_and_allocation_date() -> None:
    paid = receipt("40", share("40", on="2026-08-20"))
    assert settled(bill(), paid, as_of="2026-08-19").open_amounts == decimals(100)
    assert settled(bill(), paid, as_of="2026-08-20").open_amounts == decimals(60)
    early = receipt("40", share("40", on="2026-05-20"), received_on=day("2026-06-01"))
    assert settled(bill(), early, as_of="2026-06-30").open_amounts == decimals(0)
    assert settled(bill(), early, as_of="2026-07-01").open_amounts == decimals(60)


def test_a_reversed_payment_counts_until_the_day_of_its_reversal() -> None:
    paid = receipt("40", share("40"), reversed_on=day("2026-09-01"))
    assert settled(bill(), paid, as_of="2026-08-31").open_amounts == decimals(60)
    assert settled(bill(), paid, as_of="2026-09-01").open_amounts == decimals(100)
    assert settled(bill(), paid).open_amounts == decimals(100)


def test_a_credit_note_reduces_the_invoice_that_it_names() -> None:
    note = bill("15", "2026-08-01", kind="credit_note", allocations=[share("15")])
    credit = receipt_of_credit_note("erp|9", note)
    after = settle(invoice_of("erp|1", bill()), [], credit.allocations)
    assert after.open_amounts == decimals(85)
    assert after.applied == {("credit_note", "erp|9", 1): 15}


# --- cancellations


def test_a_cancellation_closes_its_invoice_whole_from_its_own_date_and_frees_what_was_paid() -> (
    None
):
    paid = receipt("40", share("40"))
    before = settled(bill(), paid, cancelled_on="2026-09-10", as_of="2026-09-09")
    assert before.open_amounts == decimals(60)
    after = settled(bill(), paid, cancelled_on="2026-09-10", as_of="2026-09-10")
    assert (after.open_amounts, after.applied) == (decimals(0), {})


def test_a_cancellation_dated_before_its_invoice_closes_it_from_the_invoice_date() -> None:
    after = settled(bill(), cancelled_on="2026-06-01")
    assert (after.cancelled_on, after.open_amount) == (day("2026-07-01"), Decimal(0))


# --- what holds for all of them


def order_free(
    invoice: Invoice, closing: list[Cancellation], found: list[Allocation]
) -> tuple[Any, ...]:
    after = settle(invoice, closing, found)
    return after.open_amounts, dict(after.applied), after.cancelled_on, after.last_change_on


@given(invoices(), cancellations(), allocations(), st.randoms())
def test_the_order_of_arrival_does_not_matter(
    invoice: Invoice, closing: list[Cancellation], found: list[Allocation], rng: Any
) -> None:
    expected = order_free(invoice, closing, found)
    rng.shuffle(found)
    rng.shuffle(closing)
    assert order_free(invoice, closing, found) == expected


@given(invoices(), cancellations(), allocations(), days)
def test_what_is_open_and_what_was_applied_add_up_to_the_invoice(
    invoice: Invoice, closing: list[Cancellation], found: list[Allocation], as_of: date
) -> None:
    after = settle(invoice, closing, found, as_of=as_of)
    closed = any(max(one.cancelled_on, invoice.invoiced_on) <= as_of for one in closing)
    paid = sum(after.applied.values(), Decimal(0))
    counts = invoice.invoiced_on <= as_of and not closed
    assert after.open_amount + paid == (invoice.gross if counts else 0)
    for item, left in zip(invoice.instalments, after.open_amounts, strict=True):
        assert 0 <= left <= item.amount
    for one in found:
        assert 0 <= after.applied.get(one.id, Decimal(0)) <= one.amount


@given(invoices(), cancellations(), allocations(), days)
def test_settling_at_a_date_is_settling_with_what_was_dated_by_then(
    invoice: Invoice, closing: list[Cancellation], found: list[Allocation], as_of: date
) -> None:
    at = settle(invoice, closing, found, as_of=as_of)
    if invoice.invoiced_on > as_of:
        assert at.open_amount == 0
        return
    known = []
    for one in found:
        on = max(one.allocated_on, invoice.invoiced_on)
        if on <= as_of:
            later = one.reversed_on is not None and one.reversed_on > as_of
            known.append(one._replace(reversed_on=None) if later else one)
    then = settle(invoice, [one for one in closing if one.cancelled_on <= as_of], known)
    assert (at.open_amounts, at.applied) == (then.open_amounts, then.applied)


@given(invoices(), cancellations(), allocations(), st.integers(min_value=0, max_value=60))
def test_from_the_last_change_on_every_date_has_the_stored_state(
    invoice: Invoice, closing: list[Cancellation], found: list[Allocation], later: int
) -> None:
    stored = settle(invoice, closing, found)
    at = settle(invoice, closing, found, as_of=stored.last_change_on + timedelta(later))
    assert (at.open_amounts, at.applied) == (stored.open_amounts, stored.applied)


cents = st.integers(min_value=-300, max_value=1500)


@given(st.lists(st.tuples(cents, st.sampled_from([None, 1, 2]), days), max_size=5), cents)
def test_allocations_never_reach_beyond_the_payment(
    stated: list[tuple[int, int | None, date]], brought: int
) -> None:
    amount = Decimal(brought) / 100
    document = receipt(str(amount), received_on=FIRST_DAY)
    for part, instalment, on in stated:
        document["allocations"].append(
            share(str(Decimal(part) / 100), instalment=instalment, on=str(on))
        )
    given_out = receipt_of_payment("erp|7", document).allocations
    assert sum(one.amount for one in given_out) <= max(amount, Decimal(0))
    assert all(one.amount >= 0 for one in given_out)
