"""``POST /v1/events/{type}``: documents that other systems publish."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.bodies import media_type, read_body
from api.descriptions import event_responses, of_cloud_events, of_type, types_in_words
from api.event_desk import Publication
from api.event_reading import Content, Events, Reading, document_named, read_events
from api.gathering import Full, Gathering
from api.guarding import Guard
from api.keyed import IDEMPOTENCY_KEY, fingerprint, running, stated_key
from api.problems import MEDIA_TYPE, unavailable
from api.reading_apart import ReadingApart
from api.refused_events import Sent
from api.replies import Reply
from connectors.mapping.values import to_micros
from connectors.pushed.settling import Pushed
from connectors.traces import trace_of
from hub.clock import utc_now
from sinks.idempotency import Answered, Asked, Name

#: A larger body is read elsewhere, so that other requests are not held up meanwhile.
SMALL_BYTES = 16 * 1024
#: Beyond this the broker or the database is away, and nobody is kept waiting.
STALLED_S = 5.0
PATIENCE_S = 15.0

TypeName = Annotated[str, Path(json_schema_extra=types_in_words())]


class EventDoor:
    """Takes requests to publish.

    Args:
        guard: of the door.
        gathering: what carries them out.
        apart: reads large bodies.
        read_elsewhere: sources that the hub reads itself.
    """

    def __init__(
        self,
        guard: Guard,
        gathering: Gathering[Publication],
        apart: ReadingApart,
        read_elsewhere: frozenset[str],
    ) -> None:
        self._guard = guard
        self._gathering = gathering
        self._apart = apart
        self._read_elsewhere = read_elsewhere
        self._running: set[Name] = set()
        # Places tell requests apart, also those of an earlier process.
        self._process = secrets.token_hex(4)
        self._numbers = count(1)

    async def publish(self, document: str | None, request: Request) -> Response:
        """Publish the events of a request; answers when the broker has acknowledged them.

        Raises:
            Problem: nothing of it was done.
        """
        caller = await self._guard.publisher(request)
        key = stated_key(request.headers.get("idempotency-key"))
        kind = media_type(request)
        body = await read_body(request, self._guard.limits)
        headers = {name: value for name, value in request.headers.items() if name[:3] == "ce-"}
        content = Content(kind, headers, body)
        given = request.headers.get("traceparent")
        reading = Reading(
            self._guard.limits,
            to_micros(utc_now()),
            f"{self._process}-{next(self._numbers)}",
            self._read_elsewhere,
            trace_of(given).span() if given else None,
        )

        def permitted(events: Events) -> Events:
            caller.require_sources(one.source for one in events.handed if isinstance(one, Pushed))
            return events

        def read() -> Events:
            return permitted(read_events(document, content, reading))

        known = None
        if len(body) > SMALL_BYTES:
            known = permitted(await self._apart.read(document, content, reading))
        asked = None
        if key is not None:
            attributes = repr(sorted(headers.items())).encode()
            mark = fingerprint((document or "").encode(), kind.encode(), attributes, body)
            asked = Asked((caller.name, key), mark, reading.arrived_at)
        came = reading.request, reading.arrived_at
        sent = Sent(caller, *came, document, kind, tuple(headers.items()), body)
        answered, before = await self._carried_out(sent, read, known, asked)
        return _response(answered, before)

    async def _carried_out(
        self,
        sent: Sent,
        read: Callable[[], Events],
        known: Events | None,
        asked: Asked | None,
    ) -> tuple[Answered, bool]:
        if self._gathering.busy_seconds() > STALLED_S:
            raise unavailable("the broker or the database is away: try again later")
        reply = Reply()
        if asked is not None:
            name = asked.name
            if name in self._running:
                raise running(IDEMPOTENCY_KEY)
            self._running.add(name)
            reply = Reply(lambda: self._running.discard(name))
        try:
            self._gathering.submit(Publication(sent, read, asked, reply, known))
        except Full as error:
            if asked is not None:
                self._running.discard(asked.name)
            raise unavailable("too much waits to be published", retry_after=1) from error
        return await reply.within(PATIENCE_S)


def _response(answered: Answered, before: bool) -> Response:
    kind = MEDIA_TYPE if answered.status >= 400 else "application/json"
    headers = {"Idempotent-Replayed": "true"} if before else None
    return Response(answered.answer, answered.status, headers, kind)


def events_router(door: EventDoor) -> APIRouter:
    """Return the routes that publish."""
    router = APIRouter(prefix="/v1", tags=["events"])
    described: dict[str, Any] = {"status_code": 202, "responses": event_responses()}

    @router.post(
        "/events/{type}",
        summary="Publish documents of a type",
        openapi_extra=of_type(),
        **described,
    )
    async def publish(request: Request, type: TypeName) -> Response:
        return await door.publish(document_named(type), request)

    @router.post(
        "/events",
        summary="Publish CloudEvents, each of which names its type",
        openapi_extra=of_cloud_events(),
        **described,
    )
    async def publish_cloud_events(request: Request) -> Response:
        return await door.publish(None, request)

    return router
