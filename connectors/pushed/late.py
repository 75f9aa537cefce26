"""Takes a document in long after it was handed in, without undoing what has come since."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.door import Connection
from connectors.errors import ReplayError
from connectors.mapping.values import Rejection
from connectors.publish import Publisher
from connectors.pushed.intake import Result, take_documents
from connectors.pushed.settling import By, Pushed, Verdict
from connectors.pushed.source_rights import SourceRights
from connectors.settle import change_text
from sinks import source_versions
from sinks.session import Session
from sinks.source_versions import Seen


def take_late(
    session: Session, publisher: Publisher, rights: SourceRights, late: Pushed, letter_id: int
) -> Rejection | None:
    """Publish the document of a dead letter; it counts as old as the letter.

    Args:
        session: of this thread.
        publisher: to the log.
        rights: to settle versions.
        late: the document, by its arrival at that time where it states no version.
        letter_id: of its letter.

    Returns:
        Why the log cannot take it; None once it stands there.

    Raises:
        ReplayError: another content of the document has come since.
        PublishError: the broker did not take it; trying again is safe.
        SourceBusy: another process keeps its source.
        psycopg.Error: the database is away.
    """

    def finish(connection: Connection, results: Sequence[Result]) -> None:
        (result,) = results
        if isinstance(result, Verdict) and late.by is not By.VERSION:
            source_versions.date_back(
                connection, late.source, [_seen(late, result.version)], letter_id
            )

    with rights.of([late.source]):
        if session.run(lambda connection: _is_overtaken(connection, late, letter_id)):
            raise ReplayError(
                f"superseded: another content of {late.draft.document} {late.draft.id} has come"
                f" since; close it with `headrace dead-letters close {letter_id}`"
            )
        (result,) = take_documents(session, publisher, rights, [late], finish)
    return result if isinstance(result, Rejection) else None


def _is_overtaken(connection: Connection, late: Pushed, letter_id: int) -> bool:
    """Whether what came since would be undone: a version that its source states decides itself."""
    if late.by is By.VERSION:
        return False
    wanted = {(late.draft.document, late.draft.id)}
    since = source_versions.seen_since(connection, late.source, wanted, letter_id)
    ours = _seen(late, 0)
    return any(
        (seen.document, seen.key) in wanted
        and seen.digest != ours.digest
        and (late.by is By.ARRIVAL or seen.change_date == ours.change_date)
        for seen in (*since, *source_versions.unconfirmed(connection, late.source))
    )


def _seen(late: Pushed, version: int) -> Seen:
    draft = late.draft
    at = change_text(draft.changed)
    return Seen(draft.document, draft.id, at, late.encoded.digest, version)
