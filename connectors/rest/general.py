"""Any paged JSON API whose paging the mapping declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from connectors.errors import SourceError
from connectors.mapping.rest_reads import PagedBy, Paging, RestRead
from connectors.mapping.values import shown
from connectors.rest.client import NotThere, Reply, Request, RestClient
from connectors.rest.moments import written
from connectors.rest.spans import Row, Span

_TRIES = 5


class _Shifted(Exception):
    """The pages moved while they were read: a record may have slipped between two of them."""


class GeneralApi:
    """A list by its paging; see ``connectors.rest.spans.RestApi``."""

    ordered = False

    def __init__(self, client: RestClient, url: str, read: RestRead) -> None:
        self._client = client
        self._read = read
        self._url = f"{url.rstrip('/')}/{read.resource}"

    def pages(self, span: Span) -> Iterator[list[Row]]:
        """All records of a span; from the first page on again where the pages have shifted."""
        for _ in range(_TRIES):
            try:
                yield from self._all(span)
            except _Shifted:
                continue
            return
        raise SourceError(
            f"{self._url}: its pages shifted in each of {_TRIES} readings, so that records could be"
            " missed: page by a cursor, or declare 'since' so that fewer are read"
        )

    def whole(self, row: Row) -> Row | None:
        """The record as it is: the list holds all of it."""
        return row

    def _all(self, span: Span) -> Iterator[list[Row]]:
        read, paging = self._read, self._read.paging
        query = dict(read.query)
        if span.begin is not None and read.since is not None:
            query[read.since] = str(written(span.begin, read.api, read.written))
        if paging is None:
            yield self._rows(self._client.ask(Request(self._url, query=query)))
            return
        if paging.size is not None:
            query[paging.size] = str(read.page)
        if paging.by == PagedBy.PAGE:
            yield from self._numbered(paging, query)
        elif paging.by == PagedBy.OFFSET:
            yield from self._counted(paging, query)
        else:
            yield from self._linked(paging, query)

    def _numbered(self, paging: Paging, query: dict[str, str]) -> Iterator[list[Row]]:
        """Page 1, 2, 3 …; the page before is asked for again to see whether it is as it was."""
        number, before, longest = paging.first, None, 0
        while True:
            rows = self._numbered_rows(paging, query, number)
            if before is not None:
                again = self._rows(self._page(query, paging, number - 1))
                if self._keys(again) != self._keys(before):
                    raise _Shifted
                if rows and self._keys(rows) == self._keys(before):
                    message = (
                        f"page {number} is page {number - 1} again: 'paging' is not as declared"
                    )
                    raise SourceError(f"{self._url}: {message}")
            yield rows
            if _is_last(paging, rows, longest):
                return
            number, before, longest = number + 1, rows, len(rows)

    def _numbered_rows(self, paging: Paging, query: dict[str, str], number: int) -> list[Row]:
        try:
            return self._rows(self._page(query, paging, number))
        except NotThere:
            if number == paging.first:
                raise
            # Some servers say of the page behind the last one that it is not there.
            return []

    def _counted(self, paging: Paging, query: dict[str, str]) -> Iterator[list[Row]]:
        """By offset; the last record of a page is to be the first of the next one."""
        offset, anchor, longest = 0, None, 0
        while True:
            rows = self._rows(self._page(query, paging, offset))
            if anchor is not None and self._keys(rows[:1]) != [anchor]:
                raise _Shifted
            fresh = rows if anchor is None else rows[1:]
            yield fresh
            if not fresh or _is_last(paging, rows, longest):
                return
            offset, longest = offset + len(rows) - 1, len(rows)
            (anchor,) = self._keys(rows[-1:])

    def _linked(self, paging: Paging, query: dict[str, str]) -> Iterator[list[Row]]:
        request, asked = Request(self._url, query=query), set[str]()
        while True:
            reply = self._client.ask(request)
            yield self._rows(reply)
            following = (
                reply.next if paging.by == PagedBy.LINK else _at(reply.content, paging.next, None)
            )
            if following is None or following in ("", False):
                return
            if str(following) in asked:
                raise SourceError(f"{self._url}: the page {following} is said to follow itself")
            asked.add(str(following))
            if paging.by == PagedBy.CURSOR:
                request = Request(self._url, query={**query, paging.parameter: str(following)})
            else:
                request = Request(urljoin(reply.url, str(following)))

    def _page(self, query: dict[str, str], paging: Paging, number: int) -> Reply:
        return self._client.ask(Request(self._url, query={**query, paging.parameter: str(number)}))

    def _keys(self, rows: list[Row]) -> list[Any]:
        return [row.get(self._read.key) for row in rows]

    def _rows(self, reply: Reply) -> list[Row]:
        rows = _at(reply.content, self._read.records, reply.content)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            place = self._read.records or "the answer itself"
            message = (
                f"{place} is no list of records, it is {shown(rows)}: mend 'records' of 'read'"
            )
            raise SourceError(f"{self._url}: {message}")
        return rows


def _is_last(paging: Paging, rows: list[Row], longest: int) -> bool:
    """Whether no page follows one with ``rows``; the pages before had ``longest`` records.

    A server may hand out fewer than were asked for, so its own pages say how long one is.
    """
    return not rows or (paging.size is not None and len(rows) < longest)


def _at(content: Any, pointer: str, nothing: Any) -> Any:
    """What stands at a JSON pointer; ``nothing`` where it is empty."""
    if not pointer:
        return nothing
    for part in pointer[1:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(content, dict) or name not in content:
            return None
        content = content[name]
    return content
