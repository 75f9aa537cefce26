"""The connectors process, killed while it reads files."""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from tests.oracle.documents import read_documents
from tests.oracle.log import read_log
from tests.torture.checking import IDLE_SECONDS, wait_until_idle
from tests.torture.trial import Trial

Row = Mapping[str, object]


def connector_killed(trial: Trial) -> None:
    """SIGKILL of the connectors while they read exports, which keep growing."""
    rig = trial.rig
    exports = rig.exports
    orders = 600 if trial.brief else 3_000
    shop = _Shop(trial.random, orders)
    shop.write_masters(exports)
    shop.write_orders(exports, 0, orders // 3)
    rig.start(1, connectors=True)
    kills = 2 if trial.brief else 4
    written = orders // 3
    for number in range(kills):
        trial.pause(1.0, 4.0)
        trial.kill("connectors")
        until = orders * (number + 1) // kills
        if until > written:
            shop.write_orders(exports, written, until)
            written = until
    _wait_until_read(trial, shop)
    trial.settle()
    trial.differences += shop.differences(list(rig.addresses.cluster.bootstrap_servers))


def _wait_until_read(trial: Trial, shop: _Shop) -> None:
    """Wait until every order and every shipment is in the hub, or it does not get on."""
    deadline = time.monotonic() + IDLE_SECONDS
    with trial.rig.connect() as connection:
        while time.monotonic() < deadline:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM fact_order), (SELECT count(*) FROM fact_shipment)"
            ).fetchone()
            if row is not None and min(row) >= shop.orders:
                break
            time.sleep(0.2)
    wait_until_idle(trial.rig)


class _Shop:
    """Invented exports in the tables of Northwind."""

    def __init__(self, rng: random.Random, orders: int) -> None:
        self.orders = orders
        self._quantities: dict[str, dict[str, int]] = {
            str(10_000 + number): {
                str(product): rng.randint(1, 30) for product in rng.sample(range(1, 40), 3)
            }
            for number in range(orders)
        }
        self._customers = {order: f"C{rng.randrange(25):03d}" for order in self._quantities}

    def write_masters(self, folder: Path) -> None:
        """Write the tables that do not grow."""
        _write(
            folder / "customers.csv",
            [
                {
                    "CustomerID": f"C{number:03d}",
                    "CompanyName": f"Customer {number}",
                    **dict.fromkeys(
                        ("Address", "City", "Region", "PostalCode", "Country", "Phone"), ""
                    ),
                }
                for number in range(25)
            ],
        )
        _write(
            folder / "products.csv",
            [
                {"ProductID": number, "ProductName": f"Product {number}", "CategoryID": 1}
                for number in range(1, 40)
            ],
        )
        _write(folder / "categories.csv", [{"CategoryID": 1, "CategoryName": "Teas"}])
        _write(folder / "shippers.csv", [{"ShipperID": 1, "CompanyName": "Harbour"}])
        employee = {"EmployeeID": 1, "FirstName": "Ada", "LastName": "Okafor", "ReportsTo": ""}
        _write(folder / "employees.csv", [employee])

    def write_orders(self, folder: Path, first: int, end: int) -> None:
        """Write one more file of orders, and one of their details."""
        numbers = list(self._quantities)[first:end]
        _write(
            folder / f"orders-{first:05d}.csv",
            [
                {
                    "OrderID": order,
                    "CustomerID": self._customers[order],
                    "EmployeeID": 1,
                    "OrderDate": "2026-03-01 00:00:00.000",
                    "RequiredDate": "2026-04-01 00:00:00.000",
                    "ShippedDate": "2026-03-20 00:00:00.000",
                    "ShipVia": 1,
                    "Freight": "1.0",
                }
                for order in numbers
            ],
        )
        _write(
            folder / f"order-details-{first:05d}.csv",
            [
                {
                    "OrderID": order,
                    "ProductID": product,
                    "UnitPrice": "2.5",
                    "Quantity": quantity,
                    "Discount": "0.0",
                }
                for order in numbers
                for product, quantity in self._quantities[order].items()
            ],
        )

    def differences(self, servers: list[str]) -> list[str]:
        """Compare the orders in the log with the rows of the files."""
        documents = read_documents(read_log(servers))
        found = []
        orders = {body["id"]: body for body in documents.newest.get("order", {}).values()}
        for order in sorted(self._quantities.keys() ^ orders.keys()):
            found.append(f"order {order} is in the files or in the log, but not in both")
        for order, body in orders.items():
            lines = {line["product"]["id"]: line["quantity"] for line in body["lines"]}
            wanted = {key: Decimal(number) for key, number in self._quantities[order].items()}
            if lines != wanted:
                found.append(f"order {order} has lines {lines}, in the files {wanted}")
        for kind, number in (("customer", 25), ("product", 39), ("shipment", self.orders)):
            there = len(documents.newest.get(kind, {}))
            if there != number:
                found.append(f"{there} of {number} {kind}s are in the log")
        return found


def _write(path: Path, rows: Sequence[Row]) -> None:
    partial = path.with_suffix(".part")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)
