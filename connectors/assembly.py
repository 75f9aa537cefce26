"""Builds the documents whose rows have changed, once a pass has read all files of the source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connectors.door import Connection, Door
from connectors.kept_rows import StoredRows
from connectors.letters import letter_for_document
from connectors.mapping.building import made_of, withdrawn
from connectors.mapping.joins import Gap, fill, roots, still_open
from connectors.mapping.model import Event, Join, Missing
from connectors.mapping.values import Draft, Node, Rejection
from hub.clock import utc_now
from sinks import cursors
from sinks.cursors import Waiting

_BATCH = 500


@dataclass(slots=True)
class _Built:
    drafts: list[Draft] = field(default_factory=list)
    draft_keys: list[str] = field(default_factory=list)
    withdrawals: list[Draft] = field(default_factory=list)
    withdrawal_keys: list[str] = field(default_factory=list)
    refused: list[tuple[str, Rejection]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, row_key: str, made: Draft | Rejection) -> None:
        """Take in what was made of the row of that key."""
        if isinstance(made, Draft):
            self.drafts.append(made)
            self.draft_keys.append(row_key)
        else:
            self.refused.append((row_key, made))


def build_touched(door: Door, final: bool, *, waiting_too: bool = True) -> None:
    """Build and publish every document that is marked, batch by batch.

    Args:
        door: the source.
        final: whether nothing more comes: a required part that is missing is then a dead letter;
            otherwise its document waits. An optional part that is missing stays empty.
        waiting_too: whether documents that were found to lack a part are looked at again if
            they can be given up, or only those whose rows have changed since.
    """
    for event in door.mapping.events:
        after = ""
        everything = waiting_too and (final or gives_up(event))
        while door.mapping.is_kept(event) and (batch := _next(door, event, after, everything)):
            after = batch[-1].row_key
            _build(door, event, batch, final)


def _next(door: Door, event: Event, after: str, everything: bool) -> list[Waiting]:
    return door.session.run(
        lambda connection: cursors.waiting(
            connection, door.source, event.name, after, _BATCH, everything
        )
    )


def gives_up(event: Event) -> bool:
    """Whether time alone can end the waiting for a document of this event."""
    timed = event.group is not None and event.group.timeout is not None
    return timed or _any_limit(event.joins)


def _any_limit(joins: tuple[Join, ...]) -> bool:
    return any(join.max_wait is not None or _any_limit(join.joins) for join in joins)


def _given_up(gap: Gap, one: Waiting, now: datetime) -> bool:
    late = gap.max_wait is not None and now - one.since > gap.max_wait
    return late or gap.missing == Missing.REJECT


def _build(door: Door, event: Event, batch: list[Waiting], final: bool) -> None:
    built = door.session.run(lambda connection: _assemble(connection, door, event, batch, final))
    settled, refused = door.settle_joined(built.drafts, built.withdrawals)
    built.refused += [(built.draft_keys[position], one) for position, one in refused]
    row_keys = {
        id(draft): row_key
        for draft, row_key in zip(
            [*built.drafts, *built.withdrawals],
            [*built.draft_keys, *built.withdrawal_keys],
            strict=True,
        )
    }
    built.refused += [(row_keys[id(draft)], one) for draft, one in door.publish(settled)]
    letters = [
        letter_for_document(door.mapping, door.source, event.name, key, rejection)
        for key, rejection in built.refused
    ]
    done = [one.row_key for one in batch if one.row_key not in built.missing]

    def work(connection: Connection) -> int:
        cursors.settle_waiting(connection, door.source, event.name, done, built.missing)
        return 0

    door.commit(settled, letters, work)


def _assemble(
    connection: Connection, door: Door, event: Event, batch: list[Waiting], final: bool
) -> _Built:
    mapping, built = door.mapping, _Built()
    rows = StoredRows(connection, door.source)
    found = roots(mapping, rows, event, [one.row_key for one in batch])
    absent = [one for one in batch if one.row_key not in found]
    _withdraw_gone(connection, door, event, absent, built)
    present = [one for one in batch if one.row_key in found]
    nodes = [found[one.row_key] for one in present]
    gaps = fill(mapping, rows, event.joins, nodes)
    now = utc_now()
    for position, (one, node) in enumerate(zip(present, nodes, strict=True)):
        opened = still_open(event, node)
        if opened is not None and not final and not _given_up(opened, one, now):
            built.missing[one.row_key] = opened.text
            continue
        made = made_of(mapping, event, node)
        if not made:
            withdrawal = withdrawn(mapping, event, node) if event.alone else None
            if withdrawal is not None:
                built.withdrawals.append(withdrawal)
                built.withdrawal_keys.append(one.row_key)
        elif position in gaps:
            _wait(built, event, one, node, gaps[position], final, now)
        else:
            for each in made:
                built.add(one.row_key, each)
    return built


def _withdraw_gone(
    connection: Connection, door: Door, event: Event, batch: list[Waiting], built: _Built
) -> None:
    """Mark documents as deleted whose own rows are gone; the rest of them is as it last was."""
    mapping = door.mapping
    rows = StoredRows(connection, door.source, with_gone=True)
    gone = roots(mapping, rows, event, [one.row_key for one in batch])
    nodes = list(gone.values())
    fill(mapping, rows, event.joins, nodes)
    for row_key, node in zip(gone, nodes, strict=True):
        for made in made_of(mapping, event, node):
            if isinstance(made, Draft):
                made.body["deleted"] = True
                built.withdrawals.append(made)
                built.withdrawal_keys.append(row_key)
            else:
                built.refused.append((row_key, made))


def _wait(
    built: _Built,
    event: Event,
    one: Waiting,
    node: Node,
    gaps: list[Gap],
    final: bool,
    now: datetime,
) -> None:
    text = ", ".join(sorted({gap.text for gap in gaps}))
    if final or any(_given_up(gap, one, now) for gap in gaps):
        reason = f"{event.document} {one.row_key}: {text} has not come"
        rejection = Rejection("missing_part", reason, node.place, event.document, node.row)
        built.refused.append((one.row_key, rejection))
    else:
        built.missing[one.row_key] = text
