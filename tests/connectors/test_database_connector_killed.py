"""A process that reads a table and is killed at any moment publishes every row, and once."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest
import yaml
from sqlalchemy import make_url

from hub.kafka import Cluster, ensure_topics
from schemas.catalogue import DOCUMENTS
from tests.api.doors import ROOT, Door
from tests.cli.shop import environment
from tests.connectors.tables import source_url

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

__all__ = ["source_url"]

MAPPING = """\
profile: tables/1
streams: {customer: {from: customers, key: no, changed: at, version: precise, table: {changed: at}}}
events:
- {emit: customer, from: customer, key: no, fields: {name: name, city: city}}
"""
TABLE = (
    "CREATE TABLE customers (no text PRIMARY KEY, name text, city text,"
    " at timestamptz DEFAULT clock_timestamp())"
)
ADD = "INSERT INTO customers SELECT n, 'Ada', 'Ulm' FROM generate_series(%s::int, %s::int) n"
MOVE = "UPDATE customers SET city = %s, at = clock_timestamp() WHERE no = %s"
_KILLS = 3
_ROWS = 6_000


class Writer(threading.Thread):
    """Adds rows and changes some, each in a transaction of its own, until it is told to stop."""

    def __init__(self, address: str, chance: random.Random) -> None:
        super().__init__()
        self.address = address
        self._chance = chance
        self._over = threading.Event()
        self.rows = 0

    def add(self, rows: int) -> None:
        with psycopg.connect(self.address) as connection:
            connection.execute(ADD, (self.rows + 1, self.rows + rows))
        self.rows += rows

    def run(self) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            changes = 0
            while not self._over.wait(0.01):
                changes += 1
                number = str(self._chance.randint(1, _ROWS))
                connection.execute(MOVE, (f"City {changes}", number))

    def stop(self) -> None:
        self._over.set()
        self.join()


def connector(door: Door) -> subprocess.Popen[bytes]:
    """``headrace sources run`` in a process of its own."""
    with (door.folder / "connector.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "ops.cli", "sources", "run", door.erp],
            cwd=door.folder,
            env={**environment(), "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )


def cursors(door: Door) -> list[tuple[object, ...]]:
    return door.query("SELECT unit, state::text FROM source_cursors WHERE source = %s", door.erp)


def test_a_connector_of_a_table_that_is_killed_loses_nothing_and_doubles_nothing(
    broker: Cluster, database_url: str, source_url: str, tmp_path: Path
) -> None:
    ensure_topics(broker, DOCUMENTS.values(), 2)
    door = Door(tmp_path, broker, database_url)
    source = {"name": door.erp, "kind": "database", "url": source_url, "mapping": "tables.yaml"}
    document = {
        "company": {"name": "Shop", "base_currency": "EUR", "time_zone": "Europe/Berlin"},
        "kafka": {
            "bootstrap_servers": list(broker.bootstrap_servers),
            "security": {"protocol": "PLAINTEXT"},
        },
        "database": database_url,
        "sources": [source],
    }
    (tmp_path / "tables.yaml").write_text(MAPPING)
    (tmp_path / "headrace.yaml").write_text(yaml.safe_dump(document))
    address = make_url(source_url).set(drivername="postgresql")
    chance = random.Random(7)
    writer = Writer(address.render_as_string(hide_password=False), chance)
    with psycopg.connect(writer.address) as connection:
        connection.execute(TABLE)
    writer.add(_ROWS)
    writer.start()
    try:
        for _ in range(_KILLS):
            reached, process = cursors(door), connector(door)
            deadline = time.monotonic() + 60
            while cursors(door) == reached:
                assert process.poll() is None and time.monotonic() < deadline, log_of(door)
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.2))
            assert process.poll() is None, "it was not killed in the middle"
            process.kill()
            process.wait()
            writer.add(_ROWS)
    finally:
        writer.stop()
    assert connector(door).wait(120) == 0, log_of(door)
    with psycopg.connect(writer.address) as connection:
        rows = connection.execute("SELECT no, city FROM customers").fetchall()
    contents: dict[tuple[str, int], str] = {}
    for one in door.published(DOCUMENTS["customer"].name):
        told = contents.setdefault((one["id"], one["version"]), one["city"])
        assert told == one["city"], "one version has two contents"
    newest = {id: contents[id, version] for id, version in sorted(contents)}
    assert newest == dict(rows) and len(rows) == (_KILLS + 1) * _ROWS
    # A row that did not change has one version, however often it was read.
    versions = Counter(id for id, _ in contents)
    assert {versions[str(number)] for number in range(_ROWS + 1, len(rows) + 1)} == {1}
    assert max(versions.values()) > 1, "no row was changed behind the reader"


def log_of(door: Door) -> str:
    return (door.folder / "connector.log").read_text(errors="replace")
