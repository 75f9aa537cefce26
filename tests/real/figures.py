"""A figure: what was expected, what was found, and by which command; and how they are printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a set of records; ``command`` is what a user runs to see it."""

    name: str
    expected: str
    found: str
    command: str

    @property
    def holds(self) -> bool:
        """Whether it was found as expected."""
        return self.expected == self.found


def figure(name: str, expected: Any, found: Any, command: str) -> Figure:
    """Return a figure; values are compared as they are printed."""
    return Figure(name, text_of(expected), text_of(found), command)


def text_of(value: Any) -> str:
    """Return a value as a person writes it."""
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, str):
        return value
    return ", ".join(text_of(one) for one in value) or "none"


def table(figures: Iterable[Figure]) -> str:
    """Return figures as lines of text: ok or DIFFERENT, name, expected, found, command."""
    rows = [("", "figure", "expected", "found", "by")]
    for one in figures:
        holds = "ok" if one.holds else "DIFFERENT"
        found = "the same" if one.holds and len(one.found) > _WIDE else one.found
        rows.append((holds, one.name, one.expected, found, one.command))
    widths = [max(min(len(row[place]), _WIDE) for row in rows) for place in range(4)]
    return "\n".join(
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True)), row[4]]
        ).rstrip()
        for row in rows
    )


_WIDE = 44
