"""What the OpenAPI document says of publishing: bodies by the contracts, examples, problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.event_reading import DOCUMENT_OF, KNOWN_TYPES
from api.media_types import BATCH, STRUCTURED
from api.problems import MEDIA_TYPE
from api.webhooks import HEADERS
from connectors.mapping.contract import FieldType, contract_of, in_words
from schemas.catalogue import DOCUMENTS

INVOICE: Mapping[str, Any] = {
    "source": "shop",
    "id": "2026-0815",
    "occurred_at": "2026-03-02T09:15:00Z",
    "customer": {"source": "shop", "id": "K-17"},
    "kind": "invoice",
    "invoiced_on": "2026-03-02",
    "net": "1000.00",
    "gross": "1190.00",
    "currency": "EUR",
    "status": "posted",
    "lines": [{"number": "1", "net_amount": "1000.00"}],
    "instalments": [{"number": 1, "due_on": "2026-04-01", "amount": "1190.00"}],
}
#: A request for each type of the examples, as a person would send it.
EXAMPLES: Mapping[str, Any] = {
    "invoice": INVOICE,
    "invoice with the version that the source counts": {**INVOICE, "version": 3},
    "two invoices": [INVOICE, {**INVOICE, "id": "2026-0816"}],
}
CLOUD_EVENT: Mapping[str, Any] = {
    "specversion": "1.0",
    "id": "8a6f",
    "source": "/sources/shop",
    "type": "finance.invoice.v1",
    "time": "2026-03-02T09:15:00Z",
    "data": {name: INVOICE[name] for name in INVOICE if name not in ("source", "occurred_at")},
}

_KINDS: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string"},
    "bool": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int64"},
    "decimal": {
        "oneOf": [{"type": "string", "format": "decimal"}, {"type": "number"}],
        "description": "At most 29 digits before the point and 9 behind it, read exactly.",
    },
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
}


def component(document: str) -> str:
    """The name of a document's schema in the OpenAPI document."""
    return str(DOCUMENTS[document].schema["name"])


def components() -> dict[str, Any]:
    """The JSON schema of each document that can be published, and of a problem."""
    schemas: dict[str, Any] = {
        component(document): {
            "title": component(document),
            "description": DOCUMENTS[document].schema["doc"],
            **_record(contract_of(document), frozenset({"version"}), DOCUMENTS[document].schema),
        }
        for document in KNOWN_TYPES
    }
    schemas["Problem"] = {
        "description": "RFC 9457",
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "pointer": {"type": "string", "format": "json-pointer"},
                        "code": {"type": "string"},
                        "detail": {"type": "string"},
                    },
                },
            },
        },
    }
    return schemas


def types_in_words() -> dict[str, Any]:
    """What ``{type}`` may be."""
    return {"enum": list(DOCUMENT_OF)}


def of_type() -> dict[str, Any]:
    """The body of a request that publishes documents of one type."""
    document = {"oneOf": [_ref(component(name)) for name in KNOWN_TYPES]}
    content = {
        "application/json": {
            "schema": {"oneOf": [*document["oneOf"], {"type": "array", "items": document}]},
            "examples": {name: {"value": value} for name, value in EXAMPLES.items()},
        },
        "application/x-ndjson": {"schema": {"type": "string"}},
        **_cloud_events(),
    }
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 255},
        "description": "With the same key and body the answer is the same again, for a day.",
    }
    return {"parameters": [key], "requestBody": {"required": True, "content": content}}


def of_cloud_events() -> dict[str, Any]:
    """The body of a request whose CloudEvents name their types."""
    return {"requestBody": {"required": True, "content": _cloud_events()}}


def event_responses() -> dict[int | str, dict[str, Any]]:
    """What is answered to who publishes."""
    return {
        202: {"description": "Acknowledged by the broker, each with its version"},
        207: {"description": "Some events of the batch were taken; items says which"},
        **_problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
    }


def hook_description() -> dict[str, Any]:
    """Headers and body of a webhook's call."""
    return {
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in HEADERS
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": ["object", "array"]}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
    }


def hook_responses() -> dict[int | str, dict[str, Any]]:
    """What is answered to a webhook."""
    return {
        202: {"description": "Published, or kept as dead letters"},
        **_problems(400, 401, 403, 404, 408, 409, 413, 415, 429, 500, 503),
    }


def _cloud_events() -> dict[str, Any]:
    return {
        STRUCTURED: {
            "schema": {"type": "object"},
            "examples": {"invoice": {"value": CLOUD_EVENT}},
        },
        BATCH: {"schema": {"type": "array", "items": {"type": "object"}}},
    }


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": _ref("Problem")}}
    return {
        status: {"description": _SAID[status], "content": content, **_retry(status)}
        for status in statuses
    }


def _retry(status: int) -> dict[str, Any]:
    if status not in (429, 503):
        return {}
    return {"headers": {"Retry-After": {"schema": {"type": "integer"}}}}


_SAID = {
    400: "The body is no JSON, or no CloudEvent",
    401: "No token or signature that counts",
    403: "The token has not the scope publish or is not for this source, or a web page calls a door"
    " without tokens",
    404: "No such type or source; the problem names those that there are",
    408: "The body came too slowly",
    409: "The Idempotency-Key came with another body, or is being worked on",
    413: "Too many bytes or events",
    415: "A content type, charset or encoding that is not taken",
    422: "The document breaks its contract or a rule; errors names the fields",
    429: "Too many requests, or refused events that are kept; Retry-After says when",
    500: "The hub could not do it; its log says why",
    503: "Broker or database are away; trying again is safe",
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _record(
    fields: Mapping[str, FieldType], free: frozenset[str], schema: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    said = {one["name"]: one.get("doc", "") for one in schema["fields"]} if schema else {}
    properties = {}
    for name, wanted in fields.items():
        properties[name] = _field(name, wanted)
        if said.get(name):
            properties[name]["description"] = said[name]
    required = [name for name, one in fields.items() if not one.optional and name not in free]
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _field(name: str, wanted: FieldType) -> dict[str, Any]:
    if wanted.kind == "record":
        one = _record(wanted.fields, frozenset())
    else:
        one = {**_KINDS[wanted.kind]}
        if wanted.allowed:
            one["enum"] = list(wanted.allowed)
        one.setdefault("description", in_words(name, wanted))
    return {"type": "array", "items": one} if wanted.many else one
