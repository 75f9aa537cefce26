"""One migrated database for many tests, emptied before each: cheaper than a copy for every one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from ops.embedded.database import EmbeddedDatabase
from sinks.database import connect, migrate
from sinks.tables import metadata


@contextmanager
def migrated_database(server: EmbeddedDatabase) -> Iterator[str]:
    """Make a database for as long as the context lasts, and yield its address."""
    ports = server.running_ports()
    assert ports is not None, "a test has stopped the shared PostgreSQL"
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.conninfo(ports), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        url = server.conninfo(ports, name).replace("postgresql://", "postgresql+psycopg://", 1)
        migrate(url)
        yield url
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def empty(url: str) -> None:
    """Delete every row of the hub's tables (faster than TRUNCATE where there are few)."""
    with connect(url, name="headrace-tests-emptying") as connection:
        for table in metadata.sorted_tables:
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(table.name)))
