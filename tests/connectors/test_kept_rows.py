"""Kept rows: one behaviour in memory and in PostgreSQL, whatever the order of arrival."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kept_rows import StoredRows, take_rows
from connectors.mapping.joins import KeptRow, Rows, fill, node_of
from connectors.mapping.keeping import Kept, Outcome, keep
from connectors.mapping.memory import MemoryRows
from connectors.mapping.model import SourceMapping
from sinks import cursors
from sinks.database import connect
from tests.connectors.sources import mapping

MAPPING = mapping(
    """
streams:
  bill: {from: bills, key: no, changed: at, version: precise}
  item: {from: items, key: [no, pos]}
  part: {from: parts, key: part}
events:
- emit: invoice
  from: bill
  key: no
  fields:
    {kind: {const: invoice}, customer: {reference: customer}, invoiced_on: {date: day}, net: net,
     gross: gross, currency: {const: EUR}, status: {const: posted}}
  lines:
    join: {item: {no: no}, missing: hold}
    order_by: pos
    lookup:
      part: {in: part, by: part}
      made: {in: part, from: $part, on: {part: made_of}}
    fields: {number: pos, net_amount: net, order_line: $made.part}
"""
)
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("bill", {"no": "1", "at": "2026-01-02T00:00:00Z"}),
    ("bill", {"no": "2", "at": "2026-01-02T00:00:00Z"}),
    ("item", {"no": "1", "pos": "10", "part": "A"}),
    ("item", {"no": "1", "pos": "9", "part": "B"}),
    ("item", {"no": "2", "pos": "1", "part": "A"}),
    ("part", {"part": "A", "made_of": "C"}),
    ("part", {"part": "B", "made_of": ""}),
    ("part", {"part": "C"}),
]


def kept(stream: str, row: dict[str, Any], changed: int = 1) -> KeptRow:
    node = node_of(MAPPING, stream, KeptRow("", row, "", changed))
    key = MAPPING.streams[stream].key(node)
    assert key is not None
    return KeptRow(key, row, f"{stream}:1", changed)


class InMemory:
    def __init__(self) -> None:
        self._rows = MemoryRows(MAPPING)

    def put(self, stream: str, rows: list[KeptRow]) -> None:
        for row in rows:
            self._rows.put(stream, row)

    @contextmanager
    def view(self) -> Iterator[Rows]:
        yield self._rows


class InDatabase:
    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, stream: str, rows: list[KeptRow]) -> None:
        with connect(self._url) as connection:
            take_rows(connection, MAPPING, "erp", stream, rows)

    @contextmanager
    def view(self) -> Iterator[Rows]:
        with connect(self._url) as connection:
            yield StoredRows(connection, "erp")

    def touched(self) -> list[str]:
        with connect(self._url) as connection:
            found = cursors.waiting(connection, "erp", "invoice", "", 100, True)
            cursors.settle_waiting(connection, "erp", "invoice", [one.row_key for one in found], {})
        return [one.row_key for one in found]


@pytest.fixture(params=["memory", "database"])
def store(request: pytest.FixtureRequest) -> InMemory | InDatabase:
    if request.param == "memory":
        return InMemory()
    return InDatabase(request.getfixturevalue("database_url"))


def lines_of(rows: Rows, mapping: SourceMapping, bill: str) -> list[tuple[str, str | None]]:
    (event,) = mapping.events
    node = node_of(mapping, "bill", rows.rows("bill", [bill])[bill])
    assert fill(mapping, rows, event.joins, [node]) == {}
    return [
        (item.row["pos"], item.joined["made"].row["part"] if item.joined["made"] else None)
        for item in node.joined["item"]
    ]


@pytest.mark.stack
@pytest.mark.parametrize("seed", range(3))
def test_joins_find_the_same_in_any_order_of_arrival(
    store: InMemory | InDatabase, seed: int
) -> None:
    for stream, row in random.Random(seed).sample(ROWS, len(ROWS)):
        store.put(stream, [kept(stream, row)])
    with store.view() as rows:
        assert lines_of(rows, MAPPING, "1") == [("9", None), ("10", "C")]
        assert lines_of(rows, MAPPING, "2") == [("1", "C")]
        assert rows.rows("bill", ["none"]) == {}
        by_key = {edge.name.split(" ")[1]: edge for edge in MAPPING.edges.values()}
        assert rows.parents(by_key["item"], ["1", "3"]) == {"1": ["1"]}


@pytest.mark.stack
def test_changed_part_touches_every_document_that_it_is_in(database_url: str) -> None:
    store = InDatabase(database_url)
    for stream, row in ROWS:
        store.put(stream, [kept(stream, row)])
    assert store.touched() == ["1", "2"]
    store.put("part", [kept("part", {"part": "C", "name": "new"})])
    assert store.touched() == ["1", "2"]
    store.put("part", [kept("part", {"part": "B", "made_of": "A"})])
    assert store.touched() == ["1"]
    store.put("part", [kept("part", {"part": "B", "made_of": "A"})])
    assert store.touched() == []
    store.put("item", [kept("item", {"no": "2", "pos": "1", "part": "B"})])
    assert store.touched() == ["2"]


contents = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from("abc")), min_size=1, max_size=8, unique=True
)


def stands_after(arrivals: list[tuple[int, str]], precise: bool) -> Kept:
    current = None
    for changed, text in arrivals:
        _, current = keep(current, KeptRow("1", {"text": text}, "", changed), precise)
    assert current is not None
    return current


@given(arrivals=contents, seed=st.integers())
def test_dated_contents_stand_the_same_in_any_order(
    arrivals: list[tuple[int, str]], seed: int
) -> None:
    shuffled = random.Random(seed).sample(arrivals, len(arrivals))
    assert stands_after(arrivals, True).row == stands_after(shuffled, True).row


@given(arrivals=contents, precise=st.booleans())
def test_delivering_everything_again_changes_nothing(
    arrivals: list[tuple[int, str]], precise: bool
) -> None:
    before = stands_after(arrivals, precise)
    current: Kept | None = before
    for changed, text in arrivals:
        outcome, current = keep(current, KeptRow("1", {"text": text}, "", changed), precise)
        assert outcome in (Outcome.REPEAT, Outcome.STALE)
    assert current == before


def test_newer_date_with_the_same_content_confirms_it() -> None:
    _, current = keep(None, KeptRow("1", {"a": "x"}, "", 1), False)
    outcome, current = keep(current, KeptRow("1", {"a": "x"}, "", 3), False)
    assert outcome == Outcome.CONFIRMED
    assert keep(current, KeptRow("1", {"a": "y"}, "", 2), False)[0] == Outcome.STALE


@pytest.mark.stack
def test_change_time_is_kept_to_the_microsecond(database_url: str) -> None:
    row = kept("bill", {"no": "1", "at": "2026-01-02T03:04:05.678901Z"}, 1_767_323_045_678_901)
    InDatabase(database_url).put("bill", [row])
    with InDatabase(database_url).view() as rows:
        node = node_of(MAPPING, "bill", rows.rows("bill", ["1"])["1"])
        assert rows.rows("bill", ["1"])["1"] == row
    assert node.changed == row.changed
