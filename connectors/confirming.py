"""The way of what is settled into the log: announced before, acknowledged there, then remembered.

A version that only the database settles is announced, so that a process that is killed between
publishing and committing leaves word of which versions may be taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from connectors.encoding import Encoded, too_large
from connectors.mapping.values import Rejection
from connectors.publish import Publisher, outgoing
from connectors.settle import Settled
from sinks import source_versions

Connection = psycopg.Connection[Any]


def announce(connection: Connection, source: str, settled: Settled) -> None:
    """Leave word of what is about to be published, where that is needed."""
    if settled.announce:
        about_to = [*settled.unconfirmed, *settled.seen]
        source_versions.save_unconfirmed(connection, source, about_to)


def publish_new(
    publisher: Publisher,
    new: Sequence[tuple[Encoded, int]],
    span_of: Callable[[Encoded], bytes | None],
) -> dict[int, Rejection]:
    """Publish documents with their versions; returns when the broker has acknowledged them.

    Returns:
        By their positions in ``new`` the documents that the log can never take.

    Raises:
        PublishError: the broker did not take them all; publishing them again is safe.
    """
    if not new:
        return {}
    records = [outgoing(one, version, span_of(one)) for one, version in new]
    return {
        position: too_large(new[position][0].draft, len(records[position].value))
        for position in sorted(publisher.publish(records))
    }


def remember(connection: Connection, source: str, settled: Settled) -> None:
    """Confirm what was published."""
    source_versions.save_seen(connection, source, settled.seen)
    if settled.announce:
        source_versions.save_unconfirmed(connection, source, settled.unconfirmed)
