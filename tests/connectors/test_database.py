"""Tables as sources: what changed is read once, though it was committed late or at equal times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.errors import SourceError
from connectors.publish import Outgoing
from sinks.database import connect
from tests.connectors.sources import LogInMemory, contents, mapping, refusing_mappings
from tests.connectors.tables import TableSource, source_url

pytestmark = pytest.mark.stack

__all__ = ["source_url"]

CUSTOMERS = """
streams:
  customer:
    {from: customers, key: no, changed: changed_at, version: precise, table: {changed: changed_at}}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city}
"""
CUSTOMER_TABLE = (
    "CREATE TABLE customers (no varchar(20) PRIMARY KEY, name varchar(80), city varchar(80),"
    " changed_at timestamp)"
)
WHOLE = "city: {map: {'7': Kiel}, of: city, otherwise: reject}"
INSERT = "INSERT INTO customers VALUES (:no, :name, :city, :at)"


@pytest.fixture
def customers(database_url: str, source_url: str) -> TableSource:
    source = TableSource(database_url, source_url, mapping(CUSTOMERS))
    source.execute(CUSTOMER_TABLE)
    return source


@pytest.fixture(params=["postgresql", "sqlite"])
def of_each_dialect(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> TableSource:
    if request.param == "postgresql":
        url = request.getfixturevalue("source_url")
    else:
        url = f"sqlite:///{tmp_path / 'erp.db'}"
    source = TableSource(database_url, url, mapping(CUSTOMERS))
    source.execute(CUSTOMER_TABLE)
    return source


def insert(source: TableSource, *rows: tuple[str, str, str, str | None]) -> None:
    names = ("no", "name", "city", "at")
    source.execute(INSERT, [dict(zip(names, row, strict=True)) for row in rows])


def cities(source: TableSource) -> dict[str, str]:
    return {key[1]: document["city"] for key, document in source.standing().items()}


def test_letter_of_a_row_names_the_mapping_that_refused_it(of_each_dialect: TableSource) -> None:
    source = of_each_dialect
    source.mapping = mapping("profile: tables/2\n" + CUSTOMERS.replace("city: city", WHOLE))
    insert(source, ("1", "Ada", "Ulm", None), ("2", "Ben", "7", None))
    report = source.run()
    assert (report.published, report.rejected) == (1, 1)
    ((_, name, version),) = refusing_mappings(source)
    assert (name, version) == ("tables/2", source.mapping.version)


def test_each_change_is_published_once(of_each_dialect: TableSource) -> None:
    source = of_each_dialect
    insert(source, ("1", "Ada", "Ulm", "2026-01-02 03:04:05"), ("2", "Ben", "Bonn", None))
    assert source.run().published == 2
    again = source.run()
    assert (again.read, again.published, again.repeated) == (2, 0, 2)
    source.execute(
        "UPDATE customers SET city='Kiel', changed_at='2026-01-03 00:00:00' WHERE no='1'"
    )
    source.execute("UPDATE customers SET city='Jena' WHERE no='2'")
    assert source.run().published == 2
    assert source.run().published == 0
    assert cities(source) == {"1": "Kiel", "2": "Jena"}


def test_equal_times_over_several_pages_are_all_read(of_each_dialect: TableSource) -> None:
    rows = [(f"{number:05}", "Ada", "Ulm", "2026-01-02 03:04:05") for number in range(4_500)]
    insert(of_each_dialect, *rows)
    assert of_each_dialect.run().published == 4_500
    insert(of_each_dialect, ("00000x", "Ben", "Bonn", "2026-01-02 03:04:05"))
    assert of_each_dialect.run().published == 1
    assert len(of_each_dialect.standing()) == 4_501


def test_row_that_was_committed_after_a_later_one_was_read_is_found(customers: TableSource) -> None:
    insert_now = text("INSERT INTO customers VALUES (:no, 'Ada', 'Ulm', clock_timestamp())")
    with customers.engine.connect() as late:
        late.execute(insert_now, {"no": "early stamp"})
        with customers.engine.begin() as quick:
            quick.execute(insert_now, {"no": "late stamp"})
        assert customers.run().published == 1
        late.commit()
    assert customers.run().published == 1
    assert set(cities(customers)) == {"early stamp", "late stamp"}


def test_row_of_the_future_does_not_hide_those_that_come_before_it(customers: TableSource) -> None:
    insert(customers, ("1", "Ada", "Ulm", "2999-12-31 00:00:00"))
    assert customers.run().published == 1
    customers.execute("INSERT INTO customers VALUES ('2', 'Ben', 'Bonn', clock_timestamp())")
    assert customers.run().published == 1
    assert customers.run().published == 0


def test_overlap_is_remembered_no_longer_than_it_lasts(customers: TableSource) -> None:
    insert(
        customers, *((str(no), "Ada", "Ulm", f"2026-01-{no:02} 00:00:00") for no in range(1, 29))
    )
    customers.run()
    with connect(customers.database_url) as connection:
        rows = connection.execute("SELECT count(*) FROM source_recent").fetchone()
    assert rows == (1,)


def test_following_looks_back_only_now_and_then(customers: TableSource) -> None:
    insert(customers, ("1", "Ada", "Ulm", "2026-01-02 03:04:05"))
    reader = customers.tables()
    unit = "customers"
    states = {unit: {"position": 1_767_323_045_000_000, "scale": ["local", ""], "floor": 0}}
    insert(customers, ("2", "Ben", "Ulm", "2026-01-02 03:02:00"))
    assert [len(one.rows) for one in reader.portions(states, final=False)] == [2]
    assert [len(one.rows) for one in reader.portions(states, final=False)] == [1]


@pytest.mark.parametrize(
    ("column", "first", "second"),
    [
        ("bigint", "1", "5000000000"),
        ("numeric(20)", "1", "5000000000"),
        ("date", "'2026-01-02'", "'2026-01-03'"),
        ("timestamptz", "'2026-01-02T00:00:00Z'", "'2026-01-02T08:00:01+08:00'"),
        ("bytea", r"'\x0000000000000001'", r"'\x00000000000007d1'"),
        ("varchar(30)", "'2026-01-02 10:00:00'", "'2026-01-02 10:00:01'"),
    ],
)
def test_change_column_may_be_of_any_type_that_grows(
    database_url: str, source_url: str, column: str, first: str, second: str
) -> None:
    undated = CUSTOMERS.replace("changed: changed_at, version: precise, ", "", 1)
    source = TableSource(database_url, source_url, mapping(undated.replace("changed_at", "seq")))
    source.execute(
        f"CREATE TABLE customers (no int PRIMARY KEY, name text, city text, seq {column})"
    )
    source.execute(f"INSERT INTO customers VALUES (1, 'Ada', 'Ulm', {first})")
    assert source.run().published == 1
    source.execute(f"INSERT INTO customers VALUES (2, 'Ben', 'Bonn', {second})")
    source.execute(f"INSERT INTO customers VALUES (3, 'Cy', 'Jena', {second})")
    assert source.run().published == 2
    assert source.run().published == 0


def test_query_joins_what_the_mapping_needs(database_url: str, source_url: str) -> None:
    text_of_query = (
        '{key: id, changed: at, query: "SELECT c.id, c.at, c.name, t.town FROM c'
        " JOIN t ON t.id = c.town WHERE t.town <> ':none' AND c.id::int > 0\"}"
    )
    source = TableSource(
        database_url,
        source_url,
        mapping(
            f"""
