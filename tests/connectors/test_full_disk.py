"""A disk that is full stops a source with a clear error; once there is room, nothing is missing.

It is that of the hub's database or of its broker: a source itself writes only to these, and to the
log.
"""

from __future__ import annotations

import random
from pathlib import Path

import psutil
import pytest
from psycopg import errors
from sqlalchemy import make_url

from connectors.running import passes_by_itself
from hub.source_settings import FilesSource
from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase
from sinks import session
from tests.connectors.sources import SampleSource
from tests.connectors.test_broker_away import (
    OF_FILES,
    RECORDS,
    BoundedRead,
    error_in_child,
    own_broker,
)
from tests.full_disk import DiskOfDatabase, fill_disk_of_broker

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(240),
    # Clients that lose their server leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

__all__ = ["own_broker"]


def test_full_disk_of_the_database_stops_the_read_and_the_next_one_completes_it(
    database_server: EmbeddedDatabase,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The pauses between the tries are those of a hub.
    monkeypatch.setattr(session, "PATIENCE_S", 1.0)
    source = SampleSource(database_url, tmp_path, OF_FILES)
    lines = (f"{number},{'Ada ' * 12}\n" for number in range(RECORDS))
    source.write("customers.csv", "no,name\n" + "".join(lines))
    disk = DiskOfDatabase(database_server, make_url(database_url).database or "")
    disk.fill()
    with pytest.raises(errors.DiskFull, match="No space left on device") as stopped:
        source.run()
    assert passes_by_itself(stopped.value), "a hub that follows waits for room"
    disk.free()
    source.run()
    assert len(source.standing()) == RECORDS
    assert {document["version"] for document in source.published()} == {1}
    assert source.run().published == 0


def test_full_disk_of_the_broker_stops_the_read_and_the_next_one_completes_it(
    own_broker: EmbeddedBroker, topic_prefix: str, database_url: str, tmp_path: Path
) -> None:
    # Letters that no compression makes few.
    letters = random.Random(8)
    lines = (f"{number},{letters.randbytes(100).hex()}\n" for number in range(RECORDS))
    path = tmp_path / "customers.csv"
    path.write_text("no,name\n" + "".join(lines))
    source = FilesSource(name="sample", path=str(path), mapping="unused")
    reading = BoundedRead(own_broker, topic_prefix, database_url, source)
    process = own_broker.process
    assert process is not None

    error = error_in_child(lambda: reading.run(10.0, lambda: fill_disk_of_broker(own_broker)))
    assert "the broker did not take the records" in error
    psutil.Process(process.pid).wait(30)
    told = "".join(path.read_text(errors="replace") for path in own_broker.log_paths())
    assert "File too large" in told

    own_broker.acquire()
    rest = reading.run(60.0)
    assert 0 < rest.published < RECORDS, "what was committed is not read again"
    assert reading.run(60.0).published == 0
    records = reading.published()
    assert len({record.key for record in records}) == RECORDS
    assert len({(record.key, record.value) for record in records}) == RECORDS, "one version each"
