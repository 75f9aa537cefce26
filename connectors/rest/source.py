"""The streams of a source that a paged JSON API holds, each read behind its cursor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.errors import SourceError
from connectors.exact_json import refused
from connectors.files.json_record import json_record
from connectors.mapping.model import SourceMapping, Stream
from connectors.mapping.records import key_in
from connectors.mapping.rest_reads import Api, RestRead
from connectors.mapping.values import shown
from connectors.portions import Broken, Numbered, Origin, Portion
from connectors.rest.client import NotThere, RestClient
from connectors.rest.frappe import FrappeApi
from connectors.rest.general import GeneralApi
from connectors.rest.moments import NoMoment, moment_of, readable_moment
from connectors.rest.odata import REMOVED, ODataApi
from connectors.rest.odoo import OdooApi
from connectors.rest.reached import Reached
from connectors.rest.spans import RestApi, Row, Span
from connectors.rest.walking import walk
from hub.source_settings import RestSource

#: So many documents that are fetched one by one are handed in at once.
_TOGETHER = 20
_KINDS: Mapping[Api, Callable[[RestClient, str, RestRead], RestApi]] = {
    Api.FRAPPE: FrappeApi,
    Api.ODOO: OdooApi,
    Api.ODATA: ODataApi,
    Api.JSON: GeneralApi,
}


class RestReader:
    """Reads an API; see ``connectors.kinds.Reader``."""

    def __init__(self, source: RestSource, mapping: SourceMapping) -> None:
        self._source = source
        self._mapping = mapping
        self._client = RestClient(source)

    def check(self) -> None:
        """Look whether each stream says what it reads; nothing is asked.

        Raises:
            SourceError: one does not.
        """
        for stream in self._mapping.streams.values():
            if stream.read is None:
                raise SourceError(
                    f"stream {stream.name!r} of {self._mapping.origin} does not say what to ask"
                    f" {self._source.url} for: give it 'read: {{api: …, resource: …}}'"
                )

    def probe(self) -> None:
        """Ask for the first records of each stream.

        Raises:
            SourceError: the API is not there, refuses, or answers in another way.
        """
        self.check()
        with closing(self._client):
            for stream in self._streams():
                for _ in self._api(stream).pages(Span()):
                    break

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """What has changed behind the cursors, stream by stream.

        Raises:
            SourceError: the API cannot be read; the next pass goes on from the cursors.
        """
        self.check()
        with closing(self._client):
            for stream in self._streams():
                read = _read(stream)
                reached = Reached.of(read, states.get(stream.name))
                if read.tracked:
                    yield from self._tracked(stream, reached)
                else:
                    yield from self._changed(stream, reached)

    def portions_between(self, begin: datetime, end: datetime) -> Iterator[Portion]:
        """What changed from ``begin`` on and before ``end`` (aware), without cursors.

        Raises:
            SourceError: the API cannot be read, or a stream has no change time.
        """
        self.check()
        with closing(self._client):
            for stream in self._streams():
                yield from self._between(stream, begin, end)

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """Read a record that was refused again."""
        found = json_record(broken.raw.decode(), "the record")
        if isinstance(found, tuple):
            return Portion(origin, broken=[replace(broken, code=found[0], reason=found[1])])
        read = _read(origin.stream)
        if read.tracked and _is_removal(found):
            return Portion(origin, broken=[broken])
        return Portion(origin, [(str(found.get(read.key)), found)])

    def _streams(self) -> list[Stream]:
        return [stream for stream in self._mapping.streams.values() if stream.read is not None]

    def _api(self, stream: Stream) -> RestApi:
        read = _read(stream)
        return _KINDS[read.api](self._client, self._source.url, read)

    def _between(self, stream: Stream, begin: datetime, end: datetime) -> Iterator[Portion]:
        read = _read(stream)
        if read.changed is None:
            message = f"stream {stream.name!r} has no 'changed' in 'read': it has no periods"
            raise SourceError(message)
        first, behind = self._local(read, begin), self._local(read, end)
        reached = Reached(read)
        for rows in walk(self._api(stream), read, Span(first, behind)):
            within = [row for row in rows if _is_within(row, read, first, behind)]
            for portion in self._handed_in(stream, reached, reached.fresh(within)):
                yield replace(portion, state=None)

    def _local(self, read: RestRead, at: datetime) -> datetime:
        """An instant as the records of an API write it: Frappe writes the site's own time."""
        if read.api != Api.FRAPPE:
            return at.astimezone(UTC)
        return at.astimezone(self._mapping.zone).replace(tzinfo=UTC)

    def _changed(self, stream: Stream, reached: Reached) -> Iterator[Portion]:
        api = self._api(stream)
        for rows in walk(api, reached.read, reached.span()):
            fresh = reached.fresh(rows)
            if api.ordered:
                reached.settle()
            yield from self._handed_in(stream, reached, fresh, known=len(rows) - len(fresh))
        if not api.ordered:
            # Records in no order: only their end says that none is missing.
            reached.settle()
            yield Portion(_origin(stream), state=reached.as_state())

    def _tracked(self, stream: Stream, reached: Reached) -> Iterator[Portion]:
        read = reached.read
        api = ODataApi(self._client, self._source.url, read)
        while True:
            try:
                changes = api.changes(reached.link)
            except NotThere:
                if reached.link is None:
                    raise
                # The server has forgotten the link: all is read again, and mostly repeats.
                reached.link = None
                continue
            reached.link = changes.next
            # A record may be told of several times: the last word counts.
            last: dict[str, Row] = {}
            nameless: list[Row] = []
            for row in changes.rows:
                key = key_in(stream, row)
                if key is None:
                    nameless.append(row)
                else:
                    last[key] = row
            standing = [row for row in last.values() if not _is_removal(row)]
            gone = [key for key, row in last.items() if _is_removal(row)]
            yield from self._handed_in(stream, reached, [*standing, *nameless], gone=gone)
            if changes.last:
                return

    def _handed_in(
        self,
        stream: Stream,
        reached: Reached,
        rows: Sequence[Row],
        *,
        known: int = 0,
        gone: Sequence[str] = (),
    ) -> Iterator[Portion]:
        """Records in portions; the cursor moves with the last of them."""
        api, read, origin = self._api(stream), reached.read, _origin(stream)
        step = _TOGETHER if read.api == Api.FRAPPE else max(len(rows), 1)
        begin = 0
        while begin + step < len(rows):
            yield _portion(origin, read, api, rows[begin : begin + step])
            begin += step
        last = _portion(origin, read, api, rows[begin:])
        yield replace(last, state=reached.as_state(), gone=gone, known=known)


