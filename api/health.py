"""Tells whether this process lives, whether it can do its work, and what it has counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from hub.kafka import Cluster, KafkaError
from sinks.database import connect

if TYPE_CHECKING:
    from api.guarding import Guard

import psycopg

_FRESH_S = 1.0
_PATIENCE_MS = 3_000


class Readiness:
    """Whether broker and database answer, asked at most once a second, and whether the threads live
    that carry requests out.

    Args:
        cluster: the broker's.
        url: of the database.
        threads: by name whether each lives.
    """

    def __init__(
        self, cluster: Cluster, url: str, threads: Mapping[str, Callable[[], bool]]
    ) -> None:
        self._cluster = cluster
        self._url = url
        self._threads = threads
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._checks: dict[str, str] = {}

    async def checks(self) -> dict[str, str]:
        """By part ``ok``, or what is wrong."""
        async with self._asking:
            if monotonic() - self._asked_at > _FRESH_S:
                database, broker = await asyncio.gather(
                    asyncio.to_thread(self._database), asyncio.to_thread(self._broker)
                )
                self._checks = {"database": database, "broker": broker}
                self._asked_at = monotonic()
            threads = {
                name: "ok" if lives() else "its thread has ended: restart this process"
                for name, lives in self._threads.items()
            }
            return {**self._checks, **threads}

    def _database(self) -> str:
        try:
            with connect(self._url, name="headrace api readiness") as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return "it does not answer"
        return "ok"

    def _broker(self) -> str:
        try:
            with self._cluster.admin(
                bootstrap_timeout_ms=_PATIENCE_MS, request_timeout_ms=_PATIENCE_MS
            ) as admin:
                admin.describe_cluster()
        except KafkaError:
            return "it does not answer"
        return "ok"


def health_router(readiness: Readiness, guard: Guard) -> APIRouter:
    """Return the routes for those who watch the process."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get(
        "/readyz",
        summary="Whether broker and database answer, and requests are carried out",
        responses={503: {"description": "One of them does not, or they are not"}},
    )
    async def readyz() -> JSONResponse:
        checks = await readiness.checks()
        ready = set(checks.values()) == {"ok"}
        headers = {} if ready else {"Retry-After": "5"}
        said = {"status": "ready" if ready else "not ready", **checks}
        return JSONResponse(said, 200 if ready else 503, headers)

    @router.get("/metrics", summary="Counts of this process, as Prometheus reads them")
    async def metrics(request: Request) -> Response:
        await guard.may_read(request)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
