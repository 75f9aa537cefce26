"""A file of invoices in 20 columns, as an ERP exports them, and the mapping for it."""

from __future__ import annotations

import csv
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.documents import CUSTOMERS

SOURCE = "shop"
_START = date(2026, 1, 1)
COLUMNS = (
    "InvoiceNo",
    "ChangedAt",
    "Customer",
    "Kind",
    "InvoiceDate",
    "DueDate",
    "Currency",
    "Net",
    "Gross",
    "Rate",
    "OrderNo",
    "DeliveryNo",
    "Salesperson",
    "Line",
    "Product",
    "Quantity",
    "Unit",
    "LineNet",
    "Status",
    "Remark",
)

MAPPING = """\
profile: bench_invoices/1
defaults: {tz: Asia/Shanghai, delimiter: ";"}
streams:
  row: {from: "*.csv", key: InvoiceNo, changed: ChangedAt, version: precise}
events:
- emit: invoice
  from: row
  key: InvoiceNo
  fields:
    customer: {reference: Customer}
    kind: {map: {I: invoice, C: credit_note}, of: Kind, otherwise: reject}
    invoiced_on: {date: InvoiceDate, format: "%d.%m.%Y"}
    net: {decimal: Net, mark: ",", group: "."}
    gross: {decimal: Gross, mark: ",", group: "."}
    currency: Currency
    rate: {decimal: Rate, mark: ","}
    order: {reference: OrderNo}
    shipment: {reference: DeliveryNo}
    salesperson: {reference: Salesperson}
    status: {map: {P: posted}, of: Status, otherwise: reject}
  lines:
    fields:
      number: {strip_zeros: Line}
      product: {reference: Product}
      quantity: {decimal: Quantity, mark: ","}
      net_amount: {decimal: LineNet, mark: ",", group: "."}
  instalments:
    fields:
      number: {const: 1}
      due_on: {date: DueDate, format: "%d.%m.%Y"}
      amount: {decimal: Gross, mark: ",", group: "."}
"""


def write(file: Path, records: int, remark: str = "Lieferung wie besprochen") -> None:
    """Write a file of ``records`` lines of about 160 bytes and the remark."""
    chance = random.Random(5)
    changed = datetime(2026, 1, 1, 8, tzinfo=UTC)
    with file.open("w", encoding="utf-8", newline="") as target:
        lines = csv.writer(target, delimiter=";")
        lines.writerow(COLUMNS)
        for number in range(records):
            net = Decimal(chance.randrange(1_000, 10_000_000)) / 100
            day = _START + timedelta(days=number % 300)
            lines.writerow(
                (
                    f"RE{number:08d}",
                    (changed + timedelta(seconds=number)).isoformat(),
                    f"C{chance.randrange(CUSTOMERS):06d}",
                    "I",
                    f"{day:%d.%m.%Y}",
                    f"{day + timedelta(days=30):%d.%m.%Y}",
                    "CNY",
                    _german(net),
                    _german(net),
                    "1,0",
                    f"SO{number:08d}",
                    f"LF{number:08d}",
                    f"V{chance.randrange(60):03d}",
                    "000010",
                    f"EX-{chance.randrange(200):03d}",
                    str(chance.randrange(1, 9)),
                    "ST",
                    _german(net),
                    "P",
                    remark,
                )
            )


def _german(amount: Decimal) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
