"""Small files are taken together: one transaction for all, and each keeps its place and cursor."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.publish import Outgoing, PublishError
from sinks import cursors
from sinks.database import connect
from tests.connectors.sources import KilledError, LogInMemory, SampleSource, mapping

pytestmark = pytest.mark.stack

MAPPING = """
streams:
  customer: {from: "customers*.csv", key: no}
  rate: {from: "rates*.csv", key: currency}
  order: {from: "orders*.csv", key: no}
  line: {from: "lines*.csv", key: item}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city}
- emit: rate
  from: rate
  key: currency
  fields:
    {currency: currency, base: {const: EUR}, rate: {decimal: rate}, valid_on: {const: 2026-01-01}}
- emit: order
  from: order
  key: no
  fields:
    customer: {reference: customer}
    ordered_on: {const: 2026-01-02}
    currency: {const: EUR}
    status: {const: open}
  lines:
    join: {line: {no: no}, missing: hold}
    order_by: item
    fields:
      {number: item, product: {reference: item}, quantity: {const: 1}, net_amount: {const: 1}}
"""
CUSTOMERS, RATES, ORDERS, LINES = "no,name,city\n", "currency,rate\n", "no,customer\n", "no,item\n"
LONG = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=2_700))


@pytest.fixture
def source(database_url: str, tmp_path: Path) -> SampleSource:
    return SampleSource(database_url, tmp_path, mapping(MAPPING))


def write_cities(source: SampleSource) -> None:
    """One customer, who is said to live elsewhere in each file; no file states a date."""
    for name, city in (("a", "Ulm"), ("b", "Bonn"), ("c", "Kiel")):
        source.write(f"customers-{name}.csv", CUSTOMERS + f"1,Ada,{city}\n")


def cities(source: SampleSource) -> list[tuple[int, str]]:
    return [(document["version"], document["city"]) for document in source.published()]


def moved(source: SampleSource) -> set[str]:
    with connect(source.database_url) as connection:
        return set(cursors.cursor_states(connection, "sample")) - {""}


def test_cursors_of_small_files_move_in_one_transaction(source: SampleSource) -> None:
    for number in range(50):
        source.write(f"customers-{number:02}.csv", CUSTOMERS + f"{number},Ada,Ulm\n")
    assert source.run().published == 50
    with connect(source.database_url) as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT xmin::text) FROM source_cursors WHERE unit <> ''"
        ).fetchone()
    assert found == (50, 1)
    assert source.run().read == 0


def test_small_files_around_a_large_one_are_each_read_once(source: SampleSource) -> None:
    large = "".join(f"{number},{'Ada' * 30},Ulm\n" for number in range(8_000))
    source.write("customers-a.csv", CUSTOMERS + "x,Ada,Ulm\n")
    source.write("customers-b.csv", CUSTOMERS + large)
    source.write("customers-c.csv", CUSTOMERS + "y,Ada,Ulm\n")
    report = source.run()
    assert (report.read, report.published) == (8_002, 8_002)
    assert source.run().read == 0


def test_contents_without_a_date_have_their_versions_in_the_order_of_the_files(
    source: SampleSource,
) -> None:
    write_cities(source)
    source.run()
    assert cities(source) == [(1, "Ulm"), (2, "Bonn"), (3, "Kiel")]


def test_killed_between_acknowledgement_and_commit_no_cursor_of_several_files_has_moved(
    source: SampleSource,
) -> None:
    write_cities(source)
    source.log.stop_after = 1
    with pytest.raises(KilledError):
        source.run()
    assert moved(source) == set()
    source.log.stop_after = None
    assert source.run().published == 3
    # The same versions with the same contents once more, and nothing after that.
    assert cities(source) == [(1, "Ulm"), (2, "Bonn"), (3, "Kiel")] * 2
    assert len(moved(source)) == 3
    assert source.run().read == 0


def test_files_that_come_while_the_process_is_dead_take_no_version_that_it_announced(
    source: SampleSource,
) -> None:
    write_cities(source)
    source.log.stop_after = 1
    with pytest.raises(KilledError):
        source.run()
    source.log.stop_after = None
    source.write("customers-0.csv", CUSTOMERS + "1,Ada,Jena\n")
    source.write("customers-bb.csv", CUSTOMERS + "1,Ada,Köln\n")
    source.run()
    assert sorted(set(cities(source))) == [
        (1, "Ulm"),
        (2, "Bonn"),
        (3, "Kiel"),
        (4, "Jena"),
        (5, "Köln"),
    ]


class _Refusing(LogInMemory):
    """A broker that is away."""

    def publish(self, records: Sequence[Outgoing]) -> set[int]:
        raise PublishError("the broker did not take the records")


def test_no_cursor_moves_before_the_broker_has_acknowledged(source: SampleSource) -> None:
    write_cities(source)
    there, source.log = source.log, _Refusing()
    with pytest.raises(PublishError):
        source.run()
    assert moved(source) == set()
    source.log = there
    assert source.run().published == 3


def test_refused_records_of_several_files_are_dead_letters_of_their_own_file(
    source: SampleSource,
) -> None:
    source.write("customers-2026-02-01.csv", CUSTOMERS + "1,Ada,Ulm\n,Ben,Bonn\n")
    source.write("customers-2026-02-02.csv", CUSTOMERS + "3,Cy\n4,Di,Kiel\n")
    source.write("rates-2026-02-03.csv", RATES + "USD,1.1\nXXQ,1.2\n")
    report = source.run()
    assert (report.read, report.published, report.rejected) == (6, 3, 3)
    with connect(source.database_url) as connection:
        rows = connection.execute("SELECT place, code, headers FROM dead_letters").fetchall()
    letters = {place: (code, dict(headers)) for place, code, headers in rows}
    assert set(letters) == {
        "customers-2026-02-01.csv:3",
        "customers-2026-02-02.csv:2",
        "rates-2026-02-03.csv:3",
    }
    code, headers = letters["rates-2026-02-03.csv:3"]
    assert (code, headers["stream"]) == ("currency", "rate")
    # Midnight UTC of the day in the file's name, in µs.
    assert headers["dated"] == "1770076800000000"
    assert letters["customers-2026-02-02.csv:2"][1]["unit"] == "customers-2026-02-02.csv"


def test_same_line_refused_in_two_streams_is_a_letter_of_each(source: SampleSource) -> None:
    broken = "7,7,7,7\n"
    source.write("customers-a.csv", CUSTOMERS + broken)
    source.write("customers-b.csv", CUSTOMERS + broken)
    source.write("rates.csv", RATES + broken)
    source.run()
    with connect(source.database_url) as connection:
        letters = connection.execute("SELECT place FROM dead_letters").fetchall()
    assert letters == [("customers-a.csv:2",), ("rates.csv:2",)]


def test_record_that_the_database_cannot_hold_is_found_among_several_files(
    source: SampleSource,
) -> None:
    source.write("orders.csv", ORDERS + "1,K1\n")
    for number in range(1, 6):
        text = f"1,{number}0\n" + (f"{LONG},{number}1\n" if number == 3 else "") + f"1,{number}2\n"
        source.write(f"lines-{number}.csv", LINES + text)
    report = source.run()
    assert (report.read, report.published, report.rejected) == (12, 1, 1)
    with connect(source.database_url) as connection:
        letters = connection.execute("SELECT place, code FROM dead_letters").fetchall()
    assert letters == [("lines-3.csv:3", "not_storable")]
    (document,) = source.published()
    numbers = [line["number"] for line in document["lines"]]
    assert numbers == ["10", "12", "20", "22", "30", "32", "40", "42", "50", "52"]
    assert len(moved(source)) == 6
    assert source.run().read == 0


def test_line_that_one_file_moves_to_another_order_than_the_file_before_it(
    source: SampleSource,
) -> None:
    source.write("orders.csv", ORDERS + "1,K1\n2,K1\n")
    source.write("lines-a.csv", LINES + "1,7\n1,8\n")
    source.write("lines-b.csv", LINES + "2,8\n")
    source.run()
    lines = {
        key[1]: [line["number"] for line in document["lines"]]
        for key, document in source.standing().items()
    }
    assert lines == {"1": ["7"], "2": ["8"]}
