"""Facts hold the newest version of each document, whatever the order and the batches."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import Any

import psycopg
import pytest

from schemas.catalogue import DOCUMENTS
from schemas.codec import Decoded, decode_batch, message
from sinks import facts
from sinks.changes import Change
from sinks.dead_letters import DeadLetter
from sinks.facts import Arrival
from tests.oracle.generate import Event
from tests.oracle.handwritten import invoice
from tests.oracle.log import Record

Connection = psycopg.Connection[Any]


def arrival(event: Event) -> Arrival:
    assert event.value is not None
    (content,) = decode_batch(DOCUMENTS["invoice"], [event.value])
    assert isinstance(content, Decoded)
    return Arrival(event.key.decode(), content, None)


def bill(gross: str, version: int = 1, key: str = "erp|1") -> Arrival:
    return arrival(invoice(key, "erp|C", "2026-07-01", gross, version=version))


def lay(connection: Connection, *arrivals: Arrival) -> tuple[list[Change], list[DeadLetter]]:
    with connection.transaction():
        return facts.lay(connection, "invoice", arrivals)


def standing(connection: Connection) -> dict[str, tuple[int, str]]:
    with connection.transaction():
        return {
            one.key: (one.document["version"], f"{one.document['gross'].normalize():f}")
            for one in facts.read(connection, "invoice")
        }


def one_by_one(connection: Connection, arrivals: Iterable[Arrival]) -> list[DeadLetter]:
    return [letter for one in arrivals for letter in lay(connection, one)[1]]


def test_the_first_version_of_a_document_is_a_first_change_and_a_newer_one_is_not(
    connection: Connection,
) -> None:
    (change,), _ = lay(connection, bill("10"))
    assert (change.key, change.first, change.gone) == ("erp|1", True, False)
    (change,), _ = lay(connection, bill("20", 2))
    assert not change.first
    assert standing(connection) == {"erp|1": (2, "20")}


def test_an_older_or_repeated_version_is_no_change(connection: Connection) -> None:
    lay(connection, bill("20", 2))
    assert lay(connection, bill("20", 2)) == ([], [])
    assert lay(connection, bill("10", 1)) == ([], [])
    assert standing(connection) == {"erp|1": (2, "20")}


def test_of_many_versions_in_one_batch_only_the_newest_is_a_change(connection: Connection) -> None:
    (change,), letters = lay(connection, bill("10", 1), bill("30", 3), bill("20", 2))
    assert change.document["version"] == 3
    assert letters == []


def test_changes_are_in_the_order_of_their_keys(connection: Connection) -> None:
    keys = ["erp|b", "erp|B", "erp|1", "crm|9", "erp|é", "erp|10"]
    changes, _ = lay(connection, *(bill("1", key=key) for key in keys))
    assert [change.key for change in changes] == sorted(keys)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("at_once", [False, True])
def test_of_three_contents_of_one_version_the_largest_digest_stays_and_two_are_dead_letters(
    connection: Connection, order: tuple[int, ...], at_once: bool
) -> None:
    contents = sorted((bill(gross) for gross in ("10", "20", "30")), key=lambda one: one.rank)
    arrivals = [contents[place] for place in order]
    if at_once:
        _, letters = lay(connection, *arrivals)
    else:
        letters = one_by_one(connection, arrivals)
    (stays,) = standing(connection).values()
    assert stays == (1, f"{contents[2].content.document['gross'].normalize():f}")
    assert sorted(letter.value or b"" for letter in letters) == sorted(
        message(one.content.schema_id, one.content.body) for one in contents[:2]
    )
    for letter in letters:
        assert (letter.stage, letter.code, letter.place) == ("facts", "version_conflict", "erp|1@1")
        assert "Mend the source" in letter.reason


def test_a_conflict_in_a_batch_on_top_of_one_in_the_table_is_two_letters(
    connection: Connection,
) -> None:
    contents = sorted((bill(gross) for gross in ("10", "20", "30")), key=lambda one: one.rank)
    lay(connection, contents[1])
    _, letters = lay(connection, contents[0], contents[2])
    assert len({letter.fingerprint() for letter in letters}) == 2


def test_a_record_that_lost_a_conflict_keeps_its_headers_and_says_where_it_came_from(
    connection: Connection,
) -> None:
    winner, loser = sorted((bill("10"), bill("20")), key=lambda one: one.rank, reverse=True)
    origin = Record("finance.invoice.v1", 2, 77, b"erp|1", b"", (("trace", b"abc"),))
    lay(connection, winner)
    _, (letter,) = lay(connection, loser._replace(origin=origin))
    assert (letter.topic, letter.key) == ("finance.invoice.v1", b"erp|1")
    assert letter.headers == (("trace", b"abc"),)
    assert "finance.invoice.v1[2]@77" in (letter.error or "")


def test_a_conflict_of_a_version_that_was_superseded_changes_nothing(
    connection: Connection,
) -> None:
    lay(connection, bill("10", 1), bill("99", 5))
    changes, _ = lay(connection, bill("20", 1))
    assert changes == []
    assert standing(connection) == {"erp|1": (5, "99")}


@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_any_batches_leave_the_same_facts(connection: Connection, seed: int) -> None:
    rng = random.Random(seed)
    arrivals = [
        bill(str(rng.randint(1, 4)), rng.randint(1, 3), f"erp|{rng.randint(1, 4)}")
        for _ in range(60)
    ]
    expected = {
        key: max((one for one in arrivals if one.key == key), key=lambda one: one.rank)
        for key in {one.key for one in arrivals}
    }
    rng.shuffle(arrivals)
    while arrivals:
        size = rng.randint(1, 20)
        batch, arrivals = arrivals[:size], arrivals[size:]
        lay(connection, *batch)
    found = connection.execute("SELECT key, version, digest FROM fact_invoice").fetchall()
    assert {key: (version, digest) for key, version, digest in found} == {
        key: one.rank for key, one in expected.items()
    }


def test_a_fact_is_read_as_it_was_written(connection: Connection) -> None:
    one = bill("10")
    lay(connection, one, bill("20", key="erp|2"))
    with connection.transaction():
        (read,) = facts.read(connection, "invoice", ["erp|1"])
    assert read.document == one.content.document
    assert not read.first


def test_an_erased_fact_is_a_change_without_a_document_once(connection: Connection) -> None:
    lay(connection, bill("10"))
    (change,) = facts.erase(connection, "invoice", ["erp|1", "erp|2"])
    assert (change.key, change.gone, change.document) == ("erp|1", True, {})
    assert facts.erase(connection, "invoice", ["erp|1"]) == []


def test_a_deleted_and_a_cancelled_document_are_marked(connection: Connection) -> None:
    gone = arrival(invoice("erp|1", "erp|C", "2026-07-01", "10", deleted=True))
    closed = arrival(invoice("erp|2", "erp|C", "2026-07-01", "10", status="cancelled"))
    changes, _ = lay(connection, gone, closed)
    assert [change.gone for change in changes] == [True, False]
    assert connection.execute(
        "SELECT key, deleted, cancelled FROM fact_invoice ORDER BY key"
    ).fetchall() == [("erp|1", True, False), ("erp|2", False, True)]
