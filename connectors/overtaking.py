"""Holds a dead letter back from undoing what its source has published since it was made.

A precise change time decides by itself, as does a later date. Under one date, or none, arrival
decides, and a replayed record arrives late: what came after its letter is newer than it. What was
read in one step with it counts as later, for nobody can say which of them is newer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

from connectors.door import Connection, Door
from connectors.errors import ReplayError
from connectors.mapping.joins import KeptRow
from connectors.mapping.keeping import row_digest
from connectors.mapping.records import kept_from, node_from
from connectors.mapping.values import Draft, Rejection
from connectors.portions import Portion
from connectors.settle import Settled, change_text
from sinks import source_rows, source_versions
from sinks.dead_letters import DeadLetter
from sinks.source_rows import StoredRow
from sinks.source_versions import Seen


class ReplayDoor(Door):
    """A door for the record of one letter: what it brings counts as old as the letter."""

    letter_id: int
    #: By stream the keys of the rows that are on their way in, over none that came since.
    arriving: dict[str, list[str]]

    def settle_direct(
        self, drafts: Sequence[Draft]
    ) -> tuple[Settled, list[tuple[Draft, Rejection]]]:
        """See ``Door.settle_direct``.

        Raises:
            ReplayError: one of the documents has got another content since.
        """
        settled, rejections = super().settle_direct(drafts)
        wanted = {(one.document, one.key) for one in settled.seen}
        if not wanted:
            return settled, rejections

        def look(connection: Connection) -> list[Seen]:
            since = source_versions.seen_since(connection, self.source, wanted, self.letter_id)
            return since + source_versions.unconfirmed(connection, self.source)

        later = self.session.run(look)
        for one, version in settled.new:
            draft = one.draft
            if not draft.precise and any(
                (seen.document, seen.key) == (draft.document, draft.id)
                and seen.digest != one.digest
                and max(draft.changed, 1) <= seen.version < version
                for seen in later
            ):
                raise self._superseded(f"{draft.document} {draft.id}")
        return settled, rejections

    def refuse_overtaken(self, portion: Portion) -> None:
        """Look at the rows that would be kept, and note those that come in.

        Raises:
            ReplayError: one of them would stand in the place of a row that has come since.
        """
        origin = portion.origin
        stream = origin.stream
        if not stream.joined:
            return
        for number, record in portion.rows:
            node = node_from(stream, record, f"{origin.name}:{number}", origin.date_of(number))
            if isinstance(node, Rejection):
                continue
            kept = [one for one in kept_from(stream, node) if isinstance(one, KeptRow)]
            settled_by_time = stream.partial is not None or (stream.precise and node.dated)
            if settled_by_time and not stream.compared:
                continue
            keys = [one.key for one in kept]
            since = self.session.run(_rows_since(self.source, stream.name, keys, self.letter_id))
            for row in kept:
                later = since.get(row.key)
                if later is not None and _would_undo(stream.compared, row, later):
                    raise self._superseded(f"{stream.name} {row.key}")
            arriving = self.arriving.setdefault(stream.name, [])
            arriving += [key for key in keys if key not in since]

    def commit(
        self,
        settled: Settled,
        letters: Sequence[DeadLetter],
        work: Callable[[Connection], int],
        read: int = 0,
    ) -> None:
        """See ``Door.commit``; a letter that was made after this one may stand over it."""

        def as_old_as_the_letter(connection: Connection) -> int:
            repeated = work(connection)
            source_versions.date_back(connection, self.source, settled.seen, self.letter_id)
            for stream, keys in self.arriving.items():
                source_rows.date_back(connection, self.source, stream, keys, self.letter_id)
            return repeated

        super().commit(settled, letters, as_old_as_the_letter, read)

    def _superseded(self, what: str) -> ReplayError:
        return ReplayError(
            f"superseded: another content of {what} has come since; close it with"
            f" `headrace dead-letters close {self.letter_id}`"
        )


def replay_door(door: Door, letter_id: int) -> ReplayDoor:
    """The same door, for the record of that letter."""
    ours = ReplayDoor(**{one.name: getattr(door, one.name) for one in fields(Door)})
    ours.letter_id = letter_id
    ours.arriving = {}
    return ours


def _rows_since(
    source: str, stream: str, keys: Sequence[str], letter_id: int
) -> Callable[[Connection], dict[str, StoredRow]]:
    return lambda connection: source_rows.rows_since(connection, source, stream, keys, letter_id)


def _would_undo(compared: bool, row: KeptRow, later: StoredRow) -> bool:
    if later.gone:
        return True
    digest = row_digest(row.row)
    if compared:
        return digest != later.digests[-1]
    return later.change_date == change_text(row.changed) and digest not in later.digests
