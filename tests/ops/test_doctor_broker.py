"""The doctor sees a Kafka that is away, its topics and its clocks, and says what to do."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from hub.clock import utc_now
from hub.kafka import Cluster, TopicMissing, delete_topics, partitions_of
from hub.settings import Company, KafkaAddress, Settings
from ops.doctor.broker import look_at_broker, running_cluster
from ops.doctor.finding import Finding, State
from ops.embedded.broker import EmbeddedBroker
from ops.embedded.ports import choose_ports
from ops.topics import make_topics
from schemas.catalogue import TOPICS
from tests.stack import remove_data_folder, temporary_data_folder

pytestmark = [
    pytest.mark.stack,
    # Clients that reach nobody leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

RATES = "finance.rate.v1"
STOCK = "supply.stock.v1"


def settings_in(data: Path, **others: object) -> Settings:
    company = Company(name="Plant", base_currency="CNY", time_zone="Asia/Shanghai")
    return Settings.model_validate({"company": company, "data": data, "partitions": 1, **others})


@pytest.fixture(scope="module")
def own_broker() -> Iterator[Cluster]:
    """A broker that has no topics yet: these tests need those of the hub, by their names."""
    folder = temporary_data_folder()
    server = EmbeddedBroker(folder)
    yield server.cluster(server.acquire())
    server.release()
    remove_data_folder(folder)


@pytest.fixture
def cluster(own_broker: Cluster, tmp_path: Path) -> Iterator[Cluster]:
    """The same with the topics of the hub."""
    make_topics(own_broker, settings_in(tmp_path))
    yield own_broker


def found(cluster: Cluster, settings: Settings, behind: timedelta = timedelta()) -> list[Finding]:
    """The findings, with a clock here that is ``behind``."""

    def clock() -> datetime:
        return utc_now() - behind

    return list(look_at_broker(cluster, settings, clock))


def on(part: str, findings: list[Finding]) -> Finding:
    (finding,) = [one for one in findings if one.part == part]
    return finding


def test_kafka_where_nobody_listens_is_told_with_what_to_check(tmp_path: Path) -> None:
    port = choose_ports(["nobody"], {})["nobody"]
    address = KafkaAddress(bootstrap_servers=(f"127.0.0.1:{port}",))
    settings = settings_in(tmp_path, kafka=address)
    cluster = running_cluster(settings)
    assert isinstance(cluster, Cluster)
    # A process of its own, since a client that reaches nobody leaves sockets behind.
    with multiprocessing.get_context("fork").Pool(1) as one:
        (finding,) = one.apply(found, (cluster, settings))
    assert (finding.part, finding.state) == ("Kafka", State.FAILED)
    assert finding.found.startswith(f"127.0.0.1:{port} does not answer: ")
    assert finding.do == "start it, and check bootstrap_servers and security in kafka:"


def test_embedded_kafka_that_does_not_run_is_not_known(tmp_path: Path) -> None:
    for data in (tmp_path, tmp_path / "not_made_yet"):
        finding = running_cluster(settings_in(data))
        assert isinstance(finding, Finding)
        assert (finding.state, "does not run" in finding.found) == (State.UNKNOWN, True)
        assert "headrace up" in finding.do
    assert not (tmp_path / "not_made_yet").exists()


def test_topics_that_are_missing_are_named_until_they_are_made(
    cluster: Cluster, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path)
    delete_topics(cluster, [RATES])
    # It is told to be gone before it is out of every answer of the broker.
    deadline = time.monotonic() + 20
    with pytest.raises(TopicMissing):
        while time.monotonic() < deadline:
            partitions_of(cluster, [RATES])
            time.sleep(0.1)
    missing = on("topics", found(cluster, settings))
    assert missing.state == State.WARNING
    assert missing.found == f"1 of {len(TOPICS)} are not there: {RATES}"
    assert "headrace prepare" in missing.do
    make_topics(cluster, settings)
    findings = found(cluster, settings)
    assert [one.state for one in findings] == [State.OK] * 4
    assert on("topics", findings).found == f"{len(TOPICS)}, partitions: 1"


def test_fewer_brokers_or_partitions_than_are_wanted_are_told(
    cluster: Cluster, tmp_path: Path
) -> None:
    findings = found(cluster, settings_in(tmp_path, replication=3, workers=2))
    few = on("Kafka", findings)
    assert (few.state, "1 broker(s)" in few.found) == (State.FAILED, True)
    assert few.do == "start the other brokers, or lower replication"
    thin = on("partitions", findings)
    assert (thin.state, "fewer than 2 workers" in thin.found) == (State.WARNING, True)


def test_retention_that_is_another_than_is_set_is_told(cluster: Cluster, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, topics={STOCK: {"retention_days": 30}})
    finding = on("retention", found(cluster, settings))
    assert finding.state == State.WARNING
    assert finding.found == f"{STOCK} retention.ms=-1 (ours: {30 * 86_400_000})"
    assert "headrace prepare" in finding.do
    make_topics(cluster, settings)
    assert on("retention", found(cluster, settings)).state == State.OK
    # Another topic that throws away what a rebuild needs.
    change = ConfigResource(ConfigResourceType.TOPIC, RATES, {"retention.bytes": "1000"})
    with cluster.admin() as admin:
        admin.alter_configs([change])
    assert f"{RATES} retention.bytes=1000" in on("retention", found(cluster, settings)).found
    delete_topics(cluster, [RATES])


def test_record_from_the_future_tells_of_a_clock_that_is_wrong(
    cluster: Cluster, tmp_path: Path
) -> None:
    settings, part = settings_in(tmp_path), "clocks of publishers"
    assert on(part, found(cluster, settings)).found == "the topics are empty"
    with cluster.producer() as producer:
        producer.send(RATES, key=b"erp|EUR", value=b"").get(timeout=10)
    right = on(part, found(cluster, settings))
    assert (right.state, right.found) == (State.OK, "1 records, none from the future")
    wrong = on(part, found(cluster, settings, behind=timedelta(hours=1)))
    assert (wrong.state, "s ahead of this machine's clock" in wrong.found) == (State.WARNING, True)
    assert "NTP" in wrong.do
