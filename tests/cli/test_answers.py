"""What is printed as JSON keeps its contract: strings for decimals, the digits of the currency."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from ops.answers import (
    customers_answer,
    decimal_text,
    demand_answer,
    lag_answer,
    letter_answer,
    money_text,
    plain,
    receivables_answer,
)
from ops.lag import Backlog
from ops.presenting.layout import grouped
from ops.watchdog import Lag
from streams.customers.reading import CustomerRow
from streams.demand.reading import DemandRow
from streams.receivables.reading import Bucket, Report, Row

ID = UUID(int=7)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("2654.64", "INR", "2654.64"),
        ("1E+3", "EUR", "1000.00"),
        ("0.005", "EUR", "0.01"),
        ("-0.001", "EUR", "0.00"),
        ("1234.5", "JPY", "1235"),
        ("1.0005", "KWD", "1.001"),
    ],
)
def test_money_has_the_digits_of_its_currency(amount: str, currency: str, text: str) -> None:
    assert money_text(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("3.000000000", "3"),
        ("1E+2", "100"),
        ("0.750", "0.75"),
        ("-0.00", "0"),
        ("1E-9", "0.000000001"),
    ],
)
def test_a_quantity_is_exact_and_has_no_exponent(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


def test_a_document_is_shown_with_its_decimals_and_dates_as_text() -> None:
    document = {"lines": [{"amount": Decimal("5.500000000"), "on": date(2026, 1, 2)}], "gone": None}
    assert plain(document) == {"lines": [{"amount": "5.5", "on": "2026-01-02"}], "gone": None}


def test_a_customer_has_members_by_source_and_revenue_as_text() -> None:
    row = CustomerRow(
        id=ID,
        name="Adler",
        name_from="crm",
        members=(("crm", "A|1"), ("erp", "1")),
        tier="vip",
        lifecycle="new",
        revenue=Decimal("10.000000000"),
        orders=1,
        shipments=2,
        invoices=3,
        payments=4,
        opportunities=5,
        first_order_on=date(2026, 1, 5),
        last_order_on=None,
    )
    (shown,) = customers_answer([row], "EUR")["rows"]
    assert shown["id"] == str(ID)
    assert shown["members"] == [{"source": "crm", "id": "A|1"}, {"source": "erp", "id": "1"}]
    assert (shown["tier"], shown["lifecycle"], shown["revenue"]) == ("vip", "new", "10.00")
    assert (shown["orders"], shown["shipments"], shown["invoices"]) == (1, 2, 3)
    assert (shown["first_order_on"], shown["last_order_on"]) == ("2026-01-05", None)


def test_demand_names_its_month() -> None:
    row = DemandRow("erp|X", "Crane", date(2026, 4, 1), Decimal(3), Decimal("0.50"), Decimal("3.5"))
    answer = demand_answer(date(2026, 3, 31), [row])
    assert answer["as_of"] == "2026-03-31"
    assert answer["rows"] == [
        {
            "product": "erp|X",
            "product_name": "Crane",
            "month": "2026-04",
            "orders": "3",
            "pipeline": "0.5",
            "total": "3.5",
        }
    ]


def test_receivables_add_up_in_what_is_shown() -> None:
    third = Decimal(10) / 3
    row = Row(
        id=ID,
        name=None,
        outstanding=2 * third - 1,
        not_due=third,
        buckets=(Bucket(1, 30, third, 1), Bucket(31, None, Decimal(0), 0)),
        unallocated=Decimal(-1),
        items=2,
        overdue_items=1,
    )
    answer = receivables_answer(Report(date(2026, 3, 31), "EUR", (row,), row, ()))
    assert set(answer) == {"as_of", "currency", "total", "rows"}
    shown = answer["rows"][0]
    assert (shown["id"], shown["name"]) == (str(ID), None)
    assert shown["buckets"] == [
        {"from": 1, "to": 30, "amount": "3.33", "items": 1},
        {"from": 31, "to": None, "amount": "0.00", "items": 0},
    ]
    columns = [shown["not_due"], shown["unallocated"], *(one["amount"] for one in shown["buckets"])]
    assert sum(map(Decimal, columns)) == Decimal(shown["outstanding"]) == Decimal("5.66")


def test_lag_without_kafka_knows_positions_only() -> None:
    answer = lag_answer(None, {("orders", 0): (5, 1)}, 2)
    assert (answer["running"], answer["total"], answer["outbox"]) == (False, None, 2)
    assert answer["rows"][0]["end"] is None


def test_lag_is_what_the_log_holds_beyond_the_position() -> None:
    answer = lag_answer(
        Backlog((Lag("orders", 0, 5, 9, 0), Lag("orders", 1, 3, 3, None)), 0), {}, 0
    )
    assert [row["lag"] for row in answer["rows"]] == [4, 0]
    assert answer["total"] == 4


def test_a_dead_letter_shows_text_as_text_and_other_bytes_in_hexadecimal() -> None:
    row = {"value": b"24,abc", "key": b"\x00\xff", "at": datetime(2026, 1, 2, tzinfo=UTC), "id": 1}
    answer = letter_answer({**row, "fingerprint": b"x"})
    assert answer == {
        "value": "24,abc",
        "key": {"hex": "00ff"},
        "at": "2026-01-02T00:00:00Z",
        "id": 1,
    }


def test_thousands_stand_apart() -> None:
    assert [grouped(one) for one in ("-1234567.50", "999", "0.01")] == [
        "-1,234,567.50",
        "999",
        "0.01",
    ]
