"""Reads a transactional outbox in Debezium's shape: the payload of a row is the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import column

from connectors.database.changes import Changes, Page
from connectors.database.records import parse_json, record_of
from connectors.database.relations import Relation
from connectors.mapping.keeping import row_digest
from connectors.mapping.model import Stream
from connectors.mapping.values import NO_DATE, shown
from connectors.portions import Broken, Numbered, Origin, Portion, Window

#: About how many bytes a payload has.
_RECORD_BYTES = 500
_ID, _TYPE, _PAYLOAD = "id", "aggregatetype", "payload"
#: Of a row its position (None: it has none), its payload and its digest.
_Taken = tuple[int | None, Any, str]


@dataclass(frozen=True, slots=True)
class Outbox:
    """An outbox and the streams that its rows are for, by aggregate type."""

    changes: Changes
    origins: Mapping[str, Origin]

    def portions(self, page: Page, state: Mapping[str, Any]) -> Iterator[Portion]:
        """The records of a page, stream by stream; the cursor moves with the last of them."""
        columns = self.changes.relation.columns
        at_id, at_type = columns.index(_ID), columns.index(_TYPE)
        at_payload = columns.index(_PAYLOAD)
        taken: dict[str, list[_Taken]] = {name: [] for name in self.origins}
        for row, position in zip(page.rows, page.positions, strict=True):
            # A row never changes, so that its id is its content; but it may be told later when one
            # came that did not say so.
            content = {_ID: str(row[at_id])}
            if position is None:
                content[self.changes.changed] = ""
            digest = row_digest(content)
            if row[at_type] in taken:
                taken[row[at_type]].append((position, row[at_payload], digest))
        last = max((name for name in taken if taken[name]), key=list(taken).index, default=None)
        for name, several in taken.items():
            if several:
                behind = page.state if name == last and page.state != state else None
                yield _portion(self.origins[name], several, page.floor, behind, self._nowhen)

    @property
    def _nowhen(self) -> str:
        return f"{self.changes.changed} is empty in the row, so that nothing says when it came"


def outbox_of(streams: Sequence[Stream], relation: Relation) -> Outbox:
    """The outbox that these streams read.

    Raises:
        SourceError: it has not the columns of an outbox, or none that gives its order.
    """
    first = streams[0].table
    assert first is not None
    place = f"streams.{streams[0].name}.table"
    relation.require((_ID, _TYPE, _PAYLOAD), place)
    changed = first.changed or _ID
    relation.require((changed,), f"{place}.changed")
    origins = {
        one.table.outbox: Origin(relation.name, one, numbered=True)
        for one in streams
        if one.table is not None and one.table.outbox is not None
    }
    only = column(_TYPE).in_(list(origins))
    return Outbox(Changes(relation, changed, (_ID,), first.overlap, only), origins)


def again_from_outbox(origin: Origin, broken: Broken) -> Portion:
    """Parse a payload again."""
    record = _record_of(broken.raw)
    if isinstance(record, str):
        return Portion(origin, broken=[Broken(broken.number, broken.raw, "broken_json", record)])
    return Portion(origin, [(broken.number, record)])


def _portion(
    origin: Origin,
    several: Sequence[_Taken],
    floor: int,
    state: Mapping[str, Any] | None,
    nowhen: str,
) -> Portion:
    rows: list[Numbered] = []
    broken: list[Broken] = []
    of_rows: list[tuple[str, int | None]] = []
    of_broken: list[tuple[str, int | None]] = []
    size = 0
    for position, payload, digest in several:
        record = _record_of(payload)
        size += _RECORD_BYTES
        if position is None:
            broken.append(Broken(NO_DATE, _bytes_of(payload), "no_change_time", nowhen))
            of_broken.append((digest, None))
        elif isinstance(record, str):
            broken.append(Broken(position, _bytes_of(payload), "broken_json", record))
            of_broken.append((digest, position))
        else:
            rows.append((position, record))
            of_rows.append((digest, position))
    window = Window([*of_rows, *of_broken], floor)
    return Portion(origin, rows, broken, state, size, window=window)


def _record_of(payload: Any) -> dict[str, Any] | str:
    """The record, or why there is none."""
    try:
        found = parse_json(payload) if isinstance(payload, str | bytes) else payload
        if not isinstance(found, dict):
            return f"the payload holds {shown(found)}, not an object"
        record = record_of(list(found), list(found.values()))
        orjson.dumps(record)
    except (ValueError, TypeError) as error:
        return f"the payload is no JSON: {error}"
    return record


def _bytes_of(payload: Any) -> bytes:
    if isinstance(payload, bytes):
        return payload
    return payload.encode() if isinstance(payload, str) else orjson.dumps(payload)
