"""Tables without a change column: the whole table is compared with what it was."""

from __future__ import annotations

import pytest

from connectors.errors import SourceError
from connectors.kinds import Reader
from tests.connectors.sources import ORDER_EVENTS, KilledError, mapping
from tests.connectors.tables import TableSource, source_url

pytestmark = pytest.mark.stack

__all__ = ["source_url"]

CUSTOMERS = """
streams:
  customer: {from: customers, key: no, table: {compare: true, most_deleted: 50%}}
events:
- emit: customer
  from: customer
  key: no
  when: {not: {equals: [city, hidden]}}
  fields: {name: name, city: city}
"""
ORDER_STREAMS = """
streams:
  order: {from: orders, key: no, table: {compare: true}}
  line: {from: lines, key: [no, item], table: {compare: true, most_deleted: 100%}}
"""


@pytest.fixture
def customers(database_url: str, source_url: str) -> TableSource:
    source = TableSource(database_url, source_url, mapping(CUSTOMERS))
    source.execute("CREATE TABLE customers (no text, name text, city text)")
    source.execute(
        "INSERT INTO customers VALUES ('1', 'Ada', 'Ulm'), ('2', 'Ben', 'Bonn'),"
        " ('3', 'Cy', 'Kiel'), ('4', 'Di', 'Jena')"
    )
    return source


@pytest.fixture
def orders(database_url: str, source_url: str) -> TableSource:
    source = TableSource(database_url, source_url, mapping(ORDER_STREAMS + ORDER_EVENTS))
    source.execute("CREATE TABLE orders (no text, customer text, day date)")
    source.execute(
        "CREATE TABLE lines (no text, item int, product text, quantity numeric, net numeric)"
    )
    source.execute("INSERT INTO orders VALUES ('1', 'K1', '2026-01-02'), ('2', 'K1', '2026-01-02')")
    source.execute(
        "INSERT INTO lines VALUES ('1', 1, 'P1', 1, 10.50), ('1', 2, 'P2', 1, 20),"
        " ('2', 1, 'P1', 3, 30)"
    )
    return source


def told(source: TableSource) -> dict[str, tuple[str, bool]]:
    return {
        key[1]: (document["city"], document["deleted"])
        for key, document in source.standing().items()
    }


def test_inserted_changed_and_vanished_rows_are_found(customers: TableSource) -> None:
    assert customers.run().published == 4
    again = customers.run()
    assert (again.read, again.published, again.repeated) == (4, 0, 4)
    customers.execute("UPDATE customers SET city = 'Hof' WHERE no = '1'")
    customers.execute("DELETE FROM customers WHERE no = '2'")
    customers.execute("INSERT INTO customers VALUES ('5', 'Ed', 'Trier')")
    assert customers.run().published == 3
    assert customers.run().published == 0
    assert told(customers) == {
        "1": ("Hof", False),
        "2": ("Bonn", True),
        "3": ("Kiel", False),
        "4": ("Jena", False),
        "5": ("Trier", False),
    }


def test_what_the_table_says_stands_though_it_said_so_before(customers: TableSource) -> None:
    for city in ("Ulm", "Hof", "Ulm", "Hof", "Ulm"):
        customers.execute(f"UPDATE customers SET city = '{city}' WHERE no = '1'")
        customers.run()
        assert told(customers)["1"] == (city, False)


def test_row_that_comes_back_is_no_longer_deleted(customers: TableSource) -> None:
    customers.run()
    for _ in range(2):
        customers.execute("DELETE FROM customers WHERE no = '1'")
        customers.run()
        assert told(customers)["1"] == ("Ulm", True)
        customers.execute("INSERT INTO customers VALUES ('1', 'Ada', 'Ulm')")
        customers.run()
        assert told(customers)["1"] == ("Ulm", False)


def test_record_that_no_longer_passes_the_condition_is_withdrawn(customers: TableSource) -> None:
    customers.run()
    customers.execute("UPDATE customers SET city = 'hidden' WHERE no = '1'")
    customers.run()
    assert told(customers)["1"] == ("hidden", True)


