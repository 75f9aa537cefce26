"""What the hub could not take: kept whole, with its place and the reason, ready to be replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Jsonb


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that was refused.

    ``stage`` says who refused it: ``connector:<source>`` (``connector:http:<caller>`` what a caller
    published itself), ``decode``, ``facts``, ``stream:<name>`` or ``relay`` (a view that cannot be
    written); ``place`` is where it came from
    (``file:line`` for a source).
    ``key`` and ``value`` are the original bytes. ``part`` is what of its source refused it: a
    stream or an event of the mapping. The headers hold it, by their own names.
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
    headers: Sequence[tuple[str, bytes | None]] = ()
    error: str | None = None
    mapping: str | None = None
    mapping_version: str | None = None
    part: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same refusal of the same record: reading again adds no second letter.

        A record of a topic is known by its offset and content (a topic may be created again); one
        of a source by its content, wherever in the source's files it stands, and by its place only
        where it has no content. Two parts of a source may each refuse the same content.
        """
        named: tuple[object, ...]
        if self.position is not None:
            where = (self.topic, self.partition, self.position)
            named = (self.stage, *where, self.code, self.key, self.value)
        else:
            content = self.place if self.value is None else self.value
            named = (self.stage, self.part, self.document, content, self.code)
        return hashlib.sha256(repr(named).encode()).digest()


def add(connection: psycopg.Connection[Any], letters: Iterable[DeadLetter]) -> int:
    """Insert ``letters`` in the caller's transaction; return how many were new.

    One that was replayed, or closed, and is refused again is open again.
    """
    added = 0
    for letter in letters:
        cursor = connection.execute(
            """
            INSERT INTO dead_letters (stage, document, topic, partition, position, place, key,
                value, headers, code, reason, error, mapping, mapping_version, fingerprint)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (fingerprint) DO UPDATE SET replayed_at = NULL, closed_at = NULL
                WHERE coalesce(dead_letters.replayed_at, dead_letters.closed_at) IS NOT NULL
            """,
            (
                letter.stage,
                letter.document,
                letter.topic,
                letter.partition,
                letter.position,
                _text(letter.place),
                letter.key,
                letter.value,
                Jsonb(stored_headers(letter.headers)),
                letter.code,
                _text(letter.reason),
                _text(letter.error),
                letter.mapping,
                letter.mapping_version,
                letter.fingerprint(),
            ),
        )
        added += cursor.rowcount
    return added


class Kept(NamedTuple):
    """How many letters are open, and how many bytes their records have."""

    letters: int
    size: int


def kept_of(connection: psycopg.Connection[Any], stage: str) -> Kept:
    """What is open of a stage."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(sum(octet_length(value)), 0)::bigint FROM dead_letters
        WHERE stage = %s AND replayed_at IS NULL AND closed_at IS NULL
        """,
        (stage,),
    ).fetchone()
    return Kept(0, 0) if row is None else Kept(*row)


def erase(connection: psycopg.Connection[Any], document: str, keys: Iterable[str]) -> None:
    """Delete the letters of records for which a tombstone came, in the caller's transaction.

    They hold what was to be erased, and a replay would bring it back. A replay that holds one of
    them is waited for: what it laid is committed then, and seen by what follows here.
    """
    connection.execute(
        "DELETE FROM dead_letters WHERE document = %s AND key = ANY(%b)",
        (document, [key.encode() for key in keys]),
    )


def stored_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[list[Any]]:
    """Return headers as the table keeps them: values as Latin-1, or in hexadecimal.

    PostgreSQL's JSON cannot hold a zero byte.
    """
    return [
        [_text(name), {"hex": value.hex()} if value and b"\0" in value else _latin(value)]
        for name, value in headers
    ]


def read_headers(stored: Iterable[Sequence[Any]] | None) -> list[tuple[str, bytes | None]]:
    """Return the headers of a letter from what the table keeps of them."""
    return [(name, _bytes(value)) for name, value in stored or ()]


def _latin(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    return None if value is None else str(value).encode("latin-1")


def _text(value: str | None) -> str | None:
    """Return a text that a column can hold: without zero bytes."""
    return None if value is None else value.replace("\0", "\\0")
