"""Reads a span in pages that no change can shift: each begins where the last one ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectors.errors import SourceError
from connectors.mapping.rest_reads import RestRead
from connectors.rest.moments import Unit, unit_of
from connectors.rest.spans import RestApi, Row, Span


def walk(api: RestApi, read: RestRead, span: Span) -> Iterator[list[Row]]:
    """The records of ``span``, in the order of their change times; some come twice.

    The next page is asked for by the change time of the last record, never by how many records
    lie before it: a record that changes meanwhile moves to the end, and those behind it move up.
    A unit with more records than a page is read by their keys.

    Raises:
        SourceError: the API cannot be read, or its records have no change time.
    """
    if not api.ordered:
        yield from api.pages(span)
        return
    while True:
        count, unit = 0, None
        for rows in api.pages(span):
            count += len(rows)
            unit = _last_unit(rows, read) or unit
            yield rows
        if count < read.page:
            return
        if unit is None:
            raise SourceError(
                f"{read.resource}: no record of a page has a change time in {read.changed!r}:"
                " name another field as 'changed' of 'read'"
            )
        if unit.begin != span.begin:
            span = replace(span, begin=unit.begin)
            continue
        yield from _walk_unit(api, read, span, unit)
        span = replace(span, begin=unit.end)


def _walk_unit(api: RestApi, read: RestRead, span: Span, unit: Unit) -> Iterator[list[Row]]:
    inner = Span(unit.begin, unit.end, by_key=True)
    if span.end is not None and _is_before(span.end, unit.end):
        inner = replace(inner, end=span.end)
    while True:
        count = 0
        for rows in api.pages(inner):
            count += len(rows)
            if rows:
                inner = replace(inner, after=rows[-1].get(read.key))
            yield rows
        if count < read.page:
            return
        if inner.after is None:
            raise SourceError(f"{read.resource}: a record has no {read.key!r}, its 'key' of 'read'")


def _is_before(one: object, other: object) -> bool:
    return one.__class__ is other.__class__ and one < other  # type: ignore[operator]


def _last_unit(rows: Sequence[Row], read: RestRead) -> Unit | None:
    """That of the last record which has one; None where no record has."""
    units = (unit_of(row.get(read.changed or "")) for row in reversed(rows))
    return next((unit for unit in units if unit is not None), None)
