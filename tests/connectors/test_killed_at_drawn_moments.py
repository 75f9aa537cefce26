"""Wherever in a pass a reader dies, what stands in the end is what its source says, told once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from connectors.database.source import DatabaseReader
from connectors.files.source import FilesReader
from connectors.mapping import parse_mapping
from hub.source_settings import DatabaseSource, FilesSource
from tests.connectors.mortal import Death, alive, deaths, run_mortal
from tests.connectors.sources import SampleSource
from tests.connectors.tables import source_url

pytestmark = pytest.mark.stack

__all__ = ["source_url"]

EVENTS = """
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city}
"""
FILES = {
    "timed": "streams: {customer: {key: no, changed: at, version: precise}}",
    "undated": "streams: {customer: {key: no}}",
    "full exports": "streams: {customer: {key: no, snapshot: full, most_deleted: 100%}}",
}
TABLES = {
    "time": "streams: {customer: {from: customers, key: no, changed: at, version: precise,"
    " table: {changed: at}}}",
    "number": "streams: {customer: {from: customers, key: no, table: {changed: seq, overlap: 3}}}",
    "compared": "streams: {customer: {from: customers, key: no,"
    " table: {compare: true, most_deleted: 100%}}}",
}
HEAD = "no,name,city,at,filling\n"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
#: Fills a column that is not mapped: a few such rows are more than is taken at once.
WIDE = "A" * 60_000
CHANGE = (
    "INSERT INTO customers (no, name, city, filling) VALUES (:no, 'Ada', :city, :filling)"
    " ON CONFLICT (no) DO UPDATE SET city = excluded.city, filling = excluded.filling,"
    " at = clock_timestamp(), seq = nextval('steps')"
)


class Delivery(NamedTuple):
    """Customers who moved, each once or twice, one who left, and how the pass over them ends.

    Only where wholes are compared can be seen who left.
    """

    moved: list[int]
    doubled: bool
    left: int | None
    wide: bool
    death: Death


DELIVERIES = st.lists(
    st.builds(
        Delivery,
        st.lists(st.integers(1, 5), max_size=7),
        st.booleans(),
        st.none() | st.integers(1, 5),
        st.booleans(),
        deaths(12),
    ),
    min_size=1,
    max_size=4,
)
DRAWN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def filling(delivery: Delivery) -> str:
    return WIDE if delivery.wide else ""


def cities(source: SampleSource) -> dict[str, str]:
    """The city of each customer who is not deleted."""
    standing = {key[1]: document for key, document in source.standing().items()}
    return {key: str(one["city"]) for key, one in standing.items() if not one["deleted"]}


@pytest.mark.parametrize("streams", FILES)
@settings(DRAWN, max_examples=25)
@given(deliveries=DELIVERIES)
def test_files_stand_as_they_say_wherever_their_reader_died(
    database_url: str, tmp_path: Path, streams: str, deliveries: list[Delivery]
) -> None:
    name = uuid.uuid4().hex
    folder = tmp_path / name
    folder.mkdir()
    files = parse_mapping(FILES[streams] + EVENTS, name)
    sample = SampleSource(database_url, folder, files)
    source = FilesSource(name=name, path=str(folder), mapping="unused")

    def run(death: Death, *, final: bool) -> int | None:
        reader = FilesReader(str(folder), files, name)
        report = run_mortal(source, files, reader, sample.log, database_url, death, final=final)
        return None if report is None else report.published

    whole = streams == "full exports"
    path = folder / "customers.csv"
    path.write_text(HEAD)
    moved = 0
    expected: dict[str, str] = {}
    lines: dict[str, str] = {}
    for delivery in deliveries:
        written = ""
        for customer in delivery.moved:
            moved, no = moved + 1, str(customer)
            at = (FIRST + timedelta(seconds=moved)).isoformat()
            expected[no] = f"City {moved}"
            lines[no] = f"{no},Ada,{expected[no]},{at},{filling(delivery)}\n"
            written += lines[no] * (1 + delivery.doubled)
        if whole:
            for of_all in (expected, lines):
                of_all.pop(str(delivery.left), None)
            path.write_text(HEAD + "".join(lines.values()))
        else:
            with path.open("a") as file:
                file.write(written)
        run(delivery.death, final=whole)
    run(alive(), final=True)
    assert cities(sample) == expected
    assert run(alive(), final=True) == 0


@pytest.mark.parametrize("streams", TABLES)
@settings(DRAWN, max_examples=15)
@given(deliveries=DELIVERIES)
def test_tables_stand_as_they_say_wherever_their_reader_died(
    database_url: str, source_url: str, tmp_path: Path, streams: str, deliveries: list[Delivery]
) -> None:
    name = uuid.uuid4().hex
    tables = parse_mapping(TABLES[streams] + EVENTS, name)
    sample = SampleSource(database_url, tmp_path, tables)
    source = DatabaseSource(kind="database", name=name, url=source_url, mapping="unused")
    engine = create_engine(source_url, poolclass=NullPool)

    def run(death: Death) -> int | None:
        reader = DatabaseReader(source, tables)
        report = run_mortal(source, tables, reader, sample.log, database_url, death, final=True)
        return None if report is None else report.published

    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS customers"))
        connection.execute(text("CREATE SEQUENCE IF NOT EXISTS steps"))
        connection.execute(
            text(
                "CREATE TABLE customers (no text PRIMARY KEY, name text, city text, filling text,"
                " at timestamptz DEFAULT clock_timestamp(), seq bigint DEFAULT nextval('steps'))"
            )
        )
    moved = 0
    expected: dict[str, str] = {}
    for delivery in deliveries:
        with engine.begin() as connection:
            for customer in delivery.moved * (1 + delivery.doubled):
                moved, no = moved + 1, str(customer)
                expected[no] = f"City {moved}"
                row = {"no": no, "city": expected[no], "filling": filling(delivery)}
                connection.execute(text(CHANGE), row)
            if streams == "compared":
                left = str(delivery.left)
                expected.pop(left, None)
                connection.execute(text("DELETE FROM customers WHERE no = :no"), {"no": left})
        run(delivery.death)
    run(alive())
    assert cities(sample) == expected
    assert run(alive()) == 0
