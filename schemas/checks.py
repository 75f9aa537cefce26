"""The checks that the rules of documents are made of: each says why it refuses, or None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from schemas.codec import Rejected
from schemas.currencies import DIGITS
from schemas.events import Terms

#: A decoded document; each check knows which of its fields it reads.
Document = Mapping[str, Any]

# The default context's 28 digits are fewer than an amount may have.
EXACT = Context(prec=100)
MOST_MONTHS = 1200
MOST_DAYS = 36500
MINOR_UNIT = {currency: Decimal(1).scaleb(-digits) for currency, digits in DIGITS.items()}

_remainder = EXACT.remainder


def known_currency(document: Document, field: str = "currency") -> Rejected | None:
    """Refuse a currency that is not in ISO 4217; one that is null passes."""
    currency = document[field]
    if currency is None or currency in MINOR_UNIT:
        return None
    return Rejected("currency", f"The {field} is {currency!r}, which is not in ISO 4217.")


def positive_rate(document: Document) -> Rejected | None:
    """Refuse an exchange rate that is not above 0; one that is null passes."""
    rate = document["rate"]
    if rate is None or rate > 0:
        return None
    return Rejected("rate", f"The exchange rate is {shown(rate)}; it is above 0.")


def digits(name: str, amount: Decimal | None, currency: str | None) -> Rejected | None:
    """Refuse an amount with more decimals than its currency, which is known; nulls pass."""
    if amount is None or currency is None or not _remainder(amount, MINOR_UNIT[currency]):
        return None
    return Rejected(
        "digits",
        f"The {name} {shown(amount)} has more than the {DIGITS[currency]} decimals of {currency}.",
    )


def not_negative(document: Document, *fields: str) -> Rejected | None:
    """Refuse a number below 0 in one of ``fields``; nulls pass."""
    for field in fields:
        number = document[field]
        if number is not None and number < 0:
            reason = f"The {_named(field)} is {shown(number)}; it is not negative."
            return Rejected("negative", reason)
    return None


def rating(document: Document) -> Rejected | None:
    """Refuse a rating outside 1 to 5; one that is null passes."""
    given = document["rating"]
    if given is None or 1 <= given <= 5:
        return None
    return Rejected("rating", f"The rating is {given}; it is from 1 to 5.")


def period(document: Document) -> Rejected | None:
    """Refuse a period that ends before it begins."""
    first, last = document["period_from"], document["period_to"]
    if first <= last:
        return None
    return Rejected("period", f"The period ends on {last}, before it begins on {first}.")


def in_order(document: Document, earlier: str, later: str) -> Rejected | None:
    """Refuse a date or an instant that lies before the one that it follows; nulls pass."""
    first, then = document[earlier], document[later]
    if first is None or then is None or first <= then:
        return None
    return Rejected(
        "date_order",
        f"The {_named(later)} date is {then}, before the {_named(earlier)} date {first};"
        " it is the same or later.",
    )


def not_itself(document: Document, field: str) -> Rejected | None:
    """Refuse a reference to the document itself; one that is null passes."""
    named = document[field]
    if named is None or named["id"] != document["id"] or named["source"] != document["source"]:
        return None
    return Rejected(
        "itself", f"The {_named(field)} is {named['id']!r}, the document itself; it is another one."
    )


def terms(given: Terms | None) -> Rejected | None:
    """Refuse terms of payment that no calendar holds; none at all pass."""
    if given is None or (0 <= given["months"] <= MOST_MONTHS and 0 <= given["days"] <= MOST_DAYS):
        return None
    return Rejected(
        "terms",
        f"The terms are {given['months']} months and {given['days']} days; they are from 0 to"
        f" {MOST_MONTHS} months and from 0 to {MOST_DAYS} days.",
    )


def unique(part: str, parts: Sequence[Mapping[str, Any]]) -> Rejected | None:
    """Refuse parts of a document of which two have one number."""
    if len(parts) < 2:
        return None
    numbers = [each["number"] for each in parts]
    if len(set(numbers)) == len(numbers):
        return None
    twice = next(number for number in numbers if numbers.count(number) > 1)
    return Rejected(f"{part}_number", f"The {part} number {twice!r} stands more than once.")


def shown(number: Decimal | int) -> str:
    """Return a number for people, without needless zeros."""
    return f"{Decimal(number).normalize(EXACT):f}"


def _named(field: str) -> str:
    return field.removesuffix("_on").removesuffix("_at").replace("_", " ")
