"""The checker finds nothing in right answers, and every error that is planted in wrong ones."""

from __future__ import annotations

import copy
import dataclasses
from datetime import date

import pytest

from tests.oracle.answers import Answers, answers_from
from tests.oracle.check import check_hub
from tests.oracle.generate import AS_OF, BASE_CURRENCY, Event, generate
from tests.oracle.handwritten import (
    allocation,
    customer,
    invoice,
    log_of,
    opportunity,
    order,
    payment,
)
from tests.oracle.log import Record

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