streams:
  customer: {{key: id, table: {text_of_query}}}
events:
- emit: customer
  from: customer
  key: id
  fields: {{name: name, city: town}}
"""
        ),
    )
    source.execute("CREATE TABLE c (id text, at timestamp, name text, town int)")
    source.execute("CREATE TABLE t (id int, town text)")
    source.execute("INSERT INTO t VALUES (7, 'Ulm')")
    source.execute("INSERT INTO c VALUES ('1', '2026-01-02', 'Ada', 7)")
    assert source.run().published == 1
    assert cities(source) == {"1": "Ulm"}


def test_nothing_can_be_written_through_a_query(database_url: str, source_url: str) -> None:
    query = "WITH gone AS (DELETE FROM customers RETURNING *) SELECT * FROM gone"
    table = f'table: {{changed: changed_at, key: no, query: "{query}"}}'
    reads = mapping(CUSTOMERS.replace("table: {changed: changed_at}", table))
    source = TableSource(database_url, source_url, reads)
    source.execute(CUSTOMER_TABLE)
    insert(source, ("1", "Ada", "Ulm", "2026-01-02 03:04:05"))
    with pytest.raises(SourceError, match="refuses what the mapping asks for"):
        source.run()
    with source.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM customers")).scalar_one() == 1


class EndsConnections(LogInMemory):
    """A log that, whenever it took records, ends the connections to a source's database."""

    def __init__(self, source: TableSource) -> None:
        super().__init__()
        self._source = source

    def publish(self, records: Sequence[Outgoing]) -> set[int]:
        refused = super().publish(records)
        self._source.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return refused


