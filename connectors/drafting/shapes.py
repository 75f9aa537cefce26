"""Finds how the values of a column are written: dates, numbers, currencies, a few words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Generic, TypeVar

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


Way = TypeVar("Way")

#: So many different values show which ways of writing come into question.
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Reading(Generic[Way]):
    """How most values are written: the ways that fit best, and what they leave over.

    ``misses`` counts the values that do not fit, ``broken`` has the different ones.
    """

    ways: list[Way]
    values: int
    misses: int
    broken: frozenset[str]

    @property
    def nearly_all(self) -> bool:
        """Whether all values fit but two or 5 %, and more than half do."""
        spare = min(max(2, self.values // 20), (self.values - 1) // 2)
        return bool(self.ways) and self.misses <= spare


def days_in(values: Collection[str]) -> Reading[str]:
    """The formats in which ``values`` are dates; ISO 8601, which needs none, is ``""``."""
    return _dates(values, ("", *_DAYS), lambda text: len(text) == len("2026-01-01"))


def instants_in(values: Collection[str]) -> Reading[str]:
    """The formats in which ``values`` are dates with a time; ISO 8601 is ``""``."""
    formats = ["", *(day + clock for day in _DAYS for clock in _CLOCKS)]
    return _dates(values, formats, lambda text: len(text) > len("2026-01-01"))


def numbers_in(values: Collection[str]) -> Reading[tuple[str, str]]:
    """The (decimal mark, thousands sign) with which ``values`` are numbers.

    Where several give the same numbers only the plainest is named.
    """
    found = _reading(values, _NUMBERS, lambda text, style: _NUMBERS[style].match(text) is not None)
    plainest: dict[tuple[str, ...], tuple[str, str]] = {}
    for mark, group in found.ways:
        read = tuple(value.replace(group or "\0", "").replace(mark, ".") for value in values)
        plainest.setdefault(read, (mark, group))
    return replace(found, ways=list(plainest.values()))


def number_of(text: str, style: tuple[str, str]) -> Decimal:
    """The number that ``text`` is in a way of writing that ``numbers_in`` found for it."""
    mark, group = style
    plain = text.replace(group or "\0", "").replace(mark, ".")
    return Decimal(f"-{plain[:-1]}" if plain.endswith("-") else plain)


def currencies_in(values: Collection[str]) -> Reading[str]:
    """Whether they are codes of ISO 4217."""
    return _reading(values, ("ISO 4217",), lambda text, _: text in DIGITS)


def booleans_in(values: Collection[str]) -> Reading[str]:
    """Whether they are words such as yes and no."""
    return _reading(values, ("words",), lambda text, _: text.lower() in _BOOLEANS)


def _dates(
    values: Collection[str], formats: Collection[str], long: Callable[[str], bool]
) -> Reading[str]:
    def fits(text: str, pattern: str) -> bool:
        if not pattern:
            return _ISO.match(text) is not None and long(text) and _is_iso(text)
        # Digits alone are a date only where they look like a year of our time.
        if text.isdigit():
            own = pattern == "%Y%m%d" and len(text) == 8 and text[:2] in ("19", "20")
            return own and _parses(text, pattern)
        return _HAS_DIGITS.search(text) is not None and _parses(text, pattern)

    found = _reading(values, formats, fits)
    return replace(found, ways=[""]) if "" in found.ways else found


def _reading(
    values: Collection[str], ways: Collection[Way], fits: Callable[[str, Way], bool]
) -> Reading[Way]:
    """The ways that fit the most of ``values``; none where no value fits any."""
    counts = Counter(values)
    shown = list(counts)[:: len(counts) // _SHOWN + 1]
    misses = {
        way: sum(count for value, count in counts.items() if not fits(value, way))
        for way in ways
        if any(fits(value, way) for value in shown)
    }
    fewest = min(misses.values(), default=len(values))
    best = [way for way, missed in misses.items() if missed == fewest]
    broken = frozenset(
        value for value in counts if fewest and not any(fits(value, way) for way in best)
    )
    return Reading(best, len(values), fewest, broken)


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
