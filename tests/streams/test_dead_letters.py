"""A record on which a rule fails is put aside for that stream alone, and replayed."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date

import pytest

from streams.ingest import Ingest, Span
from streams.rebuild import rebuild
from streams.replay import Outcome, Replay, Stored
from tests.oracle.generate import Event
from tests.oracle.handwritten import customer, invoice, log_of, payment
from tests.streams.keeping import assert_balances_are_the_sums, kept
from tests.streams.ledger import POLICY, Ledger
from tests.streams.test_at_once import wait_for_a_lock

AS_OF = date(2026, 9, 30)
#: Invoiced then and due by these terms: in a year that no calendar has.
LATE, NEVER = "9990-07-01", (12 * 100, False, 0)


def letters(ledger: Ledger) -> list[tuple[int, str, str, str]]:
    return ledger.rows("SELECT id, stage, code, place FROM dead_letters ORDER BY id")


def outstanding(ledger: Ledger) -> str:
    answer = ledger.answers(AS_OF).receivables[0]
    return str(answer["total"]["outstanding"])


def replay(ledger: Ledger) -> list[Outcome]:
    return Replay(ledger.url, POLICY).run([letter[0] for letter in letters(ledger)])


def test_a_rule_that_fails_keeps_the_record_from_its_stream_and_from_no_other(
    ledger: Ledger,
) -> None:
    good = invoice("erp|1", "erp|C", "2026-07-01", "100")
    bad = invoice("erp|2", "erp|C", LATE, "70", terms=NEVER)
    ledger.apply(good, bad)
    ((_, stage, code, place),) = letters(ledger)
    assert (stage, code, place) == ("stream:receivables", "rule_failed", "erp|2")
    assert outstanding(ledger) == "100.00"
    assert ledger.rows("SELECT key FROM customer_documents ORDER BY key") == [
        ("erp|1",),
        ("erp|2",),
    ]
    assert ledger.rows("SELECT key FROM fact_invoice ORDER BY key") == [("erp|1",), ("erp|2",)]


def test_a_version_on_which_a_rule_fails_leaves_what_the_former_one_contributed(
    ledger: Ledger,
) -> None:
    ledger.apply(invoice("erp|1", "erp|C", "2026-07-01", "100"))
    ledger.apply(invoice("erp|1", "erp|C", LATE, "70", terms=NEVER, version=2))
    assert outstanding(ledger) == "100.00"
    ledger.apply(invoice("erp|1", "erp|C", "2026-07-01", "60", version=3))
    assert outstanding(ledger) == "60.00"
    assert_balances_are_the_sums(ledger)


def test_a_replayed_letter_of_a_stream_applies_the_fact_as_it_now_stands(ledger: Ledger) -> None:
    ledger.apply(invoice("erp|1", "erp|C", "2026-07-01", "100"))
    ledger.apply(invoice("erp|1", "erp|C", LATE, "70", terms=NEVER, version=2))
    (still,) = replay(ledger)
    assert not still.replayed
    assert "the rules of receivables failed on it" in still.reason
    ledger.apply(invoice("erp|1", "erp|C", "2026-07-01", "60", version=3))
    (done,) = replay(ledger)
    assert done.replayed
    assert outstanding(ledger) == "60.00"
    (again,) = replay(ledger)
    assert not again.replayed
    assert_balances_are_the_sums(ledger)


def test_a_rebuild_leaves_one_letter_for_a_record_on_which_a_rule_fails(ledger: Ledger) -> None:
    ledger.apply(invoice("erp|2", "erp|C", LATE, "70", terms=NEVER))
    rebuild(ledger.url, POLICY)
    ((_, stage, _, place),) = letters(ledger)
    assert (stage, place) == ("stream:receivables", "erp|2")
    assert ledger.rows("SELECT key FROM dead_letters") == [(b"erp|2",)]


@pytest.mark.parametrize("code", ["not_processable", "kills_the_process"])
def test_a_record_that_was_put_aside_has_its_effects_when_it_is_replayed(
    ledger: Ledger, code: str
) -> None:
    bill = invoice("erp|1", "erp|C", "2026-07-01", "100")
    paid = payment("erp|9", "erp|C", "2026-08-15", "40")
    ledger.apply(paid)
    (record,) = log_of([bill], partitions=1)
    span = Span(record.topic, 0, 0, record.offset, record.offset + 1, [record])
    ingest = Ingest([], None)
    ledger.run(
        lambda connection: ingest.put_aside(connection, [span], code, RuntimeError("it died"))
    )
    ((_, stage, found, _),) = letters(ledger)
    assert (stage, found, outstanding(ledger)) == ("facts", code, "-40.00")
    (done,) = replay(ledger)
    assert done.replayed
    assert outstanding(ledger) == "60.00"


def test_a_record_that_cannot_be_read_stays_a_dead_letter_with_its_reason(ledger: Ledger) -> None:
    whole = invoice("erp|1", "erp|C", "2026-07-01", "100")
    assert whole.value is not None
    ledger.apply(Event(whole.topic, whole.key, 0, whole.value[:-3]))
    before = kept(ledger)
    (outcome,) = replay(ledger)
    assert not outcome.replayed
    assert outcome.reason
    assert kept(ledger) == before


def test_a_record_that_is_refused_again_when_it_is_replayed_keeps_its_headers(
    ledger: Ledger,
) -> None:
    (record,) = log_of([invoice("erp|1", "erp|C", LATE, "70", terms=NEVER)], partitions=1)
    stored = Stored(record.topic, 0, 7, record.key, record.value, (("ce_id", b"e-1"),))
    span = Span(record.topic, 0, 0, 7, 8, [stored])
    ingest = Ingest([], None)
    ledger.run(
        lambda connection: ingest.put_aside(
            connection, [span], "not_processable", RuntimeError("it died")
        )
    )
    replay(ledger)
    found = ledger.rows("SELECT code, headers FROM dead_letters ORDER BY id")
    assert found == [
        ("not_processable", [["ce_id", "e-1"]]),
        ("rule_failed", [["ce_id", "e-1"]]),
    ]


def test_a_letter_of_a_stream_that_is_no_more_stays_with_its_reason(ledger: Ledger) -> None:
    ledger.apply(invoice("erp|2", "erp|C", LATE, "70", terms=NEVER))
    ledger.run(
        lambda connection: connection.execute("UPDATE dead_letters SET stage = 'stream:forecasts'")
    )
    (outcome,) = replay(ledger)
    assert not outcome.replayed
    assert "there is no stream forecasts any more" in outcome.reason


def test_a_lost_conflict_has_nothing_to_replay(ledger: Ledger) -> None:
    ledger.apply(invoice("erp|1", "erp|C", "2026-07-01", "100"))
    ledger.apply(invoice("erp|1", "erp|C", "2026-07-01", "70"))
    (outcome,) = replay(ledger)
    assert not outcome.replayed
    assert "nothing to replay" in outcome.reason


PERSON = customer("erp|C", "Zhang Wei")
ERASED = replace(PERSON, value=None)
DAMAGED = replace(PERSON, value=(PERSON.value or b"")[:-3])
CONFLICTS = [customer("erp|C", "Zhang Wei", version=2), customer("erp|C", "Zhang Hua", version=2)]


def put_aside(ledger: Ledger, event: Event) -> int:
    """Put a record aside as one that died, at offset 0; return the letter's id."""
    (record,) = log_of([event], partitions=1)
    span = Span(record.topic, 0, 0, record.offset, record.offset + 1, [record])
    ingest = Ingest([], None)
    ledger.run(
        lambda connection: ingest.put_aside(
            connection, [span], "not_processable", RuntimeError("it died")
        )
    )
    return letters(ledger)[-1][0]


