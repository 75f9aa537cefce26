"""Takes documents that were handed in to the log: settled, acknowledged, committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from connectors.door import Connection
from connectors.encoding import Encoded, encode_drafts, too_large
from connectors.mapping.values import Rejection
from connectors.publish import Publisher, outgoing
from connectors.pushed.settling import By, Pushed, Verdict, settle_pushed
from connectors.pushed.source_rights import SourceRights
from connectors.settle import Settled, change_text
from sinks import source_versions
from sinks.session import Session
from sinks.source_versions import Seen

Result = Verdict | Rejection
#: Further work in the transaction that settles a batch, told what became of each document.
Finish = Callable[[Connection, Sequence[Result]], None]


@dataclass(slots=True)
class _Batch:
    """A batch on its way: documents by their positions, what became of them, and their sources.

    ``spans`` are the spans that they are published in, by the identity of what is encoded.
    """

    results: list[Result | None]
    encoded: dict[int, tuple[Encoded, By]] = field(default_factory=dict)
    spans: dict[int, bytes | None] = field(default_factory=dict)
    sources: dict[str, list[int]] = field(default_factory=dict)
    settled: dict[str, Settled] = field(default_factory=dict)

    def of(self, source: str) -> list[tuple[Encoded, By]]:
        """The documents of a source."""
        return [self.encoded[position] for position in self.sources[source]]


def take_documents(
    session: Session,
    publisher: Publisher,
    rights: SourceRights,
    documents: Sequence[Pushed],
    finish: Finish | None,
) -> list[Result]:
    """Publish documents; returns when the broker has them and their versions are committed.

    Where only the database can settle a version, the source is held meanwhile, and the version is
    announced before it is published: a process that is killed leaves word of which may be taken.

    Args:
        session: of this thread.
        publisher: to the log.
        rights: to settle versions.
        documents: in the order of their arrival.
        finish: more to be committed with their versions.

    Returns:
        What became of each of ``documents``.

    Raises:
        PublishError: the broker did not take them all; handing them in again is safe.
        SourceBusy: another process keeps one of the sources.
        psycopg.Error: the database is away, or refuses the work.
    """
    batch = _encoded(documents)
    unsettled: set[str] = {
        one.draft.body["source"] for one, by in batch.encoded.values() if by is not By.VERSION
    }
    with rights.of(unsettled) if unsettled else nullcontext(lambda: None) as held:
        _settle(session, batch, unsettled)
        _publish(publisher, batch)
        results = [result for result in batch.results if result is not None]
        assert len(results) == len(documents)
        held()
        if unsettled or finish is not None:
            session.run(lambda connection: _commit(connection, batch, results, finish))
    return results


def _encoded(documents: Sequence[Pushed]) -> _Batch:
    batch = _Batch([None] * len(documents))
    for position, result in enumerate(encode_drafts([one.draft for one in documents])):
        if isinstance(result, Rejection):
            batch.results[position] = result
            continue
        batch.encoded[position] = result, documents[position].by
        batch.spans[id(result)] = documents[position].traceparent
        batch.sources.setdefault(result.draft.body["source"], []).append(position)
    return batch


def _settle(session: Session, batch: _Batch, unsettled: set[str]) -> None:
    for source in batch.sources.keys() - unsettled:
        # Stated versions need no database.
        _note(batch, source, *settle_pushed(batch.of(source), (), (), ()))
    if not unsettled:
        return

    def work(connection: Connection) -> dict[str, tuple[Settled, list[Verdict]]]:
        found = {}
        for source in unsettled:
            encoded = batch.of(source)
            settled, verdicts = settle_pushed(encoded, *_known(connection, source, encoded))
            if settled.announce:
                about_to = [*settled.unconfirmed, *settled.seen]
                source_versions.save_unconfirmed(connection, source, about_to)
            found[source] = settled, verdicts
        return found

    for source, (settled, verdicts) in session.run(work).items():
        _note(batch, source, settled, verdicts)


def _note(batch: _Batch, source: str, settled: Settled, verdicts: Sequence[Verdict]) -> None:
    batch.settled[source] = settled
    for position, verdict in zip(batch.sources[source], verdicts, strict=True):
        batch.results[position] = verdict


def _known(
    connection: Connection, source: str, encoded: Sequence[tuple[Encoded, By]]
) -> tuple[list[Seen], list[Seen], list[Seen]]:
    by_change = {
        (one.draft.document, one.draft.id, change_text(one.draft.changed))
        for one, by in encoded
        if by is By.CHANGE
    }
    by_arrival = {(one.draft.document, one.draft.id) for one, by in encoded if by is By.ARRIVAL}
    return (
        source_versions.seen_at(connection, source, by_change),
        source_versions.newest_seen(connection, source, by_arrival),
        source_versions.unconfirmed(connection, source),
    )


def _publish(publisher: Publisher, batch: _Batch) -> None:
    new = [(source, one) for source, settled in batch.settled.items() for one in settled.new]
    if not new:
        return
    records = [
        outgoing(encoded, version, batch.spans[id(encoded)]) for _, (encoded, version) in new
    ]
    refused = publisher.publish(records)
    if not refused:
        return
    position_of = {id(encoded): position for position, (encoded, _) in batch.encoded.items()}
    for place in refused:
        encoded = new[place][1][0]
        result = too_large(encoded.draft, len(records[place].value))
        batch.results[position_of[id(encoded)]] = result
    lost = {id(new[place][1][0]) for place in refused}
    for settled in batch.settled.values():
        settled.drop({at for at, (encoded, _) in enumerate(settled.new) if id(encoded) in lost})


def _commit(
    connection: Connection, batch: _Batch, results: Sequence[Result], finish: Finish | None
) -> None:
    for source, settled in batch.settled.items():
        source_versions.save_seen(connection, source, settled.seen)
        if settled.announce:
            source_versions.save_unconfirmed(connection, source, settled.unconfirmed)
    if finish is not None:
        finish(connection, results)
