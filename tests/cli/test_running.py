"""What a run is made of: its processes, their last words, its progress in a line."""

from __future__ import annotations

from pathlib import Path

from hub.settings import Company, Settings
from ops.commands.failures import FAILED, MISUSED, explain
from ops.embedded.folder import FolderInUse
from ops.progress import line_of
from ops.running import Progress, commands, last_error, restarts_of
from ops.source_runs import Journal
from ops.supervisor import Supervisor
from sinks.positions import PositionError

COMPANY = Company(name="Shop", base_currency="EUR", time_zone="UTC")


def test_a_hub_has_its_workers_one_relay_and_one_connectors_process(tmp_path: Path) -> None:
    settings = Settings(company=COMPANY, data=tmp_path, workers=2)
    made = commands(settings, tmp_path / "headrace.yaml", bounded=True)
    assert [one.name for one in made] == ["worker-0", "worker-1", "relay", "connectors"]
    assert [one.slot for one in made] == [0, 1, None, None]
    assert [one.finishes for one in made] == [False, False, False, True]
    assert all(one.argv[-1] == str(tmp_path / "headrace.yaml") for one in made)
    assert "--bounded" in made[-1].argv
    assert not any(one.finishes for one in commands(settings, None, bounded=False))


def test_the_last_words_of_a_process_are_its_last_error(tmp_path: Path) -> None:
    log = tmp_path / "worker-0.log"
    assert last_error(log) is None
    log.write_text('{"level": "error", "error": "old"}\n{"level": "info", "event": "x"}\nnoise\n')
    assert last_error(log) == "old"
    with log.open("a") as file:
        file.write('{"level": "error", "event": "given_up"}\n')
    assert last_error(log) == "given_up"


def test_restarts_are_read_from_the_supervisor(tmp_path: Path) -> None:
    assert restarts_of(tmp_path) == {}
    settings = Settings(company=COMPANY, data=tmp_path)
    supervisor = Supervisor(tmp_path, [])
    supervisor.stop()
    supervisor.run()
    assert restarts_of(settings.data) == {}


def test_progress_is_a_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ["erp", "crm"])
    journal.runs["erp"].read = 1200
    journal.runs["erp"].published = 7
    journal.write()
    sources = Journal.read(tmp_path)
    assert line_of(Progress(sources, 5, 2)) == (
        "read 1,200 records, published 7 documents; 5 still to process, 2 changes to publish"
    )
    assert line_of(Progress(sources, None, None)).endswith("waiting for the servers")
    Journal.clear(tmp_path)
    assert Journal.read(tmp_path) == []


def test_known_errors_are_told_and_others_are_bugs() -> None:
    assert explain(FolderInUse("in use by process 3")) == ("in use by process 3", FAILED)
    assert explain(PositionError("topic t was deleted")) == ("topic t was deleted", FAILED)
    assert explain(ValueError("oops")) is None
    assert MISUSED != FAILED
