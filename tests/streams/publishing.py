"""The view topics without Kafka: a relay publishes to them, and what they hold can be asked for."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from schemas.catalogue import TOPICS
from schemas.codec import Decoded, decode_batch
from sinks.relay import Relay
from streams.views import view_readers
from tests.streams.ledger import POLICY, Ledger


class ViewTopics:
    """What a follower of the view topics holds: of each key the newest view, as compaction does."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, bytes]] = defaultdict(dict)

    def publish(self, ledger: Ledger) -> None:
        """Run a relay until nothing is marked."""
        with ledger.reading() as connection:
            relay = Relay(connection, self, view_readers(POLICY, ["erp", "crm"]))
            while relay.publish_batch():
                pass

    def of(self, topic: str) -> dict[str, dict[str, Any]]:
        """Return the views that ``topic`` holds, by key."""
        held = self._newest[topic]
        contents = decode_batch(TOPICS[topic], list(held.values()))
        views = {}
        for key, content in zip(held, contents, strict=True):
            assert isinstance(content, Decoded)
            views[key] = content.document
        return views

    def send(self, topic: str, *, key: bytes, value: bytes | None) -> ViewTopics:
        """Take a record; see `sinks.relay.Producer`."""
        self._newest[topic].pop(key.decode(), None)
        if value is not None:
            self._newest[topic][key.decode()] = value
        return self

    def flush(self) -> None:
        """Nothing is queued."""

    def get(self, timeout: float) -> None:
        """Acknowledge, as the future of a record does."""
