"""What every kind of source hands in: records with their places, and the cursor behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.mapping.model import Stream
from connectors.mapping.values import NO_DATE


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from within a source: a file, a table, a request.

    ``name`` names its cursor, and ``name:number`` is the place of a record. ``dated`` is the date
    in µs since 1970 of its records that have no change time, or ``NO_DATE``; with ``numbered`` the
    number of a record, or what stands behind the @ in it, is its date. ``texts`` go into a
    dead letter of bytes that are no record: by them they are read again.
    """

    name: str
    stream: Stream
    dated: int = NO_DATE
    texts: Mapping[str, str] = field(default_factory=dict)
    numbered: bool = False

    def date_of(self, number: int | str) -> int:
        """The date of the record with this number, where it states none."""
        return int(str(number).rpartition("@")[2]) if self.numbered else self.dated


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes that are no record: their number in the origin (a line), and why."""

    number: int
    raw: bytes
    code: str
    reason: str


#: A record with its number in its origin, a line, or its name there, the key of a row.
Numbered = tuple[int | str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Window:
    """How rows of which some are read several times are recognised.

    ``digests`` has for each row, and behind these for each broken one, the digest of its content
    and its position on the column by which the table is read (None: it has none). Rows from
    position ``floor`` on are read again later.
    """

    digests: Sequence[tuple[str, int | None]]
    floor: int


@dataclass(frozen=True, slots=True)
class Whole:
    """Says that the portions with the same stream are the whole of it.

    Rows that stand already are passed over, and once the ``last`` portion is there, which has no
    rows, what stands and did not come is gone, unless that is more than the share ``most_gone``.
    Where there is a ``doubt`` whether they are the whole, nothing is. ``setting`` is the place in
    the mapping that says how much may be gone. The state of the last portion holds only if what it
    says is believed.
    """

    most_gone: Decimal
    last: bool = False
    doubt: str = ""
    setting: str = ""

    def disbelief(self, name: str, gone: int, standing: int) -> str:
        """Why so many of the rows that stand are not taken for deleted; nothing if they are.

        Args:
            name: of the origin that ends the whole.
            gone: how many of them did not come.
            standing: how many there were.
        """
        found = f"{name}: {gone} of {standing} rows are gone"
        if gone and self.doubt:
            return (
                f"{found}, but {self.doubt}, so none was marked as deleted: deliver it whole again"
            )
        if gone <= standing * self.most_gone:
            return ""
        return (
            f"{found} at once, more than {self.most_gone:.0%}, so none was marked as deleted: look"
            " whether it was read whole; if they are really deleted, set 'most_deleted: 100%' in"
            f" the mapping ({self.setting}) for one run"
        )


@dataclass(frozen=True, slots=True)
class Portion:
    """Some records in the order of their origin.

    ``state`` is what the origin's cursor becomes with them (None: it stays), ``size`` about how
    many bytes they had. ``gone`` are keys of the stream whose records are no longer in the source,
    ``known`` counts records that were read besides and passed over as known.
    """

    origin: Origin
    rows: Sequence[Numbered] = ()
    broken: Sequence[Broken] = ()
    state: Mapping[str, Any] | None = None
    size: int = 0
    gone: Sequence[str] = ()
    known: int = 0
    window: Window | None = None
    whole: Whole | None = None
