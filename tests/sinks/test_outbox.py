"""Marks of many batches are gathered, so that a key is written once, in bounded memory."""

from __future__ import annotations

from typing import Any

import psycopg

from sinks import outbox

Connection = psycopg.Connection[Any]


def written(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute("SELECT subject, key FROM outbox ORDER BY id").fetchall()


def test_a_key_of_several_batches_is_written_once(connection: Connection) -> None:
    gathering = outbox.Gathering(connection)
    with connection.transaction():
        for batch in (["erp|2", "erp|1"], ["erp|1", "erp|3"]):
            gathering.marks.add("customer", batch)
            gathering.write_many()
        assert written(connection) == []
        gathering.write()
        gathering.write()
    assert written(connection) == [("customer", key) for key in ("erp|1", "erp|2", "erp|3")]


def test_marks_are_written_when_they_are_many(connection: Connection) -> None:
    gathering = outbox.Gathering(connection)
    with connection.transaction():
        for subject in ("customer", "demand"):
            assert written(connection) == []
            gathering.marks.add(subject, map(str, range(outbox.MANY // 2)))
            gathering.write_many()
        assert not gathering.marks.keys
        gathering.marks.add("customer", ["0"])
        gathering.write()
    assert len(written(connection)) == outbox.MANY + 1
