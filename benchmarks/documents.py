"""The documents of the measurements: the shipped contracts with one line and one instalment."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from confluent_kafka import Producer

from hub.kafka import Cluster
from schemas.catalogue import DOCUMENTS
from schemas.codec import encode
from schemas.keys import record_key

CUSTOMERS = 20_000
PARTITIONS = 4
SOURCE = "erp"

_MOST_WAITING = 100_000
_PATIENCE_S = 60.0

_START = date(2026, 1, 1)
_AT = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)

Document = dict[str, Any]


def _reference(id: str) -> dict[str, str]:
    return {"source": SOURCE, "id": id}


def _header(number: int, id: str) -> Document:
    return {
        "version": 1_767_225_600_000_000 + number,
        "source": SOURCE,
        "id": id,
        "occurred_at": _AT + timedelta(seconds=number),
        "deleted": False,
    }


def order(number: int, chance: random.Random) -> Document:
    """Return an order with one line."""
    amount = Decimal(chance.randrange(1_000, 10_000_000)) / 100
    ordered_on = _START + timedelta(days=number % 300)
    return {
        **_header(number, f"SO{number:08d}"),
        "customer": _reference(f"C{chance.randrange(CUSTOMERS):06d}"),
        "ordered_on": ordered_on,
        "currency": "CNY",
        "status": "open",
        "lines": [
            {
                "number": "10",
                "product": _reference(f"EX-{chance.randrange(200):03d}"),
                "quantity": Decimal(chance.randrange(1, 9)),
                "net_amount": amount,
                "wanted_on": ordered_on + timedelta(days=40),
                "rejected": False,
            }
        ],
    }


def invoice(number: int, chance: random.Random) -> Document:
    """Return an invoice with one line and one instalment."""
    amount = Decimal(chance.randrange(1_000, 10_000_000)) / 100
    invoiced_on = _START + timedelta(days=number % 300)
    return {
        **_header(number, f"RE{number:08d}"),
        "customer": _reference(f"C{chance.randrange(CUSTOMERS):06d}"),
        "kind": "invoice",
        "invoiced_on": invoiced_on,
        "currency": "CNY",
        "net": amount,
        "gross": amount,
        "status": "posted",
        "lines": [
            {
                "number": "10",
                "product": _reference(f"EX-{chance.randrange(200):03d}"),
                "quantity": Decimal(chance.randrange(1, 9)),
                "net_amount": amount,
            }
        ],
        "instalments": [
            {"number": 1, "due_on": invoiced_on + timedelta(days=30), "amount": amount}
        ],
    }


def payment(number: int, paid: Document) -> Document:
    """Return a payment that pays an invoice in full."""
    received_on = paid["invoiced_on"] + timedelta(days=45)
    return {
        **_header(number, f"ZE{number:08d}"),
        "customer": paid["customer"],
        "kind": "receipt",
        "amount": paid["gross"],
        "currency": "CNY",
        "received_on": received_on,
        "allocations": [{"invoice": _reference(paid["id"]), "amount": paid["gross"]}],
    }


def orders(number: int, seed: int = 1) -> Iterator[tuple[str, Document]]:
    """Yield (type, document) of ``number`` orders."""
    chance = random.Random(seed)
    for index in range(number):
        yield "order", order(index, chance)


def invoices_and_payments(
    number: int, seed: int = 1, *, first: int = 0, waiting: list[Document] | None = None
) -> Iterator[tuple[str, Document]]:
    """Yield 60 % invoices and 40 % payments; a payment follows its invoice at some distance.

    Args:
        number: how many documents.
        seed: of what is left to chance.
        first: the number of the first document.
        waiting: invoices that are open before; afterwards, those that are still open.
    """
    chance = random.Random(seed)
    waiting = [] if waiting is None else waiting
    for index in range(first, first + number):
        if index % 5 < 3 or not waiting:
            document = invoice(index, chance)
            waiting.append(document)
            yield "invoice", document
        else:
            place = chance.randrange(len(waiting))
            waiting[place], waiting[-1] = waiting[-1], waiting[place]
            yield "payment", payment(index, waiting.pop())


def renumbered(document: Document, by: int) -> Document:
    """Return an invoice or payment whose number, and that of what it pays, is larger by ``by``."""
    copy = {**document, "id": _renumbered(document["id"], by)}
    if "allocations" in document:
        copy["allocations"] = [
            {**one, "invoice": _reference(_renumbered(one["invoice"]["id"], by))}
            for one in document["allocations"]
        ]
    return copy


def _renumbered(id: str, by: int) -> str:
    return f"{id[:2]}{int(id[2:]) + by:08d}"


def publish(cluster: Cluster, documents: Iterator[tuple[str, Document]]) -> tuple[int, float]:
    """Publish documents, all of a customer to one partition; return (how many, bytes of each).

    Not by the hub's producer, though with its settings: making the load is no part of a
    measurement, and this one takes a third of the time.

    Raises:
        RuntimeError: the broker did not acknowledge them all.
    """
    producer = Producer(
        {
            "bootstrap.servers": ",".join(cluster.bootstrap_servers),
            "enable.idempotence": True,
            "compression.type": "lz4",
            "batch.size": 128 * 1024,
            "linger.ms": 5,
            "queue.buffering.max.messages": _MOST_WAITING,
        }
    )
    published = size = 0
    for kind, document in documents:
        topic = DOCUMENTS[kind]
        value = encode(topic, document)
        size += len(value)
        published += 1
        if len(producer) > _MOST_WAITING // 2:
            producer.flush(_PATIENCE_S)
        producer.produce(
            topic.name,
            key=record_key(SOURCE, document["id"]).encode(),
            value=value,
            partition=int(document["customer"]["id"][1:]) % PARTITIONS,
        )
    if left := producer.flush(_PATIENCE_S):
        raise RuntimeError(f"the broker did not acknowledge {left:,} of {published:,} records")
    return published, size / published
