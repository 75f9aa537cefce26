"""Fixtures of the tests of the sinks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ops.embedded.database import EmbeddedDatabase
from sinks.database import connect
from sinks.facts import FACTS
from tests.streams.databases import empty, migrated_database


@pytest.fixture(scope="package")
def package_database(database_server: EmbeddedDatabase) -> Iterator[str]:
    """The database of this package's tests."""
    with migrated_database(database_server) as url:
        yield url


@pytest.fixture
def database_url(package_database: str) -> str:
    """The package's database, empty."""
    empty(package_database)
    return package_database


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit, ready for facts."""
    opened = connect(database_url, name="headrace-tests")
    opened.autocommit = True
    FACTS.create(opened)
    yield opened
    opened.close()
