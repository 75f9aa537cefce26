"""Answers to requests that carried an Idempotency-Key, so that a repeat gets the same one again.

Every function works in the caller's transaction. A request is remembered before it is worked on;
the process that does so holds the lock of its ``owner`` number, so that others can tell a request
that is being worked on from one whose process was killed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]

_LOCK_CLASS = 7302
_KEPT = "1 day"

#: A request by its caller and its key.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: ``fingerprint`` is of its content, ``arrived_at`` in µs since 1970."""

    name: Name
    fingerprint: bytes
    arrived_at: int


@dataclass(frozen=True, slots=True)
class Begun:
    """It is to be worked on.

    ``arrived_at`` is when it came for the first time, in µs; ``taken`` is what was noted of its
    shares before the work was broken off.
    """

    arrived_at: int
    taken: bytes = b""


@dataclass(frozen=True, slots=True)
class Answered:
    """It was answered before."""

    status: int
    answer: bytes


@dataclass(frozen=True, slots=True)
class OtherContent:
    """The key was used for another content."""


@dataclass(frozen=True, slots=True)
class Running:
    """Another process works on it."""


def become_owner(connection: Connection) -> int:
    """A number for this process, known to be alive for as long as the session of ``connection``."""
    owner = secrets.randbelow(2**31)
    connection.execute("SELECT pg_advisory_lock(%s, %s)", (_LOCK_CLASS, owner))
    return owner


def begin(
    connection: Connection, owner: int, asked: Sequence[Asked]
) -> dict[Name, Begun | Answered | OtherContent | Running]:
    """Remember requests that are new, and say of each what is to be done.

    Args:
        connection: of the caller's transaction.
        owner: of this process, which works on none of these yet.
        asked: at most one for each caller and key.
    """
    ordered = sorted(asked, key=lambda one: one.name)
    begun = connection.execute(
        """
        INSERT INTO idempotency_keys AS k (caller, key, fingerprint, arrived_at, owner)
        SELECT a.caller, a.key, a.fingerprint, a.arrived_at, %(owner)s
        FROM unnest(%(callers)s::text[], %(keys)s::text[], %(prints)s::bytea[],
            %(arrived)s::bigint[]) AS a (caller, key, fingerprint, arrived_at)
        ON CONFLICT (caller, key) DO UPDATE SET owner = excluded.owner
        WHERE k.answer IS NULL AND k.fingerprint = excluded.fingerprint
            AND (k.owner = excluded.owner OR NOT EXISTS (
                SELECT FROM pg_locks l
                WHERE l.locktype = 'advisory' AND l.classid = %(class)s AND l.objid = k.owner::oid
                    AND l.database = (SELECT oid FROM pg_database
                        WHERE datname = current_database())
            ))
        RETURNING caller, key, arrived_at, coalesce(taken, ''::bytea)
        """,
        {
            "owner": owner,
            "class": _LOCK_CLASS,
            "callers": [one.name[0] for one in ordered],
            "keys": [one.name[1] for one in ordered],
            "prints": [one.fingerprint for one in ordered],
            "arrived": [one.arrived_at for one in ordered],
        },
    )
    found: dict[Name, Begun | Answered | OtherContent | Running] = {
        (caller, key): Begun(arrived, bytes(taken)) for caller, key, arrived, taken in begun
    }
    for one in ordered:
        if one.name not in found:
            found[one.name] = _before(connection, one)
    return found


def _before(connection: Connection, asked: Asked) -> Answered | OtherContent | Running:
    row = connection.execute(
        "SELECT fingerprint, status, answer FROM idempotency_keys WHERE caller = %s AND key = %s",
        asked.name,
    ).fetchone()
    if row is None:
        return Running()
    fingerprint, status, answer = row
    if bytes(fingerprint) != asked.fingerprint:
        return OtherContent()
    return Running() if answer is None else Answered(status, bytes(answer))


def proceed(connection: Connection, taken: Mapping[Name, bytes]) -> None:
    """Note of requests that were begun what was taken of them now, behind what was before."""
    for (caller, key), noted in taken.items():
        connection.execute(
            """
            UPDATE idempotency_keys SET taken = coalesce(taken, ''::bytea) || %s
            WHERE caller = %s AND key = %s
            """,
            (noted, caller, key),
        )


def finish(connection: Connection, answers: Mapping[Name, Answered]) -> None:
    """Keep the answers of requests that were begun."""
    if not answers:
        return
    connection.execute(
        """
        UPDATE idempotency_keys k SET status = a.status, answer = a.answer, taken = NULL
        FROM unnest(%s::text[], %s::text[], %s::int[], %s::bytea[])
            AS a (caller, key, status, answer)
        WHERE k.caller = a.caller AND k.key = a.key
        """,
        (
            [caller for caller, _ in answers],
            [key for _, key in answers],
            [one.status for one in answers.values()],
            [one.answer for one in answers.values()],
        ),
    )


def forget_old(connection: Connection) -> int:
    """Remove what is older than a day; returns how many."""
    return connection.execute(
        f"DELETE FROM idempotency_keys WHERE begun_at < now() - interval '{_KEPT}'"
    ).rowcount
