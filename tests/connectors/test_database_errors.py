"""What is wrong with a database, its address or the mapping of its tables is said with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from connectors.database.positions import NoPosition, position_of, scale_of, value_at
from connectors.errors import SourceError
from connectors.kinds import reader_of
from connectors.mapping import MappingError
from hub.source_settings import DatabaseSource
from tests.connectors.sources import mapping
from tests.connectors.tables import TableSource, source_url

__all__ = ["source_url"]

MAPPING = """
streams:
  customer: {from: customers, key: no, table: %s}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name}
"""
BY_TIME = "{changed: at}"


def found_wrong(url: str, table: str = BY_TIME) -> str:
    source = DatabaseSource(kind="database", name="erp", url=url, mapping="unused")
    with pytest.raises(SourceError) as error:
        reader_of(source, mapping(MAPPING % table)).check()
    return str(error.value)


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("mssql+pymssql://u:secret@db/erp", "pip install pymssql"),
        ("mysql+pymysql://u:secret@db/erp", "pip install PyMySQL"),
        ("oracle+oracledb://u:secret@db/erp", "pip install oracledb"),
        ("postgresql+psycopg2://u:secret@db/erp", "install the package 'psycopg2'"),
    ],
)
def test_driver_that_is_not_there_is_named(url: str, package: str) -> None:
    text = found_wrong(url)
    assert package in text
    assert "secret" not in text


def test_address_that_is_none_is_refused_without_showing_it() -> None:
    assert "no address of a database" in found_wrong("nosuch://u:secret@db/erp")
    assert "secret" not in found_wrong("nosuch://u:secret@db/erp")


def test_database_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "erp.db"
    assert f"there is no file {path}" in found_wrong(f"sqlite:///{path}")
    assert not path.exists()


@pytest.mark.stack
def test_server_that_does_not_answer_or_refuses_the_login(source_url: str) -> None:
    url = make_url(source_url)
    for wrong in (url.set(port=1), url.set(database="nothing_here"), url.set(username="nobody")):
        text = found_wrong(wrong.set(password="secret").render_as_string(hide_password=False))
        assert "check that the server runs, and host, port, database, user and password" in text
        assert "secret" not in text


@pytest.mark.stack
@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            "{changed: At}",
            "has no column 'At' (streams.customer.table.changed): did you mean 'at'?",
        ),
        ("{changed: at, key: nr}", "has no column 'nr' (streams.customer.table.key)"),
        ("{changed: at, overlap: 5}", "'overlap' is a time such as PT5M"),
        ("{changed: name, key: no}", "orders no changes: a text is a date and time"),
        ("{outbox: Customer}", "has no column 'id'"),
    ],
)
def test_column_that_does_not_fit_is_named(
    database_url: str, source_url: str, table: str, said: str
) -> None:
    source = TableSource(database_url, source_url, mapping(MAPPING % table))
    source.execute("CREATE TABLE customers (no int PRIMARY KEY, name text, at timestamp)")
    source.execute("INSERT INTO customers VALUES (1, 'Ada', now())")
    for _ in range(2):
        with pytest.raises(SourceError) as error:
            source.run()
        assert said in str(error.value)


@pytest.mark.stack
def test_table_that_is_not_there_is_named_with_one_that_is(source_url: str) -> None:
    assert "there is no table customers (streams.customer.from)" in found_wrong(source_url)


@pytest.mark.stack
def test_rows_that_nothing_tells_apart_are_refused(database_url: str, source_url: str) -> None:
    source = TableSource(database_url, source_url, mapping(MAPPING % BY_TIME))
    source.execute("CREATE TABLE customers (no int, name text, at timestamp)")
    with pytest.raises(SourceError, match=r"has no primary key .* 'key'"):
        source.run()


@pytest.mark.stack
def test_statement_that_takes_too_long_is_given_up(source_url: str, database_url: str) -> None:
    slow = "{changed: at, key: no, query: 'SELECT 1 AS no, now() AS at, pg_sleep(5)::text AS name'}"
    source = TableSource(database_url, source_url, mapping(MAPPING % slow))
    quick = source.settings().model_copy(update={"timeout_seconds": 0.2})
    with pytest.raises(SourceError, match="raise the source's 'timeout_seconds'"):
        list(reader_of(quick, source.mapping).portions({}, final=True))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("{}", "needs 'changed'"),
        ("{changed: at, compare: true}", "changed: not for a table with 'compare: true'"),
        ("{changed: at, most_deleted: 10%}", "only for a table with 'compare: true'"),
        ("{compare: true, most_deleted: half}", "expected a share such as 50%"),
        ("{changed: at, overlap: soon}", "expected a period such as PT5M"),
        ("{changed: at, query: DELETE FROM customers}", "expected a single SELECT"),
        ("{changed: at, query: 'SELECT 1; SELECT 2'}", "expected a single SELECT"),
        ("{changed: at, wrong: 1}", "unknown key 'wrong'"),
    ],
)
def test_section_of_the_mapping_that_says_nothing_clear_is_refused(table: str, said: str) -> None:
    with pytest.raises(MappingError) as error:
        mapping(MAPPING % table)
    assert "streams.customer.table" in str(error.value)
    assert said in str(error.value)


def test_stream_that_says_nothing_of_tables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "erp.db").touch()
    plain = mapping((MAPPING % "x").replace(", table: x", ""))
    url = f"sqlite:///{tmp_path / 'erp.db'}"
    source = DatabaseSource(kind="database", name="erp", url=url, mapping="unused")
    with pytest.raises(SourceError, match=r"add 'table: .changed: COLUMN"):
        reader_of(source, plain).check()


@pytest.mark.parametrize("text", ["2026-01-02", "2026-01-02 10:00", "2026-01-02T10:00:00.5+08:00"])
def test_text_that_is_a_time_is_never_below_the_text_of_its_position(text: str) -> None:
    assert value_at(scale_of(text), position_of(text)) <= text


def test_fraction_orders_no_changes() -> None:
    with pytest.raises(NoPosition):
        position_of(1.5)
