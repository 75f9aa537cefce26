"""Everything that a hub stands on, started in order: database, tables, broker, topics."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from hub.kafka import Cluster
from hub.log import get_logger
from hub.settings import Settings
from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase
from ops.embedded.folder import sole_hub
from ops.embedded.server import EmbeddedServer
from ops.topics import make_topics
from sinks.database import migrate

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the parts of the hub are found."""

    database_url: str
    cluster: Cluster


class Stack:
    """The parts of one hub, for its supervisor; used as a context manager.

    Entering raises ``FolderInUse`` where another hub holds the data folder, ``ServerFailed`` where
    an embedded server doesn't start, ``LoginRefused`` where a Kafka elsewhere refuses us. Parts
    that someone else still uses stay up on leaving.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._database = _embedded_database(settings)
        self._broker = _embedded_broker(settings)
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(sole_hub(self.settings.data))
            database_url = self._start_database(undo)
            migrate(database_url)
            cluster = self._start_broker(undo)
            make_topics(cluster, self.settings)
            self.addresses = Addresses(database_url, cluster)
            self._undo = undo.pop_all()
        log.info("stack_ready", kafka=",".join(cluster.bootstrap_servers))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    def revive(self) -> list[str]:
        """Start embedded servers that have died again, on their ports; returns their names.

        Raises:
            ServerFailed: one can't be started.
        """
        revived = []
        for server in self.servers:
            if not server.is_alive():
                log.error("server_died", server=server.name)
                server.acquire()
                revived.append(server.name)
        return revived

    @property
    def servers(self) -> list[EmbeddedServer]:
        """The embedded ones among the hub's servers, in the order of their start."""
        return [server for server in (self._database, self._broker) if server is not None]

    def _start_database(self, undo: ExitStack) -> str:
        if self._database is None:
            return self.settings.database
        ports = self._database.acquire()
        undo.callback(self._database.release)
        return self._database.url(ports)

    def _start_broker(self, undo: ExitStack) -> Cluster:
        if self._broker is None:
            return _outside_cluster(self.settings)
        ports = self._broker.acquire()
        undo.callback(self._broker.release)
        return self._broker.cluster(ports)

    @staticmethod
    @contextmanager
    def database_only(settings: Settings) -> Iterator[str]:
        """The address of the migrated database, for those who only look at it.

        An embedded one that doesn't run is started, and stopped afterwards.
        """
        server = _embedded_database(settings)
        if server is None:
            migrate(settings.database)
            yield settings.database
            return
        url = server.url(server.acquire())
        try:
            migrate(url)
            yield url
        finally:
            server.release()

    @staticmethod
    def running_cluster(settings: Settings) -> Cluster | None:
        """The Kafka cluster, if it runs; nothing is started.

        Raises:
            LoginRefused: it runs elsewhere, and refuses us.
        """
        broker = _embedded_broker(settings)
        if broker is None:
            return _outside_cluster(settings)
        ports = broker.running_ports()
        return None if ports is None else broker.cluster(ports)


def _embedded_database(settings: Settings) -> EmbeddedDatabase | None:
    return EmbeddedDatabase(settings.data) if settings.database == "embedded" else None


def _embedded_broker(settings: Settings) -> EmbeddedBroker | None:
    return EmbeddedBroker(settings.data) if settings.kafka == "embedded" else None


def _outside_cluster(settings: Settings) -> Cluster:
    # Only a hub with a Kafka of its own does without these imports.
    from hub.kafka_login import refuse_bad_login

    if settings.kafka == "embedded":
        raise ValueError("kafka is embedded in these settings")
    cluster = Cluster.at(settings.kafka)
    refuse_bad_login(cluster)
    return cluster
