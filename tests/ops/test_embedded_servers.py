"""The embedded PostgreSQL and Kafka: started, found again, recovered, side by side."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, text

from hub.kafka import Cluster, ensure_topics, log_ranges
from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase
from ops.embedded.folder import read_record
from ops.embedded.ports import LOOPBACK, is_listening
from ops.embedded.processes import Identity, find_process
from ops.embedded.server import EmbeddedServer, ServerFailed
from tests.hub.test_kafka import Wanted

pytestmark = pytest.mark.stack


def identity_of(server: EmbeddedServer) -> Identity:
    assert server.process is not None
    return server.process


def gone(identity: Identity) -> bool:
    deadline = time.monotonic() + 10
    while find_process(identity) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    return find_process(identity) is None


def kill(server: EmbeddedServer) -> None:
    """SIGKILL it, and wait until it is gone: that takes a moment on a busy machine."""
    killed = identity_of(server)
    os.kill(killed.pid, signal.SIGKILL)
    assert gone(killed)


def stored(database: EmbeddedDatabase, ports: dict[str, int]) -> list[int]:
    with psycopg.connect(database.conninfo(ports)) as connection:
        connection.execute("create table if not exists kept (number int)")
        connection.execute("insert into kept select count(*) from kept")
        return [number for (number,) in connection.execute("select number from kept order by 1")]


def test_postgresql_listens_on_loopback_only_and_asks_for_its_password(data_folder: Path) -> None:
    database = EmbeddedDatabase(data_folder)
    ports = database.acquire()
    try:
        listening = {
            connection.laddr.ip
            for connection in psutil.Process(identity_of(database).pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {LOOPBACK}
        wrong = database.conninfo(ports).replace(database.password(), "guessed")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        assert stat.S_IMODE((data_folder / "postgres.password").stat().st_mode) == 0o600
        engine = create_engine(database.url(ports))
        with engine.connect() as connection:
            assert connection.execute(text("show server_encoding")).scalar() == "UTF8"
            assert connection.execute(text("show synchronous_commit")).scalar() == "on"
            assert connection.execute(text("select 'a' < 'Z'")).scalar() is False  # code points
        engine.dispose()
    finally:
        database.release()


def test_a_second_start_reuses_data_and_port(data_folder: Path) -> None:
    first = EmbeddedDatabase(data_folder)
    ports = first.acquire()
    assert stored(first, ports) == [0]
    first.release()
    assert first.running_ports() is None
    assert not is_listening(ports["sql"])
    second = EmbeddedDatabase(data_folder)
    assert second.acquire() == ports
    assert stored(second, ports) == [0, 1]
    second.release()


def test_another_port_is_taken_where_the_former_one_is_occupied(data_folder: Path) -> None:
    database = EmbeddedDatabase(data_folder)
    ports = database.acquire()
    database.release()
    with socket.create_server((LOOPBACK, ports["sql"])):
        others = database.acquire()
        assert others != ports
        assert stored(database, others) == [0]
        database.release()


def test_the_server_runs_until_its_last_user_leaves(data_folder: Path) -> None:
    hub, show = EmbeddedDatabase(data_folder), EmbeddedDatabase(data_folder)
    ports = show.acquire()
    assert hub.acquire() == ports
    process = identity_of(hub)
    show.release()
    assert identity_of(hub) == process
    hub.release()
    assert gone(process)


def test_postgresql_recovers_from_sigkill_also_with_a_stale_pid_file(data_folder: Path) -> None:
    database = EmbeddedDatabase(data_folder)
    ports = database.acquire()
    assert stored(database, ports) == [0]
    kill(database)
    assert not database.is_alive()
    assert database.acquire() == ports
    assert stored(database, ports) == [0, 1]

    kill(database)
    # The id has passed to a stranger: here, to this very test.
    pid_file = database.folder / "postmaster.pid"
    deadline = time.monotonic() + 5
    while has_workers(database) and time.monotonic() < deadline:
        time.sleep(0.05)
    lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert database.acquire() == ports
    assert stored(database, ports) == [0, 1, 2]
    database.release()


def has_workers(database: EmbeddedDatabase) -> bool:
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and process.cwd() == str(database.folder):
                return True
        except psutil.Error:
            continue
    return False


HOLDER = """
import sys, time
from pathlib import Path
from hub.log import configure_logging
from ops.embedded.database import EmbeddedDatabase
configure_logging()
database = EmbeddedDatabase(Path(sys.argv[1]))
print(database.acquire()["sql"], flush=True)
time.sleep(60)
"""


def test_the_server_of_a_killed_hub_is_taken_over_by_the_next_one(data_folder: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert holder.stdout is not None
    port = int(holder.stdout.readline())
    orphan = read_record(data_folder, "postgres").process
    holder.kill()
    holder.communicate()
    assert orphan is not None
    assert find_process(orphan) is not None, "the server outlives a killed hub"
    database = EmbeddedDatabase(data_folder)
    assert database.acquire() == {"sql": port}
    assert identity_of(database) == orphan
    database.release()
    assert gone(orphan)


def test_what_a_killed_hub_left_can_be_stopped_by_anyone(data_folder: Path) -> None:
    user, cleaner = EmbeddedDatabase(data_folder), EmbeddedDatabase(data_folder)
    user.acquire()
    assert not cleaner.stop_if_unused()
    assert user.is_alive()
    user.release()
    assert cleaner.stop_if_unused()


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(data_folder: Path) -> None:
    database = EmbeddedDatabase(data_folder)
    database.acquire()
    assert os.getpgid(identity_of(database).pid) != os.getpgid(0)
    assert os.getsid(identity_of(database).pid) != os.getsid(0)
    database.release()


def test_a_failed_start_shows_the_end_of_the_log(data_folder: Path) -> None:
    database = EmbeddedDatabase(data_folder)
    database.acquire()
    database.release()
    (database.folder / "global" / "pg_control").unlink()
    with pytest.raises(ServerFailed, match="pg_control"):
        database.acquire()
    assert not database.is_alive()


def test_two_hubs_stand_side_by_side(data_folder: Path) -> None:
    one, other = EmbeddedDatabase(data_folder / "one"), EmbeddedDatabase(data_folder / "other")
    with used(one) as ports, used(other) as others:
        assert ports != others
        assert stored(one, ports) == [0]
        assert stored(other, others) == [0]
        assert stored(one, ports) == [0, 1]


@contextmanager
def used(server: EmbeddedServer) -> Iterator[dict[str, int]]:
    ports = server.acquire()
    yield ports
    server.release()


def produce(cluster: Cluster, topic: str) -> None:
    with closing(cluster.producer()) as producer:
        producer.send(topic, b"value", partition=0).get(20)


def test_kafka_keeps_its_records_over_a_stop_and_a_sigkill(data_folder: Path) -> None:
    broker = EmbeddedBroker(data_folder)
    ports = broker.acquire()
    cluster = broker.cluster(ports)
    ensure_topics(cluster, [Wanted("kept")], 1)
    produce(cluster, "kept")
    broker.release()
    assert not is_listening(ports["broker"])

    assert broker.acquire() == ports, "clients find it at its address"
    produce(cluster, "kept")
    kill(broker)
    assert not broker.is_alive()

    assert broker.acquire() == ports
    produce(cluster, "kept")
    assert log_ranges(cluster, [("kept", 0)]) == {("kept", 0): (0, 3)}
    broker.release()


def test_two_brokers_stand_side_by_side(data_folder: Path, broker: Cluster) -> None:
    other = EmbeddedBroker(data_folder)
    with used(other) as ports:
        cluster = other.cluster(ports)
        assert cluster != broker
        ensure_topics(cluster, [Wanted("only.here")], 1)
        with broker.admin() as admin:
            assert "only.here" not in admin.list_topics()
