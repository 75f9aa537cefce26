"""``POST /v1/hooks/{source}``: records that a source delivers by itself, and that are mapped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from api.bodies import media_type, read_body
from api.descriptions import hook_description, hook_responses
from api.events import PATIENCE_S, SMALL_BYTES, STALLED_S
from api.gathering import Full, Gathering
from api.guarding import Guard
from api.hook_desk import Delivery, Hook
from api.keyed import WEBHOOK_ID, fingerprint, running
from api.media_types import JSON, LINES
from api.problems import Problem, unavailable
from api.replies import Reply
from api.webhooks import require_signed, verified_id
from connectors.mapping.model import Stream
from connectors.mapping.values import shown, to_micros
from hub.clock import utc_now
from sinks.idempotency import Asked, Name


class HookDoor:
    """Takes deliveries of webhooks.

    Args:
        guard: of the door.
        gathering: what carries them out.
        hooks: by the names of their sources.
    """

    def __init__(
        self, guard: Guard, gathering: Gathering[Delivery], hooks: Mapping[str, Hook]
    ) -> None:
        self._guard = guard
        self._gathering = gathering
        self._hooks = hooks
        self._running: set[Name] = set()

    async def deliver(self, source: str, stream: str | None, request: Request) -> Response:
        """Take a delivery; answers when its records are published, or kept as dead letters.

        Raises:
            Problem: nothing of it was done.
        """
        hook = self._hooks.get(source)
        if hook is None:
            raise Problem(
                404, "unknown_source", f"there is no source of kind http named {source!r}"
            )
        try:
            require_signed(request.headers, utc_now())
            kind, body, id, mark = await self._verified(hook, request)
        except Problem as problem:
            if problem.status == 401:
                self._guard.unsigned(request)
            raise
        self._guard.hook(source)
        name = (f"hook:{source}", id)
        stream_of = _stream(hook, stream)
        asked = Asked(name, mark, to_micros(utc_now()))
        if self._gathering.busy_seconds() > STALLED_S:
            raise unavailable("the broker or the database is away: deliver it again later")
        if name in self._running:
            raise running(WEBHOOK_ID)
        self._running.add(name)
        reply = Reply(lambda: self._running.discard(name))
        delivery = Delivery(source, stream_of, body, kind in LINES, asked, reply)
        try:
            self._gathering.submit(delivery)
        except Full as error:
            self._running.discard(name)
            raise unavailable("too much waits to be taken in", retry_after=1) from error
        answered, before = await reply.within(PATIENCE_S)
        headers = {"Idempotent-Replayed": "true"} if before else None
        return Response(answered.answer, answered.status, headers, JSON)

    async def _verified(self, hook: Hook, request: Request) -> tuple[str, bytes, str, bytes]:
        """Media type and body of a call, the id that its sender gave it, and its fingerprint."""
        kind = media_type(request)
        if kind != JSON and kind not in LINES:
            raise Problem(415, "unsupported_media_type", f"the content type {kind!r} is not taken")
        body = await read_body(request, self._guard.limits)
        signed = hook.source.secret, request.headers, body
        if len(body) <= SMALL_BYTES:
            return kind, body, verified_id(*signed), fingerprint(body)
        id = await asyncio.to_thread(verified_id, *signed)
        return kind, body, id, await asyncio.to_thread(fingerprint, body)


def _stream(hook: Hook, named: str | None) -> Stream:
    streams = hook.mapping.streams
    if named is None and len(streams) == 1:
        (only,) = streams.values()
        return only
    known = ", ".join(streams)
    if named is None:
        path = f"/v1/hooks/{hook.source.name}/{next(iter(streams))}"
        detail = f"the mapping has several streams ({known}): name one in the address, as in {path}"
        raise Problem(404, "unknown_stream", detail)
    if named not in streams:
        detail = f"the mapping has no stream {shown(named)}; its streams are {known}"
        raise Problem(404, "unknown_stream", detail)
    return streams[named]


def hooks_router(door: HookDoor) -> APIRouter:
    """Return the routes that webhooks call."""
    router = APIRouter(prefix="/v1/hooks", tags=["webhooks"])
    responses = hook_responses()

    @router.post(
        "/{source}",
        status_code=202,
        summary="Deliver records of a source whose mapping has one stream",
        openapi_extra=hook_description(),
        responses=responses,
    )
    async def deliver(source: str, request: Request) -> Response:
        return await door.deliver(source, None, request)

    @router.post(
        "/{source}/{stream}",
        status_code=202,
        summary="Deliver records of a stream of the source's mapping",
        openapi_extra=hook_description(),
        responses=responses,
    )
    async def deliver_stream(source: str, stream: str, request: Request) -> Response:
        return await door.deliver(source, stream, request)

    return router
