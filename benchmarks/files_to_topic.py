"""From a file to acknowledged events: the files connector beside a hand-written loop."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_writer
from kafka import KafkaProducer

from benchmarks.invoice_file import COLUMNS, MAPPING, SOURCE, write
from benchmarks.measured import Figure, say
from connectors.running import run_source
from hub.garbage import collecting_rarely
from hub.settings import load_settings
from hub.source_settings import FilesSource
from ops.stack import Addresses
from schemas.catalogue import DOCUMENTS

RECORDS = 100_000
LIMIT_RATE = 8_000
#: Of the rate of a loop that does the same conversion for this one file, and nothing else.
KEPT = 0.4


def files_to_topic(addresses: Addresses, config: Path, records: int = RECORDS) -> list[Figure]:
    """Measure a CSV of 20 columns up to the broker's acknowledgement, both ways in this process.

    Garbage is collected rarely, as in the process of a hub's connectors. The connector also
    validates, settles versions and keeps its cursor in the database; the loop converts, encodes and
    publishes.

    Args:
        addresses: of a hub whose invoice topic may be filled.
        config: of that hub; the file is written beside it.
        records: lines of the file.

    Raises:
        RuntimeError: the two did not publish the same.
    """
    say(f"a file of {records:,} invoices in {len(COLUMNS)} columns")
    file = config.parent / "invoices.csv"
    mapping = config.parent / "invoices.yaml"
    mapping.write_text(MAPPING)
    write(file, records)
    say("files to topic: by hand")
    by_hand = records / _timed(lambda: _by_hand(file, addresses))
    say("files to topic: the connector")
    source = FilesSource(name=SOURCE, path=str(file), mapping=str(mapping))
    settings = load_settings(config)

    def connector() -> None:
        report = run_source(
            source, settings, addresses.cluster, addresses.database_url, bounded=True
        )
        if (report.published, report.rejected) != (records, 0):
            raise RuntimeError(f"the connector did not publish everything: {report}")

    rate = records / _timed(connector)
    return [
        Figure("size of a line of the file", file.stat().st_size / records, "bytes"),
        Figure("files to topic, in one process", rate, "events/s", "limit", target=LIMIT_RATE),
        Figure(
            "files to topic beside a loop for this file",
            rate,
            "events/s",
            "hand-written loop",
            by_hand,
            target=KEPT,
        ),
    ]


def _timed(work: Callable[[], None]) -> float:
    with collecting_rarely():
        began = time.perf_counter()
        work()
        return time.perf_counter() - began


def _by_hand(file: Path, addresses: Addresses) -> None:
    """What a person would write for this one file, with the same producer."""
    topic = DOCUMENTS["invoice"]
    schema: Any = parse_schema(dict(topic.schema))
    head = b"\0" + topic.schema_id.to_bytes(4, "big")
    producer: KafkaProducer = addresses.cluster.producer()
    zeros = Decimal("1E-9")

    def decimal(text: str) -> Decimal:
        return Decimal(text.replace(".", "").replace(",", ".")).quantize(zeros)

    def reference(id: str) -> dict[str, str]:
        return {"source": SOURCE, "id": id}

    def day(text: str) -> date:
        return date(int(text[6:]), int(text[3:5]), int(text[:2]))

    sent = []
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            changed = datetime.fromisoformat(row["ChangedAt"])
            gross = decimal(row["Gross"])
            document = {
                "version": int(changed.timestamp()) * 1_000_000,
                "source": SOURCE,
                "id": row["InvoiceNo"],
                "occurred_at": changed,
                "deleted": False,
                "recorded_at": changed,
                "customer": reference(row["Customer"]),
                "kind": {"I": "invoice", "C": "credit_note"}[row["Kind"]],
                "invoiced_on": day(row["InvoiceDate"]),
                "net": decimal(row["Net"]),
                "gross": gross,
                "currency": row["Currency"],
                "rate": decimal(row["Rate"]),
                "order": reference(row["OrderNo"]),
                "shipment": reference(row["DeliveryNo"]),
                "salesperson": reference(row["Salesperson"]),
                "status": {"P": "posted"}[row["Status"]],
                "lines": [
                    {
                        "number": row["Line"].lstrip("0"),
                        "product": reference(row["Product"]),
                        "quantity": decimal(row["Quantity"]),
                        "net_amount": decimal(row["LineNet"]),
                    }
                ],
                "instalments": [{"number": 1, "due_on": day(row["DueDate"]), "amount": gross}],
            }
            body = BytesIO()
            body.write(head)
            schemaless_writer(body, schema, document)
            key = f"{SOURCE}|{row['InvoiceNo']}".encode()
            sent.append(producer.send(topic.name, key=key, value=body.getvalue()))
    producer.flush()
    for one in sent:
        one.get()
    producer.close()
