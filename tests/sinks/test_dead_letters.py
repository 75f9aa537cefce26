"""A dead letter is kept whole, and once however often its record is read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sinks.dead_letters import DeadLetter, add, read_headers, stored_headers

Connection = psycopg.Connection[Any]

CONSUMED = DeadLetter(
    stage="decode",
    code="left_over",
    reason="1 byte is left over.",
    document="invoice",
    topic="finance.invoice.v1",
    partition=2,
    position=41,
    place="finance.invoice.v1[2]@41",
    key=b"erp|1",
    value=b"\x00\xff",
    headers=(("ce_id", b"erp|1@1"), ("raw", b"\xfe\x00")),
)
OF_A_SOURCE = DeadLetter(
    stage="connector:erp",
    code="decimal",
    reason="'12,5x' is no decimal.",
    document="payment",
    place="payments.csv:17",
    value=b"7;12,5x",
    mapping="workshop/1",
    mapping_version="3",
)


@pytest.mark.parametrize("letter", [CONSUMED, OF_A_SOURCE])
def test_a_letter_is_kept_once_however_often_its_record_is_read(
    connection: Connection, letter: DeadLetter
) -> None:
    assert add(connection, [letter, letter]) == 1
    assert add(connection, [letter]) == 0


def test_a_letter_keeps_bytes_headers_place_and_reason(connection: Connection) -> None:
    add(connection, [CONSUMED])
    row = connection.execute(
        "SELECT stage, code, reason, document, topic, partition, position, place, key, value,"
        " headers, replayed_at FROM dead_letters"
    ).fetchone()
    assert row is not None
    assert row[:10] == (
        *("decode", "left_over", "1 byte is left over.", "invoice", "finance.invoice.v1"),
        *(2, 41, "finance.invoice.v1[2]@41", b"erp|1", b"\x00\xff"),
    )
    assert read_headers(row[10]) == list(CONSUMED.headers)
    assert row[11] is None


@given(st.lists(st.tuples(st.text(max_size=4), st.none() | st.binary(max_size=6)), max_size=4))
@example([("\\u0000", b"\\u0000")])
def test_headers_of_any_bytes_come_back_as_they_were(
    headers: list[tuple[str, bytes | None]],
) -> None:
    stored = json.loads(json.dumps(stored_headers(headers)))
    assert not any("\0" in str(part) for header in stored for part in header)
    assert read_headers(stored) == [(name.replace("\0", "\\0"), value) for name, value in headers]


def test_texts_with_zero_bytes_are_kept_readable(connection: Connection) -> None:
    add(connection, [replace(OF_A_SOURCE, reason="a\0b", place="x\0:1", error="\0")])
    assert connection.execute("SELECT reason, place, error FROM dead_letters").fetchone() == (
        "a\\0b",
        "x\\0:1",
        "\\0",
    )


def test_a_letter_that_was_replayed_and_is_refused_again_is_open_again(
    connection: Connection,
) -> None:
    add(connection, [CONSUMED])
    connection.execute("UPDATE dead_letters SET replayed_at = now()")
    assert add(connection, [CONSUMED]) == 1
    assert connection.execute("SELECT replayed_at FROM dead_letters").fetchall() == [(None,)]


@pytest.mark.parametrize(
    "other",
    [
        replace(CONSUMED, position=42),
        replace(CONSUMED, partition=1),
        replace(CONSUMED, topic="finance.payment.v1"),
        replace(CONSUMED, stage="stream:receivables"),
        replace(CONSUMED, code="schema_id"),
        replace(CONSUMED, value=b"of a topic that was created again"),
    ],
)
def test_another_place_stage_or_code_is_another_letter(
    connection: Connection, other: DeadLetter
) -> None:
    assert add(connection, [CONSUMED, other]) == 2


def test_the_same_record_with_a_reworded_reason_is_no_second_letter() -> None:
    assert replace(CONSUMED, reason="One byte too many.").fingerprint() == CONSUMED.fingerprint()


@pytest.mark.parametrize(
    "other",
    [
        replace(OF_A_SOURCE, value=b"7;12,5y"),
        replace(OF_A_SOURCE, value=None),
        replace(OF_A_SOURCE, stage="connector:crm"),
        replace(OF_A_SOURCE, document="invoice"),
        replace(OF_A_SOURCE, part="stream refund"),
    ],
)
def test_a_line_of_a_source_is_known_by_its_content(other: DeadLetter) -> None:
    assert other.fingerprint() != OF_A_SOURCE.fingerprint()


def test_a_line_that_is_delivered_again_elsewhere_is_no_second_letter() -> None:
    again = replace(OF_A_SOURCE, place="payments-again.csv:3")
    assert again.fingerprint() == OF_A_SOURCE.fingerprint()


def test_what_has_no_content_is_known_by_its_place() -> None:
    nameless = replace(OF_A_SOURCE, value=None)
    assert replace(nameless, place="payments.csv:18").fingerprint() != nameless.fingerprint()
