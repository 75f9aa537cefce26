"""Odoo's JSON-2 API: ``false`` for what is empty, and many2one as number and name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.errors import SourceError
from connectors.mapping.rest_reads import RestRead
from connectors.mapping.values import shown
from connectors.rest.client import Request, RestClient
from connectors.rest.moments import written
from connectors.rest.spans import Row, Span

#: Archived records are records too: without it a customer that is archived seems unchanged.
_CONTEXT = {"active_test": False}


class OdooApi:
    """A model by ``/json/2``; see ``connectors.rest.spans.RestApi``."""

    ordered = True

    def __init__(self, client: RestClient, url: str, read: RestRead) -> None:
        self._client = client
        self._read = read
        self._url = f"{url.rstrip('/')}/json/2/{read.resource}"
        self._types: dict[str, str] | None = None

    def pages(self, span: Span) -> Iterator[list[Row]]:
        """One page of records, with the fields that the mapping names."""
        read = self._read
        domain: list[Any] = list(read.filters or [])
        if span.begin is not None:
            domain.append([read.changed, ">=", written(span.begin, read.api)])
        if span.end is not None:
            domain.append([read.changed, "<", written(span.end, read.api)])
        if span.after is not None:
            domain.append([read.key, ">", span.after])
        body: dict[str, Any] = {
            "domain": domain,
            "order": f"{read.key} asc" if span.by_key else f"{read.changed} asc, {read.key} asc",
            "limit": read.page,
            "context": _CONTEXT,
        }
        if read.fields:
            body["fields"] = sorted({*read.fields, read.key, read.changed or read.key})
        rows = self._call("search_read", body)
        if not isinstance(rows, list):
            raise SourceError(f"no Odoo answers so: expected a list, found {shown(rows)}")
        types = self._field_types()
        yield [_cleaned(row, types) for row in rows]

    def whole(self, row: Row) -> Row | None:
        """The record as it is: the list holds all of it."""
        return row

    def _field_types(self) -> dict[str, str]:
        if self._types is None:
            found = self._call("fields_get", {"attributes": ["type"]})
            if not isinstance(found, dict):
                raise SourceError(f"no Odoo answers so: expected fields, found {shown(found)}")
            self._types = {name: str(field.get("type")) for name, field in found.items()}
        return self._types

    def _call(self, method: str, body: dict[str, Any]) -> Any:
        return self._client.ask(Request(f"{self._url}/{method}", "POST", body=body)).content


def _cleaned(row: Row, types: dict[str, str]) -> Row:
    """``false`` of a field that is no boolean is nothing; a many2one has ``id`` and ``name``."""
    cleaned: Row = {}
    for name, value in row.items():
        kind = types.get(name)
        if value is False and kind != "boolean":
            value = None
        elif kind == "many2one" and isinstance(value, list) and len(value) == 2:
            value = {"id": value[0], "name": value[1]}
        cleaned[name] = value
    return cleaned
