"""Hubs that read plants: run by the command, asked and compared with the log and the truth."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Self

import psycopg

from hub.clock import business_date
from hub.kafka import Cluster, delete_topics
from ops.asking import ask_status
from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase
from schemas.catalogue import TOPICS
from sinks.database import migrate
from sinks.tables import metadata
from tests.cli.shop import COMMAND, environment
from tests.oracle.answers import Json
from tests.oracle.asking import AskedDocuments, ask_database, ask_letters, figures_in
from tests.oracle.check import check_hub
from tests.oracle.log import Record, read_log
from tests.plant.plants import Plant

_DELETED_SECONDS = 30
_READ_SECONDS = 1_800


class UpFailed(Exception):
    """`headrace up --until-idle` did not end well; the message holds what it said."""


class Servers:
    """A broker and a database of a data folder, which stay up from one hub to the next."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            database, broker = EmbeddedDatabase(self.data), EmbeddedBroker(self.data)
            self.database_url = database.url(database.acquire())
            undo.callback(database.release)
            self.cluster: Cluster = broker.cluster(broker.acquire())
            undo.callback(broker.release)
            migrate(self.database_url)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._undo.close()

    def empty(self) -> None:
        """Leave nothing of an earlier hub: no topic, and empty tables."""
        tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        address = self.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {tables}")
        deadline = time.monotonic() + _DELETED_SECONDS
        with self.cluster.admin() as admin:
            standing = set(admin.list_topics()) & set(TOPICS)
            delete_topics(self.cluster, standing)
            while standing & set(admin.list_topics()):
                assert time.monotonic() < deadline, "topics are not deleted"
                time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every difference between answers and log, and how many figures the answers have."""

    differences: list[str]
    figures: int


class PlantHub:
    """A hub of a plant on running servers.

    Args:
        plant: its configuration is written anew, with the servers' data folder.
        servers: entered, and emptied for this hub.
    """

    def __init__(self, plant: Plant, servers: Servers) -> None:
        plant.configure(data=str(servers.data))
        self.plant = plant
        self.servers = servers

    def up(self, seconds: float = 300) -> str:
        """Read the exports to their ends and process everything; returns what was printed.

        Raises:
            UpFailed: something was left, or it took too long.
        """
        command = [*COMMAND, "up", "--until-idle", "--config", str(self.plant.config)]
        try:
            ran = subprocess.run(
                command,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise UpFailed(f"it did not end within {seconds:.0f} s:\n{error.output}") from None
        if ran.returncode:
            raise UpFailed(f"it ended with {ran.returncode}:\n{ran.stdout}")
        return ran.stdout

    def letters(self) -> list[Json]:
        """Return the dead letters."""
        return ask_letters(self.servers.database_url)

    def counts(self) -> dict[str, Json]:
        """Return by type how many documents there are, deleted and cancelled."""
        status = ask_status(self.servers.database_url, self.plant.settings, None)
        return {kind: row for kind, row in status["documents"].items() if row["count"]}

    def log(self) -> list[Record]:
        """Read the event log."""
        return read_log(list(self.servers.cluster.bootstrap_servers), seconds=_READ_SECONDS)

    def compare(self, log: Iterable[Record], as_of: Iterable[date] = ()) -> Comparison:
        """Compare every answer with a log; receivables also as of these days."""
        settings, url = self.plant.settings, self.servers.database_url
        today = business_date(settings)
        answers = ask_database(url, settings, [today, *as_of])
        documents = AskedDocuments(url)
        differences = check_hub(
            replace(answers, documents=documents),
            log,
            as_of=today,
            base_currency=settings.company.base_currency,
        )
        views = (answers.customers, answers.demand, answers.receivables, answers.status)
        return Comparison(differences, figures_in(views) + documents.figures)
