"""The HTTP door in a process of its own, before a real broker and a real database."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml
from kafka import TopicPartition
from psycopg import sql
from sqlalchemy import make_url
from standardwebhooks import Webhook

from hub.kafka import Cluster, partitions_of
from ops.embedded.database import EmbeddedDatabase
from ops.embedded.ports import choose_ports
from schemas.catalogue import TOPICS
from schemas.codec import Decoded, decode_batch
from tests.cli.shop import environment

ROOT = Path(__file__).parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MAPPING = """\
profile: tickets/1
defaults: {tz: Europe/Berlin}
streams:
  tickets: {from: unused, key: number}
events:
  - emit: case
    from: tickets
    key: number
    fields:
      occurred_at: {datetime: {date: opened}}
      category: {const: quality}
      opened_at: {datetime: {date: opened}}
      severity: {map: {new: minor, bad: major}, of: state, otherwise: reject}
"""


def invoice(number: str, source: str = "shop", **changes: Any) -> dict[str, Any]:
    """An invoice as an upstream system would send it."""
    return {
        "source": source,
        "id": number,
        "occurred_at": "2026-03-02T09:15:00Z",
        "customer": {"source": "shop", "id": "K-17"},
        "kind": "invoice",
        "invoiced_on": "2026-03-02",
        "net": "1000.00",
        "gross": "1190.00",
        "currency": "EUR",
        "status": "posted",
        "lines": [{"number": "1", "net_amount": "1000.00"}],
        "instalments": [{"number": 1, "due_on": "2026-04-01", "amount": "1190.00"}],
        **changes,
    }


@dataclass(slots=True)
class Door:
    """One ``headrace api`` with its folder; ``port`` stays the same over restarts.

    Tests share the broker's topics: ``name`` is part of the names of its sources alone.
    """

    folder: Path
    cluster: Cluster
    database_url: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    port: int = 0
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def shop(self) -> str:
        """The system whose documents are published."""
        return f"shop-{self.name}"

    @property
    def desk(self) -> str:
        """The source whose webhook calls."""
        return f"desk-{self.name}"

    @property
    def erp(self) -> str:
        """A source that the hub reads itself."""
        return f"erp-{self.name}"

    def invoice(self, number: str, **changes: Any) -> dict[str, Any]:
        """An invoice of the shop."""
        return invoice(number, **{"source": self.shop, **changes})

    def configure(self) -> None:
        """Write headrace.yaml."""
        if not self.port:
            self.port = choose_ports(["api"], {})["api"]
        api = {"port": self.port, "authentication": False, **self.settings}
        hook = {"name": self.desk, "kind": "http", "mapping": "tickets.yaml", "secret": SECRET}
        export = {"name": self.erp, "kind": "files", "path": "exports", "mapping": "tickets.yaml"}
        (self.folder / "tickets.yaml").write_text(MAPPING)
        document = {
            "company": {"name": "Shop", "base_currency": "EUR", "time_zone": "Europe/Berlin"},
            "kafka": {
                "bootstrap_servers": list(self.cluster.bootstrap_servers),
                "security": {"protocol": "PLAINTEXT"},
            },
            "database": self.database_url,
            "sources": [export, hook],
            "api": api,
        }
        (self.folder / "headrace.yaml").write_text(yaml.safe_dump(document))

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process."""
        self.configure()
        with (self.folder / "api.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ops.cli", "api"],
                cwd=self.folder,
                env={**environment(), "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        return self.process

    def start(self) -> None:
        """Start it and wait until it answers."""
        process = self.launch()
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{self.address}/healthz", timeout=1).raise_for_status()
                return
            except httpx.HTTPError:
                assert process.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; how it ended."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "api.log").read_text(errors="replace")

    def client(self, **options: Any) -> httpx.Client:
        """A client that asks nobody else."""
        return httpx.Client(base_url=self.address, timeout=30, trust_env=False, **options)

    def published(self, topic: str) -> list[dict[str, Any]]:
        """The documents of a topic, in the order of its partitions."""
        return [found for _, found in self.records(topic)]

    def records(self, topic: str) -> list[tuple[dict[str, bytes], dict[str, Any]]]:
        """The headers and documents of a topic."""
        with_headers: list[tuple[dict[str, bytes], dict[str, Any]]] = []
        consumer = self.cluster.consumer()
        try:
            parts = [TopicPartition(*one) for one in partitions_of(self.cluster, [topic])]
            consumer.assign(parts)
            consumer.seek_to_beginning(*parts)
            ends = consumer.end_offsets(parts)
            while any(consumer.position(part) < ends[part] for part in parts):
                for records in consumer.poll(timeout_ms=200).values():
                    for record in records:
                        (read,) = decode_batch(TOPICS[topic], [record.value])
                        assert isinstance(read, Decoded), read
                        if read.document["source"].endswith(self.name):
                            with_headers.append((dict(record.headers), read.document))
        finally:
            consumer.close()
        return with_headers

    def connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection to the database."""
        address = make_url(self.database_url).set(drivername="postgresql")
        return psycopg.connect(address.render_as_string(hide_password=False))

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        with self.connection() as connection:
            return connection.execute(statement, values or None).fetchall()


def deliver(
    door: Door, body: bytes, id: str, path: str = "", *, packed: bool = False
) -> httpx.Response:
    """Call the door's webhook as its source does, which keeps the id when it delivers again."""
    now = datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(id, now, body.decode()),
    }
    if packed:
        headers["content-encoding"] = "gzip"
    content = gzip.compress(body) if packed else body
    with door.client() as client:
        return client.post(f"/v1/hooks/{door.desk}{path}", content=content, headers=headers)


@contextmanager
def opened(door: Door) -> Iterator[Door]:
    """A door that answers; it is ended afterwards."""
    door.start()
    try:
        yield door
    finally:
        if door.process is not None and door.process.poll() is None:
            door.process.kill()
            door.process.wait()


@contextmanager
def fresh_database(server: EmbeddedDatabase) -> Iterator[str]:
    """SQLAlchemy's address of a migrated database."""
    ports = server.running_ports()
    assert ports is not None
    name = f"door_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.conninfo(ports), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template migrated").format(sql.Identifier(name))
        )
        yield server.conninfo(ports, name).replace("postgresql://", "postgresql+psycopg://", 1)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
