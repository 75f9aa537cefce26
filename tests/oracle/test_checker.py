"""The checker finds nothing in right answers, and every error that is planted in wrong ones.

What is planted, in the hub's answers or in the log that they are worked out from:

- the log: an event dropped, of every type of document; two versions swapped; an older version, or
  the smaller hash, that stayed; a tombstone ignored; a deleted document counted;
- dead letters: one lost; a good record among them;
- customers: two merged wrongly; one left in two; a tier of another; a wrong count of documents;
- payments: one counted twice; one that was reversed, or is allocated later, counted; an allocation
  on the wrong instalment;
- invoices: a cancellation ignored; a credit note taken for an invoice; a bucket's limit off by one
  day; a due date without its end of month; an exchange rate ignored; columns that do not add up;
- demand: a late duplicate counted twice; a month shifted; a rejected line, a cancelled order, or an
  opportunity's ordered units counted; a chance of another stage.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from schemas.catalogue import TOPICS, Topic
from schemas.codec import encode
from tests.oracle.answers import Answers, answers_from
from tests.oracle.check import check_hub
from tests.oracle.generate import AS_OF, BASE_CURRENCY, Event, generate
from tests.oracle.handwritten import (
    allocation,
    customer,
    exchange_rate,
    invoice,
    log_of,
    opportunity,
    order,
    payment,
)
from tests.oracle.log import Record
from tests.schemas.plain import from_plain

DAY = date(2026, 9, 30)

EVENTS = [
    customer("erp|C", "Crane & Co"),
    customer("crm|A", "Crane", same_as=["erp|C"]),
    customer("erp|D", "Dredgers"),
    order("erp|O1", "erp|C", "2026-09-01", [("erp|E", 2, "2026-11-15")]),
    opportunity("crm|P1", "crm|A", "propose", [("erp|E", 4, "2026-11-15")]),
    invoice("erp|I1", "erp|C", "2026-08-01", "100.00", version=1),
    invoice("erp|I1", "erp|C", "2026-08-01", "120.00", version=2),
    invoice("erp|I2", "erp|D", "2026-09-30", "50.00"),
    payment("erp|Z1", "erp|C", "2026-09-02", "20.00", allocation("erp|I1", "20.00")),
    payment("erp|Z2", "erp|D", "2026-09-02", "5.00"),
    payment("erp|Z2", "erp|D", "2026-09-02", "6.00"),
    payment("erp|Z3", "erp|D", "2026-09-02", "5.00", kind="gift"),
]
LOG = log_of(EVENTS)


def answers_to(events: list[Event]) -> Answers:
    return answers_from(log_of(events), DAY, "CNY")


def differences(answers: Answers, records: list[Record] = LOG) -> list[str]:
    return check_hub(answers, records, as_of=DAY, base_currency="CNY")


def test_right_answers_have_no_differences() -> None:
    assert differences(answers_to(EVENTS)) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_answers_to_a_random_history_do_not_depend_on_its_order(seed: int) -> None:
    events = generate(seed, customers=12, events=400, tombstones=0)
    answers = answers_from(log_of(events), AS_OF, BASE_CURRENCY)
    records = log_of(reversed(events), partitions=3)
    answers = dataclasses.replace(answers, dead_letters=None)
    assert check_hub(answers, records, as_of=AS_OF, base_currency=BASE_CURRENCY) == []


@pytest.mark.parametrize("lost", range(len(EVENTS)))
def test_an_event_that_was_dropped_is_found(lost: int) -> None:
    rest = EVENTS[:lost] + EVENTS[lost + 1 :]
    if lost == 5:
        assert differences(dataclasses.replace(answers_to(rest), dead_letters=None)) == []
        return
    assert differences(answers_to(rest))


@pytest.mark.parametrize("lost", [3, 4, 6, 7, 8])
def test_an_event_that_was_dropped_is_found_in_the_views_alone(lost: int) -> None:
    rest = answers_to(EVENTS[:lost] + EVENTS[lost + 1 :])
    views = Answers(customers=rest.customers, demand=rest.demand, receivables=rest.receivables)
    assert differences(views)


def test_a_payment_that_was_counted_twice_is_found() -> None:
    twice = payment("erp|Z4", "erp|C", "2026-09-02", "20.00", allocation("erp|I1", "20.00"))
    doubled = answers_to([*EVENTS, twice])
    views = dataclasses.replace(answers_to(EVENTS), receivables=doubled.receivables)
    found = differences(views)
    assert any("erp|C" in sentence and "outstanding is 80.00" in sentence for sentence in found)
    counted = dataclasses.replace(answers_to(EVENTS), customers=doubled.customers)
    assert any("has 2 payments, by the log 1" in sentence for sentence in differences(counted))


def test_an_older_version_that_stayed_is_found() -> None:
    swapped = list(EVENTS)
    swapped[6] = invoice("erp|I1", "erp|C", "2026-08-01", "100.00", version=3)
    wrong = answers_to(swapped)
    assert any(
        sentence.startswith("invoice erp|I1: the hub has version 3")
        for sentence in differences(Answers(documents=wrong.documents))
    )
    assert differences(Answers(receivables=wrong.receivables))
    assert differences(Answers(customers=wrong.customers))


def test_the_smaller_hash_that_stayed_is_found() -> None:
    kept = {event.value for event in EVENTS[9:11]}
    (winner,) = [
        body["amount"] for body in answers_to(EVENTS).documents["payment"] if body["id"] == "Z2"
    ]
    loser = [event for event in EVENTS[9:11] if event.value in kept][0 if winner == 6 else 1]
    wrong = answers_to([event for event in EVENTS if event.value not in kept] + [loser])
    found = differences(Answers(documents=wrong.documents))
    assert any("payment erp|Z2: amount" in sentence for sentence in found)


def test_two_customers_that_were_wrongly_made_one_are_found() -> None:
    merged = [*EVENTS[:2], customer("erp|D", "Dredgers", same_as=["erp|C"]), *EVENTS[3:]]
    found = differences(Answers(customers=answers_to(merged).customers))
    assert any("(erp|D) is missing" in sentence for sentence in found)
    assert any("members too many ['erp|D']" in sentence for sentence in found)


def test_one_customer_that_was_left_in_two_is_found() -> None:
    apart = [EVENTS[0], customer("crm|A", "Crane"), *EVENTS[2:]]
    found = differences(Answers(customers=answers_to(apart).customers))
    assert any("(erp|C) should not be a customer of its own" in sentence for sentence in found)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_dead_letter_that_was_lost_is_found(lost: int) -> None:
    letters = copy.deepcopy(answers_to(EVENTS).dead_letters)
    assert letters is not None and len(letters) == 2
    del letters[lost]
    (sentence,) = differences(Answers(dead_letters=letters))
    assert "not among the dead letters" in sentence or "erp|Z2@1 came with 2 contents" in sentence


def test_a_good_record_among_the_dead_letters_is_found_unless_it_was_quarantined() -> None:
    place = LOG[0].place
    letter = dict(zip(("topic", "partition", "position"), place, strict=True))
    letters = [*(answers_to(EVENTS).dead_letters or []), {**letter, "code": "killed"}]
    (sentence,) = differences(Answers(dead_letters=letters))
    assert sentence.endswith("is a dead letter (killed), but by the log it is good")
    without = answers_from(LOG[1:], DAY, "CNY")
    answers = dataclasses.replace(without, dead_letters=letters)
    assert check_hub(answers, LOG, as_of=DAY, base_currency="CNY", quarantined={place}) == []


def test_columns_that_do_not_add_up_are_found() -> None:
    answers = copy.deepcopy(answers_to(EVENTS))
    answers.receivables[0]["total"]["outstanding"] = "1.00"
    found = differences(Answers(receivables=answers.receivables))
    assert any("do not add up" in sentence for sentence in found)


def test_a_wrong_count_of_documents_is_found() -> None:
    answers = copy.deepcopy(answers_to(EVENTS))
    assert answers.status is not None
    answers.status["documents"]["invoice"]["count"] = 3
    assert differences(answers) == ["invoice documents: count is 3, by the log 2"]


def test_tiers_that_were_exchanged_are_found() -> None:
    answers = copy.deepcopy(answers_to(EVENTS))
    assert answers.customers is not None
    rows = {row["name"]: row for row in answers.customers["rows"]}
    first, second = rows["Crane"], rows["Dredgers"]
    first["tier"], second["tier"] = second["tier"], first["tier"]
    found = differences(answers)
    assert len(found) == 2
    assert any(sentence.endswith("tier is small, by the log vip") for sentence in found)


@pytest.mark.parametrize(
    "topic",
    [topic for topic in TOPICS.values() if topic.kind == "event"],
    ids=lambda topic: topic.document,
)
def test_a_document_of_any_type_that_was_dropped_is_found(topic: Topic) -> None:
    document = from_plain(topic, topic.golden()["valid"][0])
    key = f"{document['source']}|{document['id']}"
    event = Event(topic.name, key.encode(), 0, encode(topic, document))
    records = log_of([*EVENTS, event])
    found = differences(answers_to(EVENTS), records)
    count = len(answers_to([*EVENTS, event]).documents[topic.document])
    assert f"{topic.document} documents: count is {count - 1}, by the log {count}" in found
    empty = Answers(documents={topic.document: []})
    lost = f"{topic.document} {key} is in the log, but not among the hub's documents"
    assert lost in differences(empty, records)


@dataclass(frozen=True, slots=True)
class Planted:
    """An error: the events of the log, those that the wrong views show, and what is to be said."""

    error: str
    right: list[Event]
    wrong: list[Event]
    said: tuple[str, ...]


CRANE = customer("erp|C", "Crane & Co")
BOTH = [("2026-07-01", "60.00"), ("2026-10-15", "40.00")]


def bill(on: str = "2026-08-01", gross: str = "100.00", **more: Any) -> Event:
    return invoice("erp|I1", "erp|C", on, gross, **more)


def paid(*allocations: dict[str, Any], **more: Any) -> Event:
    return payment("erp|Z1", "erp|C", "2026-09-02", "40.00", *allocations, **more)


def wish(number: str = "erp|O1", on: str = "2026-11-15", **more: Any) -> Event:
    return order(number, "erp|C", "2026-09-01", [("erp|E", 2, on)], **more)


def cancellation(cancels: str) -> Event:
    return invoice("erp|I2", "erp|C", "2026-08-20", "0", kind="cancellation", cancels=cancels)


def hope(stage: str) -> Event:
    return opportunity("crm|P1", "erp|C", stage, [("erp|E", 2, "2026-11-15")])


PLANTED = [
    Planted(
        "two versions swapped",
        [bill(gross="100.00", version=1), bill(gross="120.00", version=2)],
        [bill(gross="100.00", version=2), bill(gross="120.00", version=1)],
        ("outstanding is 100.00, by the log 120.00", "revenue is 100.00, by the log 120.00"),
    ),
    Planted(
        "a tombstone ignored",
        [CRANE, dataclasses.replace(CRANE, value=None)],
        [CRANE],
        ("(erp|C) should not be a customer of its own",),
    ),
    Planted(
        "a deleted document counted",
        [bill(), bill(version=2, deleted=True)],
        [bill()],
        ("outstanding is 100.00, by the log 0.00", "(erp|C) should not be a customer of its own"),
    ),
    Planted(
        "a payment counted that was reversed",
        [bill(), paid(allocation("erp|I1", "40.00"), reversed_on="2026-09-20")],
        [bill(), paid(allocation("erp|I1", "40.00"))],
        ("outstanding is 60.00, by the log 100.00",),
    ),
    Planted(
        "an allocation counted before its date",
        [bill(), paid(allocation("erp|I1", "40.00", on="2026-10-01"))],
        [bill(), paid(allocation("erp|I1", "40.00", on="2026-09-30"))],
        ("unallocated is 0.00, by the log -40.00", "bucket 31–60 is 60.00, by the log 100.00"),
    ),
    Planted(
        "an allocation on the wrong instalment",
        [bill(instalments=BOTH), paid(allocation("erp|I1", "40.00", instalment=2))],
        [bill(instalments=BOTH), paid(allocation("erp|I1", "40.00", instalment=1))],
        ("not due is 40.00, by the log 0.00", "bucket 91–120 is 20.00, by the log 60.00"),
    ),
    Planted(
        "a cancellation ignored",
        [
            bill(),
            invoice("erp|I2", "erp|C", "2026-08-20", "0", kind="cancellation", cancels="erp|I1"),
        ],
        [
            bill(),
            invoice("erp|I2", "erp|C", "2026-08-20", "0", kind="cancellation", cancels="erp|I9"),
        ],
        ("outstanding is 100.00, by the log 0.00", "revenue is 100.00, by the log 0.00"),
    ),
    Planted(
        "a credit note taken for an invoice",
        [bill(), invoice("erp|I2", "erp|C", "2026-08-20", "30.00", kind="credit_note")],
        [bill(), invoice("erp|I2", "erp|C", "2026-08-20", "30.00")],
        ("unallocated is 0.00, by the log -30.00", "revenue is 130.00, by the log 70.00"),
    ),
    Planted(
        "a bucket's limit off by one day",
        [bill("2026-08-31")],
        [bill("2026-08-30")],
        ("items 1–30 is 0, by the log 1", "bucket 31–60 is 100.00, by the log 0.00"),
    ),
    Planted(
        "the day on which it is due counted as overdue",
        [bill("2026-09-30")],
        [bill("2026-09-29")],
        ("overdue items is 1, by the log 0", "not due is 0.00, by the log 100.00"),
    ),
    Planted(
        "a due date without its end of month",
        [bill("2026-08-10", terms=(0, True, 30))],
        [bill("2026-08-10", terms=(0, False, 30))],
        ("overdue items is 1, by the log 0",),
    ),
    Planted(
        "an exchange rate ignored",
        [bill(currency="USD"), exchange_rate("erp|r", "USD", "7.1", "2026-09-01")],
        [bill(currency="USD", rate="1")],
        ("outstanding is 100.00, by the log 710.00", "revenue is 100.00, by the log 710.00"),
    ),
    Planted(
        "an older exchange rate",
        [
            bill(currency="USD"),
            exchange_rate("erp|q", "USD", "7.0", "2026-08-01"),
            exchange_rate("erp|r", "USD", "7.1", "2026-09-01"),
        ],
        [bill(currency="USD"), exchange_rate("erp|q", "USD", "7.0", "2026-08-01")],
        ("outstanding is 700.00, by the log 710.00",),
    ),
    Planted(
        "a late duplicate counted twice",
        [wish(), wish()],
        [wish(), wish("erp|O1-again")],
        (
            "demand for erp|E in 2026-11: orders is 4, by the log 2",
            "has 2 orders, by the log 1",
        ),
    ),
    Planted(
        "a month of demand shifted",
        [wish()],
        [wish(on="2026-12-01")],
        (
            "demand for erp|E in 2026-11: orders is 0, by the log 2",
            "demand for erp|E in 2026-12: orders is 2, by the log 0",
        ),
    ),
    Planted(
        "a rejected line counted",
        [wish(rejected=[0])],
        [wish()],
        ("demand for erp|E in 2026-11: orders is 2, by the log 0",),
    ),
    Planted(
        "a cancelled order counted",
        [wish(status="cancelled", cancelled_on="2026-09-30")],
        [wish(status="cancelled", cancelled_on="2026-10-01")],
        ("demand for erp|E in 2026-11: orders is 2, by the log 0",),
    ),
    Planted(
        "an opportunity's ordered units counted",
        [hope("won"), wish(opportunity="crm|P1")],
        [hope("won"), wish()],
        ("demand for erp|E in 2026-11: pipeline is 2, by the log 0",),
    ),
    Planted(
        "a chance of another stage",
        [hope("propose")],
        [hope("develop")],
        ("demand for erp|E in 2026-11: pipeline is 1, by the log 1.5",),
    ),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.error)
def test_the_views_show_that_there_was(planted: Planted) -> None:
    assert differences(views(planted.right), log_of(planted.right)) == []
    found = differences(views(planted.wrong), log_of(planted.right))
    for said in planted.said:
        assert any(said in sentence for sentence in found), found


def views(events: list[Event]) -> Answers:
    answers = answers_to(events)
    return Answers(
        customers=answers.customers, demand=answers.demand, receivables=answers.receivables
    )