@pytest.mark.parametrize("lost", ["DELETE FROM customers", "DELETE FROM customers WHERE no > '1'"])
def test_table_that_lost_too_much_at_once_is_not_believed(
    customers: TableSource, lost: str
) -> None:
    customers.run()
    customers.execute(lost)
    customers.execute("INSERT INTO customers VALUES ('6', 'Flo', 'Celle')")
    for _ in range(2):
        with pytest.raises(SourceError, match=r"most_deleted: 100%.*streams\.customer\.table"):
            customers.run()
    assert not any(deleted for _, deleted in told(customers).values())
    assert told(customers)["6"] == ("Celle", False)
    customers.mapping = mapping(CUSTOMERS.replace("most_deleted: 50%", "most_deleted: 100%"))
    customers.run()
    assert [key for key, one in told(customers).items() if not one[1]] == (
        ["6"] if lost.endswith("customers") else ["1", "6"]
    )


def test_table_that_is_not_there_deletes_nothing(customers: TableSource) -> None:
    customers.run()
    customers.execute("ALTER TABLE customers RENAME TO clients")
    with pytest.raises(SourceError, match="there is no table customers"):
        customers.run()
    customers.execute("ALTER TABLE clients RENAME TO customers")
    assert customers.run().published == 0


def test_read_that_breaks_off_deletes_nothing(customers: TableSource) -> None:
    customers.execute(
        "INSERT INTO customers SELECT n::text, 'Ada', 'Ulm' FROM generate_series(5, 9000) n"
    )
    customers.run()
    # The last of the rows cannot be read any more: the comparison does not come to its end.
    customers.execute("ALTER TABLE customers RENAME TO kept")
    customers.execute(
        "CREATE VIEW customers AS SELECT no, name, CASE WHEN no = '9000'"
        " THEN (1 / (no::int - 9000))::text ELSE city END AS city FROM kept WHERE no <> '7'"
    )
    with pytest.raises(SourceError, match="division by zero"):
        customers.run()
    assert not any(deleted for _, deleted in told(customers).values())
    customers.execute("DROP VIEW customers")
    customers.execute("ALTER TABLE kept RENAME TO customers")
    customers.execute("DELETE FROM customers WHERE no = '7'")
    assert customers.run().published == 1
    assert told(customers)["7"] == ("Ulm", True)


def test_line_that_vanished_leaves_its_document(orders: TableSource) -> None:
    assert orders.run().published == 2
    orders.execute("DELETE FROM lines WHERE item = 2")
    assert orders.run().published == 1
    standing = {key[1]: document for key, document in orders.standing().items()}
    assert [line["number"] for line in standing["1"]["lines"]] == ["1"]
    assert not standing["1"]["deleted"]


def test_document_that_vanished_with_its_lines_is_deleted_as_it_last_was(
    orders: TableSource,
) -> None:
    orders.run()
    orders.execute("DELETE FROM orders WHERE no = '1'")
    orders.execute("DELETE FROM lines WHERE no = '1'")
    assert orders.run().published == 1
    standing = {key[1]: document for key, document in orders.standing().items()}
    assert standing["1"]["deleted"]
    assert [line["number"] for line in standing["1"]["lines"]] == ["1", "2"]
    assert not standing["2"]["deleted"]


def test_killed_while_deleting_it_says_the_same_again(customers: TableSource) -> None:
    customers.run()
    customers.execute("DELETE FROM customers WHERE no = '2'")
    customers.log.stop_after = 1
    with pytest.raises(KilledError):
        customers.run()
    customers.log.stop_after = None
    customers.execute("INSERT INTO customers VALUES ('2', 'Ben', 'Hof')")
    customers.run()
    assert told(customers)["2"] == ("Hof", False)


def test_following_compares_only_every_so_often(customers: TableSource) -> None:
    reader: Reader = customers.tables()
    assert sum(len(one.rows) for one in reader.portions({}, final=False)) == 4
    assert list(reader.portions({}, final=False)) == []
    assert sum(len(one.rows) for one in reader.portions({}, final=True)) == 4
