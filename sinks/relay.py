"""The relay: publishes views whose keys were marked, as they stand now, to compacted topics.

One relay at a time (an advisory lock of its session). A batch of marks is read, the views after
that, and what is about to be published is noted; then it is published and acknowledged, and only
then the marks leave the outbox: a relay that dies in between publishes again. What is read is never
older than the mark, and there is one relay, so a key's publications never go back
(docs/decisions/0003). A view that its contract cannot hold is a dead letter and keeps no other from
being published.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import psycopg
import structlog

from hub.metrics import DEAD_LETTERS, RELAYED
from schemas.catalogue import TOPICS, Topic
from schemas.codec import Unencodable, encode
from sinks import dead_letters
from sinks.dead_letters import DeadLetter

log = structlog.get_logger(__name__)

#: The stage of its dead letters.
STAGE = "relay"

#: Names the advisory lock of the one relay.
RELAY_LOCK = 7_206_503
#: As many marks at once: the more, the more often a key stands among them several times.
BATCH = 20_000

#: The digest of what was perhaps published, and of no record.
DOUBTFUL = b""

View = Mapping[str, Any]


class Producer(Protocol):
    """What the relay needs of a Kafka producer (kafka-python's fits)."""

    def send(self, topic: str, *, key: bytes, value: bytes | None) -> Any:
        """Queue a record; the result's ``get`` raises if it was not acknowledged."""

    def flush(self) -> Any:
        """Send everything that is queued."""


#: Reads the views behind marked keys: by view key the document, None where there is none now.
ReadViews = Callable[[psycopg.Connection[Any], list[str]], Mapping[str, View | None]]


class RelayTaken(Exception):
    """Another relay holds the lock."""


class Relay:
    """Publishes from the outbox of one database.

    Args:
        connection: in autocommit; the relay's own.
        producer: idempotent, waiting for all acknowledgements.
        readers: for each subject of marks, its view topics and what reads their views.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        producer: Producer,
        readers: Mapping[str, Mapping[str, ReadViews]],
    ) -> None:
        self._connection = connection
        self._producer = producer
        self._readers = readers

    def take_over(self) -> None:
        """Become the one relay.

        Raises:
            RelayTaken: there is another one.
        """
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (RELAY_LOCK,)).fetchone()
        if row is None or not row[0]:
            raise RelayTaken("another relay publishes from this database")

    def publish_batch(self) -> int:
        """Publish what is marked, at most `BATCH` marks; return how many marks were taken.

        Raises:
            Exception: the broker did not acknowledge; nothing is taken out of the outbox.
        """
        connection = self._connection
        with connection.transaction():
            marks = connection.execute(
                "SELECT id, subject, key FROM outbox ORDER BY id LIMIT %s", (BATCH,)
            ).fetchall()
            by_subject: dict[str, set[str]] = {}
            for _, subject, key in marks:
                by_subject.setdefault(subject, set()).add(key)
            changed: dict[tuple[str, str], bytes | None] = {}
            letters: list[DeadLetter] = []
            for subject, keys in sorted(by_subject.items()):
                for topic, read in self._readers[subject].items():
                    views = read(connection, sorted(keys))
                    changed.update(self._changed(topic, views, letters))
            # Before anything is sent: if we die behind it, the next relay knows that it may have
            # been, also where the view stands under another key by then.
            self._note(dict.fromkeys(changed, DOUBTFUL))
        self._send(changed)
        with connection.transaction():
            self._note({place: digest_of(value) for place, value in changed.items()})
            connection.execute(
                "DELETE FROM outbox WHERE id = ANY(%b)", ([number for number, _, _ in marks],)
            )
            for letter in letters:
                if dead_letters.add(connection, [letter]):
                    DEAD_LETTERS.labels(stage=letter.stage, code=letter.code).inc()
                    log.warning("view_not_publishable", place=letter.place, reason=letter.reason)
        return len(marks)

    def _changed(
        self, topic: str, views: Mapping[str, View | None], letters: list[DeadLetter]
    ) -> dict[tuple[str, str], bytes | None]:
        """Return the records of those of ``views`` that are not what was published last."""
        contract = TOPICS[topic]
        published = dict(
            self._connection.execute(
                "SELECT key, digest FROM published_views WHERE topic = %s AND key = ANY(%b)",
                (topic, list(views)),
            ).fetchall()
        )
        changed: dict[tuple[str, str], bytes | None] = {}
        for key, view in views.items():
            try:
                value = None if view is None else encode(contract, view)
            except Unencodable as error:
                letters.append(not_publishable(contract, key, error))
                continue
            if value is None and key not in published:
                continue
            if published.get(key) != digest_of(value):
                changed[topic, key] = value
        return changed

    def _send(self, changed: Mapping[tuple[str, str], bytes | None]) -> None:
        """Send records and wait until the broker has acknowledged all of them."""
        sent = [
            self._producer.send(topic, key=key.encode(), value=value)
            for (topic, key), value in changed.items()
        ]
        self._producer.flush()
        for future in sent:
            future.get(timeout=30)
        for topic, number in Counter(topic for topic, _ in changed).items():
            RELAYED.labels(topic=topic).inc(number)

    def _note(self, digests: Mapping[tuple[str, str], bytes]) -> None:
        """Keep what was published of each (topic, key): the digest of its record."""
        if not digests:
            return
        self._connection.execute(
            """
            INSERT INTO published_views (topic, key, digest)
            SELECT * FROM unnest(%b::text[], %b::text[], %s::bytea[])
            ON CONFLICT (topic, key) DO UPDATE SET digest = excluded.digest
            """,
            (
                [topic for topic, _ in digests],
                [key for _, key in digests],
                list(digests.values()),
            ),
        )


def digest_of(value: bytes | None) -> bytes:
    """Return what is kept of a record's value; None is a tombstone's."""
    return hashlib.sha256(value or b"").digest()


def not_publishable(contract: Topic, key: str, error: Exception) -> DeadLetter:
    """Return the dead letter of a view that its contract cannot hold."""
    return DeadLetter(
        stage=STAGE,
        document=contract.document,
        code="not_publishable",
        reason=(
            f"The view {key} cannot be published on {contract.name}, which keeps what it said of"
            f" it before. {error} Correct the documents behind it in their source; it is published"
            " as soon as they arrive, and replaying this letter publishes it again as well."
        ),
        error=repr(error),
        place=f"{contract.name} {key}",
        key=key.encode(),
    )
