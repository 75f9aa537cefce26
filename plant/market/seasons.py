"""When business is done: working days, holidays and the construction season."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

# The first day of the Chinese year, entered by hand; the package holidays (0.109) has the same.
_NEW_YEAR = {
    2024: (2, 10),
    2025: (1, 29),
    2026: (2, 17),
    2027: (2, 6),
    2028: (1, 26),
    2029: (2, 13),
    2030: (2, 3),
    2031: (1, 23),
    2032: (2, 11),
    2033: (1, 31),
}
# By month: the building season has its peaks in spring and in autumn.
_SEASON = (0.85, 0.60, 1.45, 1.40, 1.20, 0.95, 0.80, 0.85, 1.15, 1.20, 1.00, 0.75)

#: No season is stronger than this.
PEAK = 1.5


def new_year(year: int) -> date:
    """Return the first day of the Chinese year that begins in ``year``; roughly, beyond 2033."""
    month, day = _NEW_YEAR.get(year, (2, 5))
    return date(year, month, day)


@cache
def is_holiday(day: date) -> bool:
    """Whether China stands still: the New Year's week, May Day, and the National Day's week."""
    first = new_year(day.year)
    return (
        (day.month, day.day) == (1, 1)
        or -1 <= (day - first).days <= 6
        or (day.month == 5 and day.day <= 3)
        or (day.month == 10 and day.day <= 7)
    )


@cache
def is_working(day: date) -> bool:
    """Whether the office works: Monday to Saturday, no holiday."""
    return day.weekday() < 6 and not is_holiday(day)


@cache
def working(day: date) -> date:
    """Return the first working day from ``day`` on."""
    while not is_working(day):
        day += timedelta(days=1)
    return day


@cache
def season(day: date) -> float:
    """Return how strong demand is on this day, around 1."""
    until_new_year = (new_year(day.year) - day).days
    if -14 <= until_new_year <= 10:
        return 0.2
    return _SEASON[day.month - 1]


@cache
def month_end(day: date) -> date:
    """Return the last working day of the month of ``day``."""
    last = next_month(day) - timedelta(days=1)
    while not is_working(last):
        last -= timedelta(days=1)
    return last


def next_month(day: date) -> date:
    """Return the first day of the month after that of ``day``."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def working_days(first: date) -> int:
    """Return the number of working days of the month that begins on ``first``."""
    days = (next_month(first) - first).days
    return sum(is_working(first + timedelta(days=each)) for each in range(days))