def persons(ledger: Ledger) -> list[tuple[str]]:
    return ledger.rows("SELECT key FROM fact_customer UNION SELECT key FROM customer_records")


def test_a_person_that_was_erased_does_not_come_back_by_a_replay(ledger: Ledger) -> None:
    letter = put_aside(ledger, PERSON)
    ledger.apply(customer("erp|D", "Li Na"), ERASED)
    (outcome,) = Replay(ledger.url, POLICY).run([letter])
    assert not outcome.replayed
    assert persons(ledger) == [("erp|D",)]


def test_a_tombstone_leaves_nothing_of_the_person_among_the_dead_letters(ledger: Ledger) -> None:
    ledger.apply(*CONFLICTS, DAMAGED)
    put_aside(ledger, PERSON)
    other = invoice("erp|C", "erp|D", "2026-07-01", "100")
    ledger.apply(replace(other, value=b"?"))
    assert len(letters(ledger)) == 4
    ledger.apply(ERASED)
    assert ledger.rows("SELECT document FROM dead_letters") == [("invoice",)]


def test_of_what_is_refused_around_a_tombstone_only_what_comes_behind_it_is_a_letter(
    ledger: Ledger,
) -> None:
    ledger.apply(DAMAGED, ERASED, DAMAGED)
    assert ledger.rows("SELECT position FROM dead_letters") == [(2,)]


def test_a_replay_that_meets_a_tombstone_brings_nothing_back(ledger: Ledger) -> None:
    letter = put_aside(ledger, PERSON)
    begun = threading.Thread(target=Replay(ledger.url, POLICY).run, args=([letter],))

    def replay_meanwhile() -> None:
        begun.start()
        wait_for_a_lock(ledger, begun)

    ledger.apply(ERASED, before_commit=replay_meanwhile)
    begun.join()
    assert persons(ledger) == []
    assert letters(ledger) == []


def test_a_tombstone_that_was_put_aside_is_to_be_published_again(ledger: Ledger) -> None:
    ledger.apply(PERSON)
    letter = put_aside(ledger, ERASED)
    (outcome,) = Replay(ledger.url, POLICY).run([letter])
    assert not outcome.replayed
    assert "publish the tombstone again" in outcome.reason
    assert persons(ledger) == [("erp|C",)]
