"""The doctor asks each source, whatever its kind, and says what is wrong with which of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.settings import Company, Settings
from ops.doctor.finding import Finding, State
from ops.doctor.sources import look_at_sources
from tests.connectors.conftest import records, url
from tests.connectors.rest_server import Records

__all__ = ["records", "url"]

TABLE = """
profile: rows/1
streams: {customer: {from: customers, key: no, table: {changed: at}}}
events:
- {emit: customer, from: customer, key: no, fields: {name: name}}
"""
API = """
profile: pages/1
streams: {customer: {read: {api: frappe, resource: Customer}, key: name}}
events:
- {emit: customer, from: customer, key: name, fields: {name: name}}
"""


def settings_of(folder: Path, mapping: str, **source: Any) -> Settings:
    path = folder / "mapping.yaml"
    path.write_text(mapping)
    company = Company(name="Plant", base_currency="CNY", time_zone="Asia/Shanghai")
    entry = {"name": "erp", "mapping": str(path), **source}
    return Settings.model_validate({"company": company, "data": folder, "sources": [entry]})


def found(settings: Settings, known: Mapping[str, Any] | None = None) -> list[Finding]:
    return list(look_at_sources(settings, None if known is None else {"erp": known}))


def table_in(folder: Path, columns: str) -> str:
    """The address of a database with customers."""
    with sqlite3.connect(folder / "erp.db") as connection:
        connection.execute(f"CREATE TABLE customers ({columns})")
    connection.close()
    return f"sqlite:///{folder / 'erp.db'}"


def test_table_that_has_its_columns_can_be_read(tmp_path: Path) -> None:
    address = table_in(tmp_path, "no text primary key, name text, at timestamp")
    first, newest = found(settings_of(tmp_path, TABLE, kind="database", url=address), {})
    assert (first.part, first.state) == ("source erp", State.OK)
    assert "rows/1" in first.found
    assert (newest.state, newest.found) == (State.WARNING, "nothing has come yet")


def test_column_that_a_table_lacks_is_named(tmp_path: Path) -> None:
    address = table_in(tmp_path, "no text primary key, name text, altered timestamp")
    (finding,) = found(settings_of(tmp_path, TABLE, kind="database", url=address), {})
    assert finding.state == State.FAILED
    assert "'at'" in finding.found
    assert finding.do


def test_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'nowhere' / 'erp.db'}"
    (finding,) = found(settings_of(tmp_path, TABLE, kind="database", url=address), {})
    assert (finding.part, finding.state) == ("source erp", State.FAILED)
    assert finding.do


def test_api_is_asked_for_its_first_records(tmp_path: Path, url: str, records: Records) -> None:
    records.put("A-1", "2026-01-01 00:00:00.000000")
    headers = {"Authorization": "Bearer secret"}
    settings = settings_of(tmp_path, API, kind="rest", url=url, headers=headers)
    finding = found(settings, {})[0]
    assert (finding.part, finding.state) == ("source erp", State.OK), finding.found
    assert records.requests


def test_api_that_does_not_take_the_credentials_is_told_with_its_answer(
    tmp_path: Path, url: str
) -> None:
    (finding,) = found(settings_of(tmp_path, API, kind="rest", url=url), {})
    assert finding.state == State.FAILED
    assert "401" in finding.found
    assert "headers" in finding.found


@pytest.mark.parametrize(
    ("known", "state", "said"),
    [
        (None, State.UNKNOWN, "the database was not asked"),
        ({"paused_at": "2026-01-02", "newest": "2026-01-01"}, State.WARNING, "paused since"),
        ({"newest": "2026-01-01", "silent": True}, State.WARNING, "silent for longer"),
        ({"newest": "2026-01-01", "silent": False}, State.OK, "2026-01-01"),
    ],
)
def test_when_something_last_came_is_told(
    tmp_path: Path, known: Mapping[str, Any] | None, state: State, said: str
) -> None:
    address = table_in(tmp_path, "no text primary key, name text, at timestamp")
    newest = found(settings_of(tmp_path, TABLE, kind="database", url=address), known)[1]
    assert newest.part == "newest of erp"
    assert newest.state == state
    assert said in newest.found
    assert bool(newest.do) == (state != State.OK)
