"""Puts the HTTP door together: routes, what works behind them, and what is told when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.authentication import Authentication
from api.descriptions import components
from api.event_desk import AT_ONCE, EventDesk, Publication
from api.events import EventDoor, events_router
from api.front_door import FrontDoor
from api.gathering import Gathering
from api.guarding import Guard
from api.health import Readiness, health_router
from api.hook_desk import Delivery, Hook, HookDesk
from api.hooks import HookDoor, hooks_router
from api.local_callers import LocalCallers
from api.problems import Fault, Problem
from api.reading_apart import ReadingApart
from api.registry import registry_router
from connectors.mapping.loading import load_mapping
from connectors.publish import KafkaPublisher
from connectors.pushed.source_rights import SourceRights
from hub.kafka import Cluster
from hub.settings import Api, Settings
from hub.source_settings import HttpSource
from sinks.database import engine
from sinks.session import Session

_AT_ONCE_DELIVERIES = 100
#: Records that may wait; a caller is told to come back before memory is short.
_MOST_WAITING = 50_000
#: Below what a caller notices, and enough for several requests of a thousand in a second.
_PACE_S = 0.01
#: A request is told that the broker is away before the caller gives up.
_BLOCK_S = 4.0
_DELIVERY_S = 8.0
_STOP_S = 12.0

_CODES = {404: "not_found", 405: "not_allowed", 413: "too_large"}


@dataclass(frozen=True, slots=True)
class Behind:
    """What the door stands in front of."""

    settings: Settings
    limits: Api
    cluster: Cluster
    database_url: str


def create_app(behind: Behind) -> FrontDoor:
    """The application of the HTTP door.

    Raises:
        MappingError: the mapping of a source of kind ``http`` is not valid.
    """
    settings, url = behind.settings, behind.database_url
    publisher = partial(KafkaPublisher, behind.cluster, patience_s=_BLOCK_S, delivery_s=_DELIVERY_S)
    hooks = _hooks(settings)
    session = Session(url, name="headrace api writer")
    event_desk = EventDesk(session, SourceRights(url, wait_s=0.0), publisher)
    hook_desk = HookDesk(url, publisher, hooks)
    events: Gathering[Publication] = Gathering(
        "events", event_desk.work, at_once=AT_ONCE, most=_MOST_WAITING, pace_s=_PACE_S
    )
    deliveries: Gathering[Delivery] = Gathering(
        "hooks",
        hook_desk.work,
        at_once=_AT_ONCE_DELIVERIES,
        most=_MOST_WAITING,
        pace_s=_PACE_S,
    )
    apart = ReadingApart()
    database = engine(url)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        events.start()
        deliveries.start()
        yield
        await asyncio.to_thread(events.stop, _STOP_S)
        await asyncio.to_thread(deliveries.stop, _STOP_S)
        apart.close()
        event_desk.close()
        hook_desk.close()
        database.dispose()

    app = FastAPI(
        title="Headrace",
        summary="Documents in, from any system",
        version="1",
        lifespan=living,
        # Their pages load programs from elsewhere.
        docs_url=None,
        redoc_url=None,
        max_body_size=behind.limits.body_bytes,
    )
    authentication = Authentication(url, required=behind.limits.authentication)
    guard = Guard(behind.limits, authentication)
    read_elsewhere = frozenset(one.name for one in settings.sources if one.name not in hooks)
    publishing = EventDoor(guard, events, apart, read_elsewhere)
    app.include_router(events_router(publishing))
    app.include_router(hooks_router(HookDoor(guard, deliveries, hooks)))
    threads = {"events": events.is_working, "hooks": deliveries.is_working}
    app.include_router(health_router(Readiness(behind.cluster, url, threads), guard))
    app.include_router(registry_router(database), dependencies=[Depends(guard.registry)])
    app.add_exception_handler(Problem, _told)
    app.add_exception_handler(HTTPException, _told_by_starlette)
    app.add_exception_handler(RequestValidationError, _told_invalid)
    _describe(app)
    limits = behind.limits
    local = None if limits.authentication else LocalCallers(limits.host)
    return FrontDoor(app, publishing, local)


def _hooks(settings: Settings) -> dict[str, Hook]:
    zone = settings.company.zone
    return {
        source.name: Hook(source, load_mapping(source.mapping, source.name, zone))
        for source in settings.sources
        if isinstance(source, HttpSource)
    }


def _describe(app: FastAPI) -> None:
    """Add the contracts' schemas to the OpenAPI document."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        document.setdefault("components", {}).setdefault("schemas", {}).update(components())
        return document

    # FastAPI's documented way to extend its OpenAPI document.
    app.openapi = openapi  # type: ignore[method-assign]


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _told_by_starlette(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "refused")
    problem = Problem(error.status_code, code, str(error.detail), headers=error.headers)
    return problem.response()


async def _told_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        Fault("".join(f"/{step}" for step in one["loc"]), one["type"], one["msg"])
        for one in error.errors()
    ]
    return Problem(422, "invalid", "the request does not fit its description", faults).response()
