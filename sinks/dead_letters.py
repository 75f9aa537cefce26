"""What the hub could not take: kept whole, with its place and the reason, ready to be replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that was refused.

    ``stage`` says who refused it: ``connector:<source>``, ``decode``, ``facts`` or
    ``stream:<name>``; ``place`` is where it came from (``file:line`` for a source).
    ``key`` and ``value`` are the original bytes.
    """

    stage: str
    code: str
    reason: str
    document: str | None = None
    topic: str | None = None
    partition: int | None = None
    position: int | None = None
    place: str | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    error: str | None = None
    mapping: str | None = None
    mapping_version: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same refusal of the same record: reading again adds no second letter.

        A record of a topic is known by its offset; one of a source by its content, wherever in
        the source's files it stands, and by its place only where it has no content.
        """
        named: tuple[object, ...]
        if self.position is not None:
            named = (self.stage, self.topic, self.partition, self.position, self.code)
        else:
            content = self.place if self.value is None else self.value
            named = (self.stage, self.document, content, self.code)
        return hashlib.sha256(repr(named).encode()).digest()


def add(connection: psycopg.Connection[Any], letters: Iterable[DeadLetter]) -> int:
    """Insert ``letters`` in the caller's transaction; return how many were new.

    One that was replayed and is refused again is open again.
    """
    added = 0
    for letter in letters:
        headers = [[name, value.decode("latin-1")] for name, value in letter.headers]
        cursor = connection.execute(
            """
            INSERT INTO dead_letters (stage, document, topic, partition, position, place, key,
                value, headers, code, reason, error, mapping, mapping_version, fingerprint)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (fingerprint) DO UPDATE SET replayed_at = NULL
                WHERE dead_letters.replayed_at IS NOT NULL
            """,
            (
                letter.stage,
                letter.document,
                letter.topic,
                letter.partition,
                letter.position,
                letter.place,
                letter.key,
                letter.value,
                Jsonb(headers),
                letter.code,
                letter.reason,
                letter.error,
                letter.mapping,
                letter.mapping_version,
                letter.fingerprint(),
            ),
        )
        added += cursor.rowcount
    return added
