"""Northwind, the sample trading company: the figures that must come out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from hub.money import round_money
from tests.real.figures import Figure, figure
from tests.real.hub import Hub
from tests.real.sap import STATUS, shown

CUSTOMERS = "headrace show customers"


@dataclass(frozen=True, slots=True)
class NorthwindFigures:
    """What is expected; ``order_value`` is the exact sum of the lines' amounts."""

    orders: int
    lines: int
    customers: int
    products: int
    not_shipped: int
    shipped_late: int
    order_value: Decimal

    folder: str = "northwind"
    profile: str = "northwind"
    base_currency: str = "USD"
    time_zone: str = "UTC"
    business_date: str = "1998-06-30"

    def read(self, hub: Hub) -> Iterator[Figure]:
        """Yield each figure as the hub shows it."""
        counts = hub.ask("status")["documents"]
        yield figure("orders", self.orders, counts["order"]["count"], STATUS)
        lines = [
            line for row in hub.ask("show", "documents", "order")["rows"] for line in row["lines"]
        ]
        yield figure("order lines", self.lines, len(lines), shown("order"))
        yield figure("customers", self.customers, counts["customer"]["count"], STATUS)
        buyers = [row for row in hub.ask("show", "customers")["rows"] if row["name"]]
        yield figure(
            "customers with a name", self.customers, len(buyers), "headrace show customers"
        )
        yield figure("products", self.products, counts["product"]["count"], STATUS)
        shipments = hub.ask("show", "documents", "shipment")["rows"]
        waiting = [row for row in shipments if row["dispatched_on"] is None]
        yield figure("orders not shipped", self.not_shipped, len(waiting), shown("shipment"))
        late = [
            row
            for row in shipments
            if row["dispatched_on"] and row["dispatched_on"] > row["promised_on"]
        ]
        name = "shipped after the required date"
        yield figure(name, self.shipped_late, len(late), shown("shipment"))
        value = sum((Decimal(line["net_amount"]) for line in lines), Decimal(0))
        yield figure("order value, exact", self.order_value, value, shown("order"))
        rounded = round_money(self.order_value, self.base_currency)
        found = round_money(value, self.base_currency)
        yield figure("order value, rounded once", rounded, found, shown("order"))
        ordered = sum(row["orders"] for row in hub.ask("show", "customers")["rows"])
        yield figure("orders of all customers", self.orders, ordered, CUSTOMERS)
        units = sum((Decimal(line["quantity"]) for line in lines), Decimal(0))
        wanted = sum(
            (Decimal(row["orders"]) for row in hub.ask("show", "demand")["rows"]), Decimal(0)
        )
        yield figure("units ordered are the demand", units, wanted, "headrace show demand")
        yield figure("dead letters", 0, hub.ask("status")["dead_letters"], STATUS)


REAL = NorthwindFigures(
    orders=830,
    lines=2155,
    customers=91,
    products=77,
    not_shipped=21,
    shipped_late=37,
    order_value=Decimal("1265793.0395"),
)
