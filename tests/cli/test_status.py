"""The status counts what the tables hold, and tells a silent source from a slow one."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, insert

from ops.answers import letters_answer
from ops.lag import read_positions
from ops.letters import (
    close_letters,
    find_letter,
    list_letters,
    open_letter_ids,
    why_not_open,
)
from ops.status import Status, is_silent, read_status
from sinks.database import connect
from sinks.dead_letters import DeadLetter, add
from sinks.positions import GROUP
from sinks.tables import outbox, source_freshness, stream_offsets
from streams.customers.stream import Customers

FACTOR = Decimal(3)
WEEKLY = [date(2026, 1, 5) + timedelta(weeks=number) for number in range(4)]


@pytest.mark.parametrize(("days_later", "silent"), [(0, False), (21, False), (22, True)])
def test_a_weekly_source_is_silent_after_three_weeks(days_later: int, silent: bool) -> None:
    assert is_silent(WEEKLY, WEEKLY[-1] + timedelta(days=days_later), FACTOR) is silent


def test_a_source_with_few_days_has_no_usual_gap() -> None:
    assert is_silent(WEEKLY[:2], date(2030, 1, 1), FACTOR) is None
    assert is_silent([], date(2030, 1, 1), FACTOR) is None


def status_of(url: str) -> Status:
    engine = create_engine(url)
    try:
        return read_status(
            engine,
            as_of=date(2026, 3, 31),
            sources=["erp", "new"],
            streams={"customers": Customers.documents},
            lag_of_topics={"sales.order.v1": 3, "finance.rate.v1": 9},
            topic_of={**dict.fromkeys(Customers.documents, "none"), "order": "sales.order.v1"},
            silent_factor=FACTOR,
        )
    finally:
        engine.dispose()


@pytest.mark.stack
def test_an_empty_hub_counts_nothing_and_lists_its_sources(database_url: str) -> None:
    status = status_of(database_url)
    assert {one.document for one in status.documents} >= {"customer", "order", "invoice", "rate"}
    assert all((one.count, one.deleted, one.cancelled) == (0, 0, 0) for one in status.documents)
    assert status.dead_letters == 0
    assert [(one.name, one.newest, one.silent) for one in status.sources] == [
        ("erp", None, None),
        ("new", None, None),
    ]


@pytest.mark.stack
def test_dead_letters_count_until_they_are_replayed(database_url: str) -> None:
    with connect(database_url) as connection:
        letters = [
            DeadLetter("decode", code, "bad", topic="t", partition=0, position=number)
            for number, code in enumerate(["truncated", "truncated", "unknown_schema"])
        ]
        assert add(connection, letters) == 3
        connection.execute("UPDATE dead_letters SET replayed_at = now() WHERE position = 0")
    status = status_of(database_url)
    assert status.dead_letters == 2
    assert [(one.code, one.count) for one in status.letters] == [
        ("truncated", 1),
        ("unknown_schema", 1),
    ]
    engine = create_engine(database_url)
    newest_first = [row["position"] for row in list_letters(engine, replayed=True, limit=None)]
    assert newest_first == [2, 1, 0]
    still_open = open_letter_ids(engine)
    assert len(still_open) == 2
    assert find_letter(engine, still_open[0]) is not None
    assert find_letter(engine, 0) is None
    engine.dispose()


@pytest.mark.stack
def test_positions_are_read_with_their_workers(database_url: str) -> None:
    engine = create_engine(database_url)
    row = {"topic_id": "x", "epoch": 1, "clean": True, "claimed_position": 0, "partition": 0}
    with engine.begin() as connection:
        for group, topic, owner in ((GROUP, "a", "1"), (GROUP, "b", ""), ("other", "c", "2")):
            named = {"group_name": group, "topic": topic, "owner": owner, "position": 4}
            connection.execute(insert(stream_offsets).values(**row, **named))
        connection.execute(insert(outbox).values(subject="customer", key="k"))
    assert read_positions(engine) == ({("a", 0): (4, 1), ("b", 0): (4, None)}, 1)
    engine.dispose()


@pytest.mark.stack
def test_a_source_shows_its_newest_event(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        for partition, at in enumerate(["2026-01-02T00:00:00Z", "2026-02-03T00:00:00Z"]):
            connection.execute(
                insert(source_freshness).values(
                    source="erp", topic="t", partition=partition, newest=at
                )
            )
    engine.dispose()
    newest = {one.name: one.newest for one in status_of(database_url).sources}["erp"]
    assert newest is not None
    assert newest.isoformat() == "2026-02-03T00:00:00+00:00"
    assert status_of(database_url).streams[0].behind == 3


@pytest.mark.stack
def test_closed_letters_are_kept_and_no_longer_count(database_url: str) -> None:
    with connect(database_url) as connection:
        letters = [
            DeadLetter("decode", "truncated", "bad", topic="t", partition=0, position=number)
            for number in range(3)
        ]
        add(connection, letters)
    engine = create_engine(database_url)
    first, second, third = open_letter_ids(engine)
    assert close_letters(engine, [first, 0]) == [first]
    assert close_letters(engine, [first]) == []
    assert why_not_open(engine, first) == f"dead letter {first} was closed already"
    assert why_not_open(engine, 0) == "there is no dead letter 0"
    assert status_of(database_url).dead_letters == 2
    listed = letters_answer(list_letters(engine, replayed=True, limit=None))["rows"]
    assert [row["closed_at"] is not None for row in listed] == [False, False, True]
    assert all(row["replayed_at"] is None for row in listed)
    assert close_letters(engine, None) == [second, third]
    with connect(database_url) as connection:
        assert add(connection, letters[:1]) == 1
    assert open_letter_ids(engine) == [first]
    engine.dispose()
