"""What the oracle takes from the log, and what it expects among the dead letters."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import pytest

from tests.oracle.check import check_dead_letters
from tests.oracle.documents import content_digest, read_documents
from tests.oracle.generate import Event
from tests.oracle.handwritten import customer, documents_of, invoice, log_of, payment


def test_the_newest_version_stands_whatever_the_order_of_arrival() -> None:
    versions = [invoice("erp|1", "erp|C", "2026-01-01", f"{n}.00", version=n) for n in (1, 2, 3)]
    random.Random(5).shuffle(versions)
    found = documents_of(*versions, versions[0])
    assert found.newest["invoice"]["erp|1"]["version"] == 3
    assert not found.conflicts


def test_of_two_contents_of_one_version_the_larger_hash_stays() -> None:
    pair = [payment("erp|1", "erp|C", "2026-01-01", amount) for amount in ("10", "11")]
    larger = max(pair, key=lambda event: content_digest(event.value or b""))
    for events in (pair, pair[::-1]):
        found = documents_of(*events)
        (conflict,) = found.conflicts
        assert conflict.newest and conflict.place == "erp|1@1"
        assert conflict.winner[0].value == larger.value
        assert len(conflict.losers) == 1


def test_the_hash_leaves_the_version_out() -> None:
    one = payment("erp|1", "erp|C", "2026-01-01", "10", version=1)
    other = payment("erp|1", "erp|C", "2026-01-01", "10", version=10**15)
    assert content_digest(one.value or b"") == content_digest(other.value or b"")


def test_a_bad_record_in_front_of_a_tombstone_may_not_be_left_among_the_dead_letters() -> None:
    good = customer("erp|C")
    bad = dataclasses.replace(good, value=b"?")
    found = documents_of(bad, dataclasses.replace(good, value=None), bad)
    names = ("topic", "partition", "position")
    first, second = (dict(zip(names, one.record.place, strict=True)) for one in found.undecodable)
    assert check_dead_letters([second], found) == []
    (sentence,) = check_dead_letters([first, second], found)
    assert sentence.endswith("by the log a later tombstone erased it")


def test_a_tombstone_erases_what_came_before_it_and_not_what_comes_after() -> None:
    first = customer("erp|C", "First", version=7)
    tombstone = dataclasses.replace(first, value=None)
    assert "customer" not in documents_of(first, tombstone).newest
    again = documents_of(first, tombstone, customer("erp|C", "Second", version=2))
    assert again.newest["customer"]["erp|C"]["name"] == "Second"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda value: value[:-1], "not Avro"),
        (lambda value: value + b"\x00", "1 bytes left over"),
        (lambda value: b"\x00\x00\x00\x27\x0f" + value[5:], "schema id 9999"),
        (lambda value: b"\x01" + value[1:], "not in the wire format"),
        (lambda value: b"", "not in the wire format"),
        (lambda value: None, "no value"),
    ],
)
def test_what_cannot_be_read_is_expected_among_the_dead_letters(
    damage: Callable[[bytes], bytes | None], reason: str
) -> None:
    good = payment("erp|1", "erp|C", "2026-01-01", "10")
    assert good.value is not None
    bad = dataclasses.replace(good, value=damage(good.value))
    found = documents_of(good, bad)
    assert [record.offset for record in found.accepted["payment"]] == [0]
    (undecodable,) = found.undecodable
    assert undecodable.record.offset == 1
    assert reason in undecodable.reason


@pytest.mark.parametrize(
    "event",
    [
        payment("erp|1", "erp|C", "2026-01-01", "10", kind="gift"),
        payment("erp|1", "erp|C", "2026-01-01", "10.005"),
        payment("erp|1", "erp|C", "2026-01-01", "10", kind="refund"),
        payment("erp|1", "erp|C", "2026-01-01", "10", rate="0"),
        payment("erp|1", "erp|C", "2026-01-01", "10.5", currency="JPY"),
        payment("erp|1", "erp|C", "2026-01-01", "10", version=0),
        invoice("erp|1", "erp|C", "2026-01-01", "10", instalments=[("2026-01-01", "9")]),
        invoice("erp|1", "erp|C", "2026-01-01", "10", kind="cancellation"),
        invoice("erp|1", "erp|C", "2026-01-01", "-10", kind="credit_note"),
    ],
)
def test_what_breaks_a_rule_is_expected_among_the_dead_letters(event: Event) -> None:
    found = read_documents(log_of([event]))
    assert len(found.rejected) == 1
    assert not found.newest
