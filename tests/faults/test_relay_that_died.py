"""A relay that died between the broker's acknowledgement and its commit leaves nothing stale."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from schemas.catalogue import TOPICS
from schemas.codec import encode
from sinks.database import connect
from sinks.relay import Relay, View

pytestmark = pytest.mark.stack

TOPIC = "view.demand.v1"
KEY = "erp|EX-20|2026-07"


class Broker:
    """Keeps the newest value of each key; while it ``fails`` nothing is acknowledged."""

    def __init__(self) -> None:
        self.newest: dict[bytes, bytes | None] = {}
        self.fails = False

    def send(self, topic: str, *, key: bytes, value: bytes | None) -> Broker:
        assert topic == TOPIC
        self.newest[key] = value
        return self

    def flush(self) -> None:
        if self.fails:
            raise ConnectionError("the relay is killed here")

    def get(self, timeout: float) -> None:
        """Acknowledge, as the future of a record does."""


def demand(orders: int) -> View:
    return {
        "product": {"source": "erp", "id": "EX-20"},
        "product_name": None,
        "month": "2026-07",
        "orders": Decimal(orders),
        "pipeline": Decimal(0),
        "total": Decimal(orders),
    }


@pytest.mark.parametrize("first", [demand(1), None], ids=["a view", "no view"])
def test_a_view_that_went_back_while_no_relay_ran_is_published_again(
    first: View | None, database_url: str
) -> None:
    broker = Broker()
    standing: list[View | None] = [first]

    def read(_connection: psycopg.Connection[Any], keys: list[str]) -> Mapping[str, View | None]:
        return dict.fromkeys(keys, standing[0])

    with connect(database_url) as connection:
        connection.autocommit = True

        def marked() -> Relay:
            connection.execute("INSERT INTO outbox (subject, key) VALUES ('demand', %s)", (KEY,))
            relay = Relay(connection, broker, {"demand": {TOPIC: read}})
            relay.take_over()
            return relay

        marked().publish_batch()
        standing[0], broker.fails = demand(2), True
        with pytest.raises(ConnectionError):
            marked().publish_batch()
        standing[0], broker.fails = first, False
        marked().publish_batch()
    expected = None if first is None else encode(TOPICS[TOPIC], first)
    assert broker.newest[KEY.encode()] == expected
