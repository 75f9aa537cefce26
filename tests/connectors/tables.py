"""Sources in databases for tests: a PostgreSQL of its own or a SQLite file, and runs over them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from connectors.database.source import DatabaseReader
from connectors.mapping import SourceMapping
from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.report import SourceReport
from hub.source_settings import DatabaseSource
from ops.embedded.database import EmbeddedDatabase
from tests.connectors.sources import LogInMemory, SampleSource


@pytest.fixture
def source_url(database_server: EmbeddedDatabase) -> Iterator[str]:
    """An empty PostgreSQL database that stands for the source's."""
    ports = database_server.running_ports()
    assert ports is not None
    name = f"source_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(database_server.conninfo(ports), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        url = database_server.conninfo(ports, name)
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


class TableSource(SampleSource):
    """A source whose records are the rows of ``url``; the hub's database is another one."""

    def __init__(self, database_url: str, url: str, mapping: SourceMapping) -> None:
        self.database_url = database_url
        self.url = url
        self.mapping = mapping
        self.log = LogInMemory()
        self.engine: Engine = create_engine(url, poolclass=NullPool)

    def run(self, *, bounded: bool = True) -> SourceReport:
        """One pass over the tables."""
        with open_door(self.settings(), self.mapping, self.log, self.database_url) as door:
            make_pass(door, self.tables(), bounded)
            return door.report

    def settings(self) -> DatabaseSource:
        """The source as the configuration has it."""
        return DatabaseSource(kind="database", name="sample", url=self.url, mapping="unused")

    def tables(self) -> DatabaseReader:
        """A new reader of the tables."""
        return DatabaseReader(self.settings(), self.mapping)

    def execute(self, statement: str, rows: Sequence[dict[str, Any]] | None = None) -> None:
        """Run a statement in the source's database, for each of ``rows`` if there are any."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), rows)
