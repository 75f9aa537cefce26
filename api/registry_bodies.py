"""What clients of the registry send, read strictly: what we would drop is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from sinks.registry.errors import RegistryError, invalid_schema
from sinks.registry.rows import Stored


@dataclass(frozen=True, slots=True)
class Posted:
    """A schema that was sent, with id and version where it is to be imported under these."""

    schema: str
    schema_id: int | None
    version: int | None


async def posted_schema(request: Request) -> Posted:
    """Return the schema in the body.

    Raises:
        RegistryError: it has none, or what we do not keep: references, metadata, rules.
    """
    body = await _body(request)
    if body.get("schemaType") not in (None, "AVRO"):
        raise invalid_schema(f"the type {body['schemaType']!r} is not kept here, only AVRO")
    for key in ("references", "metadata", "ruleSet"):
        if body.get(key):
            raise invalid_schema(
                f"{key} are not kept here; a schema stands by itself, with its types in it"
            )
    schema = body.get("schema")
    if not isinstance(schema, str) or not schema:
        raise invalid_schema("the body has no text under 'schema'")
    return Posted(schema, _positive(body, "id"), _positive(body, "version"))


async def posted_config(request: Request) -> Any:
    """Return the compatibility that the body names."""
    body = await _body(request)
    unknown = set(body) - {"compatibility", "normalize", "alias"}
    if unknown or body.get("normalize") or body.get("alias"):
        told = ", ".join(sorted(set(body) - {"compatibility"}))
        raise RegistryError(42205, f"Only 'compatibility' can be configured here, not {told}")
    return body.get("compatibility")


async def posted_mode(request: Request) -> Any:
    """Return the mode that the body names."""
    return (await _body(request)).get("mode")


def of_version(stored: Stored) -> dict[str, Any]:
    """Return a version as clients read it."""
    return {
        "subject": stored.subject,
        "version": stored.version,
        "id": stored.schema_id,
        "schema": stored.schema,
    }


async def _body(request: Request) -> dict[str, Any]:
    """By hand: clients send it under four content types, one of which is for bytes."""
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise RegistryError(400, f"The body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise RegistryError(400, "The body is not a JSON object")
    return found


def _positive(body: dict[str, Any], key: str) -> int | None:
    """Clients send 0 or -1 for one that they leave to the registry."""
    number = body.get(key)
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or number >= 1 << 31:
        raise RegistryError(422, f"The {key} is {number!r}, not a whole number of 32 bits")
    return number if number > 0 else None
