"""What keeps a followed source from being read is told once, and stands where people look."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY

from connectors.running import follow
from hub.kafka import Cluster, ensure_topics
from hub.settings import Settings, load_settings
from hub.source_settings import FilesSource
from ops.presenting.sources import sources_table
from ops.source_listing import list_sources
from schemas.catalogue import DOCUMENTS
from sinks.database import engine
from tests.connectors.test_running import until

pytestmark = pytest.mark.stack

MAPPING = """
streams: {customer: {from: "customers*.csv", key: no, snapshot: full}}
events:
- {emit: customer, from: customer, key: no, fields: {name: name}}
"""


def listed(url: str, source: FilesSource) -> dict[str, Any]:
    made = engine(url)
    try:
        return list_sources(made, [source])
    finally:
        made.dispose()


def test_source_that_cannot_be_read_is_told_once_and_listed_until_it_is_read_again(
    broker: Cluster, database_url: str, tmp_path: Path
) -> None:
    ensure_topics(broker, DOCUMENTS.values(), 4)
    config = tmp_path / "headrace.yaml"
    config.write_text("company: {name: Test, base_currency: EUR, time_zone: Europe/Berlin}\n")
    settings: Settings = load_settings(config, {})
    (tmp_path / "map.yaml").write_text(MAPPING)
    folder = tmp_path / "in"
    source = FilesSource(
        name="unordered", path=str(folder / "*.csv"), mapping=str(tmp_path / "map.yaml")
    )

    def failing() -> Any:
        return listed(database_url, source)["sources"][0]["failing"]

    def told(event: str) -> list[str]:
        return [one["log_level"] for one in heard if one["event"] == event]

    stop = threading.Event()
    with structlog.testing.capture_logs() as heard:
        thread = threading.Thread(
            target=follow,
            args=(source, settings, broker, database_url, stop, None, 0.05),
            daemon=True,
        )
        thread.start()
        until(lambda: bool(told("source_not_there")))
        assert failing() is None
        folder.mkdir()
        for name in ("customers_DE.csv", "customers_FR.csv"):
            (folder / name).write_text("no,name\n1,Ada\n")
        until(lambda: failing() is not None)
        assert "have no date" in failing()["error"]
        assert "have no date" in str(sources_table(listed(database_url, source)).caption)
        gauge = "headrace_source_failing", {"source": "unordered"}
        assert REGISTRY.get_sample_value(*gauge) == 1
        stop.wait(0.5)
        (folder / "customers_FR.csv").unlink()
        until(lambda: failing() is None)
        stop.set()
        thread.join(10)
    assert told("source_not_there") == ["info"]
    assert told("source_failing") == ["error"]
    assert told("source_read_again") == ["info"]
    assert REGISTRY.get_sample_value(*gauge) == 0
