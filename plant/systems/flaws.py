"""What goes wrong on a record's way out of a system, decided by chance that depends on it alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plant.systems.numbers import drawn, share
from plant.systems.tables import Row, Table

#: Of all deliveries of records; what is broken, late … is so in this share.
BROKEN = 0.008
LATE = 0.008
PARTS_LATE = 0.006
MISTAKEN = 0.006
DRAFTED = 0.008
REPEATED = 0.008
#: Of all days, tables and months.
SHUFFLED = 0.12
DOUBLED = 0.08
#: Of the broken records that can be mended later.
NEVER_MENDED = 0.2

Bend = Callable[[str], object]
Part = tuple[Table, Row]


@dataclass(frozen=True, slots=True)
class Break:
    """A way in which a record breaks, and what the hub will call it.

    A bent ``column`` gets another value; ``damage`` changes the line itself; ``spoil`` changes the
    records of the parts instead. A ``lasting`` break makes a document impossible that is made of
    several records: it is there when the document first leaves the system, and it never leaves it
    again. ``fits`` says of which records and parts.
    """

    what: str
    code: str
    column: str = ""
    bend: Bend | None = None
    damage: Callable[[bytes, Table], bytes] | None = None
    spoil: Callable[[list[Part]], list[Part]] | None = None
    lasting: bool = False
    fits: Callable[[Row, list[Part]], bool] | None = None

    def line(self, table: Table, row: Row) -> bytes:
        """The broken line."""
        if self.bend is not None:
            place = table.columns.index(self.column)
            row = [*row[:place], self.bend(row[place]), *row[place + 1 :]]
        line = table.line(row)
        return line if self.damage is None else self.damage(line, table)


def _without_a_column(line: bytes, table: Table) -> bytes:
    return line.replace(table.delimiter.encode(), b"", 1)


def _with_a_stray_quote(line: bytes, table: Table) -> bytes:
    # Closed too early: one that stayed open would take the next lines with it.
    first, delimiter, rest = line.partition(table.delimiter.encode())
    return b'"' + first + b'"' + first + b'"' + delimiter + rest


def _with_a_strange_byte(line: bytes, table: Table) -> bytes:
    return line[:-1] + (b"\x81" if table.encoding == "cp1252" else b"\xff") + b"\n"


def _cut(line: bytes, table: Table) -> bytes:
    return (
        line[: len(line) * 2 // 3].decode(table.encoding, "ignore").encode(table.encoding) + b"\n"
    )


#: For tables as CSV: they are lines that are no records.
CSV_BREAKS = (
    Break("a delimiter is missing", "broken_csv", damage=_without_a_column),
    Break("a quote stands in the middle of a field", "broken_csv", damage=_with_a_stray_quote),
    Break("a byte is not of the encoding", "undecodable", damage=_with_a_strange_byte),
)
#: For tables as JSON Lines.
JSON_BREAKS = (
    Break("the line was cut", "broken_json", damage=_cut),
    Break("a byte is not of the encoding", "undecodable", damage=_with_a_strange_byte),
)


def impossible_day(column: str, code: str, text: str) -> Break:
    """A date that no calendar has."""
    return Break("a date does not exist", code, column, lambda value: text)


def emptied(column: str, code: str, what: str) -> Break:
    """A field that must not be empty is."""
    return Break(what, code, column, lambda value: "")


def worded(
    column: str,
    code: str,
    what: str,
    text: str,
    *,
    lasting: bool = False,
    fits: Callable[[Row, list[Part]], bool] | None = None,
) -> Break:
    """Another text stands where a number or a known word belongs."""
    return Break(what, code, column, lambda value: text, lasting=lasting, fits=fits)


def chosen(breaks: tuple[Break, ...], key: str, row: Row, parts: list[Part]) -> Break:
    """One of these that a record with these parts can have, by chance."""
    possible = [one for one in breaks if one.fits is None or one.fits(row, parts)]
    return possible[drawn(f"{key}/break") % len(possible)]


def days_later(key: str, fewest: int, most: int) -> int:
    """How many days something takes, by chance."""
    return fewest + drawn(f"{key}/days") % (most - fewest + 1)


def is_shuffled(key: str) -> bool:
    """Whether the records of this day come in another order."""
    return share(f"{key}/shuffled") < SHUFFLED


def is_doubled(key: str) -> bool:
    """Whether the file of this month is delivered a second time."""
    return share(f"{key}/doubled") < DOUBLED
