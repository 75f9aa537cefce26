"""Several transactions at once, in drawn orders of writing and committing: no row is missed."""

from __future__ import annotations

import random
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.connectors.sources import mapping
from tests.connectors.tables import TableSource, source_url

pytestmark = pytest.mark.stack

__all__ = ["source_url"]

EVENTS = """
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name}
"""
#: By the kind of change column: its type, how a stream reads it, and an overlap that is none.
COLUMNS = {
    "time": ("timestamptz", "changed: at, version: precise, table: {changed: at", "PT0S"),
    "number": ("bigint", "table: {changed: at", "0"),
}
BEGIN = datetime(2026, 1, 2, tzinfo=UTC)
WRITERS = 4
#: Fewer than the seconds, or the numbers, of the default overlaps.
STEPS = 120
WRITE = (
    "INSERT INTO customers VALUES (:no, :name, :at)"
    " ON CONFLICT (no) DO UPDATE SET name = excluded.name, at = excluded.at"
)


def source_of(database_url: str, url: str, kind: str, overlap: str) -> TableSource:
    """A source with an empty table whose rows are found by a column of this kind."""
    column, stream, _ = COLUMNS[kind]
    streams = f"streams: {{customer: {{from: customers, key: no, {stream}{overlap}}}}}}}\n"
    source = TableSource(database_url, url, mapping(streams + EVENTS))
    source.execute("DROP TABLE IF EXISTS customers")
    source.execute(f"CREATE TABLE customers (no text PRIMARY KEY, name text, at {column})")
    return source


def work_and_read(source: TableSource, kind: str, seed: int) -> dict[str, str]:
    """Let writers write, commit and be read in a drawn order; return the names that stand.

    Each stamps a row when it writes it, often as another one does, and commits it any time later.
    """
    drawn = random.Random(seed)
    tick, stamped, standing = 0, dict[str, int](), dict[str, str]()
    with ExitStack() as stack:
        writers = [stack.enter_context(source.engine.connect()) for _ in range(WRITERS)]
        written: list[dict[str, str]] = [{} for _ in writers]
        for step in range(STEPS):
            who = drawn.randrange(WRITERS + 1)
            if who == WRITERS:
                assert source.run().rejected == 0
            elif written[who] and drawn.random() < 0.5:
                writers[who].commit()
                standing |= written[who]
                written[who] = {}
            else:
                # Rows of its own, since two would wait for each other.
                no = f"{who}-{drawn.randrange(3)}"
                tick = max(tick + drawn.randrange(2), stamped.get(no, -1) + 1)
                at = tick if kind == "number" else BEGIN + timedelta(seconds=tick)
                written[who][no] = f"{step}"
                stamped[no] = tick
                writers[who].execute(text(WRITE), {"no": no, "name": f"{step}", "at": at})
        for writer, rows in zip(writers, written, strict=True):
            writer.commit()
            standing |= rows
    source.run()
    return standing


def read(source: TableSource) -> dict[str, str]:
    return {key: document["name"] for (_, key), document in source.standing().items()}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", COLUMNS)
def test_rows_are_found_once_in_whatever_order_transactions_commit(
    database_url: str, source_url: str, kind: str, seed: int
) -> None:
    source = source_of(database_url, source_url, kind, "")
    assert work_and_read(source, kind, seed) == read(source)
    published = [(one["id"], one["version"]) for one in source.published()]
    assert len(set(published)) == len(published)
    assert source.run().published == 0


@pytest.mark.parametrize("kind", COLUMNS)
def test_without_an_overlap_some_of_these_rows_would_be_missed(
    database_url: str, source_url: str, kind: str
) -> None:
    source = source_of(database_url, source_url, kind, f", overlap: {COLUMNS[kind][2]}")
    assert work_and_read(source, kind, 0) != read(source)
