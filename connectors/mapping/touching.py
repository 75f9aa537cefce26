"""Follows joins upwards: which documents a changed row is part of."""

from __future__ import annotations

from connectors.mapping.joins import Rows, quietly
from connectors.mapping.model import Edge, Event, Join, SourceMapping
from connectors.mapping.values import Node


def row_links(mapping: SourceMapping, stream: str, node: Node) -> dict[str, str]:
    """The join keys of one record, by the side of the edge at which it stands.

    ``<edge>>`` is what it looks for as a parent, ``<edge><`` by what it is found as a child.
    """
    links: dict[str, str | None] = {}
    for edge in mapping.edges.values():
        if edge.parent == stream:
            links[edge.name + ">"] = quietly(edge.parent_key, node)
        if edge.child == stream and edge.child_key is not None:
            links[edge.name + "<"] = quietly(edge.child_key, node)
    return {side: key for side, key in links.items() if key is not None}


def roots_of(
    mapping: SourceMapping, rows: Rows, touched: dict[str, dict[str, set[str]]]
) -> dict[str, set[str]]:
    """Which documents the touched rows belong to.

    Args:
        mapping: whose joins are followed upwards.
        rows: where the parents are found.
        touched: by stream and row key, the join sides and keys (``<edge><`` and ``<key>``), old
            and new, of each row that changed.

    Returns:
        By event name, the keys of the rows that its documents are made from; of a group's event
        the keys of the groups.
    """
    roots: dict[str, set[str]] = {}
    for event in mapping.events:
        if not mapping.is_kept(event):
            continue
        found = set(touched.get(event.stream, ()))
        climbed: set[str] = set()
        for edges in _routes(event):
            climbed |= _climb(rows, edges, touched)
        if event.group is not None:
            edge = event.group.edge
            found = _child_keys(edge, touched) | _as_child_keys(rows, edge, climbed)
        else:
            found |= climbed
        if found:
            roots[event.name] = found
    return roots


def _routes(event: Event) -> list[list[Edge]]:
    """For every join of an event, the edges from its records up to the root."""
    routes: list[list[Edge]] = []

    def walk(joins: tuple[Join, ...], above: list[Edge]) -> None:
        at: dict[str, list[Edge]] = {}
        for join in joins:
            start = above if join.origin is None else at[join.origin]
            at[join.alias] = [join.edge, *start]
            routes.append(at[join.alias])
            walk(join.joins, at[join.alias])

    walk(event.joins, [])
    return routes


def _climb(rows: Rows, edges: list[Edge], touched: dict[str, dict[str, set[str]]]) -> set[str]:
    keys = _child_keys(edges[0], touched)
    parents: set[str] = set()
    for position, edge in enumerate(edges):
        if not keys:
            return set()
        parents = {key for several in rows.parents(edge, keys).values() for key in several}
        if position + 1 < len(edges):
            keys = _as_child_keys(rows, edges[position + 1], parents)
    return parents


def _child_keys(edge: Edge, touched: dict[str, dict[str, set[str]]]) -> set[str]:
    """The join keys by which the touched rows are, and were, found as children of ``edge``."""
    side = edge.name + "<" if edge.child_key is not None else ""
    return {
        text.removeprefix(side) if side else key
        for key, links in touched.get(edge.child, {}).items()
        for text in (links if side else [key])
        if text.startswith(side)
    }


def _as_child_keys(rows: Rows, edge: Edge, row_keys: set[str]) -> set[str]:
    """The join keys by which these rows, children of ``edge``, are found."""
    if edge.child_key is None:
        return row_keys
    keys = set()
    for kept in rows.rows(edge.child, row_keys).values():
        key = quietly(edge.child_key, Node(kept.row, kept.place))
        if key is not None:
            keys.add(key)
    return keys
