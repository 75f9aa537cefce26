"""Rows of joined streams in PostgreSQL: how they are found, and what an arriving one changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg

from connectors.mapping.joins import KeptRow, node_of
from connectors.mapping.keeping import Kept, Outcome, keep
from connectors.mapping.model import Edge, SourceMapping
from connectors.mapping.touching import roots_of, row_links
from connectors.mapping.values import Node, to_micros
from connectors.settle import change_text
from sinks import cursors, source_rows
from sinks.source_rows import StoredRow


class StoredRows:
    """The kept rows of one source, seen by one transaction."""

    def __init__(self, connection: psycopg.Connection[Any], source: str) -> None:
        self._connection = connection
        self._source = source

    def rows(self, stream: str, keys: Collection[str]) -> dict[str, KeptRow]:
        """The rows of a stream by their keys."""
        return {key: kept.row for key, kept in self.kept(stream, keys).items()}

    def kept(self, stream: str, keys: Collection[str]) -> dict[str, Kept]:
        """The same with the digests of the contents seen."""
        found = source_rows.rows_by_key(self._connection, self._source, stream, keys)
        return {key: Kept(_kept_row(row), row.digests) for key, row in found.items()}

    def children(self, edge: Edge, keys: Collection[str]) -> dict[str, list[KeptRow]]:
        """The rows at the child side of an edge, by join key."""
        if not keys:
            return {}
        if edge.child_key is None:
            return {key: [row] for key, row in self.rows(edge.child, keys).items()}
        found = source_rows.rows_by_link(
            self._connection, self._source, edge.child, edge.name + "<", keys
        )
        return {key: [_kept_row(row) for row in rows] for key, rows in found.items()}

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
    rows = StoredRows(connection, source)
    standing = rows.kept(stream, {row.key for row in arriving})
    stood = frozenset(standing)
    store: dict[str, Kept] = {}
    changed: dict[str, Kept] = {}
    repeated = 0
    for row in arriving:
        before = standing.get(row.key)
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
        for event, row_keys in roots_of(mapping, rows, {stream: touched}).items():
            cursors.touch(connection, source, event, row_keys)
    return repeated


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


__all__ = ["StoredRows", "take_rows"]