def test_database_that_fails_in_the_middle_leaves_what_was_read_and_goes_on_from_there(
    customers: TableSource,
) -> None:
    rows = [(f"{no:05}", "Ada", "Ulm", f"2026-01-02 03:{no // 200:02}:00") for no in range(9_000)]
    insert(customers, *rows)
    customers.log = EndsConnections(customers)
    with pytest.raises(SourceError, match="failed while it was read"):
        customers.run()
    before = len(customers.log.records)
    assert 0 < before < 9_000
    records, customers.log = customers.log.records, LogInMemory()
    assert customers.run().published == 9_000 - before
    customers.log.records += records
    assert len(customers.standing()) == 9_000


def test_decimals_dates_and_bytes_come_as_a_file_would_write_them(
    customers: TableSource,
) -> None:
    customers.execute("DROP TABLE customers")
    customers.execute(
        "CREATE TABLE customers (no int PRIMARY KEY, changed_at timestamp, net numeric(30, 4),"
        " day date, at timestamptz, raw bytea, flag boolean, notes jsonb, of uuid, list int[])"
    )
    customers.execute(
        "INSERT INTO customers VALUES (1, '2026-01-02', 123456789012345678901.5000, '2026-01-03',"
        " '2026-01-02T03:04:05.678901Z', '\\x00ff', true, '{\"rate\": 0.10}',"
        " '00000000-0000-0000-0000-000000000001', '{1,2}')"
    )
    (portion,) = customers.tables().portions({}, final=True)
    ((name, row),) = portion.rows
    assert name == "1@1767312000000000"
    assert row == {
        "no": 1,
        "changed_at": "2026-01-02T00:00:00",
        "net": "123456789012345678901.5",
        "day": "2026-01-03",
        "at": "2026-01-02T03:04:05.678901+00:00",
        "raw": "00ff",
        "flag": True,
        "notes": {"rate": "0.10"},
        "of": "00000000-0000-0000-0000-000000000001",
        "list": [1, 2],
    }


def test_nul_sign_in_a_text_is_shown_as_one_that_the_hub_can_keep(tmp_path: Path) -> None:
    # Its row is not refused: a comparison would then lack it, and believe no deletion any more.
    made = mapping(
        "streams: {customer: {from: customers, key: no, table: {compare: true, key: no}}}\n"
        "events: [{emit: customer, from: customer, key: no, fields: {name: name}}]\n"
    )
    source = TableSource("unused", f"sqlite:///{tmp_path / 'nul.db'}", made)
    source.execute("CREATE TABLE customers (no text PRIMARY KEY, name text)")
    source.execute("INSERT INTO customers VALUES ('1', 'Ada' || char(0) || 'm')")
    (row, _) = source.tables().portions({}, final=True)
    assert row.rows == [("1", {"no": "1", "name": "Ada\ufffdm"})]


def test_same_rows_give_the_same_documents_in_each_dialect(
    database_url: str, source_url: str, tmp_path: Path
) -> None:
    found = []
    for url in (source_url, f"sqlite:///{tmp_path / 'erp.db'}"):
        source = TableSource(database_url, url, mapping(CUSTOMERS))
        source.execute(CUSTOMER_TABLE)
        insert(source, ("1", "Ada", "Ulm", "2026-01-02 03:04:05"))
        with connect(database_url) as connection:
            for table in ("cursors", "recent"):
                connection.execute(f"DELETE FROM source_{table}")
        source.run()
        found.append(contents(source.standing()))
    assert found[0] == found[1]
