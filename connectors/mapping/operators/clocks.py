"""Times of day, and instants that are counted: since 1970, or in a spreadsheet's days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.mapping.operators.numbers import parse_decimal
from connectors.mapping.values import Refusal, as_text, from_micros, shown

#: Microseconds of each unit in which sources count time.
UNITS: Mapping[str, int] = {"s": 1_000_000, "ms": 1_000, "us": 1, "excel": 86_400_000_000}
#: Day 0 of spreadsheets that count a 29 February 1900, which never was, as day 60.
_SPREADSHEET = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day has no zone
_SPREADSHEET_LEAP = 60


def parse_time(value: Any) -> time:
    """A time of day: ``14:30``, ``9:30:05``, ``143005`` or ``{hours, minutes, seconds}``.

    Empty is midnight.

    Raises:
        Refusal: the value is no time of day, or one that does not exist.
    """
    try:
        if value is None:
            return time.min
        if isinstance(value, Mapping):
            hours, minutes, seconds = (
                parse_decimal(value.get(name)) or Decimal(0)
                for name in ("hours", "minutes", "seconds")
            )
            micros = (seconds * 1_000_000).to_integral_value(ROUND_FLOOR)
            whole, rest = divmod(int(micros), 1_000_000)
            return time(_whole(hours), _whole(minutes), whole, rest)
        if isinstance(value, time):
            return value.replace(tzinfo=None)
        text = as_text(value).strip()
        parsed = time.fromisoformat(f"0{text}" if text[1:2] == ":" else text)
    except (ValueError, OverflowError, ArithmeticError) as error:
        raise Refusal("not_a_time", f"{shown(value)} is no time of day") from error
    if parsed.tzinfo is not None:
        raise Refusal("not_a_time", f"{shown(value)} names a zone, and its date is local")
    return parsed


def _whole(number: Decimal) -> int:
    if number != number.to_integral_value():
        raise ValueError("a part of a time is no whole number")
    return int(number)


def counted_instant(value: Any, unit: str, zone: ZoneInfo) -> datetime | None:
    """An instant in UTC from a number of units since 1970, or of a spreadsheet's days in ``zone``.

    A spreadsheet's fraction of a day is taken to the nearest millisecond: it is a binary number.

    Raises:
        Refusal: the value is no number, or beyond the calendar.
    """
    number = parse_decimal(value)
    if number is None:
        return None
    try:
        if unit != "excel":
            return from_micros(int((number * UNITS[unit]).to_integral_value(ROUND_FLOOR)))
        if number < 1 or int(number) == _SPREADSHEET_LEAP:
            raise ValueError("there is no such day")
        days = number if number > _SPREADSHEET_LEAP else number + 1
        milliseconds = int((days * 86_400_000).to_integral_value(ROUND_HALF_UP))
        local = _SPREADSHEET + timedelta(milliseconds=milliseconds)
        return local.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, ArithmeticError) as error:
        raise Refusal("not_an_instant", f"{shown(value)} ({unit}) is no date and time") from error
