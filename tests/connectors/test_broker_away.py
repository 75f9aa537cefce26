"""The broker goes away in the middle of a bounded read: what it did not take comes next time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from threading import Timer

import pytest

from connectors.kinds import Reader, reader_of
from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.publish import KafkaPublisher, PublishError
from connectors.report import SourceReport
from hub.kafka import Cluster, ensure_topics
from hub.source_settings import FilesSource, Source
from ops.embedded.broker import EmbeddedBroker
from schemas.catalogue import DOCUMENTS
from tests.connectors.sources import mapping
from tests.connectors.tables import TableSource, source_url
from tests.oracle.log import Record, read_log
from tests.stack import remove_data_folder, temporary_data_folder

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(240),
    # Clients that lose their server leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

__all__ = ["source_url"]

#: Enough for several portions of either kind of source.
RECORDS = 12_000
FROZEN_S = 4.0
TOPIC = DOCUMENTS["customer"].name
EVENTS = "events: [{emit: customer, from: customer, key: no, fields: {name: name}}]\n"
OF_FILES = mapping("streams: {customer: {key: no}}\n" + EVENTS)
OF_TABLES = mapping(
    "streams: {customer: {from: customers, key: no, table: {changed: no}}}\n" + EVENTS
)


@dataclass(frozen=True)
class NamedTopic:
    name: str
    cleanup: str = "delete"


@pytest.fixture(scope="module")
def own_broker() -> Iterator[EmbeddedBroker]:
    """A broker that these tests may ill-treat."""
    folder = temporary_data_folder()
    server = EmbeddedBroker(folder)
    server.acquire()
    yield server
    server.release()
    remove_data_folder(folder)


class BoundedRead:
    """A source of ``RECORDS`` customers, read to its end as often as a test wants."""

    def __init__(
        self, broker: EmbeddedBroker, prefix: str, database_url: str, source: Source
    ) -> None:
        ports = broker.running_ports()
        assert ports is not None
        self.broker = broker
        self.cluster: Cluster = broker.cluster(ports)
        self.prefix = prefix
        self.database_url = database_url
        self.source = source
        self.mapping = OF_FILES if isinstance(source, FilesSource) else OF_TABLES
        ensure_topics(self.cluster, [NamedTopic(prefix + TOPIC)], 4)

    def reader(self) -> Reader:
        return reader_of(self.source, self.mapping)

    def run(self, delivery_s: float, once_begun: Callable[[], None] = lambda: None) -> SourceReport:
        """One read; ``once_begun`` is called when its first records are committed."""
        begun = False

        def progress(report: SourceReport) -> None:
            nonlocal begun
            if not begun:
                begun = True
                assert 0 < report.published < RECORDS, "it is in the middle"
                once_begun()

        publisher = KafkaPublisher(
            self.cluster, lambda name: self.prefix + name, delivery_s=delivery_s
        )
        try:
            with open_door(
                self.source, self.mapping, publisher, self.database_url, progress
            ) as door:
                make_pass(door, self.reader(), final=True)
                return door.report
        finally:
            publisher.close()

    def signal(self, number: int) -> None:
        """Send a signal to the broker."""
        process = self.broker.process
        assert process is not None
        os.kill(process.pid, number)

    def published(self) -> list[Record]:
        return read_log(list(self.cluster.bootstrap_servers), [self.prefix + TOPIC])


def error_in_child(work: Callable[[], object]) -> str:
    """The PublishError of ``work``: a client that loses its broker leaves sockets behind."""
    context = multiprocessing.get_context("fork")
    errors = context.SimpleQueue()

    def run() -> None:
        try:
            work()
        except PublishError as error:
            errors.put(str(error))
        else:
            errors.put("")

    child = context.Process(target=run)
    child.start()
    child.join(60)
    assert child.exitcode == 0
    return str(errors.get())


@pytest.fixture(params=["file", "table"])
def reading(
    request: pytest.FixtureRequest,
    own_broker: EmbeddedBroker,
    topic_prefix: str,
    database_url: str,
    source_url: str,
    tmp_path: Path,
) -> BoundedRead:
    if request.param == "file":
        path = tmp_path / "customers.csv"
        lines = (f"{number},{'Ada ' * 12}\n" for number in range(RECORDS))
        path.write_text("no,name\n" + "".join(lines))
        source: Source = FilesSource(name="sample", path=str(path), mapping="unused")
    else:
        tables = TableSource(database_url, source_url, OF_TABLES)
        tables.execute("CREATE TABLE customers (no bigint PRIMARY KEY, name text)")
        tables.execute(
            f"INSERT INTO customers SELECT no, 'Ada' FROM generate_series(1, {RECORDS}) AS no"
        )
        source = tables.settings()
    return BoundedRead(own_broker, topic_prefix, database_url, source)


def test_read_waits_for_a_broker_that_stands_still_and_each_event_comes_once(
    reading: BoundedRead,
) -> None:
    def freeze() -> None:
        reading.signal(SIGSTOP)
        Timer(FROZEN_S, reading.signal, [SIGCONT]).start()

    report = reading.run(60.0, freeze)
    assert (report.published, report.rejected) == (RECORDS, 0)
    assert len(reading.published()) == RECORDS
    assert len({record.key for record in reading.published()}) == RECORDS


def test_read_ends_with_a_broker_that_was_killed_and_the_next_one_completes_it(
    reading: BoundedRead,
) -> None:
    error = error_in_child(lambda: reading.run(5.0, lambda: reading.signal(SIGKILL)))
    assert "the broker did not take the records" in error
    reading.broker.acquire()
    rest = reading.run(60.0)
    assert 0 < rest.published < RECORDS, "what was committed is not read again"
    assert reading.run(60.0).published == 0
    records = reading.published()
    assert len({record.key for record in records}) == len(records) == RECORDS
