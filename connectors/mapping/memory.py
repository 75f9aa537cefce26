"""Kept rows in memory, for dry runs and tests; the same answers as the rows in PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from copy import copy

from connectors.mapping.joins import KeptRow, node_of
from connectors.mapping.keeping import Kept, Outcome, keep
from connectors.mapping.model import Edge, Event, SourceMapping
from connectors.mapping.touching import row_links
from connectors.mapping.values import Node


class MemoryRows:
    """Keeps the rows of joined streams and finds them by key and by join key."""

    def __init__(self, mapping: SourceMapping) -> None:
        self._mapping = mapping
        self._kept: dict[str, dict[str, Kept]] = defaultdict(dict)
        self._linked: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
        self._links: dict[tuple[str, str], dict[str, str]] = {}
        self._gone: set[tuple[str, str]] = set()

    def put(self, stream: str, arriving: KeptRow) -> Outcome:
        """Keep a row if it is newer than the one that stands."""
        self._gone.discard((stream, arriving.key))
        current = self._kept[stream].get(arriving.key)
        precise = node_of(self._mapping, stream, arriving).dated
        precise = precise and self._mapping.streams[stream].precise
        outcome, kept = keep(current, arriving, precise)
        self._kept[stream][arriving.key] = kept
        if outcome == Outcome.CHANGED:
            # Of a partial record the row that stands has the fields of a join.
            self._link(stream, kept.row)
        return outcome

    def _link(self, stream: str, arriving: KeptRow) -> None:
        for side, key in self._links.get((stream, arriving.key), {}).items():
            self._linked[stream, side, key].pop(arriving.key, None)
        links = row_links(self._mapping, stream, Node(arriving.row, arriving.place))
        self._links[stream, arriving.key] = links
        for side, key in links.items():
            self._linked[stream, side, key][arriving.key] = None

    def keys(self, stream: str) -> list[str]:
        """The keys of all rows of a stream, in the order in which they came."""
        return list(self._kept[stream])

    def standing(self, stream: str) -> list[str]:
        """The keys of the rows of a stream that are still in the source."""
        return [key for key in self._kept[stream] if (stream, key) not in self._gone]

    def take_gone(self, stream: str, keys: Collection[str]) -> None:
        """Find rows no more, since they are no longer in the source."""
        self._gone |= {(stream, key) for key in keys}

    def with_gone(self) -> MemoryRows:
        """The same rows, and those that are no longer in the source."""
        everything = copy(self)
        everything._gone = set()
        return everything

    def roots(self, event: Event) -> list[str]:
        """The keys from which the documents of an event are built: of rows, or of groups."""
        if event.group is None:
            return self.keys(event.stream)
        side = event.group.edge.name + "<"
        linked = (self._links.get((event.stream, key), {}) for key in self.keys(event.stream))
        return list(dict.fromkeys(links[side] for links in linked if side in links))

    def rows(self, stream: str, keys: Collection[str]) -> dict[str, KeptRow]:
        """The rows of a stream by their keys."""
        kept = self._kept[stream]
        gone = self._gone
        return {key: kept[key].row for key in keys if key in kept and (stream, key) not in gone}

    def children(self, edge: Edge, keys: Collection[str]) -> dict[str, list[KeptRow]]:
        """The rows at the child side of an edge, by join key."""
        if edge.child_key is None:
            return {key: [row] for key, row in self.rows(edge.child, keys).items()}
        side = edge.name + "<"
        found = {
            key: list(self.rows(edge.child, self._linked[edge.child, side, key]).values())
            for key in keys
            if (edge.child, side, key) in self._linked
        }
        return {key: rows for key, rows in found.items() if rows}

    def parents(self, edge: Edge, keys: Collection[str]) -> dict[str, list[str]]:
        """The keys of the rows at the parent side of an edge, by join key."""
        side = edge.name + ">"
        return {
            key: list(self._linked[edge.parent, side, key])
            for key in keys
            if (edge.parent, side, key) in self._linked
        }
