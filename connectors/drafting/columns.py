"""The columns of sample records: their values, whether they repeat, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from connectors.drafting.shapes import (
    Reading,
    Way,
    booleans_in,
    currencies_in,
    days_in,
    instants_in,
    number_of,
    numbers_in,
)
from connectors.mapping.values import as_text

_FEW = 30
#: So much of a broken value is shown.
_SHOWN = 40
_KINDS = {
    "date": "date",
    "instant": "date",
    "decimal": "number",
    "integer": "number",
    "currency": "currency",
    "bool": "yes or no",
}


#: A number with the sign of a currency or of percent, before or behind it.
_SIGNED = re.compile(r"([$€£¥])? ?(-?[0-9][0-9.,']*) ?([$€£¥%])?")


@dataclass(frozen=True)
class Column:
    """A field of the records: its value in each of them, empty where it has none.

    ``places`` says where each record stands; without it they are counted.
    """

    name: str
    cells: tuple[str, ...]
    places: tuple[str, ...] = ()

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The values that are not empty, in their order."""
        return tuple(cell for cell in self.cells if cell)

    @property
    def records(self) -> int:
        """How many records there are."""
        return len(self.cells)

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """The different values, in the order in which they came."""
        return tuple(dict.fromkeys(self.values))

    @property
    def unique(self) -> bool:
        """Whether each record has a value of its own."""
        return 0 < self.records == len(self.distinct)

    @property
    def filled(self) -> bool:
        """Whether each record has a value."""
        return len(self.values) == self.records

    @property
    def few(self) -> bool:
        """Whether so few different values stand here that they may be a closed set."""
        return 0 < len(self.distinct) <= _FEW

    @property
    def wordy(self) -> bool:
        """Whether the values look like names and not like codes."""
        return any(re.search(r"[a-zäöüß]{2}|[\u4e00-\u9fff]", value) for value in self.distinct)

    @property
    def measures(self) -> bool:
        """Whether the values are numbers with a fraction, which name nothing."""
        bare = self.bare
        sound = (one for one in bare.distinct if one not in bare._numbers.broken)
        return bool(bare.numbers) and any("." in one or "," in one for one in sound)

    def decides(self, other: Column) -> bool:
        """Whether records with one value here also have one value in ``other``."""
        pairs = set(zip(self.cells, other.cells, strict=True))
        return len(pairs) == len(set(self.cells))

    def place(self, record: int) -> str:
        """Where a record stands, of which 0 is the first."""
        return self.places[record] if self.places else f"record {record + 1}"

    @cached_property
    def amounts(self) -> tuple[Decimal | None, ...]:
        """The number of each record; None where it has none, or may be read in several ways."""
        bare = self.bare
        if len(bare.numbers) != 1:
            return (None,) * self.records
        style = bare.numbers[0]
        return tuple(
            None if not cell or cell in bare._numbers.broken else number_of(cell, style)
            for cell in bare.cells
        )

    @cached_property
    def sign(self) -> str:
        """The sign of a currency or of percent that its numbers have; empty where they have none.

        One without a number, or several signs, make it no column of such numbers.
        """
        parts = [_SIGNED.fullmatch(value) for value in self.distinct]
        signs = {sign for part in parts if part for sign in part.group(1, 3) if sign}
        return signs.pop() if all(parts) and len(signs) == 1 else ""

    @cached_property
    def bare(self) -> Column:
        """The same numbers without their sign; the column itself where it has none."""
        if not self.sign:
            return self
        cells = tuple(cell.replace(self.sign, "").strip() for cell in self.cells)
        bare = replace(self, cells=cells)
        return bare if bare.numbers and not bare._numbers.misses else self

    @property
    def days(self) -> list[str]:
        """The formats in which nearly all values are dates."""
        return _nearly(self._days)

    @property
    def instants(self) -> list[str]:
        """The formats in which nearly all values are dates with a time."""
        return _nearly(self._instants)

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """The decimal marks and thousands signs with which nearly all values are numbers."""
        return _nearly(self._numbers)

    def reading(self, kind: str) -> Reading[Any] | None:
        """How most values are written as dates, numbers …; None for a kind that takes any text."""
        match kind:
            case "date" | "instant":
                return min(self._days, self._instants, key=lambda one: one.misses)
            case "decimal" | "integer":
                return self._numbers
            case "currency":
                return currencies_in(self.values)
            case "bool":
                return booleans_in(self.values)
        return None

    def fault(self, kind: str) -> str:
        """Which values are not of a kind, in words; empty where all are."""
        reading = self.reading(kind)
        if reading is None or not reading.broken:
            return ""
        count = sum(cell in reading.broken for cell in self.values)
        place = next(place for place, cell in enumerate(self.cells) if cell in reading.broken)
        verb = "is" if count == 1 else "are"
        shown = f"{self.cells[place][:_SHOWN]!r} ({self.place(place)})"
        return f"{count} of {len(self.values)} values {verb} no {_KINDS[kind]}: {shown}"

    @cached_property
    def _days(self) -> Reading[str]:
        return days_in(self.values)

    @cached_property
    def _instants(self) -> Reading[str]:
        return instants_in(self.values)

    @cached_property
    def _numbers(self) -> Reading[tuple[str, str]]:
        return numbers_in(self.values)


def _nearly(reading: Reading[Way]) -> list[Way]:
    return reading.ways if reading.nearly_all else []


def columns_of(records: Sequence[Mapping[str, Any]], places: Sequence[str] = ()) -> list[Column]:
    """The columns of records in their order; objects and lists are none."""
    names = dict.fromkeys(name for record in records for name in record)
    columns = []
    for name in names:
        found = [record.get(name) for record in records]
        if any(isinstance(value, dict | list) for value in found):
            continue
        cells = ("" if value is None else as_text(value).strip() for value in found)
        columns.append(Column(name, tuple(cells), tuple(places)))
    return columns


def usual_order(columns: Sequence[Column]) -> str | None:
    """``%m/%d`` or ``%d/%m``, where a column of these records shows which of the two is meant."""
    found = {
        order
        for column in columns
        for formats in (column.days, column.instants)
        for order in ("%m/%d", "%d/%m", "%m-%d", "%d-%m")
        if formats and all(each.startswith(order) for each in formats)
    }
    months_first = any(order.startswith("%m") for order in found)
    days_first = any(order.startswith("%d") for order in found)
    if months_first == days_first:
        return None
    return "%m" if months_first else "%d"
