"""A document of any type is a fact, counted and shown, whether or not a stream reads it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pytest

from ops.answers import plain
from ops.asking import ask_documents
from ops.presenting.documents import documents_table
from ops.status import DocumentCount, read_status
from schemas.catalogue import DOCUMENTS, Topic
from schemas.codec import Document, encode
from schemas.keys import record_key
from sinks.database import engine
from sinks.tables import FACT_DOCUMENTS
from streams.catalogue import streams
from streams.ingest import Ingest, Span
from streams.rebuild import forget_everything, rebuild
from streams.replay import Replay
from tests.oracle.generate import Event
from tests.oracle.handwritten import log_of
from tests.schemas.plain import from_plain
from tests.streams.keeping import kept
from tests.streams.ledger import POLICY, Ledger

READ = {document for stream in streams(POLICY) for document in stream.documents}
CALL = DOCUMENTS["call"]
CONTACT = DOCUMENTS["contact"]
VISIT = DOCUMENTS["visit"]


def golden(topic: Topic) -> list[Document]:
    return [from_plain(topic, example) for example in topic.golden()["valid"]]


def event(topic: Topic, document: Document, **changed: object) -> Event:
    value = encode(topic, document | changed)
    return Event(topic.name, record_key(document["source"], document["id"]).encode(), 0, value)


def every_event() -> list[Event]:
    """Return the golden documents of all types, as records."""
    return [
        event(DOCUMENTS[name], document)
        for name in FACT_DOCUMENTS
        for document in golden(DOCUMENTS[name])
    ]


def facts_of(ledger: Ledger) -> list[tuple[str, str, int, bytes]]:
    return [
        (document, *row)
        for document in FACT_DOCUMENTS
        for row in ledger.rows(f"SELECT key, version, body FROM fact_{document} ORDER BY key")
    ]


def counted(ledger: Ledger) -> dict[str, DocumentCount]:
    database = engine(ledger.url)
    try:
        status = read_status(
            database,
            as_of=date(2026, 6, 30),
            sources=[],
            streams={},
            lag_of_topics=None,
            topic_of={},
            silent_factor=Decimal(3),
        )
    finally:
        database.dispose()
    return {one.document: one for one in status.documents}


def letters(ledger: Ledger) -> list[tuple[str, str, str]]:
    return ledger.rows("SELECT stage, code, document FROM dead_letters ORDER BY id")


def replayed(ledger: Ledger) -> list[tuple[bool, str]]:
    ids = [id for (id,) in ledger.rows("SELECT id FROM dead_letters ORDER BY id")]
    return [(one.replayed, one.reason) for one in Replay(ledger.url, POLICY).run(ids)]


def words_of(documents: Iterable[Document], name: str) -> int:
    return sum(1 for document in documents if document.get("status") == name)


def test_there_are_documents_that_no_stream_reads() -> None:
    assert {"call", "contact"} <= set(FACT_DOCUMENTS) - READ, "the tests below need another type"


def test_every_golden_document_is_a_fact_and_is_shown_as_it_came(ledger: Ledger) -> None:
    ledger.apply(*every_event())
    assert letters(ledger) == []
    for name in FACT_DOCUMENTS:
        answer = ask_documents(ledger.url, name, None)
        expected = {document["id"]: plain(document) for document in golden(DOCUMENTS[name])}
        assert {row["id"]: row for row in answer["rows"]} == expected
        assert documents_table(answer).row_count == len(expected)


def test_every_golden_document_is_counted_the_deleted_and_cancelled_among_them(
    ledger: Ledger,
) -> None:
    ledger.apply(*every_event())
    found = counted(ledger)
    assert list(found) == list(FACT_DOCUMENTS)
    for name in set(FACT_DOCUMENTS) - {"invoice"}:
        documents = golden(DOCUMENTS[name])
        deleted = sum(1 for document in documents if document["deleted"])
        cancelled = words_of(documents, "cancelled")
        assert found[name] == DocumentCount(name, len(documents), deleted, cancelled)
    assert (found["production"].cancelled, found["service_visit"].cancelled) == (1, 1)


def test_a_rebuild_keeps_every_fact(ledger: Ledger) -> None:
    ledger.apply(*every_event())
    before = facts_of(ledger), kept(ledger)
    rebuild(ledger.url, POLICY)
    assert (facts_of(ledger), kept(ledger)) == before


def test_a_rebuild_from_the_topics_brings_every_fact_back(ledger: Ledger) -> None:
    ledger.apply(*every_event())
    before = facts_of(ledger), kept(ledger)
    forget_everything(ledger.url, POLICY)
    assert facts_of(ledger) == []
    ledger.apply(*reversed(every_event()))
    assert (facts_of(ledger), kept(ledger)) == before


def test_the_newest_version_of_a_call_stands_and_a_conflict_is_a_dead_letter(
    ledger: Ledger,
) -> None:
    call = golden(CALL)[0]
    later = call["version"] + 1
    ledger.apply(event(CALL, call, version=later, rating=5))
    ledger.apply(event(CALL, call))
    ledger.apply(event(CALL, call, version=later, rating=4))
    ((_, key, version, _),) = facts_of(ledger)
    assert (key, version) == ("calls|2025-10-09-0042", later)
    assert letters(ledger) == [("facts", "version_conflict", "call")]


def test_a_call_that_breaks_a_rule_is_a_dead_letter_and_stays_one(ledger: Ledger) -> None:
    ledger.apply(event(CALL, golden(CALL)[0], rating=6), event(CALL, golden(CALL)[1]))
    assert len(facts_of(ledger)) == 1
    assert letters(ledger) == [("decode", "rating", "call")]
    assert replayed(ledger) == [(False, "The rating is 6; it is from 1 to 5.")]
    assert len(facts_of(ledger)) == 1


@pytest.mark.parametrize("code", ["not_processable", "kills_the_process"])
def test_a_call_that_was_put_aside_is_a_fact_when_it_is_replayed(ledger: Ledger, code: str) -> None:
    (record,) = log_of([event(CALL, golden(CALL)[0])], partitions=1)
    span = Span(record.topic, 0, 0, record.offset, record.offset + 1, [record])
    ingest = Ingest([], None)
    ledger.run(
        lambda connection: ingest.put_aside(connection, [span], code, RuntimeError("it died"))
    )
    assert facts_of(ledger) == []
    assert replayed(ledger) == [(True, "")]
    ((document, key, _, _),) = facts_of(ledger)
    assert (document, key) == ("call", "calls|2025-10-09-0042")


def test_a_tombstone_erases_a_person_or_a_call_and_no_visit(ledger: Ledger) -> None:
    erased = [event(CONTACT, golden(CONTACT)[0]), event(CALL, golden(CALL)[0])]
    visit = event(VISIT, golden(VISIT)[0])
    ledger.apply(*erased, visit)
    assert len(facts_of(ledger)) == 3
    ledger.apply(*(Event(one.topic, one.key, 0, None) for one in (*erased, visit)))
    assert [document for document, _, _, _ in facts_of(ledger)] == ["visit"]
    assert letters(ledger) == [("decode", "no_value", "visit")]
