"""Takes a source record to what the mapping makes of it: a kept row, or documents at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.mapping.joins import KeptRow
from connectors.mapping.model import Event, SourceMapping, Stream
from connectors.mapping.values import Node, Refusal, Rejection, as_text


def node_from(stream: Stream, row: dict[str, Any], place: str, file_date: int) -> Node | Rejection:
    """A record with its change time: its own, else the date of its file."""
    node = Node(row, place, file_date)
    try:
        own = stream.changed(node)
    except Refusal as refusal:
        return Rejection(refusal.code, f"change time: {refusal.reason}", place, None, row)
    if own is not None:
        node.changed, node.dated = own, True
    return node


def key_in(stream: Stream, row: dict[str, Any]) -> str | None:
    """The key of a record of a stream; None where it has none, or one that cannot be read."""
    try:
        return stream.key(Node(row))
    except Refusal:
        return None


def kept_from(stream: Stream, node: Node) -> list[KeptRow | Rejection]:
    """The row to keep of a record of a joined stream; a partial one may change several rows."""
    partial = stream.partial
    if partial is None:
        return [_kept(stream, node, node.row)]
    try:
        nulled = [] if partial.nulled is None else partial.nulled(node) or []
        targets = [node] if partial.each is None else partial.each(node)
    except Refusal as refusal:
        reason = f"partial: {refusal.reason}"
        return [Rejection(refusal.code, reason, node.place, None, node.row)]
    emptied = dict.fromkeys(map(as_text, nulled if isinstance(nulled, list) else [nulled]))
    rows = [_laid_over(target) for target in targets]
    if partial.nulled is not None:
        rows = [{name: each for name, each in row.items() if each is not None} for row in rows]
    return [_kept(stream, node, {**row, **emptied}) for row in rows]


def _laid_over(node: Node) -> dict[str, Any]:
    """The fields of an object within a record over those of what it stands in."""
    return dict(node.row) if node.parent is None else {**_laid_over(node.parent), **node.row}


def _kept(stream: Stream, node: Node, row: Mapping[str, Any]) -> KeptRow | Rejection:
    try:
        key = stream.key(node if row is node.row else Node(row, node.place))
    except Refusal as refusal:
        return Rejection(refusal.code, f"key: {refusal.reason}", node.place, None, node.row)
    if key is None:
        reason = f"the record has no key of the stream {stream.name!r}: a part of it is empty"
        return Rejection("no_key", reason, node.place, None, node.row)
    return KeptRow(key, dict(row), node.place, node.changed, stream.partial is not None)


def direct_events(mapping: SourceMapping, stream: str) -> list[Event]:
    """The events made of single records of a stream, with no join, as they arrive."""
    return [event for event in mapping.events_from(stream) if not mapping.is_kept(event)]
