"""How far the hub has come: stored positions against the ends of the logs, and the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, select

from hub.kafka import Cluster, log_ranges, partitions_of
from ops.watchdog import Lag
from schemas.catalogue import TOPICS
from sinks.positions import GROUP
from sinks.tables import outbox, stream_offsets

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is still to be done: each partition's lag, and the changes that wait for the relay."""

    partitions: tuple[Lag, ...]
    outbox: int

    @property
    def records(self) -> int:
        """Records that the workers have still to process."""
        return sum(lag.records for lag in self.partitions)

    @property
    def is_empty(self) -> bool:
        """Whether every topic is processed to its very end and every change has left."""
        return self.outbox == 0 and all(lag.position == lag.end for lag in self.partitions)

    def of_topics(self) -> dict[str, int]:
        """The lag of each topic, in records."""
        found: dict[str, int] = {}
        for lag in self.partitions:
            found[lag.topic] = found.get(lag.topic, 0) + lag.records
        return found


def read_backlog(engine: Engine, cluster: Cluster, admin: Any = None) -> Backlog:
    """Compare the positions in the database with the logs.

    The logs are asked first, so a backlog that is empty was so at that moment. A partition that no
    worker has claimed yet is behind by all that its log holds.

    Args:
        engine: the database.
        cluster: the broker.
        admin: an admin client to use instead of a new one, for those who ask often.

    Raises:
        TopicMissing: a topic of the catalogue is not there.
        KafkaError: the broker does not answer.
        OperationalError: the database does not answer.
    """
    topics = [topic.name for topic in TOPICS.values() if topic.kind == "event"]
    ranges = log_ranges(cluster, partitions_of(cluster, topics, admin), admin)
    positions, depth = read_positions(engine)
    return Backlog(
        tuple(_lag(place, ranges[place], positions) for place in sorted(ranges)),
        depth,
    )


def read_positions(engine: Engine) -> tuple[dict[Partition, tuple[int, int | None]], int]:
    """By partition the stored position and its worker's slot; and the depth of the outbox."""
    offsets = stream_offsets.c
    query = select(offsets.topic, offsets.partition, offsets.position, offsets.owner)
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        rows = connection.execute(query.where(offsets.group_name == GROUP)).all()
        depth = connection.execute(select(func.count()).select_from(outbox)).scalar_one()
    positions = {
        (topic, partition): (position, int(owner) if owner.isdigit() else None)
        for topic, partition, position, owner in rows
    }
    return positions, depth


def _lag(
    place: Partition, log: tuple[int, int], positions: Mapping[Partition, tuple[int, int | None]]
) -> Lag:
    begin, end = log
    position, slot = positions.get(place, (begin, None))
    return Lag(place[0], place[1], position, end, slot)
