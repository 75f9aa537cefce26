"""A disk that is full stops a source with a clear error; once there is room, nothing is missing.

It is that of the hub's database: a source itself writes nothing but to the database and the log.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

from connectors.running import passes_by_itself
from ops.embedded.database import EmbeddedDatabase
from sinks import session
from tests.connectors.sources import SampleSource, mapping

pytestmark = pytest.mark.stack

CUSTOMERS = (
    "streams: {customer: {key: no}}\n"
    "events: [{emit: customer, from: customer, key: no, fields: {name: name}}]\n"
)
RECORDS = 20_000
SIZE = "40m"


class SmallDisk:
    """A file system of ``SIZE`` with a database on it, in a tablespace of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.ballast = folder / "ballast"
        self.url = url

    def fill(self) -> None:
        """Leave no room."""
        with self.ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
            while True:
                file.write(bytes(64 * 1024))

    def free(self) -> None:
        """Give the room back."""
        self.ballast.unlink()


@pytest.fixture
def disk(database_server: EmbeddedDatabase, database_url: str) -> Iterator[SmallDisk]:
    folder = database_server.data / f"small-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield from _database_on(folder, database_server)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _database_on(folder: Path, server: EmbeddedDatabase) -> Iterator[SmallDisk]:
    space = folder / "space"
    space.mkdir()
    owner = server.folder.stat()
    for path in (folder, space):
        subprocess.run(["chown", f"{owner.st_uid}:{owner.st_gid}", str(path)], check=True)
    ports = server.running_ports()
    assert ports is not None
    name = f"small_{uuid.uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    with psycopg.connect(server.conninfo(ports), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create tablespace {} location {}").format(identifier, str(space))
        )
        connection.execute(
            sql.SQL(
                "create database {0} template migrated strategy file_copy tablespace {0}"
            ).format(identifier)
        )
        # PostgreSQL writes a file for itself at the first connection to a database.
        psycopg.connect(server.conninfo(ports, name)).close()
        url = server.conninfo(ports, name).replace("postgresql://", "postgresql+psycopg://", 1)
        yield SmallDisk(folder, url)
        connection.execute(sql.SQL("drop database {} with (force)").format(identifier))
        connection.execute(sql.SQL("drop tablespace {}").format(identifier))


def test_full_disk_of_the_database_stops_the_read_and_the_next_one_completes_it(
    disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The pauses between the tries are those of a hub.
    monkeypatch.setattr(session, "PATIENCE_S", 1.0)
    source = SampleSource(disk.url, tmp_path, mapping(CUSTOMERS))
    lines = (f"{number},{'Ada ' * 12}\n" for number in range(RECORDS))
    source.write("customers.csv", "no,name\n" + "".join(lines))
    disk.fill()
    with pytest.raises(errors.DiskFull, match="No space left on device") as stopped:
        source.run()
    assert passes_by_itself(stopped.value), "a hub that follows waits for room"
    disk.free()
    source.run()
    assert len(source.standing()) == RECORDS
    assert {document["version"] for document in source.published()} == {1}
    assert source.run().published == 0
