"""When money is due: terms of payment applied to the date of an invoice."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

from hub.money import round_half_up
from plant.documents import Instalment, Terms

_BETWEEN_INSTALMENTS = timedelta(days=30)
#: Terms that nobody may grant without a reviewed contract are longer than this.
_POLICY_DAYS = 60


def instalments(gross: Decimal, invoiced_on: date, terms: Terms) -> tuple[Instalment, ...]:
    """Return the parts of an invoice that fall due, equal but for the last one's remainder."""
    first = due_on(invoiced_on, terms)
    if terms.instalments == 1:
        return (Instalment(1, first, gross),)
    part = round_half_up(gross / terms.instalments, 2)
    amounts = [part] * (terms.instalments - 1)
    amounts.append(gross - sum(amounts))
    return tuple(
        Instalment(number, first + (number - 1) * _BETWEEN_INSTALMENTS, amount)
        for number, amount in enumerate(amounts, start=1)
    )


def due_on(day: date, terms: Terms) -> date:
    """Return a day moved by months, to the end of its month, and by days (DOMAIN.md section 5)."""
    if terms.months or terms.end_of_month:
        months = day.year * 12 + day.month - 1 + terms.months
        year, month = divmod(months, 12)
        last = monthrange(year, month + 1)[1]
        day = date(year, month + 1, last if terms.end_of_month else min(day.day, last))
    return day + timedelta(days=terms.days)


def beyond_policy(terms: Terms) -> bool:
    """Whether the terms are longer than the plant's policy allows."""
    return terms.days > _POLICY_DAYS
