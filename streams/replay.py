"""Replays dead letters of the topics: what was refused is tried again by today's rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from hub.policy import Policy
from schemas.catalogue import TOPICS
from sinks import dead_letters, facts, outbox
from sinks.changes import Marks
from sinks.facts import FACTS
from sinks.relay import STAGE
from sinks.session import Session
from streams.catalogue import streams
from streams.ingest import Ingest, Span, prepare


@dataclass(frozen=True, slots=True)
class Stored:
    """A dead letter's record as if it had just been consumed."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one dead letter: ``reason`` says why it stays where ``replayed`` is false."""

    id: int
    replayed: bool
    reason: str


class Replay:
    """Replays dead letters of the stages ``decode``, ``facts``, ``stream:…`` and ``relay``.

    One of the relay is open again when the relay, which tries it next, still cannot publish it.
    Nothing that was erased comes back: a tombstone takes the letters of its key along, and waits
    for a replay that has begun with one (docs/decisions/0013).
    """

    def __init__(self, url: str, policy: Policy) -> None:
        self._streams = streams(policy)
        self._ingest = Ingest(self._streams, None)
        tables = [FACTS, *(table for stream in self._streams for table in stream.staging)]
        self._session = Session(url, name="headrace-replay", tables=tables)

    def run(self, ids: Iterable[int]) -> list[Outcome]:
        """Replay the letters ``ids``, each in a transaction of its own."""
        try:
            return [self._session.run(partial(self._one, id=id)) for id in ids]
        finally:
            self._session.close()

    def _one(self, connection: psycopg.Connection[Any], id: int) -> Outcome:
        row = connection.execute(
            """
            SELECT stage, document, topic, partition, position, place, key, value, code, reason,
                headers
            FROM dead_letters WHERE id = %s AND replayed_at IS NULL AND closed_at IS NULL
            FOR UPDATE
            """,
            (id,),
        ).fetchone()
        if row is None:
            return Outcome(id, False, "there is no such dead letter that is open")
        stage, document, topic, partition, position, place, key, value, code, reason = row[:-1]
        if stage.startswith("stream:"):
            why = self._into_stream(connection, stage.removeprefix("stream:"), document, place)
        elif stage == STAGE:
            why = self._to_relay(connection, place)
        elif code == "version_conflict":
            why = f"{reason} There is nothing to replay."
        elif topic is None:
            why = f"it came from {stage} and is replayed there"
        else:
            headers = tuple(dead_letters.read_headers(row[-1]))
            record = Stored(topic, partition, position, key, value, headers)
            why = self._as_arrived(connection, record)
        if why is None:
            connection.execute("UPDATE dead_letters SET replayed_at = now() WHERE id = %s", (id,))
            return Outcome(id, True, "")
        return Outcome(id, False, why)

    def _into_stream(
        self, connection: psycopg.Connection[Any], name: str, document: str, key: str
    ) -> str | None:
        stream = next((stream for stream in self._streams if stream.name == name), None)
        if stream is None:
            known = ", ".join(one.name for one in self._streams)
            return (
                f"there is no stream {name} any more; there are {known}."
                " `headrace dead-letters close` closes the letter"
            )
        # A worker with a newer version must not be overtaken by what is read here.
        connection.execute(f"SELECT 1 FROM fact_{document} WHERE key = %s FOR UPDATE", (key,))
        changes = list(facts.read(connection, document, [key]))
        if not changes:
            return f"there is no {document} {key} among the facts any more"
        marks = Marks()
        letters = stream.apply(connection, document, changes, marks)
        stream.finish(connection)
        outbox.write(connection, marks)
        return letters[0].reason if letters else None

    def _to_relay(self, connection: psycopg.Connection[Any], place: str) -> str | None:
        """Mark the view at ``place`` (its topic and key); the relay tells if it fails again."""
        topic, _, key = place.partition(" ")
        subjects = {name: one for stream in self._streams for name, one in stream.views.items()}
        if topic not in subjects:
            return f"no stream publishes on {topic} any more"
        marks = Marks()
        marks.add(subjects[topic], [key])
        outbox.write(connection, marks)
        return None

    def _as_arrived(self, connection: psycopg.Connection[Any], record: Stored) -> str | None:
        span = Span(record.topic, record.partition, 0, record.offset, record.offset + 1, [record])
        (contents,) = prepare(record.topic, [span]).contents
        for _, rejected in contents.others:
            if rejected is None:
                return "a later record of its key may have come: publish the tombstone again"
            return rejected.reason
        letters: list[dead_letters.DeadLetter] = []
        document = TOPICS[record.topic].document
        self._ingest.apply(connection, document, contents.arrivals, [], letters)
        return None
