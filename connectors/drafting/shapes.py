"""Finds how the values of a column are written: dates, numbers, currencies, a few words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from types import MappingProxyType

from schemas.currencies import DIGITS

_DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%Y年%m月%d日",
)
_CLOCKS = (" %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p")
_ISO = re.compile(r"^\d{4}-\d\d-\d\d(?:$|[T ]\d\d:\d\d)")
_HAS_DIGITS = re.compile(r"\d")

#: How numbers are written, by (decimal mark, sign between thousands).
_NUMBERS: Mapping[tuple[str, str], re.Pattern[str]] = MappingProxyType(
    {
        (".", ""): re.compile(r"^[+-]?\d+(\.\d+)?-?$"),
        (",", ""): re.compile(r"^[+-]?\d+(,\d+)?-?$"),
        (".", ","): re.compile(r"^[+-]?\d{1,3}(,\d{3})*(\.\d+)?-?$"),
        (",", "."): re.compile(r"^[+-]?\d{1,3}(\.\d{3})*(,\d+)?-?$"),
        (".", "'"): re.compile(r"^[+-]?\d{1,3}('\d{3})*(\.\d+)?-?$"),
        (",", " "): re.compile(r"^[+-]?\d{1,3}( \d{3})*(,\d+)?-?$"),
    }
)
_BOOLEANS = frozenset({"yes", "no", "true", "false", "y", "n", "x", "0", "1"})


def day_formats(values: Collection[str]) -> list[str]:
    """The formats in which all of ``values`` are dates; ISO 8601, which needs none, is ``""``."""
    return _fitting(values, _DAYS, iso_length=10)


def instant_formats(values: Collection[str]) -> list[str]:
    """The formats in which all of ``values`` are dates with a time; ISO 8601 is ``""``."""
    return _fitting(values, [day + clock for day in _DAYS for clock in _CLOCKS], iso_length=0)


def _fitting(values: Collection[str], formats: Collection[str], iso_length: int) -> list[str]:
    if not values or not all(_HAS_DIGITS.search(value) for value in values):
        return []
    iso: Callable[[str], bool] = lambda text: (  # noqa: E731 - chosen by the length asked for
        _ISO.match(text) is not None
        and (len(text) == iso_length if iso_length else len(text) > len("2026-01-01"))
        and _is_iso(text)
    )
    if all(map(iso, values)):
        return [""]
    # Digits alone are a date only where each looks like a year of our time.
    if all(value.isdigit() for value in values):
        formats = [each for each in formats if each == "%Y%m%d"]
        if not all(len(value) == 8 and value[:2] in ("19", "20") for value in values):
            return []
    left = list(formats)
    for value in values:
        left = [each for each in left if _parses(value, each)]
        if not left:
            break
    return left


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _parses(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 - only whether it fits is asked
    except ValueError:
        return False
    return True


def number_styles(values: Collection[str]) -> list[tuple[str, str]]:
    """The (decimal mark, thousands sign) with which all of ``values`` are numbers.

    Where several give the same numbers only the plainest is named.
    """
    styles = [
        style
        for style, pattern in _NUMBERS.items()
        if values and all(pattern.match(value) for value in values)
    ]
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for mark, group in styles:
        read = tuple(value.replace(group or "\0", "").replace(mark, ".") for value in values)
        found.setdefault(read, (mark, group))
    return list(found.values())


def are_currencies(values: Collection[str]) -> bool:
    """Whether all are codes of ISO 4217."""
    return bool(values) and all(value in DIGITS for value in values)


def are_booleans(values: Collection[str]) -> bool:
    """Whether all are words such as yes and no."""
    return bool(values) and all(value.lower() in _BOOLEANS for value in values)
