"""Positions of the topics in the database: claimed by epoch, moved with the effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from hub.batches import Claim
from sinks.database import end_stuck_writers

Partition = tuple[str, int]

#: The consumer group of the workers, and of their positions.
GROUP = "headrace"


class PositionError(Exception):
    """A stored position cannot be resumed; reading on would skip or repeat silently."""


class Fenced(Exception):
    """Another worker has claimed the partition since."""


class PositionGap(Exception):
    """A batch does not join the stored position: something before it was never committed."""


@dataclass(frozen=True, slots=True)
class LogState:
    """A partition as the broker has it: the topic's id, first offset, and offset after the last."""

    topic_id: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Caution:
    """How to go on where a worker died twice at one place.

    ``until`` is the position up to which each step is marked before it is tried; ``marked`` is
    where the step began that was in work at the last death, and ``tries`` how often one began
    there.
    """

    until: int
    marked: int | None
    tries: int


#: Deaths at one position after which each step is marked before it is tried.
DEATHS_BEFORE_CAUTION = 2
#: As many records as may have been in work at a death: one batch committed, one decoded.
CAUTION_SPAN = 10_000


class Positions:
    """One consumer group's positions as a worker sees them (a `hub.batches.PositionStore`).

    Args:
        connect: opens a connection to the database.
        read_log: asks the broker for the state of partitions.
        group: the consumer group.
        owner: this worker's name, for people who look at the table.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        read_log: Callable[[Iterable[Partition]], Mapping[Partition, LogState]],
        group: str,
        owner: str,
    ) -> None:
        self._connect = connect
        self._read_log = read_log
        self.group = group
        self.owner = owner
        self.claims: dict[Partition, Claim] = {}
        self.cautions: dict[Partition, Caution] = {}
        self._topic_ids: dict[str, str] = {}

    def claim(self, partitions: Iterable[Partition]) -> dict[Partition, Claim]:
        """Take ``partitions`` over: raise their epochs and return where each goes on.

        Raises:
            PositionError: a topic was recreated, or a position lies outside its log.
            psycopg.OperationalError: the database does not answer.
        """
        wanted = sorted(partitions)
        log = self._read_log(wanted)
        claims: dict[Partition, Claim] = {}
        cautions: dict[Partition, Caution] = {}
        with self._connect() as connection:
            end_stuck_writers(connection)
            for partition in wanted:
                claim, caution = self._claim_one(connection, partition, log[partition])
                claims[partition] = claim
                if caution is not None:
                    cautions[partition] = caution
            # Before the commit: a transaction of ours that waited for it finds itself fenced, and
            # must see at once that it was we who renewed the claim.
            self.claims, self.cautions = claims, cautions
            self._topic_ids = {topic: log[topic, number].topic_id for topic, number in wanted}
        return dict(claims)

    def _claim_one(
        self, connection: psycopg.Connection[Any], partition: Partition, log: LogState
    ) -> tuple[Claim, Caution | None]:
        topic, number = partition
        connection.execute(
            """
            INSERT INTO stream_offsets (group_name, topic, partition, topic_id, position, epoch,
                owner, clean, claimed_position)
            VALUES (%s, %s, %s, %s, %s, 0, '', true, %s) ON CONFLICT DO NOTHING
            """,
            (self.group, topic, number, log.topic_id, log.begin, log.begin),
        )
        row = connection.execute(
            """
            SELECT topic_id, position, epoch, clean, claimed_position, deaths, marked_position,
                marked_tries
            FROM stream_offsets WHERE group_name = %s AND topic = %s AND partition = %s FOR UPDATE
            """,
            (self.group, topic, number),
        ).fetchone()
        assert row is not None
        topic_id, position, epoch, clean, claimed_position, deaths, marked, tries = row
        check_resumable(partition, topic_id, position, log)
        waiting = position < log.end
        deaths = deaths + 1 if waiting and not clean and position == claimed_position else 0
        connection.execute(
            """
            UPDATE stream_offsets SET epoch = %s, owner = %s, clean = false,
                claimed_position = position, deaths = %s, updated_at = now()
            WHERE group_name = %s AND topic = %s AND partition = %s
            """,
            (epoch + 1, self.owner, deaths, self.group, topic, number),
        )
        caution = None
        dangerous = marked is not None and marked >= position
        if waiting and (deaths >= DEATHS_BEFORE_CAUTION or dangerous):
            # What is behind the present end was never in work.
            caution = Caution(min(position + CAUTION_SPAN, log.end), marked, tries)
        return Claim(position, epoch + 1), caution

    def check_topics(self) -> None:
        """Look whether the claimed topics are still those that were claimed.

        A consumer does not notice that a topic was deleted and quickly created again.

        Raises:
            PositionError: one of them was created again.
        """
        claimed, known = list(self.claims), self._topic_ids
        for partition, log in self._read_log(claimed).items():
            if partition[0] in known:
                check_same_topic(partition[0], known[partition[0]], log.topic_id)

    def release(self, partitions: Iterable[Partition]) -> None:
        """Say that nothing of ``partitions`` is in work any more, if they are still ours."""
        with self._connect() as connection:
            for partition in sorted(partitions):
                # What is still in work of it is stale from now on.
                claim = self.claims.pop(partition, None)
                if claim is None:
                    continue
                connection.execute(
                    """
                    UPDATE stream_offsets SET clean = true, deaths = 0
                    WHERE group_name = %s AND topic = %s AND partition = %s AND epoch = %s
                    """,
                    (self.group, *partition, claim.epoch),
                )

    def leave_untried(self) -> None:
        """Give every partition back although what was in work was not processed.

        For trouble that is not the records' (the database was away, rows stayed locked): this end
        of the worker is no death, and what it had marked counts as not tried.
        """
        with self._connect() as connection:
            for partition, claim in sorted(self.claims.items()):
                connection.execute(
                    """
                    UPDATE stream_offsets SET clean = true, deaths = 0,
                        marked_tries = greatest(0, marked_tries - 1)
                    WHERE group_name = %s AND topic = %s AND partition = %s AND epoch = %s
                    """,
                    (self.group, *partition, claim.epoch),
                )

    def mark(
        self,
        connection: psycopg.Connection[Any],
        partition: Partition,
        *,
        epoch: int,
        offset: int,
    ) -> None:
        """Note that a step from ``offset`` on is about to be tried, in a transaction of its own.

        Raises:
            Fenced: another worker has claimed the partition.
        """
        cursor = connection.execute(
            """
            UPDATE stream_offsets SET marked_position = %s, marked_tries =
                CASE WHEN marked_position = %s THEN marked_tries + 1 ELSE 1 END
            WHERE group_name = %s AND topic = %s AND partition = %s AND epoch = %s
            """,
            (offset, offset, self.group, *partition, epoch),
        )
        if cursor.rowcount == 0:
            raise Fenced(f"{partition[0]}[{partition[1]}] belongs to another worker now")

    def unmark(self, connection: psycopg.Connection[Any], partition: Partition) -> None:
        """Forget the mark once the dangerous stretch is behind, in the batch's transaction."""
        connection.execute(
            """
            UPDATE stream_offsets SET marked_position = NULL, marked_tries = 0, deaths = 0
            WHERE group_name = %s AND topic = %s AND partition = %s
            """,
            (self.group, *partition),
        )

    def advance(
        self,
        connection: psycopg.Connection[Any],
        partition: Partition,
        *,
        epoch: int,
        start: int,
        end: int,
    ) -> int:
        """Move a partition's position to ``end`` in the caller's transaction.

        Returns:
            The position that stood there: records below it are done and must be dropped.

        Raises:
            Fenced: another worker has claimed the partition.
            PositionGap: ``start`` lies beyond the stored position.
        """
        row = connection.execute(
            """
            UPDATE stream_offsets SET position = greatest(position, %s), updated_at = now()
            WHERE group_name = %s AND topic = %s AND partition = %s
            RETURNING old.position, epoch
            """,
            (end, self.group, *partition),
        ).fetchone()
        if row is None or row[1] != epoch:
            raise Fenced(f"{partition[0]}[{partition[1]}] belongs to another worker now")
        stored: int = row[0]
        if start > stored:
            raise PositionGap(
                f"{partition[0]}[{partition[1]}]: a batch begins at {start}, but only what is "
                f"before {stored} was committed"
            )
        return stored


def check_resumable(partition: Partition, topic_id: str, position: int, log: LogState) -> None:
    """Refuse a position that does not belong to the log that is there.

    Raises:
        PositionError: the topic was recreated, or the position lies outside the log.
    """
    name = f"{partition[0]}[{partition[1]}]"
    check_same_topic(partition[0], topic_id, log.topic_id)
    if not log.begin <= position <= log.end:
        raise PositionError(
            f"{name} was read up to {position}, but its log now holds {log.begin} to {log.end}: "
            "records between were lost or the log was cut. Restore the log, or run "
            "`headrace rebuild --from-topics` to read what is there."
        )


def check_same_topic(topic: str, stored_id: str, present_id: str) -> None:
    """Refuse a topic that has another id than the one that was read.

    Raises:
        PositionError: it was created again.
    """
    if stored_id != present_id:
        raise PositionError(
            f"topic {topic} was deleted and created again (its id was {stored_id}, now it is "
            f"{present_id}): what the hub holds came from the old one. If that is intended, run "
            f"`headrace rebuild --from-topics --accept-recreated {topic}` to read the new one."
        )
