"""Positions on a change column: a number for each of its values, and the values back; pure.

A time counts in µs as it is written, whatever its zone, so that positions are ordered as the
column is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.mapping.values import EPOCH, shown, to_micros

#: Where the mapping says nothing.
_OVERLAP = timedelta(minutes=5)
_OVERLAP_COUNTED = 1_000
_DAY = 86_400_000_000
#: Of a text: "2026-01-02" and what stands before the time behind it.
_DATE_LENGTH = 10


class NoPosition(ValueError):
    """A value by which rows cannot be ordered in time; the message says which may stand there."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values of a change column: their ``kind``, and how long or separated they are written."""

    kind: str
    form: str = ""

    @property
    def is_time(self) -> bool:
        """Whether positions are µs."""
        return self.kind in ("instant", "local", "day", "text")

    def as_state(self) -> list[str]:
        """As a cursor keeps it."""
        return [self.kind, self.form]


def scale_of(value: Any) -> Scale:
    """The scale on which a value of the change column stands.

    Raises:
        NoPosition: the value is of a type that does not order changes.
    """
    if isinstance(value, datetime):
        return Scale("local" if value.tzinfo is None else "instant")
    if isinstance(value, date):
        return Scale("day")
    if isinstance(value, int) and not isinstance(value, bool):
        return Scale("count")
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return Scale("count")
    if isinstance(value, bytes | bytearray | memoryview):
        return Scale("binary", str(len(bytes(value))))
    if isinstance(value, str):
        _written(value)
        return Scale("text", value[_DATE_LENGTH : _DATE_LENGTH + 1])
    raise NoPosition(
        f"{shown(value)} orders no changes: a time, a date, a whole number or a rowversion does"
    )


def position_of(value: Any) -> int:
    """The position of a value of the change column.

    Raises:
        NoPosition: it has none.
    """
    kind = scale_of(value).kind
    if kind == "count":
        return int(value)
    if kind == "binary":
        return int.from_bytes(bytes(value))
    if kind == "day":
        return to_micros(datetime.combine(value, time.min, UTC))
    if kind == "text":
        return to_micros(_written(value).replace(tzinfo=UTC))
    return to_micros(value.replace(tzinfo=UTC) if kind == "local" else value)


def value_at(scale: Scale, position: int) -> Any:
    """The value at a position; where the scale has none there, the next one below."""
    if scale.kind == "count":
        return position
    if scale.kind == "binary":
        return max(position, 0).to_bytes(int(scale.form))
    at = EPOCH + timedelta(microseconds=position)
    if scale.kind == "instant":
        return at
    if scale.kind == "local":
        return at.replace(tzinfo=None)
    if scale.kind == "day":
        return at.date()
    # Whole minutes and no zone: a text is never below its own beginning.
    if not scale.form:
        return at.date().isoformat()
    return at.replace(tzinfo=None).isoformat(sep=scale.form, timespec="minutes")


def begin_of_overlap(scale: Scale, position: int, overlap: timedelta | int | None) -> int:
    """Where reading begins again for rows that were committed late.

    Raises:
        NoPosition: the overlap is a time and the column counts, or the other way round.
    """
    if overlap is None:
        overlap = _OVERLAP if scale.is_time else _OVERLAP_COUNTED
    if scale.is_time != isinstance(overlap, timedelta):
        wanted = "a time such as PT5M" if scale.is_time else "a number such as 1000"
        raise NoPosition(f"'overlap' is {wanted} for this column")
    step = overlap // timedelta(microseconds=1) if isinstance(overlap, timedelta) else overlap
    return position - step


def position_of_clock(scale: Scale, now: datetime, zone: ZoneInfo) -> int | None:
    """Where the source's clock stands on the scale; None where the column is no time.

    Args:
        scale: of the change column.
        now: of the source's server, in UTC.
        zone: in which the column writes times that name none.
    """
    if not scale.is_time:
        return None
    if scale.kind == "instant":
        return to_micros(now)
    local = to_micros(now.astimezone(zone).replace(tzinfo=UTC))
    return local - local % _DAY if scale.kind == "day" else local


def _written(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NoPosition(
            f"{shown(text)} orders no changes: a text is a date and time such as"
            " 2026-01-02 03:04:05"
        ) from error
