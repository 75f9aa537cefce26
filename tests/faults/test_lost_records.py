"""What a broker has acknowledged is missed when the log has it no more."""

from __future__ import annotations

from tests.oracle.generate import Event
from tests.oracle.log import Record
from tests.torture.checking import lost
from tests.torture.load import Accepted

INVOICES, CUSTOMERS = "finance.invoice.v1", "party.customer.v1"


def accepted(topic: str, key: bytes, offset: int, value: bytes | None) -> Accepted:
    return Accepted(Event(topic, key, 0, value), 0, offset)


def logged(one: Accepted, value: bytes | None) -> Record:
    return Record(one.event.topic, one.partition, one.offset, one.event.key, value)


def test_record_that_is_gone_from_the_log_is_named() -> None:
    first, second = (accepted(INVOICES, b"erp|1", offset, b"%d" % offset) for offset in (3, 4))
    assert lost([first, second], [logged(second, b"4")]) == [
        "finance.invoice.v1[0]@3 was accepted, but is not in the log"
    ]
    assert lost([first], [logged(first, b"another")]) != []


def test_of_a_compacted_topic_the_last_record_of_each_key_is_missed() -> None:
    former, last = (accepted(CUSTOMERS, b"erp|1", offset, b"%d" % offset) for offset in (3, 4))
    assert lost([former, last], [logged(last, b"4")]) == []
    assert lost([former, last], [logged(former, b"3")]) == [
        "party.customer.v1[0]@4 was accepted, but is not in the log"
    ]
    assert lost([former, last], []) != []


def test_a_tombstone_goes_from_a_compacted_topic_only_with_all_that_it_deletes() -> None:
    former = accepted(CUSTOMERS, b"erp|1", 3, b"3")
    tombstone = accepted(CUSTOMERS, b"erp|1", 4, None)
    assert lost([former, tombstone], [logged(tombstone, None)]) == []
    assert lost([former, tombstone], []) == []
    assert lost([former, tombstone], [logged(former, b"3")]) == [
        "party.customer.v1[0]@4 was accepted, but is not in the log"
    ]
