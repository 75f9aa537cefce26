"""Whenever a reader of tables is killed, the documents stand as the tables say, told once."""

from __future__ import annotations

import json
import random

import pytest

from tests.connectors.sources import KilledError, mapping
from tests.connectors.tables import TableSource, source_url

pytestmark = pytest.mark.stack

__all__ = ["source_url"]

EVENTS = """
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city}
"""
PRECISE = (
    "streams: {customer: {from: customers, key: no, changed: at, version: precise,"
    " table: {changed: at}}}"
)
COUNTED = "streams: {customer: {from: customers, key: no, table: {changed: seq, overlap: 3}}}"
COMPARED = (
    "streams: {customer: {from: customers, key: no, table: {compare: true, most_deleted: 100%}}}"
)
OUTBOX = "streams: {customer: {from: outbox, key: no, table: {outbox: Customer}}}"
TABLES = (
    "CREATE SEQUENCE steps",
    "CREATE TABLE customers (no text PRIMARY KEY, name text, city text,"
    " at timestamptz DEFAULT clock_timestamp(), seq bigint DEFAULT nextval('steps'))",
    "CREATE TABLE outbox (id bigserial PRIMARY KEY, aggregatetype text, payload jsonb)",
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "streams", [PRECISE, COUNTED, COMPARED, OUTBOX], ids=["time", "number", "compared", "outbox"]
)
def test_killed_at_any_moment_nothing_is_lost_or_told_differently(
    database_url: str, source_url: str, streams: str, seed: int
) -> None:
    source = TableSource(database_url, source_url, mapping(streams + EVENTS))
    for statement in TABLES:
        source.execute(statement)
    chance = random.Random(seed)
    expected: dict[str, str] = {}
    for step in range(12):
        for _ in range(chance.randint(0, 4)):
            change(source, chance, expected, f"City {step}", deletes=streams == COMPARED)
        source.log.stop_after = len(source.log.records) + chance.randint(1, 4)
        if chance.random() < 0.4:
            source.log.stop_after = None
        try:
            source.run()
        except KilledError:
            continue
    source.log.stop_after = None
    source.run()
    standing = {key[1]: document for key, document in source.standing().items()}
    alive = {key: one["city"] for key, one in standing.items() if not one["deleted"]}
    assert alive == expected
    assert source.run().published == 0


def change(
    source: TableSource,
    chance: random.Random,
    expected: dict[str, str],
    city: str,
    deletes: bool,
) -> None:
    no = str(chance.randint(1, 5))
    if deletes and no in expected and chance.random() < 0.4:
        source.execute("DELETE FROM customers WHERE no = :no", [{"no": no}])
        del expected[no]
        return
    city = chance.choice((city, "Ulm", "Hof"))
    source.execute(
        "INSERT INTO customers (no, name, city) VALUES (:no, 'Ada', :city) ON CONFLICT (no)"
        " DO UPDATE SET city = excluded.city, at = clock_timestamp(), seq = nextval('steps')",
        [{"no": no, "city": city}],
    )
    payload = json.dumps({"no": no, "name": "Ada", "city": city})
    source.execute(
        "INSERT INTO outbox (aggregatetype, payload) VALUES ('Customer', CAST(:payload AS jsonb))",
        [{"payload": payload}],
    )
    expected[no] = city
