"""The columns of sample records: their values, whether they repeat, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connectors.drafting.shapes import (
    are_booleans,
    are_currencies,
    day_formats,
    instant_formats,
    number_styles,
)
from connectors.mapping.values import as_text

_FEW = 30


@dataclass(frozen=True)
class Column:
    """A field of the records: its value in each of them, empty where it has none."""

    name: str
    cells: tuple[str, ...]

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
        return bool(self.numbers) and any("." in one or "," in one for one in self.distinct)

    def decides(self, other: Column) -> bool:
        """Whether records with one value here also have one value in ``other``."""
        pairs = set(zip(self.cells, other.cells, strict=True))
        return len(pairs) == len(set(self.cells))

    @cached_property
    def days(self) -> list[str]:
        """The formats in which the values are dates."""
        return day_formats(self.distinct)

    @cached_property
    def instants(self) -> list[str]:
        """The formats in which the values are dates with a time."""
        return instant_formats(self.distinct)

    @cached_property
    def numbers(self) -> list[tuple[str, str]]:
        """The decimal marks and thousands signs with which the values are numbers."""
        return number_styles(self.distinct)

    @cached_property
    def currencies(self) -> bool:
        """Whether the values are currencies."""
        return are_currencies(self.distinct)

    @cached_property
    def booleans(self) -> bool:
        """Whether the values say yes or no."""
        return are_booleans(self.distinct)


def columns_of(records: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns of records in their order; objects and lists are none."""
    names = dict.fromkeys(name for record in records for name in record)
    columns = []
    for name in names:
        found = [record.get(name) for record in records]
        if any(isinstance(value, dict | list) for value in found):
            continue
        cells = ("" if value is None else as_text(value).strip() for value in found)
        columns.append(Column(name, tuple(cells)))
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
