"""The tokens of the HTTP door: shown once when they are made, and kept as hashes."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import errors

Connection = psycopg.Connection[Any]

#: What a token may be allowed to do.
SCOPES = ("publish", "read", "operate")

_MARK = "headrace"
_NOBODY = sha256(b"no token has this").digest()


class TokenExists(Exception):
    """A token of this name is in use."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``digest`` is the SHA-256 of its secret, which has 256 random bits.

    It may publish for the sources of these names alone; None: for any.
    """

    id: str
    name: str
    digest: bytes
    scopes: tuple[str, ...]
    sources: tuple[str, ...] | None
    created_at: datetime
    revoked_at: datetime | None


def create(
    connection: Connection, name: str, scopes: Sequence[str], sources: Sequence[str] | None = None
) -> str:
    """Make a token and return its text, which is kept nowhere; ``sources`` None: for any.

    Raises:
        TokenExists: one of this name is in use; revoke it first.
    """
    id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    try:
        with connection.transaction():
            connection.execute(
                "INSERT INTO api_tokens (id, name, digest, scopes, sources)"
                " VALUES (%s, %s, %s, %s, %s)",
                (id, name, _digest(secret), list(scopes), None if sources is None else [*sources]),
            )
    except errors.UniqueViolation as error:
        raise TokenExists(f"a token named {name!r} is in use: revoke it first") from error
    return f"{_MARK}_{id}_{secret}"


def revoke(connection: Connection, name: str) -> bool:
    """Revoke the token of this name; returns whether there was one."""
    return (
        connection.execute(
            "UPDATE api_tokens SET revoked_at = now() WHERE name = %s AND revoked_at IS NULL",
            (name,),
        ).rowcount
        > 0
    )


def all_tokens(connection: Connection) -> list[Token]:
    """Every token there ever was, the oldest first."""
    rows = connection.execute(
        """
        SELECT id, name, digest, scopes, sources, created_at, revoked_at
        FROM api_tokens ORDER BY created_at, id
        """
    )
    return [
        Token(
            id,
            name,
            bytes(digest),
            tuple(scopes),
            None if sources is None else tuple(sources),
            created,
            revoked,
        )
        for id, name, digest, scopes, sources, created, revoked in rows
    ]


def active_tokens(connection: Connection) -> dict[str, Token]:
    """The tokens that count, by id."""
    return {one.id: one for one in all_tokens(connection) if one.revoked_at is None}


def token_of(active: Mapping[str, Token], text: str) -> Token | None:
    """The token whose text this is; takes as long for one that does not exist."""
    mark, _, rest = text.partition("_")
    id, _, secret = rest.partition("_")
    token = active.get(id) if mark == _MARK else None
    kept = _NOBODY if token is None else token.digest
    return token if hmac.compare_digest(_digest(secret), kept) else None


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()
