"""A column that an export no longer has is said before anything of the file is believed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from connectors.dry_run import dry_run
from connectors.errors import SourceError
from connectors.files.heads import lacking
from connectors.mapping import MappingError
from connectors.opening import open_door
from connectors.replay import replay_through
from hub.source_settings import FilesSource
from tests.connectors.sources import SampleSource, mapping, numbered_letters, profile
from tests.connectors.workbooks import workbook

CUSTOMERS = """
streams:
  customer: {from: "customers*", key: no}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city}
"""
MAY_LACK_THE_CITY = CUSTOMERS.replace("key: no}", "key: no, optional: [city]}")
FULL = CUSTOMERS.replace("key: no}", "key: no, snapshot: full}")
ORDERS = """
streams:
  order: {from: "orders*", key: [no, year]}
  line: {from: "lines*", key: item, changed: at, version: precise}
  product: {from: "products*", key: sku}
  person: {from: "people*", key: id}
events:
- emit: order
  from: order
  key: no
  when: {equals: [state, open]}
  lookup: {seller: {in: person, on: {login: salesman}, where: {equals: [left, "no"]}}}
  fields:
    customer: {reference: customer}
    salesperson: {reference: $seller.staff_no}
    ordered_on: {date: day}
    currency: {coalesce: [currency, {const: EUR}]}
    status: {const: open}
  lines:
    join: {line: {order_no: no}}
    lookup: {good: {in: product, by: [product]}}
    order_by: item
    fields:
      number: item
      product: {reference: $good.name}
      quantity: {decimal: quantity}
      net_amount: {add: [price, $parent.freight]}
"""


@pytest.fixture
def customers(database_url: str, tmp_path: Path) -> SampleSource:
    return SampleSource(database_url, tmp_path, mapping(CUSTOMERS))


def test_what_is_asked_of_a_record_is_needed_of_its_stream() -> None:
    needed = {name: set(one.needed) for name, one in mapping(ORDERS).streams.items()}
    assert needed == {
        "order": {"no", "year", "state", "salesman", "customer", "day", "currency", "freight"},
        "line": {"item", "at", "order_no", "product", "quantity", "price"},
        "product": {"sku", "name"},
        "person": {"id", "login", "left", "staff_no"},
    }


def test_group_and_lists_within_need_columns_of_their_own_record_only() -> None:
    grouped = mapping(
        "streams: {call: {key: id}}\n"
        "events: [{emit: employee, from: call, key: agent, group: {by: agent, order_by: at,"
        " until: {equals: [state, done]}}, fields: {name: {last: who, over: $group}}}]\n"
    )
    assert grouped.streams["call"].needed == {"id", "agent", "at", "state", "who"}
    within = mapping(
        "streams: {order: {key: no}}\n"
        "events: [{emit: employee, from: order, each: /people, key: id, fields: {name: name}}]\n"
    )
    assert within.streams["order"].needed == {"no"}


def test_records_that_hold_only_changes_need_no_column() -> None:
    assert not any(one.needed for one in profile("salesforce_cdc").streams.values())


@pytest.mark.parametrize("optional", ["city", "[1]", '[""]', "{city: true}"])
def test_optional_is_a_list_of_columns(optional: str) -> None:
    with pytest.raises(MappingError, match=r"streams\.customer\.optional: expected a list"):
        mapping(CUSTOMERS.replace("key: no}", f"key: no, optional: {optional}}}"))


def test_reason_names_each_column_and_what_it_may_be_called_now() -> None:
    reason = lacking({"no", "City", "name"}, ["name", "no.", "Citty"])
    assert reason is not None
    assert "columns that the mapping reads: 'City' (did you mean 'Citty'?), 'no'" in reason
    assert "'optional' of the stream" in reason
    assert lacking({"no"}, ["no", "more"]) is None


@pytest.mark.stack
def test_file_without_a_column_is_one_dead_letter_and_the_next_file_is_read(
    customers: SampleSource,
) -> None:
    customers.write("customers-1.csv", "no,name,City\n1,Ada,Ulm\n2,Ben,Hof\n")
    customers.write("customers-2.csv", "no,name,city\n3,Cy,Ulm\n")
    report = customers.run(bounded=False)
    assert (report.published, report.rejected) == (1, 1)
    ((_, letter),) = numbered_letters(customers)
    assert (letter.code, letter.place) == ("missing_columns", "customers-1.csv:1")
    assert "'city' (did you mean 'City'?)" in letter.reason
    assert letter.value == b"no,name,City\n"
    again = customers.run(bounded=False)
    assert (again.published, again.rejected, len(numbered_letters(customers))) == (0, 0, 1)


@pytest.mark.stack
def test_file_that_is_delivered_anew_with_the_column_is_read(customers: SampleSource) -> None:
    customers.write("customers.csv", "no,name,city\n1,Ada,Ulm\n")
    customers.run(bounded=False)
    customers.write("customers.csv", "no,name\n1,Ada\n2,Ben\n")
    assert customers.run(bounded=False).rejected == 1
    customers.write("customers.csv", "no,name,city\n1,Ada,Ulm\n2,Ben,Hof\n")
    customers.run(bounded=False)
    cities = {key[1]: one["city"] for key, one in customers.standing().items()}
    assert cities == {"1": "Ulm", "2": "Hof"}


@pytest.mark.stack
@pytest.mark.parametrize("name", ["customers.csv", "customers.csv.gz", "customers.xlsx"])
def test_file_is_read_once_the_mapping_calls_the_column_optional_and_the_letter_is_replayed(
    customers: SampleSource, name: str
) -> None:
    text = b"no,name\n1,Ada\n2,Ben\n"
    content = {
        "csv": text,
        "gz": gzip.compress(text),
        "xlsx": workbook({"A": [["no", "name"], ["1", "Ada"], ["2", "Ben"]]}),
    }[name.rpartition(".")[2]]
    (customers.folder / name).write_bytes(content)
    assert customers.run().rejected == 1
    customers.mapping = mapping(MAY_LACK_THE_CITY)
    ((number, letter),) = numbered_letters(customers)
    row = FilesSource(name="sample", path=str(customers.folder), mapping="unused")
    with open_door(row, customers.mapping, customers.log, customers.database_url) as door:
        replay_through(door, customers.reader(), number, letter)
        assert door.report.rejected == 0
    assert customers.run(bounded=False).published == 2
    assert {one["city"] for one in customers.published()} == {None}
    assert customers.run(bounded=False).published == 0


@pytest.mark.stack
def test_full_export_without_a_column_deletes_nothing(database_url: str, tmp_path: Path) -> None:
    customers = SampleSource(database_url, tmp_path, mapping(FULL))
    customers.write("customers-20260101.csv", "no,name,city\n1,Ada,Ulm\n2,Ben,Hof\n")
    customers.run()
    customers.write("customers-20260102.csv", "no,name\n1,Ada\n")
    with pytest.raises(SourceError, match=r"2 of 2 rows are gone, but its record 1 cannot be read"):
        customers.run()
    assert [letter.code for _, letter in numbered_letters(customers)] == ["missing_columns"]
    assert [one["deleted"] for one in customers.published()] == [False, False]


def test_dry_run_refuses_the_file_too(tmp_path: Path) -> None:
    (tmp_path / "customers.tsv").write_text("no\tname\n1\tAda\n")
    run = dry_run(mapping(CUSTOMERS), str(tmp_path))
    assert ([one.code for one in run.rejections], run.drafts) == (["missing_columns"], [])
