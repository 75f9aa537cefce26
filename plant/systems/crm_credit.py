"""What salespeople keep of a customer's credit: a part, in round figures and their own words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from plant.documents import Customer
from plant.systems.numbers import share

_WITH_LIMIT = 0.4
_WITH_RATING = 0.5
_WITH_TERMS = 0.5


@dataclass(frozen=True, slots=True)
class Credit:
    """A customer's credit as the CRM has it; nothing where nobody wrote it down."""

    limit: Decimal | None
    rating: str | None
    terms: str | None


def credit_kept(seed: int, customer: Customer) -> Credit:
    """What the CRM keeps of a customer's limit, rating and terms."""
    key = f"{seed}/crm/credit/{customer.key}"
    limit = customer.credit_limit
    has_limit = limit is not None and share(f"{key}/limit") < _WITH_LIMIT
    return Credit(
        limit=roughly(limit) if has_limit and limit is not None else None,
        rating=_warmth(customer.rating) if share(f"{key}/rating") < _WITH_RATING else None,
        terms=customer.terms.code if share(f"{key}/terms") < _WITH_TERMS else None,
    )


def roughly(amount: Decimal) -> Decimal:
    """The amount with its first digit alone, rounded down: 58,500 is 50,000."""
    if not amount:
        return amount
    unit = Decimal(1).scaleb(amount.adjusted())
    return amount // unit * unit


def _warmth(rating: str) -> str:
    return {"A": "Hot", "B": "Warm"}.get(rating[0], "Cold")
