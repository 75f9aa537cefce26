"""Frappe and ERPNext: lists name the documents, and each is fetched with its child tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from connectors.errors import SourceError
from connectors.mapping.rest_reads import RestRead
from connectors.mapping.values import shown
from connectors.rest.client import NotThere, Request, RestClient
from connectors.rest.moments import written
from connectors.rest.spans import Row, Span


class FrappeApi:
    """A document type by ``/api/resource``; see ``connectors.rest.spans.RestApi``."""

    ordered = True

    def __init__(self, client: RestClient, url: str, read: RestRead) -> None:
        self._client = client
        self._read = read
        self._url = f"{url.rstrip('/')}/api/resource/{quote(read.resource, safe='')}"

    def pages(self, span: Span) -> Iterator[list[Row]]:
        """One page of names and change times."""
        read = self._read
        filters: list[Any] = list(read.filters or [])
        if span.begin is not None:
            filters.append([read.changed, ">=", written(span.begin, read.api)])
        if span.end is not None:
            filters.append([read.changed, "<", written(span.end, read.api)])
        if span.after is not None:
            filters.append([read.key, ">", span.after])
        order = f"{read.key} asc" if span.by_key else f"{read.changed} asc,{read.key} asc"
        query = {
            "fields": json.dumps([read.key, read.changed]),
            "filters": json.dumps(filters),
            "order_by": order,
            "limit_start": "0",
            "limit_page_length": str(read.page),
        }
        yield _part(self._client.ask(Request(self._url, query=query)).content, list)

    def whole(self, row: Row) -> Row | None:
        """The document itself; None if it was deleted since the list was made."""
        name = quote(str(row[self._read.key]), safe="")
        try:
            reply = self._client.ask(Request(f"{self._url}/{name}"))
        except NotThere:
            return None
        return dict(_part(reply.content, dict))


def _part(content: Any, kind: type) -> Any:
    found = content.get("data") if isinstance(content, dict) else None
    if not isinstance(found, kind):
        raise SourceError(f"no Frappe answers so: expected {{data: …}}, found {shown(content)}")
    return found
