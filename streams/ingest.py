"""What one transaction does: positions, facts, streams, dead letters, outbox; or none of it."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
import structlog

from hub.batches import RecordBatch
from schemas.catalogue import TOPICS, Topic
from schemas.codec import Decoded, Rejected, decode_batch
from schemas.keys import record_key
from schemas.validation import violations
from sinks import dead_letters, facts, outbox
from sinks.changes import Marks, Stream
from sinks.dead_letters import DeadLetter
from sinks.facts import Arrival
from sinks.positions import PositionGap, Positions

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one partition: the records from ``start`` up to, not including, ``end``."""

    topic: str
    partition: int
    epoch: int
    start: int
    end: int
    records: Sequence[Any]

    @classmethod
    def of(cls, batch: RecordBatch) -> Span:
        """Return the whole of a batch."""
        return cls(batch.topic, batch.partition, batch.epoch, batch.start, batch.end, batch.records)

    def split(self, index: int) -> tuple[Span, Span]:
        """Return the stretch before the record at ``index`` and that from it on."""
        middle = self.records[index].offset
        return (
            replace(self, end=middle, records=self.records[:index]),
            replace(self, start=middle, records=self.records[index:]),
        )

    def steps(self, length: int, singly_from: int | None) -> Iterator[Span]:
        """Yield stretches of ``length`` offsets, the last one with whatever is left.

        Args:
            length: in offsets.
            singly_from: if given, so many offsets from here on make a stretch each.
        """
        singly = range(0) if singly_from is None else range(singly_from, singly_from + length)
        rest = self
        while (size := _step_size(rest.records, length, singly)) < len(rest.records):
            step, rest = rest.split(size)
            yield step
        yield rest


def _step_size(records: Sequence[Any], length: int, singly: range) -> int:
    """Return how many of ``records`` the first step takes."""
    for size in range(1, len(records)):
        first, offset = records[0].offset, records[size].offset
        if offset >= first + length or first in singly or offset in singly:
            return size
    return len(records)


def records_of(spans: Sequence[Span]) -> list[Any]:
    """Return the records of all ``spans``."""
    return [record for span in spans for record in span.records]


