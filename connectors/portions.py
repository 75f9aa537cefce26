"""What every kind of source hands in: records with their places, and the cursor behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.mapping.model import Stream

#: Stands for the date of an origin that states none; versions begin above 0.
NO_DATE = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from within a source: a file, a table, a request.

    ``name`` names its cursor, and ``name:number`` is the place of a record. ``dated`` is the date
    in µs since 1970 of its records that have no change time, or ``NO_DATE``. ``texts`` go into a
    dead letter of bytes that are no record: by them they are read again.
    """

    name: str
    stream: Stream
    dated: int = NO_DATE
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes that are no record: their number in the origin (a line), and why."""

    number: int
    raw: bytes
    code: str
    reason: str


#: A record with its number in its origin: a line, a row.
Numbered = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Portion:
    """Some records in the order of their origin.

    ``state`` is what the origin's cursor becomes with them (None: it stays), ``size`` about how
    many bytes they had.
    """

    origin: Origin
    rows: Sequence[Numbered] = ()
    broken: Sequence[Broken] = ()
    state: Mapping[str, Any] | None = None
    size: int = 0
