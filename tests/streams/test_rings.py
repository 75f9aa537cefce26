"""Documents that refer to each other in a ring: the hub answers, and alike in any order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from hub.ids import customer_uuid
from schemas.catalogue import DOCUMENTS
from streams.rebuild import rebuild
from tests.oracle.answers import Answers
from tests.oracle.generate import Event
from tests.oracle.handwritten import customer, invoice, order, product
from tests.schemas.plain import from_plain
from tests.streams.databases import empty
from tests.streams.keeping import assert_balances_are_the_sums, kept
from tests.streams.ledger import POLICY, Ledger
from tests.streams.test_every_document import event

pytestmark = pytest.mark.stack

AS_OF = date(2026, 9, 30)
RINGS = [("A", "B"), ("A", "B", "C")]
#: Where documents name another one of their own type, but for ``same_as`` and ``cancels``.
FIELDS = [
    ("customer", "parent"),
    ("contact", "reports_to"),
    ("employee", "manager"),
    ("product", "replaced_by"),
]


def with_the_next(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each key with the next one, and the last with the first."""
    keys = [f"erp|{name}" for name in names]
    return list(zip(keys, [*keys[1:], keys[0]], strict=True))


def in_a_ring(document: str, field: str, names: Sequence[str]) -> list[Event]:
    """Documents of a type of which each names the next one in ``field``."""
    topic = DOCUMENTS[document]
    golden = from_plain(topic, topic.golden()["valid"][0])
    return [
        event(topic, golden, source="erp", id=name, **{field: {"source": "erp", "id": other[4:]}})
        for name, (_, other) in zip(names, with_the_next(names), strict=True)
    ]


def told(ledger: Ledger) -> tuple[Answers, Any]:
    """What the hub answers, and what its streams keep."""
    assert_balances_are_the_sums(ledger)
    return ledger.answers(AS_OF), kept(ledger)


def told_in_any_order(ledger: Ledger, ring: Sequence[Event], *around: Event) -> Answers:
    """What the hub answers, which is the same in every order, twice over and after a rebuild."""
    ledger.apply(*around, *ring)
    answers, keeps = told(ledger)
    assert answers.dead_letters == []
    for arrival in itertools.permutations(ring):
        empty(ledger.url)
        for one in (*arrival, *around, *arrival):
            ledger.apply(one)
        assert told(ledger) == (answers, keeps)
    rebuild(ledger.url, POLICY)
    assert told(ledger) == (answers, keeps)
    return answers


@pytest.mark.parametrize("names", RINGS, ids=len)
def test_customers_that_are_said_to_be_each_other_are_one_customer(
    ledger: Ledger, names: Sequence[str]
) -> None:
    ring = [customer(key, same_as=[other]) for key, other in with_the_next(names)]
    bills = [invoice(f"erp|{name}", f"erp|{name}", "2026-07-01", "100") for name in names]
    answers = told_in_any_order(ledger, ring, *bills)
    assert answers.customers is not None
    (row,) = answers.customers["rows"]
    assert row["id"] == str(customer_uuid("erp|A"))
    assert len(row["members"]) == len(names)
    (owed,) = answers.receivables[0]["rows"]
    assert owed["outstanding"] == f"{100 * len(names)}.00"


@pytest.mark.parametrize("names", RINGS, ids=len)
def test_products_that_are_said_to_be_each_other_are_one_product(
    ledger: Ledger, names: Sequence[str]
) -> None:
    ring = [product(key, same_as=[other]) for key, other in with_the_next(names)]
    lines = [(f"erp|{name}", 3, "2026-10-01") for name in names]
    answers = told_in_any_order(ledger, ring, order("erp|1", "erp|K", "2026-06-01", lines))
    assert answers.demand is not None
    assert {row["product"] for row in answers.demand["rows"]} == {"erp|A"}


@pytest.mark.parametrize("names", RINGS, ids=len)
def test_cancellations_that_cancel_each_other_owe_nothing(
    ledger: Ledger, names: Sequence[str]
) -> None:
    ring = [
        invoice(key, "erp|K", "2026-07-01", "100", kind="cancellation", cancels=other)
        for key, other in with_the_next(names)
    ]
    answers = told_in_any_order(ledger, ring, invoice("erp|1", "erp|K", "2026-07-01", "70"))
    assert answers.receivables[0]["total"]["outstanding"] == "70.00"


@pytest.mark.parametrize("names", RINGS, ids=len)
@pytest.mark.parametrize(("document", "field"), FIELDS)
def test_ring_that_nothing_follows_is_kept_and_changes_no_answer(
    ledger: Ledger, document: str, field: str, names: Sequence[str]
) -> None:
    ring = in_a_ring(document, field, names)
    answers = told_in_any_order(ledger, ring, order("erp|1", "erp|A", "2026-06-01", []))
    assert len(answers.documents[document]) == len(names)
    ledger.apply(*(unlinked(document, field, name) for name in names))
    without = ledger.answers(AS_OF)
    assert (answers.customers, answers.demand, answers.receivables) == (
        without.customers,
        without.demand,
        without.receivables,
    )


def test_employee_may_be_named_as_the_own_manager(ledger: Ledger) -> None:
    ledger.apply(*in_a_ring("employee", "manager", ["A"]))
    answers = ledger.answers(AS_OF)
    assert [one["id"] for one in answers.documents["employee"]] == ["A"]
    assert answers.dead_letters == []


def unlinked(document: str, field: str, name: str) -> Event:
    """The next version of a document, which names no other one."""
    topic = DOCUMENTS[document]
    golden = from_plain(topic, topic.golden()["valid"][0])
    version = golden["version"] + 1
    return event(topic, golden, source="erp", id=name, version=version, **{field: None})
