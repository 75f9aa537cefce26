"""Takes documents that were handed in to the log: settled, acknowledged, committed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext

from connectors.confirming import announce, publish_new, remember
from connectors.door import Connection
from connectors.mapping.values import Rejection
from connectors.publish import Publisher
from connectors.pushed.settling import By, Pushed, Verdict, settle_pushed
from connectors.pushed.source_rights import SourceRights
from connectors.settle import Settled, change_text
from sinks import source_versions
from sinks.session import Session
from sinks.source_versions import Seen

Result = Verdict | Rejection
#: Further work in the transaction that settles a batch, told what became of each document.
Finish = Callable[[Connection, Sequence[Result]], None]
#: What is settled of a source, with the verdicts on its documents.
_Found = tuple[Settled, list[Verdict]]


def take_documents(
    session: Session,
    publisher: Publisher,
    rights: SourceRights,
    documents: Sequence[Pushed],
    finish: Finish | None,
) -> list[Result]:
    """Publish documents; returns when the broker has them and their versions are committed.

    Where only the database can settle a version, the source is held meanwhile, and the version is
    announced before it is published.

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
    of_source: dict[str, list[Pushed]] = {}
    for one in documents:
        of_source.setdefault(one.source, []).append(one)
    unsettled = {one.source for one in documents if one.by is not By.VERSION}
    with rights.of(unsettled) if unsettled else nullcontext(lambda: None) as held:
        found = _settle(session, of_source, unsettled)
        fates: dict[int, Result] = {
            id(one.encoded): verdict
            for source, (_, verdicts) in found.items()
            for one, verdict in zip(of_source[source], verdicts, strict=True)
        }
        settled = {source: one for source, (one, _) in found.items()}
        fates.update(_publish(publisher, documents, settled.values()))
        results = [fates[id(one.encoded)] for one in documents]
        held()

        def commit(connection: Connection) -> None:
            if finish is None:
                # A server that dies may lose this, and then what was announced still stands, which
                # no later commit overtakes in its log.
                connection.execute("SET LOCAL synchronous_commit = off")
            for source in unsettled:
                remember(connection, source, settled[source])
            if finish is not None:
                finish(connection, results)

        if unsettled or finish is not None:
            session.run(commit)
    return results


def _settle(
    session: Session, of_source: Mapping[str, Sequence[Pushed]], unsettled: Collection[str]
) -> dict[str, _Found]:
    # Stated versions need no database.
    stated = {
        source: settle_pushed(documents, (), (), ())
        for source, documents in of_source.items()
        if source not in unsettled
    }
    if not unsettled:
        return stated

    def work(connection: Connection) -> dict[str, _Found]:
        found = {}
        for source in unsettled:
            documents = of_source[source]
            found[source] = settle_pushed(documents, *_known(connection, source, documents))
            announce(connection, source, found[source][0])
        return found

    return {**stated, **session.run(work)}


def _known(
    connection: Connection, source: str, documents: Sequence[Pushed]
) -> tuple[list[Seen], list[Seen], list[Seen]]:
    drafts = [(one.draft, one.by) for one in documents]
    by_change = {
        (draft.document, draft.id, change_text(draft.changed))
        for draft, by in drafts
        if by is By.CHANGE
    }
    by_arrival = {(draft.document, draft.id) for draft, by in drafts if by is By.ARRIVAL}
    return (
        source_versions.seen_at(connection, source, by_change),
        source_versions.newest_seen(connection, source, by_arrival),
        source_versions.unconfirmed(connection, source),
    )


def _publish(
    publisher: Publisher, documents: Sequence[Pushed], settled: Collection[Settled]
) -> dict[int, Rejection]:
    """By the identity of what is encoded the documents that the log cannot take."""
    spans = {id(one.encoded): one.traceparent for one in documents}
    new = [each for one in settled for each in one.new]
    refused = {
        id(new[position][0]): rejection
        for position, rejection in publish_new(
            publisher, new, lambda encoded: spans[id(encoded)]
        ).items()
    }
    if refused:
        for one in settled:
            one.drop({at for at, (encoded, _) in enumerate(one.new) if id(encoded) in refused})
    return refused
