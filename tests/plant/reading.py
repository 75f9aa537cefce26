"""Waits until a hub that follows its sources has read and processed all that stands in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg

import connectors.mapping
from connectors.files.units import find_units
from hub.kafka import Cluster
from hub.settings import Settings
from ops.lag import read_backlog
from sinks.cursors import cursor_states, read_note, waiting_counts
from sinks.database import connect, engine

_POLL_SECONDS = 0.3
_AWAY = (psycopg.Error, OSError)


def wait_until_read(settings: Settings, url: str, seconds: float) -> None:
    """Wait until every file is read to its end, and every document built that can be.

    Raises:
        TimeoutError: it is not in time; names what is left.
    """
    deadline = time.monotonic() + seconds
    left = ["the database does not answer"]
    while time.monotonic() < deadline:
        try:
            with connect(url, name="plant") as connection:
                left = list(unread(settings, connection))
        except _AWAY:
            continue
        finally:
            time.sleep(_POLL_SECONDS)
        if not left:
            return
    raise TimeoutError(f"not read after {seconds:.0f} s: {'; '.join(left[:12])}")


def wait_until_processed(settings: Settings, url: str, cluster: Cluster, seconds: float) -> None:
    """Wait until everything is read, and processed by the streams and the relay.

    Raises:
        TimeoutError: it is not in time; says how much is left.
    """
    deadline = time.monotonic() + seconds
    wait_until_read(settings, url, seconds)
    database = engine(url)
    try:
        with cluster.admin() as admin:
            while not (backlog := read_backlog(database, cluster, admin)).is_empty:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{backlog.records} records and {backlog.outbox} changes")
                time.sleep(_POLL_SECONDS)
    finally:
        database.dispose()


def unread(settings: Settings, connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Name each file that has not been read to its end, and documents that are to be built."""
    for source in settings.sources:
        mapping = connectors.mapping.load_mapping(
            source.mapping, source.name, settings.company.zone
        )
        read = cursor_states(connection, source.name)
        for unit in find_units(source.reads, mapping.streams, mapping.zone):
            size, offset = unit.path.stat().st_size, read.get(unit.name, {}).get("offset", 0)
            if offset < size:
                yield f"{source.name} {unit.name} is read up to {offset:,} of {size:,} bytes"
        touched, _ = waiting_counts(connection, source.name)
        if touched or read_note(connection, source.name).get("building"):
            yield f"{touched} documents of {source.name} are to be built"
