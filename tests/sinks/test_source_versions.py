"""Versions of sources are looked up for the documents that are asked for, also for none."""

from __future__ import annotations

import pytest

from sinks import source_versions
from sinks.database import connect

pytestmark = pytest.mark.stack


def test_nothing_is_asked_for_and_nothing_found(database_url: str) -> None:
    with connect(database_url) as connection:
        assert source_versions.seen_since(connection, "erp", [], 1) == []
