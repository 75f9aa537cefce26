"""Fixtures of the tests of the streams."""

from __future__ import annotations

import decimal
from collections.abc import Iterator

import pytest

from hub.money import use_exact_arithmetic
from ops.embedded.database import EmbeddedDatabase
from tests.streams.databases import empty, migrated_database

pytest.register_assert_rewrite("tests.streams.keeping")

from tests.streams.ledger import Ledger  # noqa: E402 - imports what is rewritten


@pytest.fixture(autouse=True)
def exact_arithmetic() -> Iterator[None]:
    """The arithmetic of the hub's processes, for one test."""
    default, current = decimal.DefaultContext.prec, decimal.getcontext()
    use_exact_arithmetic()
    yield
    decimal.DefaultContext.prec = default
    decimal.setcontext(current)


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
def ledger(database_url: str) -> Iterator[Ledger]:
    """A writer of the empty database."""
    writer = Ledger(database_url)
    yield writer
    writer.close()
