"""Sources run against the real broker and database: once, following, and from a dead letter."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg import errors

from connectors.report import SourceReport
from connectors.running import (
    ReplayError,
    follow,
    passes_by_itself,
    replay_dead_letter,
    run_source,
)
from hub.kafka import Cluster, ensure_topics
from hub.settings import Settings, load_settings
from hub.source_settings import FilesSource
from ops.source_runs import Journal, follow_all, read_to_end
from ops.stack import Addresses
from schemas.catalogue import DOCUMENTS
from sinks.cursors import SourceBusy, source_lock, waiting_counts
from sinks.database import connect
from sinks.dead_letters import DeadLetter
from tests.connectors.sources import FIXTURES

pytestmark = pytest.mark.stack

MAPPING = """
streams: {customer: {from: "customers*.csv", key: no}}
events:
- {emit: customer, from: customer, key: no, fields: {name: name, blocked: {bool: blocked}}}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    config = tmp_path / "headrace.yaml"
    config.write_text("company: {name: Test, base_currency: EUR, time_zone: Europe/Berlin}\n")
    return load_settings(config, {})


@pytest.fixture
def cluster(broker: Cluster) -> Cluster:
    ensure_topics(broker, DOCUMENTS.values(), 4)
    return broker


@pytest.fixture
def source(tmp_path: Path) -> FilesSource:
    (tmp_path / "map.yaml").write_text(MAPPING)
    (tmp_path / "in").mkdir()
    return FilesSource(name="erp", path=str(tmp_path / "in"), mapping=str(tmp_path / "map.yaml"))


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def test_bounded_run_reads_a_shipped_profile_to_its_end(
    cluster: Cluster, database_url: str, settings: Settings
) -> None:
    northwind = FilesSource(name="nw", path=str(FIXTURES / "northwind"), mapping="northwind")
    told: list[int] = []
    report = run_source(
        northwind,
        settings,
        cluster,
        database_url,
        bounded=True,
        on_progress=lambda running: told.append(running.read),
    )
    assert (report.read, report.published, report.rejected, report.waiting) == (15, 12, 0, 0)
    assert report.seconds > 0
    assert told[-1] == 15
    again = run_source(northwind, settings, cluster, database_url, bounded=True)
    assert (again.read, again.published) == (0, 0)
    with connect(database_url) as connection:
        assert waiting_counts(connection, "nw") == (0, 0)


def test_growing_source_is_followed_until_it_is_stopped(
    cluster: Cluster, database_url: str, settings: Settings, source: FilesSource
) -> None:
    stop, counts = threading.Event(), [0]

    def progress(running: SourceReport) -> None:
        counts.append(running.published)

    thread = threading.Thread(
        target=follow,
        args=(source, settings, cluster, database_url, stop, progress, 0.05),
        daemon=True,
    )
    thread.start()
    path = Path(source.path) / "customers.csv"
    path.write_text("no,name,blocked\n1,Ada,\n2,Be")
    until(lambda: counts[-1] == 1)
    with path.open("a") as file:
        file.write("n,x\n")
    until(lambda: counts[-1] == 2)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_source_is_read_by_one_process_at_a_time(database_url: str) -> None:
    with source_lock(database_url, "erp"):
        with pytest.raises(SourceBusy, match="erp"), source_lock(database_url, "erp", wait_s=0.3):
            pass
        with source_lock(database_url, "crm", wait_s=0.3):
            pass
    with source_lock(database_url, "erp", wait_s=0.3):
        pass


def test_dead_letter_of_the_database_is_replayed_after_the_mapping_was_mended(
    cluster: Cluster, database_url: str, settings: Settings, source: FilesSource
) -> None:
    (Path(source.path) / "customers.csv").write_text("no,name,blocked\n1,Adä,gesperrt\n")
    report = run_source(source, settings, cluster, database_url, bounded=True)
    assert (report.published, report.rejected) == (0, 1)
    with connect(database_url) as connection:
        row = connection.execute(
            "SELECT stage, code, reason, document, place, value, headers FROM dead_letters"
        ).fetchone()
    assert row is not None
    letter = DeadLetter(
        stage=row[0],
        code=row[1],
        reason=row[2],
        document=row[3],
        place=row[4],
        value=bytes(row[5]),
        headers=[(name, text.encode("latin-1")) for name, text in row[6]],
    )
    again = replay_dead_letter(1, letter, source, settings, cluster, database_url)
    assert (again.published, again.rejected) == (0, 1)
    mended = MAPPING.replace("{bool: blocked}", "{equals: [blocked, gesperrt]}")
    Path(source.mapping).write_text(mended)
    again = replay_dead_letter(1, letter, source, settings, cluster, database_url)
    assert (again.published, again.rejected) == (1, 0)
    with pytest.raises(ReplayError, match="no record of a source"):
        foreign = DeadLetter(stage="decode", code="x", reason="y")
        replay_dead_letter(1, foreign, source, settings, cluster, database_url)


