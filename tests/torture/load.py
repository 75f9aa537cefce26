"""Puts records into the topics at a pace, and remembers which of them the broker accepted."""

from __future__ import annotations

import random
import threading
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.kafka import Cluster
from schemas.catalogue import TOPICS
from tests.oracle.generate import Event

with warnings.catch_warnings():
    # kafka-python reads its schemas by a deprecated function, which tests take for an error.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.errors import KafkaError

PARTITIONS = 4
_TICK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record that the broker acknowledged, and where."""

    event: Event
    partition: int
    offset: int

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return (self.event.topic, self.partition, self.offset)


class Load(threading.Thread):
    """Sends events in order, evenly over some seconds, whatever happens to the broker meanwhile.

    What was not acknowledged is sent again by a new producer, so that in the end every event is in
    the log at least once.

    Args:
        cluster: where.
        events: what.
        seconds: over how long; 0 for as fast as it goes.
    """

    def __init__(self, cluster: Cluster, events: Sequence[Event], seconds: float = 0.0) -> None:
        super().__init__(name="load", daemon=True)
        self._cluster = cluster
        self._events = events
        self._seconds = seconds
        self.accepted: list[Accepted] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """See the class."""
        try:
            rest = self._events
            while rest:
                rest = self._send(rest)
        except BaseException as error:
            self.error = error
            raise

    def finish(self, seconds: float = 150.0) -> list[Accepted]:
        """Wait until everything is accepted; returns it."""
        self.join(seconds)
        assert not self.is_alive(), "the broker does not accept records"
        if self.error is not None:
            raise self.error
        return self.accepted

    def _send(self, events: Sequence[Event]) -> list[Event]:
        """Send with one producer; returns what was not acknowledged, in order."""
        producer = self._cluster.producer(
            delivery_timeout_ms=60_000, request_timeout_ms=15_000, linger_ms=5
        )
        sent: list[tuple[Event, Any]] = []
        pause = self._seconds / max(1, len(events))
        began = time.monotonic()
        try:
            for number, event in enumerate(events):
                while time.monotonic() < began + number * pause:
                    time.sleep(min(_TICK_SECONDS, pause))
                sent.append((event, send(producer, event)))
            producer.flush(90)
        finally:
            producer.close(timeout=5)
        left = []
        for event, future in sent:
            try:
                done = future.get(timeout=5)
            except KafkaError:
                left.append(event)
                continue
            self.accepted.append(Accepted(event, done.partition, done.offset))
        return left


def send(producer: Any, event: Event) -> Any:
    """Send one event to its partition; the result is the producer's future."""
    return producer.send(
        event.topic,
        key=event.key,
        value=event.value,
        partition=event.partition_hint % PARTITIONS,
    )


def put(cluster: Cluster, events: Iterable[Event]) -> list[Accepted]:
    """Put events into the log at once; returns them with their places."""
    load = Load(cluster, list(events))
    load.start()
    return load.finish()


def scattered(events: Iterable[Event], rng: random.Random) -> list[Event]:
    """Spread a customer's documents over all partitions, hence over the workers.

    Compacted topics keep theirs: the order within a key counts there.
    """
    return [
        event
        if TOPICS[event.topic].cleanup == "compact"
        else replace(event, partition_hint=rng.randrange(PARTITIONS))
        for event in events
    ]
