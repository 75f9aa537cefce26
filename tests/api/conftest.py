"""A door for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.kafka import Cluster, ensure_topics
from ops.embedded.database import EmbeddedDatabase
from schemas.catalogue import TOPICS
from tests.api.doors import Door, fresh_database, opened


@pytest.fixture(scope="module")
def door(
    broker: Cluster, database_server: EmbeddedDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    """A door without authentication, before the shared broker."""
    ensure_topics(broker, TOPICS.values(), 2)
    folder: Path = tmp_path_factory.mktemp("door")
    with fresh_database(database_server) as url, opened(Door(folder, broker, url)) as made:
        yield made


@pytest.fixture
def client(door: Door) -> Iterator[httpx.Client]:
    """A client of the door."""
    with door.client() as made:
        yield made
