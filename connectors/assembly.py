"""Builds the documents whose rows have changed, once a pass has read all files of the source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connectors.door import Connection, Door
from connectors.kept_rows import StoredRows
from connectors.letters import letter_for_document
from connectors.mapping.building import draft_of, withdrawn
from connectors.mapping.joins import Gap, fill, node_of
from connectors.mapping.model import Event, Join, Missing
from connectors.mapping.values import Draft, Rejection
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
        everything = waiting_too and (final or _gives_up(event.joins))
        while event.joins and (batch := _next(door, event, after, everything)):
            after = batch[-1].row_key
            _build(door, event, batch, final)


def _next(door: Door, event: Event, after: str, everything: bool) -> list[Waiting]:
    return door.session.run(
        lambda connection: cursors.waiting(
            connection, door.source, event.name, after, _BATCH, everything
        )
    )


def _gives_up(joins: tuple[Join, ...]) -> bool:
    """Whether time alone can end the waiting."""
    return any(join.max_wait is not None or _gives_up(join.joins) for join in joins)


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
    kept = rows.rows(event.stream, [one.row_key for one in batch])
    present = [one for one in batch if one.row_key in kept]
    nodes = [node_of(mapping, event.stream, kept[one.row_key]) for one in present]
    gaps = fill(mapping, rows, event.joins, nodes)
    now = utc_now()
    for position, (one, node) in enumerate(zip(present, nodes, strict=True)):
        made = draft_of(mapping, event, node)
        if made is None:
            withdrawal = withdrawn(mapping, event, node) if event.alone else None
            if withdrawal is not None:
                built.withdrawals.append(withdrawal)
                built.withdrawal_keys.append(one.row_key)
        elif position in gaps:
            _wait(built, event, one, node.place, kept[one.row_key].row, gaps[position], final, now)
        elif isinstance(made, Draft):
            built.drafts.append(made)
            built.draft_keys.append(one.row_key)
        else:
            built.refused.append((one.row_key, made))
    return built


def _wait(
    built: _Built,
    event: Event,
    one: Waiting,
    place: str,
    row: dict[str, object],
    gaps: list[Gap],
    final: bool,
    now: datetime,
) -> None:
    text = ", ".join(sorted({gap.text for gap in gaps}))
    given_up = final or any(
        gap.missing == Missing.REJECT
        or (gap.max_wait is not None and now - one.since > gap.max_wait)
        for gap in gaps
    )
    if given_up:
        reason = f"{event.document} {one.row_key}: {text} has not come"
        rejection = Rejection("missing_part", reason, place, event.document, row)
        built.refused.append((one.row_key, rejection))
    else:
        built.missing[one.row_key] = text
