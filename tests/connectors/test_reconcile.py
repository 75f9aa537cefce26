"""Reconciling finds what a source states and the hub does not hold, and the other way round."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import SourceError
from connectors.reconcile import Item, Stated, item_of, read_stated, reconcile


def invoice(key: str, day: str, amount: str, currency: str = "EUR") -> Item:
    return Item("invoice", key, date.fromisoformat(day), currency, Decimal(amount))


HELD = [invoice("1", "2026-01-05", "10"), invoice("2", "2026-02-05", "20.50")]


def test_totals_agree_by_period_and_currency() -> None:
    rows = [
        {
            "document": "invoice",
            "period": "2026-01",
            "currency": "EUR",
            "count": "1",
            "sum": "10.0",
        },
        {"document": "invoice", "period": "2026", "count": "2"},
        {"document": "invoice", "period": "2026-01", "currency": "USD", "count": "0", "sum": "0"},
    ]
    found = reconcile(read_stated(rows, "f"), HELD)
    assert found.agrees
    assert [one.held for one in found.totals] == [(1, Decimal(10)), (2, None), (0, Decimal(0))]


def test_sum_of_a_database_that_adds_in_binary_fractions_agrees() -> None:
    held = [invoice(str(number), "2026-01-05", "1234567.1") for number in range(1_000)]
    added = 0.0
    for _ in held:
        added += 1_234_567.1
    assert added != 1_234_567_100
    row = {"document": "invoice", "period": "2026-01", "count": 1_000, "sum": added}
    assert reconcile(read_stated([row], "q"), held).agrees


def test_order_counts_by_the_net_amounts_of_its_lines_that_are_not_rejected() -> None:
    lines = [
        {"net_amount": Decimal("10.50"), "rejected": False},
        {"net_amount": Decimal("2"), "rejected": False},
        {"net_amount": Decimal("99"), "rejected": True},
    ]
    day = date(2026, 1, 5)
    held = [
        item_of("order", {"id": "1", "ordered_on": day, "currency": "EUR", "lines": lines}),
        item_of("order", {"id": "2", "ordered_on": day, "currency": "USD", "lines": lines[:1]}),
        item_of("order", {"id": "3", "ordered_on": day, "currency": "EUR", "lines": []}),
    ]
    of_order = {"document": "order", "period": "2026-01"}
    rows = [
        {**of_order, "currency": "EUR", "count": "2", "sum": "12.5"},
        {**of_order, "currency": "USD", "count": "1", "sum": "10.5"},
    ]
    assert reconcile(read_stated(rows, "f"), held).agrees


@pytest.mark.parametrize("stated", ["sum", "currency"])
def test_amounts_of_documents_that_have_none_are_refused(stated: str) -> None:
    row = {"document": "shipment", "period": "2026-01", "count": "1", stated: "0"}
    with pytest.raises(SourceError, match=rf"row 1: .*shipment have no amount: leave {stated}"):
        read_stated([row], "f")


def test_document_with_another_date_or_amount_is_different() -> None:
    stated = Stated(items=(invoice("1", "2026-01-06", "10"), invoice("2", "2026-02-05", "20")))
    found = reconcile(stated, HELD)
    assert [(one.kind, one.id, one.by) for one in found.differences] == [
        ("different", "1", Decimal(0)),
        ("different", "2", Decimal("0.50")),
    ]


def test_document_that_the_source_does_not_name_is_extra_in_the_months_that_it_names() -> None:
    stated = Stated(items=(invoice("1", "2026-01-05", "10"),))
    held = [*HELD, invoice("3", "2026-01-20", "5")]
    found = reconcile(stated, held)
    assert [(one.kind, one.id, one.by) for one in found.differences] == [("extra", "3", Decimal(5))]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"document": "invoice"}, "needs document, period and count"),
        ({"document": "invoice", "id": "1", "amount": "1,5"}, "no decimal number"),
        ({"document": "invoice", "id": "1", "amount": "NaN"}, "no decimal number"),
        ({"document": "invoice", "id": "1", "amount": float("inf")}, "no decimal number"),
        ({"document": "invoice", "id": "1", "date": "5.1.26"}, "no date"),
    ],
)
def test_row_that_cannot_be_used_is_named(row: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError, match=f"row 1.*{said}"):
        read_stated([row], "totals.csv")


AMOUNTS = st.decimals("-1000", "1000", places=2)
ITEMS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.builds(lambda day, amount: (date(2026, 1 + day, 1), amount), st.integers(0, 2), AMOUNTS),
    min_size=1,
    max_size=8,
)


@given(ITEMS, ITEMS)
def test_differences_of_the_documents_add_up_to_those_of_the_totals(
    stated: dict[str, tuple[date, Decimal]], held: dict[str, tuple[date, Decimal]]
) -> None:
    named = [Item("invoice", key, day, "EUR", amount) for key, (day, amount) in stated.items()]
    months = {item.day for item in named}
    # Documents that were moved to a month of which the source says nothing count in no total.
    there = [
        Item("invoice", key, day, "EUR", amount)
        for key, (day, amount) in held.items()
        if day in months
    ]
    found = reconcile(Stated(items=tuple(named)), there)
    by_document = sum((one.by or Decimal(0) for one in found.differences), Decimal(0))
    totals = [(one.held[1] or Decimal(0)) - (one.stated[1] or Decimal(0)) for one in found.totals]
    assert by_document == sum(totals, Decimal(0))
    assert found.agrees == (stated == {one.id: (one.day, one.amount) for one in there})
