"""Reads the rows that changed behind a cursor, page by page in the order of change and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, and_, column

from connectors.database.positions import (
    NoPosition,
    Scale,
    begin_of_overlap,
    position_of,
    position_of_clock,
    scale_of,
    value_at,
)
from connectors.database.relations import Relation
from connectors.errors import SourceError

ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What is read of a relation: ``changed`` grows with each change, ``key`` tells rows apart.

    ``only`` are the rows that count at all.
    """

    relation: Relation
    changed: str
    key: tuple[str, ...]
    overlap: timedelta | int | None
    only: ColumnElement[bool] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows with their positions (None: no change time), and the cursor behind them.

    Rows from position ``floor`` on are read again.
    """

    rows: Sequence[Row[Any]]
    positions: Sequence[int | None]
    floor: int
    state: Mapping[str, Any] | None


def read_changes(
    connection: Connection,
    changes: Changes,
    state: Mapping[str, Any],
    now: datetime | None,
    zone: ZoneInfo,
    look_back: bool,
) -> Iterator[Page]:
    """The rows behind a cursor.

    The cursor is the newest change that was seen, but never lies beyond the server's clock: a
    row dated in the future must not hide those that come before it.

    Args:
        connection: each page is a transaction of its own.
        changes: what is read.
        state: of the cursor; empty at the first time.
        now: what time it is at the server, in UTC, if that is known.
        zone: in which the column writes times that name none.
        look_back: whether the overlap and the rows without a change time are read too.

    Raises:
        SourceError: the columns cannot order the rows.
    """
    try:
        yield from _Reading(connection, changes, now, zone).pages(state, look_back)
    except NoPosition as error:
        name = f"{changes.relation.name}.{changes.changed}"
        raise SourceError(
            f"{name} cannot be the change column: {error} (name another with 'changed' in the"
            " stream's 'table', or compare the whole table with 'compare: true')"
        ) from error


class _Reading:
    def __init__(
        self, connection: Connection, changes: Changes, now: datetime | None, zone: ZoneInfo
    ) -> None:
        self._connection = connection
        self._changes = changes
        self._now = now
        self._zone = zone
        self._order = (changes.changed, *(name for name in changes.key if name != changes.changed))

    def pages(self, state: Mapping[str, Any], look_back: bool) -> Iterator[Page]:
        changed: ColumnElement[Any] = column(self._changes.changed)
        if look_back:
            names = self._order[1:] or self._order
            floor = int(state.get("floor", 0))
            for rows in self._pages(changed.is_(None), names):
                yield Page(rows, [None] * len(rows), floor, None)
        start: ColumnElement[bool] = changed.is_not(None)
        if state:
            scale = Scale(*state["scale"])
            position = self._below_clock(scale, int(state["position"]))
            if look_back:
                position = begin_of_overlap(scale, position, self._changes.overlap)
            start = changed >= value_at(scale, position)
        place = self._names().index(self._changes.changed)
        for rows in self._pages(start, self._order):
            positions = [position_of(row[place]) for row in rows]
            scale = scale_of(rows[-1][place])
            reached = self._below_clock(scale, positions[-1])
            floor = begin_of_overlap(scale, reached, self._changes.overlap)
            behind = {"position": reached, "scale": scale.as_state(), "floor": floor}
            yield Page(rows, positions, floor, behind)

    def _below_clock(self, scale: Scale, position: int) -> int:
        if self._now is None:
            return position
        clock = position_of_clock(scale, self._now, self._zone)
        return position if clock is None else min(position, clock)

    def _pages(self, start: ColumnElement[bool], order: Sequence[str]) -> Iterator[list[Row[Any]]]:
        statement = self._changes.relation.rows()
        if self._changes.only is not None:
            statement = statement.where(self._changes.only)
        statement = statement.order_by(*map(column, order)).limit(ROWS)
        where: ColumnElement[bool] = start
        last: tuple[Any, ...] | None = None
        while True:
            rows = list(self._connection.execute(statement.where(where)).all())
            # No page keeps the source from cleaning up behind it.
            self._connection.rollback()
            if rows:
                yield rows
            if len(rows) < ROWS:
                return
            last, before = self._place(rows[-1], order), last
            if last == before:
                raise NoPosition(
                    f"more than {ROWS} rows have the same {', '.join(order)}: name columns that"
                    " tell rows apart with 'key' in the stream's 'table'"
                )
            where = and_(start, self._changes.relation.behind(order, last))

    def _place(self, row: Row[Any], order: Sequence[str]) -> tuple[Any, ...]:
        names = self._names()
        place = tuple(row[names.index(name)] for name in order)
        for name, value in zip(order, place, strict=True):
            if value is None:
                raise NoPosition(
                    f"the key column {name} is empty in a row: name columns that never are with"
                    " 'key' in the stream's 'table'"
                )
        return place

    def _names(self) -> tuple[str, ...]:
        return self._changes.relation.columns