def test_one_record_too_large_for_the_log_or_for_an_index_does_not_stop_its_source(
    cluster: Cluster, database_url: str, settings: Settings, source: FilesSource
) -> None:
    long = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=2_700))
    text = f"no,name,blocked\n1,Ada,\n2,{'B' * 1_100_000},\n{long},Cy,\n4,Di,\n"
    (Path(source.path) / "customers.csv").write_text(text)
    addresses = Addresses(database_url, cluster)
    late = threading.Timer(30, lambda: None)
    late.start()
    (run,) = read_to_end([source], settings, addresses, lambda run: None, late.finished.is_set)
    late.cancel()
    assert (run.state, run.read, run.published, run.rejected) == ("done", 4, 2, 2)
    (again,) = read_to_end([source], settings, addresses, lambda run: None)
    assert (again.state, again.read, again.rejected) == ("done", 0, 0)


def test_what_the_database_refuses_for_good_fails_the_source_and_is_not_retried(
    cluster: Cluster, database_url: str, settings: Settings, source: FilesSource
) -> None:
    (Path(source.path) / "customers.csv").write_text("no,name,blocked\n1,Ada,\n")
    with connect(database_url) as connection:
        connection.execute("DROP TABLE source_versions")
    (run,) = read_to_end([source], settings, Addresses(database_url, cluster), lambda run: None)
    assert run.state == "failed"
    assert "source_versions" in (run.error or "")
    assert not passes_by_itself(errors.ProgramLimitExceeded())
    assert passes_by_itself(errors.AdminShutdown())


def test_dead_letter_is_replayed_while_its_source_is_followed(
    cluster: Cluster, database_url: str, settings: Settings, source: FilesSource
) -> None:
    (Path(source.path) / "customers.csv").write_text("no,name,blocked\n1,Ada,gesperrt\n")
    stop, told = threading.Event(), [0]

    def progress(running: SourceReport) -> None:
        told.append(running.rejected)

    thread = threading.Thread(
        target=follow,
        args=(source, settings, cluster, database_url, stop, progress, 0.3),
        daemon=True,
    )
    thread.start()
    until(lambda: told[-1] == 1)
    with connect(database_url) as connection:
        row = connection.execute("SELECT place, value, headers FROM dead_letters").fetchone()
    assert row is not None
    headers = [(name, text.encode("latin-1")) for name, text in row[2]]
    letter = DeadLetter(
        "connector:erp", "bool", "", place=row[0], value=bytes(row[1]), headers=headers
    )
    mended = MAPPING.replace("{bool: blocked}", "{equals: [blocked, gesperrt]}")
    Path(source.mapping).write_text(mended)
    again = replay_dead_letter(1, letter, source, settings, cluster, database_url)
    assert (again.published, again.rejected) == (1, 0)
    assert thread.is_alive()
    stop.set()
    thread.join(10)


def test_source_that_fails_stops_no_other_and_heals_once_its_cause_is_mended(
    cluster: Cluster, database_url: str, settings: Settings, source: FilesSource, tmp_path: Path
) -> None:
    (tmp_path / "shut").mkdir()
    for folder in ("in", "shut"):
        (tmp_path / folder / "customers.csv").write_text("no,name,blocked\n1,Ada,\n")
    shut = source.model_copy(update={"name": "shut", "path": str(tmp_path / "shut")})
    both = settings.model_copy(update={"data": tmp_path / "var", "sources": (shut, source)})
    with connect(database_url) as connection:
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE 'not from here'; END$$"
        )
        connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON source_cursors FOR EACH ROW"
            " WHEN (NEW.source = 'shut') EXECUTE FUNCTION refuse()"
        )

    def run(name: str) -> dict[str, Any]:
        return next((one for one in Journal.read(both.data) if one["source"] == name), {})

    stop = threading.Event()
    addresses = Addresses(database_url, cluster)
    thread = threading.Thread(target=follow_all, args=(both, addresses, stop, 0.2), daemon=True)
    thread.start()
    try:
        until(lambda: run("shut").get("state") == "failed")
        assert "not from here" in run("shut")["error"]
        until(lambda: run("erp").get("published") == 1)
        with (Path(source.path) / "customers.csv").open("a") as file:
            file.write("2,Ben,\n")
        until(lambda: run("erp").get("published") == 2)
        assert run("erp")["state"] == "reading"
        with connect(database_url) as connection:
            connection.execute("DROP TRIGGER refuse ON source_cursors")
        until(lambda: run("shut").get("state") == "reading")
        assert (run("shut")["read"], run("shut")["error"]) == (1, None)
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
