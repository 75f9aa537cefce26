"""A backfill brings what the hub lacks of a period, and never undoes what is newer."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.backfill import Period, backfill
from connectors.door import Door
from connectors.errors import SourceError
from connectors.kinds import Reader
from connectors.opening import open_door
from connectors.report import SourceReport
from connectors.rest.source import RestReader
from hub.source_settings import FilesSource, RestSource
from sinks import cursors
from sinks.database import connect
from tests.connectors.rest_server import Records, serving
from tests.connectors.sources import KilledError, SampleSource, mapping
from tests.connectors.tables import TableSource, source_url

pytestmark = pytest.mark.stack

__all__ = ["source_url"]

DATED = """
streams: {customer: {from: "customers*.csv", key: no, changed: on, version: date}}
events:
- {emit: customer, from: customer, key: no, fields: {name: name}}
"""
PRECISE = DATED.replace("version: date", "version: precise")
TIMELESS = """
streams: {customer: {from: "customers*.csv", key: no}}
events:
- {emit: customer, from: customer, key: no, fields: {name: name}}
"""
JOINED = """
streams:
  customer: {from: "customers*.csv", key: no, changed: on, version: date}
  city: {from: "cities*.csv", key: code}
events:
- emit: customer
  from: customer
  key: no
  lookup: {city: {in: city, on: {code: city}}}
  fields: {name: name}
