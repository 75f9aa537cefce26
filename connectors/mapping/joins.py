"""Fills in the joins of documents from kept rows, and says what has not come."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol

from connectors.mapping.model import Edge, Join, Missing, SourceMapping
from connectors.mapping.values import Expression, Node, Refusal, as_text


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A record that takes part in joins, as it is kept; ``changed`` is in µs since 1970."""

    key: str
    row: dict[str, Any]
    place: str
    changed: int


class Rows(Protocol):
    """Where kept rows are found: in memory for a dry run, in PostgreSQL otherwise."""

    def rows(self, stream: str, keys: Collection[str]) -> dict[str, KeptRow]:
        """The rows of a stream by their keys."""

    def children(self, edge: Edge, keys: Collection[str]) -> dict[str, list[KeptRow]]:
        """The rows at the child side of an edge, by join key."""

    def parents(self, edge: Edge, keys: Collection[str]) -> dict[str, list[str]]:
        """The keys of the rows at the parent side of an edge, by join key."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A joined record that a document needs and that has not come."""

    text: str
    missing: Missing
    max_wait: timedelta | None


def node_of(mapping: SourceMapping, stream: str, kept: KeptRow, parent: Node | None = None) -> Node:
    """A kept row as a node: its own change time if it has one, else the date of its file."""
    node = Node(kept.row, kept.place, parent=parent)
    try:
        own = mapping.streams[stream].changed(node)
    except Refusal:
        own = None
    node.changed = kept.changed if own is None else own
    node.dated = own is not None
    return node


def fill(
    mapping: SourceMapping, rows: Rows, joins: Iterable[Join], nodes: list[Node]
) -> dict[int, list[Gap]]:
    """Join everything that ``joins`` name to all of ``nodes``, one query for each join.

    Returns:
        For the position of a node in ``nodes``: what it lacks.
    """
    gaps: dict[int, list[Gap]] = {}
    for join in joins:
        keys = [_join_key(join, node) for node in nodes]
        found = rows.children(join.edge, {key for key in keys if key is not None})
        children: list[Node] = []
        owners: list[int] = []
        for position, (node, key) in enumerate(zip(nodes, keys, strict=True)):
            several = _attach(mapping, join, node, found.get(key, []) if key is not None else [])
            # A record that names no other lacks nothing; a list that must not be empty does.
            if not several and (key is not None or join.many) and join.missing != Missing.NULL:
                text = f"{join.edge.child} {key}" if key is not None else join.edge.child
                gaps.setdefault(position, []).append(Gap(text, join.missing, join.max_wait))
            children += several
            owners += [position] * len(several)
        if join.joins and children:
            for position, inner in fill(mapping, rows, join.joins, children).items():
                gaps.setdefault(owners[position], []).extend(inner)
    return gaps


def _join_key(join: Join, node: Node) -> str | None:
    origin = node if join.origin is None else node.joined.get(join.origin)
    if origin is None:
        return None
    return quietly(join.edge.parent_key, origin)


def quietly(key_of: Expression, node: Node) -> str | None:
    """The join key, or None where the record's value is no key at all."""
    try:
        found: str | None = key_of(node)
    except Refusal:
        return None
    return found


def _attach(mapping: SourceMapping, join: Join, node: Node, kept: list[KeptRow]) -> list[Node]:
    pairs = [(node_of(mapping, join.edge.child, row, node), row.key) for row in kept]
    if join.where is not None:
        pairs = [pair for pair in pairs if join.where(pair[0])]
    pairs.sort(
        key=lambda pair: (
            [natural(order(pair[0])) for order in join.order_by],
            [natural(part) for part in pair[1].split("|")],
        )
    )
    several = [pair[0] for pair in pairs]
    if not join.many:
        several = several[:1]
    node.joined[join.alias] = several if join.many else (several[0] if several else None)
    return several


_NUMBER = re.compile(r"^-?\d{1,30}(\.\d{1,30})?$")


def natural(value: Any) -> tuple[int, Decimal, str]:
    """A sort key that puts 9 before 10, numbers before words, and empty last."""
    if value is None:
        return 2, Decimal(0), ""
    text = as_text(value)
    return (0, Decimal(text), text) if _NUMBER.match(text) else (1, Decimal(0), text)
