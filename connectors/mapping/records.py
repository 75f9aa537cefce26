"""Takes a source record to what the mapping makes of it: a kept row, or documents at once."""

from __future__ import annotations

from typing import Any

from connectors.mapping.joins import KeptRow
from connectors.mapping.model import Event, SourceMapping, Stream
from connectors.mapping.values import Node, Refusal, Rejection


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


def kept_from(stream: Stream, node: Node) -> KeptRow | Rejection:
    """The row to keep of a record of a joined stream."""
    try:
        key = stream.key(node)
    except Refusal as refusal:
        return Rejection(refusal.code, f"key: {refusal.reason}", node.place, None, node.row)
    if key is None:
        reason = f"the record has no key of the stream {stream.name!r}: a part of it is empty"
        return Rejection("no_key", reason, node.place, None, node.row)
    return KeptRow(key, dict(node.row), node.place, node.changed)


def direct_events(mapping: SourceMapping, stream: str) -> list[Event]:
    """The events made of single records of a stream, with no join."""
    return [event for event in mapping.events_from(stream) if not event.joins]