def halves(spans: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """Split ``spans`` so that each side has about half of the records."""
    left: list[Span] = []
    remaining = len(records_of(spans)) // 2
    for index, span in enumerate(spans):
        if len(span.records) > remaining:
            if remaining == 0:
                return left, list(spans[index:])
            first, rest = span.split(remaining)
            return [*left, first], [rest, *spans[index + 1 :]]
        left.append(span)
        remaining -= len(span.records)
    return left, []


@dataclass(frozen=True, slots=True)
class Contents:
    """What the records of a span are.

    ``arrivals`` are the documents, in order; ``others`` the records that are none, each with the
    reason of its rejection, or None for a tombstone; ``newest`` the newest event of each source.
    """

    arrivals: list[Arrival]
    others: list[tuple[Any, Rejected | None]]
    newest: dict[str, datetime]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded batch: what the records of each of its spans are."""

    topic: str
    spans: Sequence[Span]
    contents: Sequence[Contents]


def prepare(topic: str, spans: Sequence[Span]) -> Prepared:
    """Decode and check the records of ``spans``; for bad ones nothing is raised."""
    return Prepared(topic, spans, [_contents(TOPICS[topic], span.records) for span in spans])


def _contents(entry: Topic, records: Sequence[Any]) -> Contents:
    name = entry.document
    arrivals: list[Arrival] = []
    others: list[tuple[Any, Rejected | None]] = []
    newest: dict[str, datetime] = {}
    decoded = decode_batch(entry, [record.value for record in records])
    for record, content in zip(records, decoded, strict=True):
        if isinstance(content, Decoded):
            document = content.document
            rejected = violations(name, document, len(content.body))
            if rejected is not None:
                others.append((record, rejected))
                continue
            source, at = document["source"], document["occurred_at"]
            arrivals.append(Arrival(record_key(source, document["id"]), content, record))
            if (latest := newest.get(source)) is None or at > latest:
                newest[source] = at
        elif isinstance(content, Rejected):
            others.append((record, content))
        elif entry.cleanup == "compact" and record.key:
            others.append((record, None))
        else:
            others.append((record, Rejected("no_value", "the record has no value")))
    return Contents(arrivals, others, newest)


class Ingest:
    """Applies prepared batches: the transaction in which an event has all of its effects, once."""

    def __init__(self, streams: Sequence[Stream], positions: Positions | None) -> None:
        self._streams = streams
        self._positions = positions

    def commit(self, connection: psycopg.Connection[Any], prepared: Prepared) -> list[DeadLetter]:
        """Do everything that ``prepared`` causes, in the caller's transaction.

        Returns:
            The dead letters that were written.

        Raises:
            Fenced: a partition belongs to another worker now.
            PositionGap: the batch does not join what was committed.
        """
        document = TOPICS[prepared.topic].document
        arrivals: list[Arrival] = []
        tombstones: list[tuple[str, int]] = []
        bad: list[tuple[Any, Rejected]] = []
        for span, contents in zip(prepared.spans, prepared.contents, strict=True):
            stored = self._advance(connection, span)
            if stored <= span.start:
                arrivals += contents.arrivals
            else:
                arrivals += [
                    one for one in contents.arrivals if one.origin and one.origin.offset >= stored
                ]
            for record, rejected in contents.others:
                if record.offset < stored:
                    continue
                if rejected is None:
                    tombstones.append((_key_of(record), record.offset))
                else:
                    bad.append((record, rejected))
        last = dict(tombstones)
        letters = [
            refused(document, record, rejected)
            for record, rejected in bad
            if record.offset > last.get(_key_of(record), -1)
        ]
        self.apply(connection, document, arrivals, tombstones, letters)
        self._note_freshness(connection, prepared)
        return letters

    def apply(
        self,
        connection: psycopg.Connection[Any],
        document: str,
        arrivals: Sequence[Arrival],
        tombstones: Sequence[tuple[str, int]],
        letters: list[DeadLetter],
    ) -> None:
        """Lay documents into the facts and every stream; more ``letters`` are added to the list."""
        # A tombstone ends what was before it: later records of its key begin anew, whatever their
        # version.
        ended = sorted({key for key, _ in tombstones})
        if ended:
            dead_letters.erase(connection, document, ended)
        erased = facts.erase(connection, document, ended)
        changes, conflicts = facts.lay(connection, document, after_tombstones(arrivals, tombstones))
        letters += conflicts
        if erased:
            gone = {change.key for change in erased}
            changes = [
                change._replace(first=False) if change.key in gone else change for change in changes
            ]
            back = {change.key for change in changes}
            changes += [change for change in erased if change.key not in back]
        marks = Marks()
        for stream in self._streams:
            if document in stream.documents and changes:
                letters += stream.apply(connection, document, changes, marks)
                stream.finish(connection)
        outbox.write(connection, marks)
        dead_letters.add(connection, letters)

    def put_aside(
        self,
        connection: psycopg.Connection[Any],
        spans: Sequence[Span],
        code: str,
        error: Exception,
    ) -> None:
        """Make the records of ``spans`` dead letters, unprocessed, and go on behind them."""
        for span in spans:
            stored = self._advance(connection, span)
            document = TOPICS[span.topic].document
            reason = Rejected(code, f"the record could not be processed: {error}")
            dead_letters.add(
                connection,
                [
                    replace(refused(document, record, reason), stage="facts", error=repr(error))
                    for record in span.records
                    if record.offset >= stored
                ],
            )

    def is_broken(self, error: Exception) -> bool:
        """Whether ``error`` is the machinery's and not the data's: then halving finds nothing."""
        return isinstance(error, PositionGap)

    def _advance(self, connection: psycopg.Connection[Any], span: Span) -> int:
        if self._positions is None:
            return span.start
        return self._positions.advance(
            connection,
            (span.topic, span.partition),
            epoch=span.epoch,
            start=span.start,
            end=span.end,
        )

    def _note_freshness(self, connection: psycopg.Connection[Any], prepared: Prepared) -> None:
        """Keep the newest event of each source; one row per partition, so workers do not meet."""
        newest: dict[tuple[str, int], datetime] = {}
        for span, contents in zip(prepared.spans, prepared.contents, strict=True):
            for source, at in contents.newest.items():
                place = (source, span.partition)
                newest[place] = max(at, newest.get(place, at))
        for (source, partition), at in sorted(newest.items(), key=operator.itemgetter(0)):
            connection.execute(
                """
                INSERT INTO source_freshness AS kept (source, topic, partition, newest)
                VALUES (%s, %s, %s, %s)
                ON CONFLICT (source, topic, partition) DO UPDATE
                SET newest = greatest(kept.newest, excluded.newest), arrived_at = now()
                """,
                (source, prepared.topic, partition, at),
            )


def _key_of(record: Any) -> str:
    return (record.key or b"").decode("utf-8", "replace")


def after_tombstones(
    arrivals: Sequence[Arrival], tombstones: Sequence[tuple[str, int]]
) -> Sequence[Arrival]:
    """Return the arrivals that no later tombstone of their key erases."""
    if not tombstones:
        return arrivals
    last = dict(tombstones)
    return [
        arrival
        for arrival in arrivals
        if arrival.origin is None or arrival.origin.offset > last.get(arrival.key, -1)
    ]


def refused(document: str, record: Any, rejected: Rejected) -> DeadLetter:
    """Return the dead letter of a consumed record, with its original bytes and place."""
    return DeadLetter(
        stage="decode",
        document=document,
        code=rejected.code,
        reason=rejected.reason,
        topic=record.topic,
        partition=record.partition,
        position=record.offset,
        place=f"{record.topic}[{record.partition}]@{record.offset}",
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
    )
