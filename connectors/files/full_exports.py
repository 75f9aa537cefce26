"""Reads full exports: each is all of its stream, so that what is not in it any more is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import SEEK_END
from itertools import pairwise
from typing import Any, NoReturn

import structlog

from connectors.files.damage import DamagedFile
from connectors.files.units import Packing, SourcePathError, Unit
from connectors.files.wholes import (
    DOCUMENTS,
    Ended,
    Reached,
    Stands,
    digest_of,
    last_number,
    reached_from,
    records_of,
    stands_of,
    stopped,
)
from connectors.mapping.model import Stream
from connectors.mapping.records import key_in
from connectors.mapping.values import NO_DATE
from connectors.portions import Numbered, Origin, Portion, Whole

log = structlog.get_logger(__name__)

#: How long an export has to stand still before it is taken for whole while it is followed.
QUIET_S = 10.0
#: After how long one that could not be believed is looked at again.
AGAIN_S = 600.0


@dataclass(slots=True)
class _Look:
    """Since when a file stands as it does, and when it was read so; seconds of the clock."""

    stands: Stands
    since: float
    read_at: float | None = None


class FullExports:
    """Reads the exports of streams with ``snapshot: full``, in the order of their dates.

    Args:
        source: its name, for the log.
        most_inflated: how many bytes a packed file may have.
        clock: seconds from anywhere, never going back.
    """

    def __init__(self, source: str, most_inflated: int, clock: Callable[[], float]) -> None:
        self._source = source
        self._most_inflated = most_inflated
        self._clock = clock
        self._looks: dict[str, _Look] = {}

    def portions(
        self,
        units: Sequence[tuple[Unit, Origin]],
        states: Mapping[str, Mapping[str, Any]],
        final: bool,
    ) -> Iterator[Portion]:
        """Every export that has changed, whole, but those dated before the newest that was begun.

        What stands is what the newest says: an older one, read after it, would undo it.

        Args:
            units: of one stream by date, with the origins of their records.
            states: of all cursors of the source.
            final: whether the files are as long as they will be.
        """
        stream = units[0][0].stream
        begun = [state["dated"] for state in states.values() if _is_of(state, stream)]
        for unit, origin in units:
            if begun and unit.dated < max(begun):
                continue
            try:
                yield from self._changed(unit, origin, states.get(unit.name), final)
            except OSError as error:
                log.warning(
                    "file_not_readable", source=self._source, file=unit.name, error=str(error)
                )

    def _changed(
        self, unit: Unit, origin: Origin, state: Mapping[str, Any] | None, final: bool
    ) -> Iterator[Portion]:
        reached = reached_from(state) if _is_of(state, unit.stream) else Reached()
        stands = stands_of(unit.path)
        is_over = reached.ended == Ended.WHOLE
        if is_over and stands == (reached.inode, reached.size, reached.modified):
            return
        if not final and not self._is_due(unit.name, stands):
            return
        digest = digest_of(unit.path, *stands)
        now = Reached(0, digest, Ended.NOT, *stands)
        if is_over and reached.digest == digest:
            yield Portion(origin, state=_state(unit, replace(now, ended=Ended.WHOLE)))
        else:
            yield from self._read(unit, origin, now, final)
        self._looks[unit.name] = _Look(stands, self._clock(), self._clock())

    def _read(self, unit: Unit, origin: Origin, now: Reached, final: bool) -> Iterator[Portion]:
        whole = _whole(unit.stream)
        if not final and _ends_in_half_a_line(unit):
            log.warning("file_left_for_later", file=unit.name, reason="its last line has no end")
            return
        # From its first record on it is the newest, whatever becomes of it.
        state: Mapping[str, Any] | None = _state(unit, now)
        doubt = "" if now.size else "the file is empty"
        try:
            # Nothing more is waited for in plain lines: they have stood still, or are final.
            waited_for = final or unit.packing == Packing.PLAIN
            for rows, broken, size in records_of(unit, 0, self._most_inflated, waited_for):
                yield Portion(origin, rows, broken, state, size, whole=whole)
                state = None
                now = replace(now, number=last_number(rows, broken, now.number))
                doubt = doubt or _unreadable([one.number for one in broken], rows, unit.stream)
        except DamagedFile as damage:
            doubt = damage.reason
            found = stopped(origin, now, damage, final)
            yield replace(found, state=state, whole=whole)
        except OSError as error:
            doubt = f"it cannot be read ({error})"
        if stands_of(unit.path) != (now.inode, now.size, now.modified):
            doubt = doubt or "it was written to while it was read"
        over = None if doubt else _state(unit, replace(now, ended=Ended.WHOLE))
        yield Portion(origin, state=over, whole=replace(whole, last=True, doubt=doubt))

    def _is_due(self, name: str, stands: Stands) -> bool:
        now = self._clock()
        look = self._looks.get(name)
        if look is None or look.stands != stands:
            self._looks[name] = _Look(stands, now)
            return False
        if look.read_at is None:
            return now - look.since >= QUIET_S
        return now - look.read_at >= AGAIN_S


def require_order(units: Sequence[Unit]) -> None:
    """Refuse several exports of one stream of which not all have a date of their own.

    Args:
        units: of one stream by date.

    Raises:
        SourcePathError: which of them is the newest cannot be told.
    """
    undated = [unit for unit in units if unit.dated == NO_DATE]
    if len(units) > 1 and undated:
        _refuse_undated(units, undated)
    for one, other in pairwise(units):
        if one.dated == other.dated:
            raise SourcePathError(
                f"{one.name} and {other.name} have the same date in their names, and both are full"
                f" exports of the stream {one.stream.name!r}: what one holds and the other does not"
                " would be deleted, and nobody knows which is the newer. If each holds all of the"
                " stream, keep one of them, or give them a time (20260102_153000); if each holds a"
                " part, export them as one file, or make each a stream of its own"
                f" (streams.{one.stream.name}.from)"
            )


def _refuse_undated(units: Sequence[Unit], undated: Sequence[Unit]) -> NoReturn:
    stream = undated[0].stream.name
    if len(undated) < len(units):
        raise SourcePathError(
            f"{undated[0].name} has no date in its name, as other full exports of the stream"
            f" {stream!r} have, so that nobody knows which is the newest: give it one, or keep it"
            f" out with 'from' (streams.{stream}.from)"
        )
    raise SourcePathError(
        f"{undated[0].name} and {undated[1].name} have no date in their names, and both are full"
        f" exports of the stream {stream!r}: what one holds and the other does not would be"
        " deleted. If each holds all of the stream, give each name a date, or leave one file only;"
        " if each holds a part, export them as one file, or make each a stream of its own"
        f" (streams.{stream}.from)"
    )


def _whole(stream: Stream) -> Whole:
    assert stream.most_deleted is not None
    return Whole(stream.most_deleted, setting=f"streams.{stream.name}")


def _state(unit: Unit, reached: Reached) -> dict[str, Any]:
    return reached.as_state() | {"export_of": unit.stream.name, "dated": unit.dated}


def _is_of(state: Mapping[str, Any] | None, stream: Stream) -> bool:
    return state is not None and state.get("export_of") == stream.name


def _unreadable(broken: list[int], rows: Sequence[Numbered], stream: Stream) -> str:
    """Says which record cannot be known, so that it may be any of those that are missing."""
    numbers: list[int | str] = [*broken]
    numbers += [number for number, row in rows if key_in(stream, row) is None]
    return f"its record {numbers[0]} cannot be read" if numbers else ""


def _ends_in_half_a_line(unit: Unit) -> bool:
    """Whether a plain file of lines may go on; in UTF-16 a line end has a zero byte beside it."""
    if unit.packing != Packing.PLAIN or unit.format in DOCUMENTS:
        return False
    with unit.path.open("rb") as file:
        size = file.seek(0, SEEK_END)
        file.seek(max(0, size - 2))
        last = file.read().strip(b"\0")
    return bool(last) and not last.endswith(b"\n")
