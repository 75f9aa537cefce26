"""Knows callers by their tokens: looked up in the database, and again every other second."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

from psycopg import Error
from starlette.requests import Request

from api.problems import Problem, unavailable
from connectors.mapping.values import shown
from sinks import tokens
from sinks.database import connect
from sinks.tokens import Token

#: How long a revoked token goes on counting.
_FRESH_S = 2.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, what they may do, and for which sources they may publish (None: for any)."""

    name: str
    scopes: frozenset[str]
    sources: frozenset[str] | None = None

    def require_sources(self, named: Iterable[str]) -> None:
        """See that documents of these sources are theirs to publish.

        Raises:
            Problem: one of them is not.
        """
        if self.sources is None:
            return
        foreign = next((one for one in named if one not in self.sources), None)
        if foreign is not None:
            own = ", ".join(sorted(self.sources))
            detail = (
                f"the token {self.name!r} may not publish for the source {shown(foreign)}: its"
                f" sources are {own}"
            )
            raise Problem(403, "foreign_source", detail, more={"source": foreign})


#: Whoever calls a door without authentication, which only this machine reaches.
ANYBODY = Caller("anybody", frozenset(tokens.SCOPES))


class Authentication:
    """Tells callers apart.

    Args:
        url: of the database.
        required: whether a token is needed at all.
    """

    def __init__(self, url: str, *, required: bool) -> None:
        self.required = required
        self._url = url
        self._active: Mapping[str, Token] = {}
        self._callers: dict[str, Caller] = {}
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def caller(self, request: Request, scope: str) -> Caller:
        """Who sent the request, if they may do what ``scope`` names.

        Raises:
            Problem: they may not, or it cannot be found out now.
        """
        if not self.required:
            return ANYBODY
        text = _presented(request.headers.get("authorization"))
        if monotonic() - self._looked_at > _FRESH_S:
            await self._look()
        caller = self._callers.get(text)
        if caller is None:
            token = tokens.token_of(self._active, text)
            if token is None:
                raise _unknown("the token is not known, or was revoked")
            sources = None if token.sources is None else frozenset(token.sources)
            caller = Caller(token.name, frozenset(token.scopes), sources)
            self._callers[text] = caller
        if scope not in caller.scopes:
            detail = f"the token {caller.name!r} has not the scope {scope}"
            raise Problem(403, "scope", detail, more={"scope": scope})
        return caller

    async def _look(self) -> None:
        async with self._looking:
            if monotonic() - self._looked_at <= _FRESH_S:
                return
            try:
                self._active = await asyncio.to_thread(self._read)
            except Error as error:
                raise unavailable(
                    "the database is away, so that no token can be checked"
                ) from error
            self._callers = {}
            self._looked_at = monotonic()

    def _read(self) -> Mapping[str, Token]:
        with connect(self._url, name="headrace api tokens") as connection:
            return tokens.active_tokens(connection)


def _presented(header: str | None) -> str:
    """The token of a request: a bearer's, or the password of basic authentication."""
    if header is None:
        raise _unknown("the request has no token: send Authorization: Bearer TOKEN")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except ValueError as error:
            raise _unknown("the credentials are no basic authentication") from error
    raise _unknown("the scheme is not taken: send Authorization: Bearer TOKEN")


def _unknown(detail: str) -> Problem:
    headers = {"WWW-Authenticate": 'Bearer realm="headrace"'}
    return Problem(401, "unauthorized", detail, headers=headers)
