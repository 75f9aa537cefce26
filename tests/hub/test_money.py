"""Money is rounded half up, once, to the digits of its currency."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.money import minor_digits, round_half_up, round_money

amounts = st.decimals(
    min_value=Decimal("-1e28"), max_value=Decimal("1e28"), places=9, allow_nan=False
)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("CNY", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("HUF", 2), ("XXX", None)],
)
def test_minor_digits_are_those_of_iso_4217(currency: str, digits: int | None) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("2.345", "EUR", "2.35"),
        ("2.344999999", "EUR", "2.34"),
        ("-2.345", "EUR", "-2.35"),
        ("2.5", "JPY", "3"),
        ("1265793.0395", "USD", "1265793.04"),
        ("12345678901234567890123456789.005", "EUR", "12345678901234567890123456789.01"),
    ],
)
def test_half_is_rounded_up(amount: str, currency: str, rounded: str) -> None:
    assert str(round_money(Decimal(amount), currency)) == rounded


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="XXX"):
        round_money(Decimal(1), "XXX")


@given(amounts)
def test_rounding_moves_by_half_a_unit_at_most_and_only_once(amount: Decimal) -> None:
    rounded = round_money(amount, "EUR")
    assert abs(rounded - amount) <= Decimal("0.005")
    assert round_money(rounded, "EUR") == rounded
    assert round_money(-amount, "EUR") == -rounded


def test_other_values_are_rounded_in_the_same_way() -> None:
    assert round_half_up(Decimal("0.12345"), 4) == Decimal("0.1235")
