"""Requests with a key of their sender: each is worked on once, and answered the same each time."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from time import monotonic

from api.problems import Problem
from sinks import idempotency
from sinks.idempotency import Answered, Asked, Begun, Name, OtherContent
from sinks.session import Session

#: The headers that name a request: of who publishes, and of webhooks.
IDEMPOTENCY_KEY = "Idempotency-Key"
WEBHOOK_ID = "webhook-id"
_LONGEST_KEY = 255
_FORGET_SECONDS = 300.0


class KeyedRequests:
    """What is known of keys; used by the one thread that carries requests out.

    Args:
        header: in which the keys came.
    """

    def __init__(self, header: str) -> None:
        self._header = header
        self._forgotten_at = 0.0

    def begin(
        self, session: Session, owner: int, asked: Sequence[Asked]
    ) -> dict[Name, Begun | Answered | Problem]:
        """Which of the requests to work on, and what to reply to the others.

        Raises:
            psycopg.Error: the database is away.
        """
        forget = monotonic() - self._forgotten_at > _FORGET_SECONDS
        if forget:
            session.run(idempotency.forget_old)
            self._forgotten_at = monotonic()
        found = session.run(lambda connection: idempotency.begin(connection, owner, asked))
        return {
            name: state if isinstance(state, Begun | Answered) else self._conflict(state)
            for name, state in found.items()
        }

    def _conflict(self, state: object) -> Problem:
        if isinstance(state, OtherContent):
            detail = (
                f"this {self._header} came with another content before: a new request needs a new"
                " one"
            )
            return Problem(409, "key_reused", detail)
        return running(self._header)


def running(header: str) -> Problem:
    """The problem of a request that is being worked on; ``header`` is the one with its key."""
    detail = f"a request with this {header} is being worked on: ask for its answer later"
    return Problem(409, "still_running", detail, retry_after=1)


def stated_key(header: str | None) -> str | None:
    """The key of a request, from its header: a quoted string (RFC 8941), or the bare text.

    Raises:
        Problem: it is empty, too long, or has signs that no key has.
    """
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not key or len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable():
        detail = f"an Idempotency-Key has 1 to {_LONGEST_KEY} printable ASCII signs"
        raise Problem(400, "bad_key", detail)
    return key


def fingerprint(*parts: bytes) -> bytes:
    """Equal for equal contents."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
