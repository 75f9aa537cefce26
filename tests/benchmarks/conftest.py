"""Fixtures of the tests of the measurements."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.streams.ledger import Ledger


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A writer of an empty database."""
    writer = Ledger(database_url)
    yield writer
    writer.close()
