"""OData v4: filtered by change time, or the changes that the server itself tracks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from connectors.errors import SourceError
from connectors.mapping.rest_reads import RestRead
from connectors.mapping.values import shown
from connectors.rest.client import Reply, Request, RestClient
from connectors.rest.moments import written
from connectors.rest.spans import Row, Span

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_IN_BRACKETS = re.compile(r"\('?([^()']*)'?\)$")
#: Says of a record of a change list that it is gone, and why.
REMOVED = "@removed"


@dataclass(frozen=True, slots=True)
class Changes:
    """One answer of a tracked entity set, and where the next is; ``last`` if that is for later."""

    rows: list[Row]
    next: str | None
    last: bool


class ODataApi:
    """An entity set; see ``connectors.rest.spans.RestApi``."""

    def __init__(self, client: RestClient, url: str, read: RestRead) -> None:
        self._client = client
        self._read = read
        self._url = f"{url.rstrip('/')}/{read.resource}"
        self.ordered = read.changed is not None

    def pages(self, span: Span) -> Iterator[list[Row]]:
        """The records of a span, at most a page where it is ordered, in one answer or several."""
        prefer = self._prefer()
        request: Request | None = Request(self._url, query=self._query(span), headers=prefer)
        asked: set[str] = set()
        while request is not None:
            reply = self._client.ask(request)
            yield _rows(reply)
            link = _link(reply, "@odata.nextLink", asked)
            request = None if link is None else Request(link, headers=prefer)

    def whole(self, row: Row) -> Row | None:
        """The record as it is: the list holds all of it."""
        return row

    def changes(self, link: str | None) -> Changes:
        """The next answer of a set whose changes the server tracks; from its beginning at first."""
        prefer = self._prefer("odata.track-changes")
        query = {} if link is not None else self._query(Span())
        reply = self._client.ask(Request(link or self._url, query=query, headers=prefer))
        rows = [self._removed(row) for row in _rows(reply)]
        after = _link(reply, "@odata.nextLink", set())
        if after is not None:
            return Changes(rows, after, last=False)
        later = _link(reply, "@odata.deltaLink", set())
        if later is None:
            raise SourceError(
                f"{self._url} tracks no changes: leave out 'track_changes' and name its change time"
                " as 'changed' of 'read'"
            )
        return Changes(rows, later, last=True)

    def _query(self, span: Span) -> dict[str, str]:
        read = self._read
        parts = [f"({read.filters})"] if read.filters else []
        if span.begin is not None:
            parts.append(f"{read.changed} ge {written(span.begin, read.api)}")
        if span.end is not None:
            parts.append(f"{read.changed} lt {written(span.end, read.api)}")
        if span.after is not None:
            parts.append(f"{read.key} gt {_literal(span.after)}")
        query = dict(read.query)
        if parts:
            query["$filter"] = " and ".join(parts)
        if read.fields:
            query["$select"] = ",".join(dict.fromkeys((*read.fields, read.key, *self._changed())))
        if self.ordered:
            query["$orderby"] = ",".join(
                f"{name} asc" for name in ([] if span.by_key else self._changed()) + [read.key]
            )
            query["$top"] = str(read.page)
        return query

    def _changed(self) -> list[str]:
        return [] if self._read.changed is None else [self._read.changed]

    def _prefer(self, *more: str) -> dict[str, str]:
        return {"Prefer": ", ".join((*more, f"odata.maxpagesize={self._read.page}"))}

    def _removed(self, row: Row) -> Row:
        """An entry that tells of a deletion, in the words of version 4.01, with the key."""
        if REMOVED in row:
            why = row[REMOVED].get("reason") if isinstance(row[REMOVED], dict) else row[REMOVED]
        elif "$deletedEntity" in str(row.get("@odata.context")):
            why = row.get("reason")
        else:
            return row
        key = row.get(self._read.key) or row.get("id") or row.get("@id") or row.get("@odata.id")
        within = _IN_BRACKETS.search(str(key))
        return {self._read.key: within[1] if within else key, REMOVED: why or "deleted"}


def _rows(reply: Reply) -> list[Row]:
    found = reply.content.get("value") if isinstance(reply.content, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        message = f"no OData answers so: expected {{value: […]}}, found {shown(reply.content)}"
        raise SourceError(message)
    return found


def _link(reply: Reply, name: str, asked: set[str]) -> str | None:
    found = reply.content.get(name)
    if not found:
        return None
    link = urljoin(reply.url, str(found))
    if link in asked:
        raise SourceError(f"{link} names itself as the next page")
    asked.add(link)
    return link


def _literal(value: Any) -> str:
    if not isinstance(value, str) or _GUID.match(value):
        return str(value)
    return "'" + value.replace("'", "''") + "'"
