"""Calendar arithmetic of payment terms and periods (DOMAIN.md §5)."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any


def add_months(day: date, months: int) -> date:
    """Move a date by whole months, clamped to the last day of the month that is reached."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, last_day(year, month)))


def last_day(year: int, month: int) -> int:
    """Return the number of the last day of a month."""
    return calendar.monthrange(year, month)[1]


def due_on(invoiced_on: date, terms: Mapping[str, Any] | None) -> date:
    """Return when an invoice without instalments is due: months, end of month, days, in turn."""
    if terms is None:
        return invoiced_on
    day = add_months(invoiced_on, terms["months"])
    if terms["end_of_month"]:
        day = day.replace(day=last_day(day.year, day.month))
    return day + timedelta(days=terms["days"])
