"""The stack: everything that a hub stands on, in order."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from hub.kafka import topic_ids
from hub.settings import Company, Settings
from ops.embedded.folder import FolderInUse
from ops.stack import Stack
from schemas.catalogue import TOPICS
from tests.ops.test_embedded_servers import gone

pytestmark = pytest.mark.stack


def settings_in(data: Path) -> Settings:
    company = Company(name="Plant", base_currency="CNY", time_zone="Asia/Shanghai")
    return Settings(company=company, data=data)


def tables(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_a_hub_has_its_tables_and_topics_and_leaves_nothing_running(data_folder: Path) -> None:
    settings = settings_in(data_folder)
    assert Stack.running_cluster(settings) is None
    with Stack(settings) as stack:
        assert "stream_offsets" in tables(stack.addresses.database_url)
        assert set(topic_ids(stack.addresses.cluster, list(TOPICS))) == set(TOPICS)
        assert Stack.running_cluster(settings) == stack.addresses.cluster

        with Stack.database_only(settings) as url:
            assert url == stack.addresses.database_url
        assert all(server.is_alive() for server in stack.servers), "a look stops nothing"

        with pytest.raises(FolderInUse):
            with Stack(settings):
                pass
        assert all(server.is_alive() for server in stack.servers), "nor does a second hub"

        assert stack.revive() == []
        for server in stack.servers:
            assert server.process is not None
            killed = server.process
            os.kill(killed.pid, signal.SIGKILL)
            assert gone(killed)
        addresses = stack.addresses
        assert stack.revive() == ["postgres", "kafka"]
        assert set(topic_ids(addresses.cluster, list(TOPICS))) == set(TOPICS)
        assert "stream_offsets" in tables(addresses.database_url)
    assert not any(server.is_alive() for server in stack.servers)


def test_a_look_starts_a_stopped_database_and_stops_it_again(data_folder: Path) -> None:
    settings = settings_in(data_folder)
    for _ in range(2):
        with Stack.database_only(settings) as url:
            assert "stream_offsets" in tables(url)
        assert Stack(settings).servers[0].running_ports() is None
