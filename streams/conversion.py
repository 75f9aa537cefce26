"""Amounts in base currency: the document's own rate, else the latest published one by its date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg

from sinks import facts


@dataclass(frozen=True, slots=True)
class Rates:
    """Units of ``base`` for one unit of each currency, as of a date."""

    base: str
    latest: Mapping[str, Decimal]

    def convert(self, amount: Decimal, currency: str, own: Decimal | None) -> Decimal | None:
        """Return ``amount`` in base currency; None where no rate is known."""
        if currency == self.base:
            return amount
        rate = own if own is not None else self.latest.get(currency)
        return None if rate is None else amount * rate


def read_rates(connection: psycopg.Connection[Any], base: str, as_of: date) -> Rates:
    """Return each currency's latest ``finance.rate`` into ``base`` that is valid at ``as_of``."""
    found: dict[str, tuple[date, str, Decimal]] = {}
    with connection.transaction():
        for fact in facts.read(connection, "rate"):
            rate = fact.document
            if fact.gone or rate["base"] != base or rate["valid_on"] > as_of:
                continue
            candidate = (rate["valid_on"], fact.key, rate["rate"])
            if rate["currency"] not in found or candidate > found[rate["currency"]]:
                found[rate["currency"]] = candidate
    return Rates(base, {currency: rate for currency, (_, _, rate) in found.items()})
