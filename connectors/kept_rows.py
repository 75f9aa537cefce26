"""Rows of joined streams in PostgreSQL: how they are found, and what an arriving one changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg

from connectors.mapping.joins import KeptRow, node_of
from connectors.mapping.keeping import Kept, Outcome, keep, keep_as_it_stands
from connectors.mapping.model import Edge, SourceMapping
from connectors.mapping.touching import roots_of, row_links
from connectors.mapping.values import Node, to_micros
from connectors.settle import change_text
from sinks import cursors, source_rows
from sinks.source_rows import StoredRow


class StoredRows:
    """The kept rows of one source, seen by one transaction.

    With ``with_gone`` also those that are no longer in the source, as the last word on a document
    that is deleted needs them.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], source: str, *, with_gone: bool = False
    ) -> None:
        self._connection = connection
        self._source = source
        self._with_gone = with_gone

    def rows(self, stream: str, keys: Collection[str]) -> dict[str, KeptRow]:
        """The rows of a stream by their keys."""
        found = source_rows.rows_by_key(self._connection, self._source, stream, keys)
        return {key: _kept_row(row) for key, row in found.items() if self._sees(row)}

    def _sees(self, row: StoredRow) -> bool:
        return self._with_gone or not row.gone

    def children(self, edge: Edge, keys: Collection[str]) -> dict[str, list[KeptRow]]:
        """The rows at the child side of an edge, by join key."""
        if not keys:
            return {}
        if edge.child_key is None:
            return {key: [row] for key, row in self.rows(edge.child, keys).items()}
        found = source_rows.rows_by_link(
            self._connection, self._source, edge.child, edge.name + "<", keys
        )
        seen = {
            key: [_kept_row(row) for row in rows if self._sees(row)] for key, rows in found.items()
        }
        return {key: rows for key, rows in seen.items() if rows}

    def parents(self, edge: Edge, keys: Collection[str]) -> dict[str, list[str]]:
        """The keys of the rows at the parent side of an edge, by join key."""
        side = edge.name + ">"
        return source_rows.keys_by_link(self._connection, self._source, edge.parent, side, keys)


def _kept_row(stored: StoredRow) -> KeptRow:
    return KeptRow(stored.key, stored.row, stored.place, _micros(stored.change_date))


# Many rows share a date, and reading one takes longer than the row's other steps.
@lru_cache(maxsize=10_000)
def _micros(change_date: str) -> int:
    return to_micros(datetime.fromisoformat(change_date))


def take_rows(
    connection: psycopg.Connection[Any],
    mapping: SourceMapping,
    source: str,
    stream: str,
    arriving: Sequence[KeptRow],
) -> int:
    """Keep rows in their order and have the documents built to which those that changed belong.

    Returns:
        How many were repeats or stale.
    """
    found = source_rows.rows_by_key(connection, source, stream, {row.key for row in arriving})
    stood = frozenset(found)
    standing = {
        key: Kept(_kept_row(row), row.digests) for key, row in found.items() if not row.gone
    }
    compared = mapping.streams[stream].compared
    store: dict[str, Kept] = {}
    changed: dict[str, Kept] = {}
    repeated = 0
    for row in arriving:
        before = standing.get(row.key)
        if compared:
            outcome, after = keep_as_it_stands(before, row)
        else:
            outcome, after = keep(before, row, _is_precise(mapping, stream, row))
        if outcome == Outcome.CHANGED:
            changed[row.key] = after
        else:
            repeated += 1
        if after is not before:
            standing[row.key] = store[row.key] = after
    source_rows.save_rows(connection, source, stream, [_stored(kept) for kept in store.values()])
    if changed:
        touched = _relink(connection, mapping, source, stream, changed, stood)
        _touch(connection, mapping, source, stream, touched)
    return repeated


def take_gone(
    connection: psycopg.Connection[Any],
    mapping: SourceMapping,
    source: str,
    stream: str,
    keys: Collection[str],
) -> None:
    """Have the documents built anew to which rows belong that are no longer in the source."""
    links = source_rows.mark_gone(connection, source, stream, keys)
    if links:
        touched = {
            key: {side + text for side, text in sides.items()} for key, sides in links.items()
        }
        _touch(connection, mapping, source, stream, touched)


def _touch(
    connection: psycopg.Connection[Any],
    mapping: SourceMapping,
    source: str,
    stream: str,
    touched: dict[str, set[str]],
) -> None:
    # A row that is gone leads to its documents still.
    rows = StoredRows(connection, source, with_gone=True)
    for event, row_keys in roots_of(mapping, rows, {stream: touched}).items():
        cursors.touch(connection, source, event, row_keys)


def _relink(
    connection: psycopg.Connection[Any],
    mapping: SourceMapping,
    source: str,
    stream: str,
    changed: dict[str, Kept],
    stood: frozenset[str],
) -> dict[str, set[str]]:
    """Set by which keys the changed rows are found; return these with those of before.

    ``stood`` are the keys of the rows that were kept before: no others have links.
    """
    links = {
        key: row_links(mapping, stream, Node(kept.row.row, kept.row.place))
        for key, kept in changed.items()
    }
    old = source_rows.remove_links(connection, source, stream, stood & changed.keys())
    source_rows.add_links(connection, source, stream, links)
    return {
        key: {side + text for each in (sides, old.get(key, {})) for side, text in each.items()}
        for key, sides in links.items()
    }


def _is_precise(mapping: SourceMapping, stream: str, row: KeptRow) -> bool:
    return mapping.streams[stream].precise and node_of(mapping, stream, row).dated


def _stored(kept: Kept) -> StoredRow:
    row = kept.row
    return StoredRow(row.key, row.row, row.place, change_text(row.changed), kept.digests)


__all__ = ["StoredRows", "take_gone", "take_rows"]
