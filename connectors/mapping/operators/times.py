"""Operators on dates and instants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.mapping.compiler import Compiler
from connectors.mapping.operators.clocks import UNITS, counted_instant, parse_time
from connectors.mapping.registry import operator
from connectors.mapping.values import NO_DATE, Expression, Node, Refusal, from_micros, shown

Options = Mapping[str, Any]


def parse_instant(value: Any, zone: ZoneInfo, pattern: str | None = None) -> datetime | None:
    """An instant in UTC; what names no zone is local time in ``zone``.

    Raises:
        Refusal: the value is no instant, or one that does not exist.
    """
    if value is None:
        return None
    try:
        if isinstance(value, datetime):
            parsed = value
        elif isinstance(value, date):
            parsed = datetime.combine(value, time.min)
        elif pattern is not None:
            parsed = datetime.strptime(value, pattern)  # noqa: DTZ007 - its zone is given below
        else:
            parsed = datetime.fromisoformat(value)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=zone)
        return parsed.astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise Refusal("not_an_instant", f"{shown(value)} is no date and time") from error


def parse_day(value: Any, zone: ZoneInfo, pattern: str | None = None) -> date | None:
    """A business date; an instant that names its zone is that day in ``zone``.

    Raises:
        Refusal: the value is no date, or one that does not exist.
    """
    if value is None:
        return None
    try:
        if isinstance(value, datetime):
            return value.astimezone(zone).date()
        if isinstance(value, date):
            return value
        return _written_day(value, zone, pattern)
    except (ValueError, TypeError, OverflowError) as error:
        raise Refusal("not_a_date", f"{shown(value)} is no date") from error


# The records of a file are of few days.
@lru_cache(maxsize=10_000)
def _written_day(text: str, zone: ZoneInfo, pattern: str | None) -> date:
    if pattern is not None:
        return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
    if len(text) == 10:
        return date.fromisoformat(text)
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo is None else parsed.astimezone(zone)).date()


def parse_calendar_day(value: Any) -> date | None:
    """The day that is written first, whatever time or zone stands behind it.

    Raises:
        Refusal: the value does not begin with a date.
    """
    if value.__class__ is str:
        try:
            day = date.fromisoformat(value[:10])
        except ValueError as error:
            raise Refusal("not_a_date", f"{shown(value)} is no date") from error
        if len(value) == 10 or value[10] in "T ":
            return day
    elif value is None:
        return None
    raise Refusal("not_a_date", f"{shown(value)} is no date")


def zone_named(compiler: Compiler, name: Any) -> ZoneInfo:
    """The time zone of that name, or an error at the compiler's place."""
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise compiler.fail(f"{shown(name)} is no time zone such as Asia/Shanghai") from error


def _zone(compiler: Compiler, options: Options) -> ZoneInfo:
    if "zone" not in options:
        return compiler.defaults.zone
    return zone_named(compiler.at("zone"), options["zone"])


def _unit(compiler: Compiler, options: Options) -> Callable[[Any, ZoneInfo], datetime | None]:
    unit = options["unit"]
    if unit not in UNITS:
        raise compiler.at("unit").fail(f"found {shown(unit)}; allowed: {', '.join(UNITS)}")
    if "format" in options:
        raise compiler.fail("'unit' is for numbers and 'format' for texts: give one of them")
    return lambda value, zone: counted_instant(value, unit, zone)


def _pattern(compiler: Compiler, options: Options) -> str | None:
    pattern = options.get("format")
    if pattern is not None and (not isinstance(pattern, str) or "%" not in pattern):
        raise compiler.at("format").fail(f"expected one like '%d.%m.%Y', found {shown(pattern)}")
    return pattern


@operator("date", options=("as", "format", "unit", "zone"))
def calendar_date(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{date: a, as: calendar_day}`` or ``{date: a, format: "%d.%m.%Y"}``: a business date.

    ``unit: excel`` reads a spreadsheet's day number, ``s``, ``ms`` and ``us`` the time since 1970.
    """
    inner = compiler.expression(argument)
    if options.get("as", "calendar_day") != "calendar_day":
        raise compiler.at("as").fail("allowed: calendar_day")
    if "as" in options:
        if len(options) > 1:
            raise compiler.fail("'as: calendar_day' takes neither format, unit nor zone")
        return lambda node: parse_calendar_day(inner(node))
    zone = _zone(compiler, options)
    if "unit" in options:
        counted = _unit(compiler, options)
        return lambda node: parse_day(counted(inner(node), zone), zone)
    pattern = _pattern(compiler, options)
    return lambda node: parse_day(inner(node), zone, pattern)


@operator("datetime", options=("format", "time", "unit", "zone"))
def instant(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{datetime: a, zone: Asia/Shanghai}``: an instant; a bare date is its first moment.

    ``unit`` is ``s``, ``ms`` or ``us`` since 1970, or ``excel``. ``time`` is a field of its own
    with the time of day (``14:30``, ``143000`` or ``{hours, minutes, seconds}``) of that date.
    """
    inner = compiler.expression(argument)
    zone = _zone(compiler, options)
    if "unit" in options:
        if "time" in options:
            raise compiler.fail("'time' stands beside a date, and 'unit' has its time already")
        counted = _unit(compiler, options)
        return lambda node: counted(inner(node), zone)
    pattern = _pattern(compiler, options)
    if "time" not in options:
        return lambda node: parse_instant(inner(node), zone, pattern)
    time_of_day = compiler.at("time").expression(options["time"])

    def composed(node: Node) -> datetime | None:
        value = inner(node)
        if pattern is not None or value.__class__ is not str or len(value) < 10:
            day = parse_day(value, zone, pattern)
        else:
            day = parse_calendar_day(value)
        if day is None:
            return None
        return parse_instant(datetime.combine(day, parse_time(time_of_day(node))), zone)

    return composed


@operator("file_date")
def file_date(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{file_date: name}``: the date in the name of the record's file, its first moment.

    Empty where the name has none, and where the records of the stream have a change time.
    """
    if argument != "name":
        raise compiler.fail(f"found {shown(argument)}; allowed: name")
    return lambda node: None if node.dated or node.changed <= NO_DATE else from_micros(node.changed)


@operator("add_days", required=("days",))
def add_days(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{add_days: {date: a}, days: 30}``: a date that many days later."""
    inner = compiler.expression(argument)
    count = compiler.at("days").expression(options["days"])
    zone = compiler.defaults.zone

    def later(node: Node) -> date | None:
        day, days = parse_day(inner(node), zone), count(node)
        if day is None or days is None:
            return None
        try:
            return day + timedelta(days=int(days))
        except (ValueError, TypeError, OverflowError) as error:
            raise Refusal("not_a_date", f"{day} and {shown(days)} days give no date") from error

    return later
