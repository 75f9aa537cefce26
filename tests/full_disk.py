"""Disks that are full for a database or a broker, without mounting one, which few places allow."""

from __future__ import annotations

import resource
from pathlib import Path

import psycopg

from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase

_EMPTY_TABLES = """
    SELECT pg_relation_filepath(oid) FROM pg_class
    WHERE relkind IN ('r', 't') AND pg_relation_size(oid) = 0
        AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)
"""
_ROOM_BYTES = 256 * 1024


class DiskOfDatabase:
    """The disk below the tables of a database of the shared server that hold nothing yet.

    While it is full their files are ``/dev/full``, which takes no byte (ENOSPC).
    """

    def __init__(self, server: EmbeddedDatabase, name: str) -> None:
        ports = server.running_ports()
        assert ports is not None
        self._folder = server.folder
        self._address = server.conninfo(ports, name)
        self._aside: dict[Path, Path] = {}

    def fill(self) -> None:
        """Leave no room."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            paths = [self._folder / row[0] for row in connection.execute(_EMPTY_TABLES)]
            assert paths, "all tables hold something already"
            for path in paths:
                self._aside[path] = path.rename(path.with_name(f"{path.name}.aside"))
                path.symlink_to("/dev/full")
            self._end_sessions(connection)

    def free(self) -> None:
        """Give the room back."""
        for path, aside in self._aside.items():
            aside.replace(path)
        self._aside.clear()
        with psycopg.connect(self._address, autocommit=True) as connection:
            self._end_sessions(connection)

    def _end_sessions(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        # A session keeps the files that it has opened.
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def fill_disk_of_broker(broker: EmbeddedBroker) -> None:
    """Let no file of a running broker grow beyond ``_ROOM_BYTES``; its next start has room again.

    Kafka takes the error (EFBIG) as it takes that of a full disk: the log directory has failed.
    """
    process = broker.process
    assert process is not None
    _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_ROOM_BYTES, most))
