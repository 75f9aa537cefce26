"""Fixtures of the real servers: a broker and a PostgreSQL for all, a database for each test."""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hub.kafka import Cluster
from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase
from sinks.database import migrate

_PREFIX = "headrace-tests-"
_TEMPLATE = "migrated"
_STALE_SECONDS = 600


def temporary_data_folder() -> Path:
    """A new data folder; not pytest's ``tmp_path``, which later sessions change and remove."""
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def remove_data_folder(folder: Path) -> None:
    """Stop what nobody uses in this folder, and remove it."""
    broker_unused = EmbeddedBroker(folder).stop_if_unused()
    if EmbeddedDatabase(folder).stop_if_unused() and broker_unused:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    """The data folder of this session's servers; those of killed sessions are cleared away."""
    for stale in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if time.time() - stale.stat().st_mtime > _STALE_SECONDS:
            remove_data_folder(stale)
    folder = temporary_data_folder()
    yield folder
    remove_data_folder(folder)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A data folder for one test that starts servers of its own."""
    folder = temporary_data_folder()
    yield folder
    remove_data_folder(folder)


@pytest.fixture(scope="session")
def broker(session_folder: Path) -> Iterator[Cluster]:
    """A real Kafka; tests share it, so they name their topics with ``topic_prefix``."""
    server = EmbeddedBroker(session_folder)
    yield server.cluster(server.acquire())
    server.release()


@pytest.fixture(scope="session")
def database_server(session_folder: Path) -> Iterator[EmbeddedDatabase]:
    """A real PostgreSQL with the database ``migrated``, from which tests get copies."""
    server = EmbeddedDatabase(session_folder)
    ports = server.acquire()
    with psycopg.connect(server.conninfo(ports), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
    migrate(_url(server, ports, _TEMPLATE))
    yield server
    server.release()


@pytest.fixture
def database_url(database_server: EmbeddedDatabase) -> Iterator[str]:
    """SQLAlchemy's address of a fresh, migrated database; it is dropped after the test."""
    ports = database_server.running_ports()
    assert ports is not None, "a test has stopped the shared PostgreSQL"
    name = f"test_{uuid.uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    with psycopg.connect(database_server.conninfo(ports), autocommit=True) as connection:
        # Copying files beats the default, copying through the write-ahead log, for a small one.
        copy = "create database {} template {} strategy file_copy"
        connection.execute(sql.SQL(copy).format(identifier, sql.Identifier(_TEMPLATE)))
        yield _url(database_server, ports, name)
        connection.execute(sql.SQL("drop database {} with (force)").format(identifier))


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topic and group names that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}."


def _url(server: EmbeddedDatabase, ports: dict[str, int], name: str) -> str:
    return server.conninfo(ports, name).replace("postgresql://", "postgresql+psycopg://", 1)
