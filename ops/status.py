"""What the hub holds: documents by type, refused records, how fresh each source and stream is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from statistics import median

from sqlalchemy import Connection, Date, Engine, cast, func, select, union

from sinks.tables import (
    FACT_DOCUMENTS,
    dead_letters,
    fact_table,
    receivable_invoices,
    source_freshness,
)

#: Documents whose dates tell how often a source speaks; master data are read whole at any time.
_DATED = (
    *("lead", "opportunity", "visit", "order", "production", "shipment", "invoice", "payment"),
    *("call", "case", "service_visit"),
)

#: With fewer days there is no usual gap.
_LEAST_DAYS = 3


@dataclass(frozen=True, slots=True)
class DocumentCount:
    """Documents of one type that the facts hold; deleted and cancelled ones are among them."""

    document: str
    count: int
    deleted: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class LetterCount:
    """Dead letters that were not replayed, by who refused them and why."""

    stage: str
    code: str
    document: str | None
    count: int


@dataclass(frozen=True, slots=True)
class SourceState:
    """How fresh a source is: its newest event (business time, UTC).

    ``silent`` is None where the source has too few days of events to have a usual gap.
    """

    name: str
    newest: datetime | None
    silent: bool | None


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream: what it reads, records it is behind (None: Kafka doesn't run), what it refused."""

    name: str
    documents: tuple[str, ...]
    behind: int | None
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Status:
    """The hub at one moment."""

    documents: tuple[DocumentCount, ...]
    letters: tuple[LetterCount, ...]
    sources: tuple[SourceState, ...]
    streams: tuple[StreamState, ...]

    @property
    def dead_letters(self) -> int:
        """Dead letters that were not replayed."""
        return sum(letter.count for letter in self.letters)


def read_status(
    engine: Engine,
    *,
    as_of: date,
    sources: Collection[str],
    streams: Mapping[str, Collection[str]],
    lag_of_topics: Mapping[str, int] | None,
    topic_of: Mapping[str, str],
    silent_factor: Decimal,
) -> Status:
    """Count what the tables hold, as of one snapshot.

    Args:
        engine: the database.
        as_of: the business date against which silence is measured.
        sources: names from the configuration; they are listed even if nothing came from them.
        streams: by name of a stream the types of documents that it reads.
        lag_of_topics: records behind by topic, None where Kafka doesn't run.
        topic_of: the topic of each type of document.
        silent_factor: a source is silent after so many of its usual gaps (DOMAIN section 6).
    """
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        letters = tuple(count_letters(connection))
        return Status(
            tuple(count_documents(connection)),
            letters,
            tuple(_source_states(connection, sources, as_of, silent_factor)),
            tuple(
                StreamState(
                    name,
                    tuple(sorted(documents)),
                    None
                    if lag_of_topics is None
                    else sum(lag_of_topics.get(topic_of[one], 0) for one in documents),
                    sum(one.count for one in letters if one.stage == f"stream:{name}"),
                )
                for name, documents in streams.items()
            ),
        )


def count_documents(connection: Connection) -> Iterable[DocumentCount]:
    """Count the facts of each type; an invoice is cancelled by its cancellation document."""
    for document in FACT_DOCUMENTS:
        fact = fact_table(document)
        cancelled = fact.c.cancelled
        source = select(
            func.count(),
            func.count().filter(fact.c.deleted),
            func.count().filter(cancelled),
        )
        if document == "invoice":
            closed = receivable_invoices.c.cancelled_on.is_not(None)
            source = select(
                func.count(),
                func.count().filter(fact.c.deleted),
                func.count().filter(cancelled | closed),
            ).select_from(
                fact.outerjoin(receivable_invoices, receivable_invoices.c.key == fact.c.key)
            )
        count, deleted, gone = connection.execute(source).one()
        yield DocumentCount(document, count, deleted, gone)


def count_letters(connection: Connection) -> Iterable[LetterCount]:
    """Count the dead letters that were neither replayed nor closed."""
    letter = dead_letters.c
    query = (
        select(letter.stage, letter.code, letter.document, func.count())
        .where(letter.replayed_at.is_(None), letter.closed_at.is_(None))
        .group_by(letter.stage, letter.code, letter.document)
        .order_by(letter.stage, letter.code, letter.document)
    )
    for stage, code, document, count in connection.execute(query):
        yield LetterCount(stage, code, document, count)


def _source_states(
    connection: Connection, configured: Collection[str], as_of: date, factor: Decimal
) -> Iterable[SourceState]:
    fresh = source_freshness.c
    latest = select(fresh.source, func.max(fresh.newest)).group_by(fresh.source)
    newest: dict[str, datetime] = {row[0]: row[1] for row in connection.execute(latest)}
    days = _event_days(connection)
    for name in [*configured, *sorted(newest.keys() - set(configured))]:
        yield SourceState(name, newest.get(name), is_silent(days.get(name, []), as_of, factor))


def _event_days(connection: Connection) -> dict[str, list[date]]:
    """By source the days (UTC) on which something happened in it, ascending."""
    found = []
    for document in _DATED:
        fact = fact_table(document)
        day = cast(func.timezone("UTC", fact.c.occurred_at), Date)
        found.append(
            select(func.split_part(fact.c.key, "|", 1).label("source"), day.label("day")).where(
                ~fact.c.deleted
            )
        )
    both = union(*found).subquery()
    days: dict[str, list[date]] = defaultdict(list)
    for source, on in connection.execute(select(both.c.source, both.c.day).order_by(both.c.day)):
        days[source].append(on)
    return days


def is_silent(days: list[date], as_of: date, factor: Decimal) -> bool | None:
    """Whether nothing came for longer than ``factor`` usual gaps (DOMAIN section 6).

    The usual gap is the median of the days between days with events, at least one.

    Args:
        days: days with events, ascending, each once.
        as_of: the business date; what lies behind it doesn't count as silence.
        factor: of the usual gap.

    Returns:
        None with fewer than three days.
    """
    if len(days) < _LEAST_DAYS:
        return None
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    usual = max(Decimal(1), Decimal(str(median(gaps))))
    return Decimal((as_of - days[-1]).days) > factor * usual


def instant_text(at: datetime | None) -> str | None:
    """An instant in ISO 8601, in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