def _portion(origin: Origin, read: RestRead, api: RestApi, rows: Sequence[Row]) -> Portion:
    found: list[Numbered] = []
    broken: list[Broken] = []
    size = 0
    for number, row in enumerate(rows, 1):
        # One whose name is broken cannot even be asked for.
        bad = _broken(number, row, read)
        whole = None if bad is not None else api.whole(row)
        if whole is not None:
            bad = _broken(number, whole, read) if whole is not row else bad
            bad = bad or _misplaced(number, whole, read)
        if bad is not None:
            broken.append(bad)
            size += len(bad.raw)
        elif whole is not None:
            found.append((str(whole.get(read.key)), whole))
            size += len(orjson.dumps(whole, default=str))
    return Portion(origin, found, broken, size=size)


def _broken(number: int, row: Row, read: RestRead) -> Broken | None:
    key = row.get(read.key)
    name = shown(key) if isinstance(key, str | int) else f"without {read.key!r}"
    reason = refused(row, f"the record {name}")
    return None if reason is None else Broken(number, json.dumps(row).encode(), *reason)


def _misplaced(number: int, row: Row, read: RestRead) -> Broken | None:
    """A record that stands where none can be read: at no change time, or gone without a key."""
    try:
        moment_of(row.get(read.changed or ""))
    except NoMoment as error:
        return Broken(number, json.dumps(row).encode(), "bad_change_time", str(error))
    if read.tracked and _is_removal(row):
        reason = "it says that a record is gone, but the stream's key finds nothing in it"
        return Broken(number, json.dumps(row).encode(), "no_key", reason)
    return None


def _is_removal(row: Row) -> bool:
    """Whether a record of a change list is gone; one that cannot be read is not believed."""
    return REMOVED in row and refused(row, "it") is None


def _is_within(row: Row, read: RestRead, begin: datetime, end: datetime) -> bool:
    """Whether a record changed in a period: not every API can be asked for its end."""
    at = readable_moment(row.get(read.changed or ""))
    return isinstance(at, datetime) and begin <= at < end


def _read(stream: Stream) -> RestRead:
    assert stream.read is not None
    return stream.read


def _origin(stream: Stream) -> Origin:
    return Origin(stream.name, stream)
