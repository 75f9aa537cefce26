"""Due dates and rounding of the oracle."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.oracle.dates import add_months, due_on
from tests.oracle.money import round_half_up


@pytest.mark.parametrize(
    ("months", "end_of_month", "days", "expected"),
    [
        (0, False, 0, date(2026, 1, 31)),
        (0, False, 30, date(2026, 3, 2)),
        (1, False, 0, date(2026, 2, 28)),
        (1, True, 10, date(2026, 3, 10)),
        (0, True, 0, date(2026, 1, 31)),
        (13, False, 0, date(2027, 2, 28)),
    ],
)
def test_terms_are_months_then_end_of_month_then_days(
    months: int, end_of_month: bool, days: int, expected: date
) -> None:
    terms = {"months": months, "end_of_month": end_of_month, "days": days}
    assert due_on(date(2026, 1, 31), terms) == expected


def test_an_invoice_without_terms_is_due_on_its_own_date() -> None:
    assert due_on(date(2026, 1, 31), None) == date(2026, 1, 31)


def test_twelve_months_before_a_leap_day_is_the_last_of_february() -> None:
    assert add_months(date(2028, 2, 29), -12) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.005", "CNY", "0.01"),
        ("-0.005", "CNY", "-0.01"),
        ("0.5", "JPY", "1"),
        ("1.2345", "KWD", "1.235"),
    ],
)
def test_half_is_rounded_up_to_the_digits_of_the_currency(
    amount: str, currency: str, expected: str
) -> None:
    assert round_half_up(Decimal(amount), currency) == Decimal(expected)
