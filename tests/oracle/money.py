"""Rates to the base currency and the one rounding at the end (DOMAIN.md §5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "KWD": 3, "BHD": 3, "JOD": 3, "TND": 3}


def digits_of(currency: str) -> int:
    """Return ISO 4217's number of digits after the point; two unless it is a known exception."""
    return DIGITS.get(currency, 2)


def round_half_up(amount: Decimal, currency: str) -> Decimal:
    """Round to the currency's digits, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-digits_of(currency)), rounding=ROUND_HALF_UP)


def newest_rates(
    rates: Mapping[str, Mapping[str, Any]], base_currency: str, as_of: date
) -> dict[str, Decimal]:
    """Return by currency the rate document's rate that is valid at a date.

    The newest that is valid on or before `as_of`; on one day, the one with the larger `source|id`.
    """
    valid = []
    for key, rate in rates.items():
        if rate["base"] == base_currency and rate["valid_on"] <= as_of:
            valid.append((rate["valid_on"], key, rate["currency"], Decimal(rate["rate"])))
    return {currency: rate for _, _, currency, rate in sorted(valid)}


def rate_to_base(
    document: Mapping[str, Any], newest: Mapping[str, Decimal], base_currency: str
) -> Decimal | None:
    """Return how many units of base currency one unit of the document's currency is worth.

    1 for the base currency itself; else the document's own rate; else that of `newest_rates`; else
    None.
    """
    if document["currency"] == base_currency:
        return Decimal(1)
    if document["rate"] is not None:
        return Decimal(document["rate"])
    return newest.get(document["currency"])
