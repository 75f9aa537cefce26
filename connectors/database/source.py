"""The tables of a source's database, each read in the way that its stream declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine

from connectors.database.changes import ROWS, Changes, Page, read_changes
from connectors.database.opening import open_engine, reading, server_clock
from connectors.database.outbox import Outbox, again_from_outbox, outbox_of
from connectors.database.records import record_of
from connectors.database.relations import Relation, relation_of
from connectors.errors import SourceError
from connectors.mapping.keeping import row_digest
from connectors.mapping.model import SourceMapping, Stream
from connectors.mapping.table_reads import TableRead
from connectors.mapping.values import NO_DATE, compose_key
from connectors.portions import Broken, Numbered, Origin, Portion, Whole, Window
from hub.source_settings import DatabaseSource

#: About how many bytes a value has.
_VALUE_BYTES = 16
#: Of a row's name in its place: a key may be as long as a text.
_LONGEST_NAME = 200


class DatabaseReader:
    """Reads tables of one database; see ``connectors.kinds.Reader``."""

    def __init__(self, source: DatabaseSource, mapping: SourceMapping) -> None:
        self._source = source
        self._mapping = mapping
        self._opened: Engine | None = None
        self._relations: dict[str, Relation] = {}
        self._looked_back: dict[str, float] = {}

    def check(self) -> None:
        """Raises SourceError where the database, a table or a column is not there."""
        with reading(self._engine(), self._source.name) as connection:
            for name, stream in self._mapping.streams.items():
                read = self._read_of(stream)
                relation = self._relation(connection, stream)
                if read.outbox is not None:
                    outbox_of([stream], relation)
                elif not read.compare:
                    _changes(relation, stream, read)
                else:
                    relation.require(read.key, f"streams.{name}.table.key")

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """Pages of the tables in the order of the streams; an outbox once for all its streams.

        Raises:
            SourceError: the database cannot be read now; what was handed in before stays.
        """
        with reading(self._engine(), self._source.name) as connection:
            outboxes: set[str | None] = set()
            for name, stream in self._mapping.streams.items():
                read, unit = self._read_of(stream), self._unit(stream)
                due = final or self._is_due(name, read.every)
                if read.compare:
                    found = self._whole(connection, stream, unit) if due else iter(())
                elif read.outbox is None:
                    found = self._changed(connection, stream, unit, states.get(unit, {}), due)
                elif stream.pattern in outboxes:
                    continue
                else:
                    outboxes.add(stream.pattern)
                    found = self._outbox(connection, stream, states, due)
                yield from found
                if due:
                    self._looked_back[name] = monotonic()

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """Parse the payload of an outbox again; only of these are there broken records."""
        return again_from_outbox(origin, broken)

    def _engine(self) -> Engine:
        if self._opened is None:
            source = self._source
            self._opened = open_engine(source.url, source.name, source.timeout_seconds)
        return self._opened

    def _relation(self, connection: Connection, stream: Stream) -> Relation:
        if stream.name not in self._relations:
            self._relations[stream.name] = relation_of(connection, stream)
            connection.rollback()
        return self._relations[stream.name]

    def _read_of(self, stream: Stream) -> TableRead:
        if stream.table is None:
            raise SourceError(
                f"the mapping does not say how the stream {stream.name!r} is read from a database:"
                " add 'table: {changed: COLUMN}' or 'table: {compare: true}' to it"
            )
        return stream.table

    def _unit(self, stream: Stream) -> str:
        """The table, or the stream where that is not the first one that reads it."""
        if stream.pattern is None or self._read_of(stream).query is not None:
            return stream.name
        streams = self._mapping.streams.values()
        first = next(one for one in streams if one.pattern == stream.pattern)
        is_first = first is stream or self._read_of(stream).outbox is not None
        return stream.pattern if is_first else f"{stream.pattern} ({stream.name})"

    def _is_due(self, stream: str, every: timedelta) -> bool:
        before = self._looked_back.get(stream)
        return before is None or monotonic() - before >= every.total_seconds()

    def _changed(
        self,
        connection: Connection,
        stream: Stream,
        unit: str,
        state: Mapping[str, Any],
        look_back: bool,
    ) -> Iterator[Portion]:
        relation = self._relation(connection, stream)
        changes = _changes(relation, stream, self._read_of(stream))
        now, zone = server_clock(connection), self._mapping.zone
        # A row without a change time of its own is as new as its place on the column says.
        origin = Origin(unit, stream, numbered=True)
        key = changes.key or (changes.changed,)
        for page in read_changes(connection, changes, state, now, zone, look_back):
            rows = _rows(relation, page, key)
            yield Portion(
                origin,
                rows,
                state=page.state if page.state != state else None,
                size=len(rows) * len(relation.columns) * _VALUE_BYTES,
                window=Window(
                    [
                        (row_digest(row), at)
                        for (_, row), at in zip(rows, page.positions, strict=True)
                    ],
                    page.floor,
                ),
            )

    def _whole(self, connection: Connection, stream: Stream, unit: str) -> Iterator[Portion]:
        relation, read = self._relation(connection, stream), self._read_of(stream)
        key = read.key or relation.key
        relation.require(key, f"streams.{stream.name}.table.key")
        origin = Origin(unit, stream)
        whole = Whole(read.most_deleted, setting=f"streams.{stream.name}.table")
        streamed = relation.rows().execution_options(stream_results=True, yield_per=ROWS)
        with connection.execute(streamed) as result:
            number = 0
            for part in result.partitions(ROWS):
                rows: list[Numbered] = []
                for values in part:
                    number += 1
                    row = record_of(relation.columns, values)
                    rows.append((_named(row, key) if key else number, row))
                size = len(rows) * len(relation.columns) * _VALUE_BYTES
                yield Portion(origin, rows, size=size, whole=whole)
        connection.rollback()
        yield Portion(origin, whole=replace(whole, last=True))

    def _outbox(
        self,
        connection: Connection,
        stream: Stream,
        states: Mapping[str, Mapping[str, Any]],
        look_back: bool,
    ) -> Iterator[Portion]:
        relation = self._relation(connection, stream)
        several = [
            one
            for one in self._mapping.streams.values()
            if one.pattern == stream.pattern and self._read_of(one).outbox is not None
        ]
        outbox: Outbox = outbox_of(several, relation)
        state = states.get(self._unit(stream), {})
        now, zone = server_clock(connection), self._mapping.zone
        for page in read_changes(connection, outbox.changes, state, now, zone, look_back):
            yield from outbox.portions(page, state)


def _changes(relation: Relation, stream: Stream, read: TableRead) -> Changes:
    place = f"streams.{stream.name}.table"
    assert read.changed is not None
    key = read.key or relation.key
    if not key:
        raise SourceError(
            f"{relation.name} has no primary key that can be seen: name the columns that tell its"
            f" rows apart with 'key' ({place})"
        )
    relation.require((read.changed,), f"{place}.changed")
    relation.require(key, f"{place}.key")
    return Changes(relation, read.changed, key, read.overlap)


def _rows(relation: Relation, page: Page, key: tuple[str, ...]) -> list[Numbered]:
    records = [record_of(relation.columns, row) for row in page.rows]
    return [
        (f"{_named(record, key)}@{NO_DATE if position is None else position}", record)
        for record, position in zip(records, page.positions, strict=True)
    ]


def _named(row: Mapping[str, Any], key: tuple[str, ...]) -> str:
    return compose_key([row[name] for name in key])[:_LONGEST_NAME]
