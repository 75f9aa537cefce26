"""The schema registry over HTTP, as Confluent's clients expect it.

The paths stand at the root unless the router is included under a prefix. Who may call them is
the application's to say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api.registry_paths import add_compatibility, add_schemas, add_settings, add_subjects
from hub.log import get_logger
from schemas.versions import ContractVersion
from sinks.registry.errors import RegistryError
from sinks.registry.registering import Registry

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"

log = get_logger(__name__)


class RegistryAnswer(Response):
    """JSON under the media type of registries."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        # Half a character can come back in a refusal that names what was sent.
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


class _RegistryRoute(APIRoute):
    """Tells refusals by Confluent's codes, within this router alone."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except RegistryError as error:
                return _refusal(error.status, error.code, error.message)
            except RequestValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in first["loc"])
                return _refusal(422, 422, f"{place}: {first['msg']}")
            except DBAPIError as error:
                log.error("registry_database_failed", error=str(error.orig))
                return _refusal(500, 50001, "Error in the backend data store")

        return told


def registry_router(
    engine: Engine, own: Mapping[str, Sequence[ContractVersion]] | None = None
) -> APIRouter:
    """Return the routes of a registry.

    Args:
        engine: of the database with the registry's tables.
        own: the contracts that nobody may change, by subject; by default the hub's.
    """
    router = APIRouter(
        route_class=_RegistryRoute, default_response_class=RegistryAnswer, tags=["schema registry"]
    )
    registry = Registry(engine, own)
    add_schemas(router, registry)
    add_subjects(router, registry)
    add_compatibility(router, registry)
    add_settings(router, registry)
    return router


def _refusal(status: int, code: int, message: str) -> Response:
    return RegistryAnswer({"error_code": code, "message": message}, status_code=status)
