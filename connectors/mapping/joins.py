"""Fills in the joins of documents from kept rows, and says what has not come."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol

from connectors.mapping.model import Edge, Event, Group, Join, Missing, SourceMapping
from connectors.mapping.values import Expression, Node, Refusal, as_text


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A record that takes part in joins, as it is kept; ``changed`` is in µs since 1970.

    ``partial`` says that it holds only the fields that have changed.
    """

    key: str
    row: dict[str, Any]
    place: str
    changed: int
    partial: bool = False


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
    try:
        several = _ordered(pairs, join.where, join.order_by)
        if join.as_of is not None and several:
            several = _newest(several, node, *join.as_of)
    except Refusal as refusal:
        node.refuse(Refusal(refusal.code, f"{join.alias}: {refusal.reason}"))
        several = []
    if not join.many:
        several = several[:1]
    node.joined[join.alias] = several if join.many else (several[0] if several else None)
    return several


def _ordered(
    pairs: list[tuple[Node, str]],
    where: Callable[[Node], bool] | None,
    order_by: Sequence[Expression],
) -> list[Node]:
    """The records that pass ``where``, by ``order_by`` and then by their keys."""
    if where is not None:
        pairs = [pair for pair in pairs if where(pair[0])]
    pairs.sort(
        key=lambda pair: (
            [natural(order(pair[0])) for order in order_by],
            [natural(part) for part in pair[1].split("|")],
        )
    )
    return [pair[0] for pair in pairs]


def _newest(
    several: list[Node], node: Node, valid_from: Expression, day_of: Expression
) -> list[Node]:
    """The record that holds on the day of ``node``; on an empty day none does."""
    day = day_of(node)
    if day is None:
        return []
    begins = [(begin, each) for each in several if (begin := valid_from(each)) is not None]
    valid = [pair for pair in begins if pair[0] <= day]
    return [max(valid, key=lambda pair: pair[0])[1]] if valid else []


def roots(
    mapping: SourceMapping, rows: Rows, event: Event, keys: Collection[str]
) -> dict[str, Node]:
    """The records from which documents are built, by their keys.

    Of a group, whose key is that of its edge, it is the first record, and has all of them joined.
    """
    group = event.group
    if group is None:
        kept = rows.rows(event.stream, keys)
        return {key: node_of(mapping, event.stream, kept[key]) for key in keys if key in kept}
    gathered = rows.children(group.edge, keys)
    found = {key: _gathered(mapping, group, gathered.get(key, [])) for key in keys}
    return {key: node for key, node in found.items() if node is not None}


def _gathered(mapping: SourceMapping, group: Group, kept: list[KeptRow]) -> Node | None:
    pairs = [(node_of(mapping, group.edge.child, row), row.key) for row in kept]
    try:
        if group.where is not None:
            pairs = [pair for pair in pairs if group.where(pair[0])]
        if group.snapshot and pairs:
            newest = max(node.changed for node, _ in pairs)
            pairs = [pair for pair in pairs if pair[0].changed == newest]
        several = _ordered(pairs, None, group.order_by)
        refusal = None
    except Refusal as refused:
        several, refusal = [node for node, _ in pairs], refused
    if not several:
        return None
    first = several[0]
    root = Node(first.row, first.place, first.changed, first.dated)
    root.refusal = refusal
    for member in several:
        member.parent = root
    root.joined["group"] = several
    return root


def still_open(event: Event, node: Node) -> Gap | None:
    """What is waited for before the document of a group is built: a record that closes it."""
    group = event.group
    if group is None or (group.until is None and group.timeout is None):
        return None
    try:
        if group.until is not None and any(map(group.until, node.joined["group"])):
            return None
    except Refusal as refusal:
        node.refuse(refusal)
        return None
    return Gap(f"the record that closes it, in {event.stream}", Missing.HOLD, group.timeout)


_NUMBER = re.compile(r"^-?\d{1,30}(\.\d{1,30})?$")


def natural(value: Any) -> tuple[int, Decimal, str]:
    """A sort key that puts 9 before 10, numbers before words, and empty last."""
    if value is None:
        return 2, Decimal(0), ""
    text = as_text(value)
    return (0, Decimal(text), text) if _NUMBER.match(text) else (1, Decimal(0), text)