"""
MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def source(database_url: str, folder: Path, text: str) -> SampleSource:
    folder.mkdir(exist_ok=True)
    return SampleSource(database_url, folder, mapping(text))


def live_and_export(
    database_url: str, folder: Path, text: str, row: str
) -> tuple[SampleSource, Path]:
    """A source of which one customer was read, and an empty folder for an old export."""
    live, export = source(database_url, folder / "live", text), folder / "old"
    export.mkdir()
    if text == JOINED:
        live.write("cities.csv", "code,label\nB,Berlin\n")
    live.write("customers.csv", f"no,name,on,city\n{row}\n")
    live.run()
    return live, export


def run_backfill(of: SampleSource, export: Path, period: Period = MARCH) -> SourceReport:
    """Backfill from a folder of its own, as an old export that was laid elsewhere."""
    settings = FilesSource(name="sample", path=str(export), mapping="unused")
    reading = SampleSource(of.database_url, export, of.mapping).reader()
    return backfill_through(of, settings, reading, period)


def backfill_through(
    of: SampleSource, settings: Any, reading: Reader, period: Period = MARCH
) -> SourceReport:
    report = SourceReport("sample")

    def opened() -> AbstractContextManager[Door]:
        return open_door(settings, of.mapping, of.log, of.database_url)

    backfill(opened, reading, period, report)
    return report


def names(of: SampleSource) -> dict[str, str]:
    return {key: str(document["name"]) for (_, key), document in of.standing().items()}


@pytest.mark.parametrize("text", [DATED, PRECISE, JOINED], ids=["date", "precise", "joined"])
def test_what_is_missing_of_a_period_is_published_and_what_lies_outside_is_not(
    database_url: str, tmp_path: Path, text: str
) -> None:
    live, export = live_and_export(database_url, tmp_path, text, "1,now,2026-04-02,B")
    (export / "customers.csv").write_text(
        "no,name,on,city\n1,before,2026-03-02,B\n2,lost,2026-03-05,B\n3,later,2026-04-05,B\n"
    )
    report = run_backfill(live, export)
    assert names(live) == {"1": "now", "2": "lost"}
    assert report.read == 2
    assert run_backfill(live, export).published <= 2
    assert names(live) == {"1": "now", "2": "lost"}


@pytest.mark.parametrize("text", [DATED, JOINED, TIMELESS], ids=["date", "joined", "none"])
def test_older_content_of_the_same_date_does_not_undo_the_newer_one_of_the_live_flow(
    database_url: str, tmp_path: Path, text: str
) -> None:
    live, export = live_and_export(database_url, tmp_path, text, "1,evening,2026-03-02,B")
    # The export was made at noon of that day, and the live flow never saw it.
    (export / "customers_20260302.csv").write_text(
        "no,name,on,city\n1,noon,2026-03-02,B\n2,other,2026-03-02,B\n"
        if text != TIMELESS
        else "no,name\n2,other\n"
    )
    if text == TIMELESS:
        live.write("customers_20260302.csv", "no,name\n1,evening\n")
        live.run()
        (export / "customers_20260302.csv").write_text("no,name\n1,noon\n2,other\n")
    report = run_backfill(live, export)
    assert names(live) == {"1": "evening", "2": "other"}
    assert report.repeated == 1
    # It was held back, not taken for known: should the live flow bring it, it is news.
    live.append("customers.csv", "1,noon,2026-03-02,B\n")
    live.run()
    assert names(live)["1"] == ("noon" if text != TIMELESS else "evening")


@pytest.mark.parametrize("text", [DATED, JOINED], ids=["date", "joined"])
def test_killed_at_any_moment_and_run_again_it_ends_as_if_it_had_not_been(
    database_url: str, tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each file is a step of its own.
    monkeypatch.setattr("connectors.passes._TOGETHER_BYTES", 1)
    chance = random.Random(7)
    live, export = live_and_export(database_url, tmp_path, text, "5,live,2026-03-09,B")
    lines = [f"{number % 9},v{number},2026-03-0{1 + number // 30},B" for number in range(90)]
    (export / "customers_1.csv").write_text("no,name,on,city\n" + "\n".join(lines[:50]) + "\n")
    (export / "customers_2.csv").write_text("no,name,on,city\n" + "\n".join(lines[50:]) + "\n")
    kills = 0
    for _ in range(6):
        live.log.stop_after = len(live.log.records) + chance.choice([1, 8, 60])
        try:
            run_backfill(live, export)
        except KilledError:
            kills += 1
    assert kills
    live.log.stop_after = None
    run_backfill(live, export)
    expected = {str(number % 9): f"v{number}" for number in range(90)}
    assert names(live) == {**expected, "5": "live"}


def test_cursors_stay_and_the_live_flow_goes_on(database_url: str, tmp_path: Path) -> None:
    live = source(database_url, tmp_path / "live", DATED)
    live.write("customers.csv", "no,name,on\n1,a,2026-03-01\n2,b,2026-03-02\n")
    live.run()
    with connect(database_url) as connection:
        before = cursors.cursors_of(connection, "sample")
    run_backfill(live, live.folder)
    with connect(database_url) as connection:
        assert cursors.cursors_of(connection, "sample") == before
    assert live.run().read == 0


def test_files_with_a_date_in_their_names_are_chosen_by_it(
    database_url: str, tmp_path: Path
) -> None:
    live = source(database_url, tmp_path / "live", TIMELESS)
    live.write("customers_20260215.csv", "no,name\n1,february\n")
    live.write("customers_20260315.csv", "no,name\n2,march\n")
    assert run_backfill(live, live.folder).read == 1
    assert names(live) == {"2": "march"}


def test_source_that_states_no_dates_is_refused(database_url: str, tmp_path: Path) -> None:
    live = source(database_url, tmp_path / "live", TIMELESS)
    live.write("customers.csv", "no,name\n1,a\n")
    with pytest.raises(SourceError, match="a period cannot be chosen"):
        run_backfill(live, live.folder)


TABLE = """
streams: {customer: {from: customer, key: no, table: {changed: at}CHANGED}}
events:
- {emit: customer, from: customer, key: no, fields: {name: name}}
"""
DATED_TABLE = TABLE.replace("CHANGED", ", changed: at, version: precise")


def filled_table(database_url: str, source_url: str, text: str) -> TableSource:
    table = TableSource(database_url, source_url, mapping(text))
    table.execute("CREATE TABLE customer (no text PRIMARY KEY, name text, at timestamptz)")
    table.execute(
        "INSERT INTO customer VALUES ('1', 'Ada', '2026-03-02Z'), ('2', 'Ben', '2026-04-02Z'),"
        " ('3', 'Eve', NULL)"
    )
    return table


@pytest.mark.parametrize("joined", [False, True], ids=["direct", "joined"])
def test_rows_of_a_table_are_chosen_by_the_change_time_that_the_stream_names(
    database_url: str, source_url: str, joined: bool
) -> None:
    text = DATED_TABLE
    if joined:
        text = text.replace("name: name", "name: $other.name").replace(
            "key: no, fields", "key: no, lookup: {other: {in: customer, on: {no: no}}}, fields"
        )
    table = filled_table(database_url, source_url, text)
    report = backfill_through(table, table.settings(), table.tables())
    assert (report.read, report.published) == (1, 1)
    assert names(table) == {"1": "Ada"}
    table.run()
    backfill_through(table, table.settings(), table.tables())
    assert names(table) == {"1": "Ada", "2": "Ben", "3": "Eve"}


def test_table_whose_stream_names_no_change_time_has_no_period(
    database_url: str, source_url: str
) -> None:
    table = filled_table(database_url, source_url, TABLE.replace("CHANGED", ""))
    with pytest.raises(SourceError, match="no record states when it changed"):
        backfill_through(table, table.settings(), table.tables())
    assert names(table) == {}


def test_api_is_asked_for_the_records_of_the_period(database_url: str, tmp_path: Path) -> None:
    read = "{api: odoo, resource: res.partner, page: 5, overlap: PT3S}"
    text = (
        f"streams: {{customer: {{read: {read}, key: id, changed: write_date, version: precise}}}}\n"
        "events: [{emit: customer, from: customer, key: id, fields: {name: name}}]\n"
    )
    records = Records()
    for number, day in enumerate(("02-27", "03-01", "03-31", "04-01")):
        records.put(number, f"2026-{day} 00:00:00", name=f"n{number}")
    records.put(9, "2026-03-00 00:00:00", name="without a day")
    with serving(records) as url:
        settings = RestSource(
            name="sample",
            kind="rest",
            url=url,
            mapping="unused",
            headers={"Authorization": "Bearer secret"},
            requests_per_second=1000,
        )
        of = SampleSource(database_url, tmp_path, mapping(text))
        report = backfill_through(of, settings, RestReader(settings, of.mapping))
    assert (report.read, report.published) == (2, 2)
    assert names(of) == {"1": "n1", "2": "n2"}
