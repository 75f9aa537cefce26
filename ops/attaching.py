"""Finds the servers of a hub: those that run already, or else all of them started for a while."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from hub.settings import Settings
from ops.embedded.database import EmbeddedDatabase
from ops.stack import Addresses, Stack
from ops.topics import make_topics

_POLL_SECONDS = 0.2


class NotRunning(Exception):
    """The embedded servers of this hub do not run."""


def running_addresses(settings: Settings, patience_seconds: float = 30.0) -> Addresses:
    """The servers of the hub that this process is a part of; nothing is started.

    Args:
        settings: of the hub.
        patience_seconds: how long to wait for a server that is just being started again.

    Raises:
        NotRunning: they did not come up in time.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        cluster = Stack.running_cluster(settings)
        url = _running_database(settings)
        if cluster is not None and url is not None:
            return Addresses(url, cluster)
        if time.monotonic() > deadline:
            missing = "Kafka" if cluster is None else "PostgreSQL"
            raise NotRunning(f"{missing} does not run in {settings.data}: start `headrace up`")
        time.sleep(_POLL_SECONDS)


@contextmanager
def attached(settings: Settings) -> Iterator[Addresses]:
    """The servers of the hub that runs, or the whole stack for as long as the context lasts.

    Raises:
        FolderInUse, ServerFailed: see ``Stack``.
    """
    cluster = Stack.running_cluster(settings)
    if cluster is None:
        with Stack(settings) as stack:
            yield stack.addresses
        return
    with Stack.database_only(settings) as url:
        make_topics(cluster, settings)
        yield Addresses(url, cluster)


def _running_database(settings: Settings) -> str | None:
    if settings.database != "embedded":
        return settings.database
    server = EmbeddedDatabase(settings.data)
    ports = server.running_ports()
    return None if ports is None else server.url(ports)
