"""Reads a period of a source again beside the live flow, without undoing what is newer.

Where a record states a precise change time, its version decides, as always. Where it states only a
date, or nothing, arrival decides between contents of one date: what comes later is newer. That
does not hold for a backfill. So a content that is not known yet is held back there if the document
already has one of that date or a later one, unless this backfill brought that one itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from connectors.door import Connection, Door
from connectors.errors import SourceError
from connectors.intake import take_portions
from connectors.kinds import Reader
from connectors.mapping.joins import KeptRow
from connectors.mapping.keeping import row_digest
from connectors.mapping.model import Stream
from connectors.mapping.records import kept_from, node_from
from connectors.mapping.values import NO_DATE, Draft, Node, Rejection, to_micros
from connectors.passes import build, together
from connectors.portions import Numbered, Portion
from connectors.report import SourceReport
from connectors.settle import Settled, change_text
from sinks import backfilled, source_rows, source_versions
from sinks.backfilled import Place
from sinks.cursors import SourceBusy
from sinks.dead_letters import DeadLetter
from sinks.source_rows import StoredRow
from sinks.source_versions import Seen

#: Longer than a live flow waits between two tries to get its source back.
_TURN_S = 0.25

#: Opens the door of the source, which is shut when it is left.
OpenDoor = Callable[[], AbstractContextManager[Door]]


@runtime_checkable
class ReadsPeriods(Protocol):
    """A reader that can ask its source for a period alone."""

    def portions_between(self, begin: datetime, end: datetime) -> Iterator[Portion]:
        """What changed from ``begin`` on and before ``end`` (both aware).

        Raises:
            SourceError: it cannot be read, or has no periods.
        """


@dataclass(frozen=True, slots=True)
class Period:
    """From ``begin`` on and before ``end``, both aware."""

    begin: datetime
    end: datetime

    def holds(self, micros: int) -> bool:
        """Whether an instant, in µs since 1970, lies in it."""
        return to_micros(self.begin) <= micros < to_micros(self.end)


class _BackfillDoor(Door):
    """A door through which nothing newer is undone; see the module."""

    #: Of the rows that are on their way in.
    arriving: dict[Place, str]

    def settle_direct(
        self, drafts: Sequence[Draft]
    ) -> tuple[Settled, list[tuple[Draft, Rejection]]]:
        settled, rejections = super().settle_direct(drafts)
        wanted = {(one.document, one.key) for one in settled.seen}
        if not wanted:
            return settled, rejections

        def look(connection: Connection) -> tuple[list[Seen], dict[Place, str]]:
            standing = source_versions.newest_seen(connection, self.source, wanted)
            standing += source_versions.unconfirmed(connection, self.source)
            return standing, backfilled.brought(connection, self.source, wanted)

        standing, own = self.session.run(look)
        tops: dict[Place, Seen] = {}
        for seen in standing:
            place = (seen.document, seen.key)
            if place not in tops or tops[place].version < seen.version:
                tops[place] = seen
        older = {
            position
            for position, (one, version) in enumerate(settled.new)
            if not one.draft.precise
            and (top := tops.get((one.draft.document, one.draft.id))) is not None
            and top.digest != one.digest
            and own.get((one.draft.document, one.draft.id)) != str(top.version)
            and max(one.draft.changed, 1) <= top.version < version
        }
        settled.drop(older)
        settled.repeated += len(older)
        settled.announce = bool(settled.seen)
        return settled, rejections

    def commit(
        self,
        settled: Settled,
        letters: Sequence[DeadLetter],
        work: Callable[[Connection], int],
        read: int = 0,
    ) -> None:
        marks = {(one.document, one.key): str(one.version) for one in settled.seen}
        marks |= self.arriving

        def with_marks(connection: Connection) -> int:
            backfilled.remember(connection, self.source, marks)
            return work(connection)

        super().commit(settled, letters, with_marks, read)


def backfill(
    opened: OpenDoor,
    reader: Reader,
    period: Period,
    report: SourceReport,
) -> None:
    """Read what a source has of ``period`` again, and publish what the hub does not know.

    No cursor moves. Between two steps the source is left to the live flow. A backfill that was
    killed is simply run again.

    Args:
        opened: opens the door of the source; once for each step.
        reader: of the source.
        period: of the change times of records, or of the dates in the names of files.
        report: counts what is done.

    Raises:
        SourceError: the source cannot be read, or states no dates by which it could be chosen.
        PublishError: the broker did not take the records.
    """
    chosen = _Chosen(reader, period)
    for several in together(chosen.portions()):
        with _in_turn(opened, report) as door:
            for portion in several:
                report.bytes_read += portion.size
            _take(door, several)
    with _in_turn(opened, report) as door:
        build(door, final=False)
        door.session.run(lambda connection: backfilled.forget(connection, door.source))
    chosen.refuse_dateless()


class _Chosen:
    """The portions of a period, without what would move a cursor."""

    def __init__(self, reader: Reader, period: Period) -> None:
        self._reader = reader
        self._period = period
        self._dated = False
        self._dateless = 0

    def portions(self) -> Iterator[Portion]:
        reader, period = self._reader, self._period
        if isinstance(reader, ReadsPeriods):
            self._dated = True
            for portion in reader.portions_between(period.begin, period.end):
                yield _standing(portion)
            return
        for portion in reader.portions({}, final=True):
            yield self._within(portion)

    def refuse_dateless(self) -> None:
        """Raise SourceError where nothing in the source said when it is from."""
        if self._dateless and not self._dated:
            raise SourceError(
                "no record states when it changed, and no file a date in its name: a period cannot"
                " be chosen. Read all again with `headrace sources cursor NAME --set UNIT=start`"
            )

    def _within(self, portion: Portion) -> Portion:
        origin = portion.origin
        if origin.dated != NO_DATE:
            self._dated = True
            if self._period.holds(origin.dated):
                return _standing(portion)
        rows = [one for one in portion.rows if self._is_within(portion, one)]
        return Portion(origin, rows, size=portion.size)

    def _is_within(self, portion: Portion, numbered: Numbered) -> bool:
        node = _node(portion, numbered)
        if isinstance(node, Rejection) or not node.dated:
            self._dateless += 1
            return False
        self._dated = True
        return self._period.holds(node.changed)


def _standing(portion: Portion) -> Portion:
    """Records alone: what is gone, and how far it was read, is for the live flow to say."""
    return Portion(portion.origin, portion.rows, portion.broken, size=portion.size)


@contextmanager
def _in_turn(opened: OpenDoor, report: SourceReport) -> Iterator[_BackfillDoor]:
    """The door for one step, behind the live flow, which gets a turn after it."""
    with ExitStack() as shut:
        door = None
        while door is None:
            with suppress(SourceBusy):
                door = shut.enter_context(opened())
        given = {one.name: getattr(door, one.name) for one in fields(Door)}
        ours = _BackfillDoor(**{**given, "report": report})
        ours.arriving = {}
        yield ours
    time.sleep(_TURN_S)


def _take(door: _BackfillDoor, portions: Sequence[Portion]) -> None:
    kept = [_without_undoing(door, portion) for portion in portions]
    take_portions(door, kept)
    door.arriving = {}


def _without_undoing(door: _BackfillDoor, portion: Portion) -> Portion:
    """A portion of a stream whose rows are kept, without those that would replace a newer one."""
    stream = portion.origin.stream
    if not stream.joined or not portion.rows:
        return portion
    arriving = [(numbered, _kept(portion, numbered)) for numbered in portion.rows]
    keys = {row.key for _, rows in arriving for row in rows}
    kind = f"row:{stream.name}"

    def look(connection: Connection) -> tuple[dict[str, StoredRow], dict[Place, str]]:
        found = source_rows.rows_by_key(connection, door.source, stream.name, keys)
        own = backfilled.brought(connection, door.source, {(kind, key) for key in keys})
        return found, own

    standing, own = door.session.run(look)
    taken = []
    for numbered, rows in arriving:
        if any(
            _would_undo(stream, row, standing.get(row.key), own.get((kind, row.key)))
            for row in rows
        ):
            door.report.read += 1
            door.report.repeated += 1
            continue
        door.arriving |= {(kind, row.key): row_digest(row.row) for row in rows}
        taken.append(numbered)
    return replace(portion, rows=taken)


def _would_undo(stream: Stream, row: KeptRow, standing: StoredRow | None, own: str | None) -> bool:
    """Whether a row would stand in the place of one that may be newer.

    What has another date finds its place by it, and a content that is known stays known. A stream
    that is compared, or a row that is gone, tells nothing of when: what the live flow says stands.
    """
    if standing is None:
        return False
    if stream.compared or standing.gone:
        return True
    if standing.change_date != change_text(row.changed):
        return False
    return row_digest(row.row) not in standing.digests and own != standing.digests[-1]


def _kept(portion: Portion, numbered: Numbered) -> list[KeptRow]:
    """The rows that would be kept; none for a record that is refused in any case."""
    node = _node(portion, numbered)
    if isinstance(node, Rejection):
        return []
    return [one for one in kept_from(portion.origin.stream, node) if isinstance(one, KeptRow)]


def _node(portion: Portion, numbered: Numbered) -> Node | Rejection:
    number, row = numbered
    origin = portion.origin
    return node_from(origin.stream, row, f"{origin.name}:{number}", origin.date_of(number))
