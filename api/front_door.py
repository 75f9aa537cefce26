"""Counts every request, and leads those that publish straight to where they are carried out."""

from __future__ import annotations

from time import perf_counter

import structlog
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.event_reading import document_named
from api.events import EventDoor
from api.local_callers import LocalCallers
from api.problems import Problem, unavailable
from hub import metrics

log = structlog.get_logger(__name__)

_EVENTS = "/v1/events/"
_ROUTE = "/v1/events/{type}"
#: Requests that run, of which each may hold a body.
MOST_AT_ONCE = 512
#: After as many seconds one that is not taken for that may come again.
_OVERLOAD_S = 1


class _Headers(Headers):
    """Headers found by their names in lower case: starlette goes through all of them each time."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        # Of equal names the first counts, as it does there.
        self._first = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(self._list)
        }

    def __getitem__(self, key: str) -> str:
        return self._first[key]


class _Request(Request):
    """A request with the headers that were looked at before."""

    def __init__(self, scope: Scope, receive: Receive, headers: _Headers) -> None:
        super().__init__(scope, receive)
        self._headers = headers


class FrontDoor:
    """The application as it is served.

    Going through all of FastAPI costs a request as much time again as publishing its event; the
    route stays there for the description, and does the same.

    Args:
        app: all the routes.
        events: what publishes.
        local: who may call a door without authentication; None where callers have tokens.
    """

    def __init__(self, app: FastAPI, events: EventDoor, local: LocalCallers | None) -> None:
        self.app = app
        self._events = events
        self._local = local
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self._running += 1
        try:
            await self._answered(scope, receive, send)
        finally:
            self._running -= 1

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        status = 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        name = scope["path"].removeprefix(_EVENTS)
        straight = scope["method"] == "POST" and name != scope["path"] and "/" not in name
        headers = _Headers(scope)
        try:
            if self._running > MOST_AT_ONCE:
                raise unavailable(f"more than {MOST_AT_ONCE} requests run: come back", _OVERLOAD_S)
            if self._local is not None:
                self._local.check(scope["method"], headers)
            if straight:
                response = await self._published(name, _Request(scope, receive, headers))
                await response(scope, receive, counted)
            else:
                await self.app(scope, receive, counted)
        except Problem as problem:
            await problem.response()(scope, receive, counted)
        finally:
            route = _ROUTE if straight else getattr(scope.get("route"), "path", "unknown")
            metrics.HTTP_REQUESTS.labels(route, status).inc()
            metrics.HTTP_SECONDS.labels(route).observe(perf_counter() - began)

    async def _published(self, name: str, request: Request) -> Response:
        try:
            return await self._events.publish(document_named(name), request)
        except Problem as problem:
            return problem.response()
        except Exception as error:
            log.error("request_failed", error=repr(error), exc_info=error)
            return Problem(500, "failed", "the hub could not do this; its log says why").response()
