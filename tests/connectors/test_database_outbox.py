"""A transactional outbox as a source: each event once, in the order of its table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import SourceError
from connectors.opening import open_door
from connectors.replay import replay_through
from sinks.database import connect
from sinks.dead_letters import DeadLetter
from tests.connectors.sources import mapping
from tests.connectors.tables import TableSource, source_url

pytestmark = pytest.mark.stack

__all__ = ["source_url"]

MAPPING = """
streams:
  customer: {from: outbox, key: no, table: {outbox: Customer}}
  product: {from: outbox, key: sku, table: {outbox: Product}}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city, credit_limit: {decimal: limit}, currency: {const: EUR}}
- emit: product
  from: product
  key: sku
  fields: {name: name, unit: {const: PC}}
"""
TABLE = (
    "CREATE TABLE outbox (id {id} PRIMARY KEY, aggregatetype text NOT NULL, aggregateid text"
    " NOT NULL, type text NOT NULL, payload {payload}{more})"
)


@pytest.fixture(params=["jsonb", "text"])
def outbox(
    request: pytest.FixtureRequest, database_url: str, source_url: str
) -> Iterator[TableSource]:
    source = TableSource(database_url, source_url, mapping(MAPPING))
    source.execute(TABLE.format(id="bigserial", payload=request.param, more=""))
    yield source


def tell(source: TableSource, kind: str, payload: Any) -> None:
    written = "CAST(:payload AS jsonb)" if is_json(source) else ":payload"
    source.execute(
        "INSERT INTO outbox (aggregatetype, aggregateid, type, payload)"
        f" VALUES (:kind, '1', 'Changed', {written})",
        [{"kind": kind, "payload": payload if isinstance(payload, str) else json.dumps(payload)}],
    )


def is_json(source: TableSource) -> bool:
    with source.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT data_type FROM information_schema.columns WHERE column_name = 'payload'"
        )
        return bool(found.scalar_one() == "jsonb")


def test_payload_is_the_record_and_its_aggregate_type_chooses_the_stream(
    outbox: TableSource,
) -> None:
    tell(outbox, "Customer", '{"no": "1", "name": "Ada", "city": "Ulm", "limit": 1234567890123.10}')
    tell(outbox, "Elsewhere", {"no": "9"})
    tell(outbox, "Product", {"sku": "P1", "name": "Pump"})
    report = outbox.run()
    assert (report.read, report.published, report.rejected) == (2, 2, 0)
    (customer, product) = outbox.published()
    assert (customer["id"], str(customer["credit_limit"])) == ("1", "1234567890123.100000000")
    assert product["id"] == "P1"
    assert outbox.run().published == 0


def test_later_event_stands_though_an_earlier_one_said_the_same(outbox: TableSource) -> None:
    for city in ("Ulm", "Hof", "Ulm"):
        tell(outbox, "Customer", {"no": "1", "name": "Ada", "city": city})
    outbox.run()
    assert [one["version"] for one in outbox.published()] == [1, 2, 3]
    ((_, standing),) = outbox.standing().items()
    assert standing["city"] == "Ulm"


def test_event_that_was_committed_after_a_later_one_was_read_is_found(outbox: TableSource) -> None:
    statement = (
        "INSERT INTO outbox (aggregatetype, aggregateid, type, payload)"
        " VALUES ('Customer', '1', 'Changed', '{\"no\": \"%s\", \"name\": \"Ada\"}')"
    )
    with outbox.engine.connect() as late:
        late.exec_driver_sql(statement % "first")
        outbox.execute((statement % "second").replace(": ", "\\: "))
        assert outbox.run().published == 1
        late.commit()
    assert outbox.run().published == 1
    assert {key[1] for key in outbox.standing()} == {"first", "second"}


def test_broken_payload_is_a_dead_letter_once_and_the_next_event_goes_on(
    database_url: str, source_url: str
) -> None:
    source = TableSource(database_url, source_url, mapping(MAPPING))
    source.execute(TABLE.format(id="bigserial", payload="text", more=""))
    tell(source, "Customer", '{"no": "1", "name": ')
    tell(source, "Customer", {"no": "2", "name": "Ben"})
    report = source.run()
    assert (report.published, report.rejected) == (1, 1)
    assert source.run().rejected == 0
    with connect(database_url) as connection:
        rows = connection.execute(
            "SELECT stage, code, reason, place, value, headers FROM dead_letters"
        ).fetchall()
    ((stage, code, reason, place, value, headers),) = rows
    assert (code, place, bytes(value)) == ("broken_json", "outbox:1", b'{"no": "1", "name": ')
    letter = DeadLetter(
        stage=stage,
        code=code,
        reason=reason,
        place=place,
        value=b'{"no": "1", "name": "Ada"}',
        headers=[(name, one.encode()) for name, one in headers],
    )
    with open_door(source.settings(), source.mapping, source.log, database_url) as door:
        replay_through(door, source.tables(), 1, letter)
        assert (door.report.published, door.report.rejected) == (1, 0)


def test_event_that_does_not_say_when_it_came_is_a_dead_letter_and_the_next_one_goes_on(
    database_url: str, source_url: str
) -> None:
    text = MAPPING.replace("{outbox:", "{changed: created_at, outbox:")
    source = TableSource(database_url, source_url, mapping(text))
    more = ", created_at timestamptz DEFAULT now()"
    source.execute(TABLE.format(id="bigserial", payload="jsonb", more=more))
    tell(source, "Customer", {"no": "1", "name": "Ada"})
    source.execute("UPDATE outbox SET created_at = NULL")
    tell(source, "Customer", {"no": "2", "name": "Ben"})
    report = source.run()
    assert (report.published, report.rejected) == (1, 1)
    report = source.run()
    assert (report.published, report.rejected) == (0, 0)
    with connect(database_url) as connection:
        ((letter_id, stage, code, reason, place, value, headers),) = connection.execute(
            "SELECT id, stage, code, reason, place, value, headers FROM dead_letters"
        ).fetchall()
    assert code == "no_change_time" and "created_at is empty" in reason
    stored = [(name, one.encode()) for name, one in headers]
    letter = DeadLetter(stage, code, reason, place=place, value=bytes(value), headers=stored)
    with open_door(source.settings(), source.mapping, source.log, database_url) as door:
        replay_through(door, source.tables(), letter_id, letter)
        assert (door.report.published, door.report.rejected) == (1, 0)
    source.execute(
        "UPDATE outbox SET created_at = now(), payload = jsonb_build_object('no', 1, 'name', 'Eve')"
        " WHERE created_at IS NULL"
    )
    assert source.run().published == 1
    assert {document["name"] for document in source.standing().values()} == {"Ben", "Eve"}


def test_random_ids_need_a_column_that_gives_the_order(database_url: str, source_url: str) -> None:
    source = TableSource(database_url, source_url, mapping(MAPPING))
    more = ", created_at timestamptz NOT NULL DEFAULT now()"
    source.execute(
        TABLE.format(id="uuid", payload="jsonb", more=more).replace(
            "PRIMARY KEY", "PRIMARY KEY DEFAULT gen_random_uuid()"
        )
    )
    tell(source, "Customer", {"no": "1", "name": "Ada"})
    with pytest.raises(SourceError, match=r"outbox\.id cannot be the change column.*'changed'"):
        source.run()
    source.mapping = mapping(MAPPING.replace("{outbox:", "{changed: created_at, outbox:"))
    assert source.run().published == 1
    tell(source, "Customer", {"no": "1", "name": "Eve"})
    assert source.run().published == 1
    assert source.run().published == 0
    ((_, standing),) = source.standing().items()
    assert standing["name"] == "Eve"
