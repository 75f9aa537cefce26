"""An SAP S/4HANA order-to-cash extract: the figures that must come out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.real.figures import Figure, figure
from tests.real.hub import Hub

STATUS = "headrace status"
OPEN_ITEMS = "reporting.open_items (SQL)"


@dataclass(frozen=True, slots=True)
class SapFigures:
    """What is expected; ``open_invoices`` are (customer, amount) by number."""

    customers: int
    archived: int
    products: int
    orders: int
    cancelled_orders: Sequence[str]
    deliveries: int
    deliveries_that_left: int
    delivery_lines: int
    invoices: int
    cancellations: int
    gross_is_net: int
    open_invoices: Mapping[str, tuple[str, str]]

    folder: str = "sap_o2c"
    profile: str = "sap_s4_o2c"
    base_currency: str = "INR"
    time_zone: str = "Asia/Kolkata"
    business_date: str = "2026-03-31"

    def read(self, hub: Hub) -> Iterator[Figure]:
        """Yield each figure as the hub shows it."""
        counts = hub.ask("status")["documents"]
        yield figure("customers", self.customers, counts["customer"]["count"], STATUS)
        archived = [row for row in self._documents(hub, "customer") if row["archived"]]
        yield figure("of them archived", self.archived, len(archived), shown("customer"))
        yield figure("products", self.products, counts["product"]["count"], STATUS)
        yield figure("orders", self.orders, counts["order"]["count"], STATUS)
        number = len(self.cancelled_orders)
        yield figure("of them cancelled", number, counts["order"]["cancelled"], STATUS)
        orders = {row["id"]: row for row in self._documents(hub, "order")}
        cancelled = sorted(key for key, row in orders.items() if row["status"] == "cancelled")
        yield figure("cancelled are", sorted(self.cancelled_orders), cancelled, shown("order"))
        yield figure("deliveries", self.deliveries, counts["shipment"]["count"], STATUS)
        deliveries = self._documents(hub, "shipment")
        left = [row for row in deliveries if row["status"] == "dispatched" and row["dispatched_on"]]
        yield figure("that have left", self.deliveries_that_left, len(left), shown("shipment"))
        lines = [line for row in deliveries for line in row["lines"]]
        yield figure("delivery lines", self.delivery_lines, len(lines), shown("shipment"))
        ordered = {
            (key, line["number"], line["product"]["id"])
            for key, row in orders.items()
            for line in row["lines"]
        }
        joined = [
            line
            for line in lines
            if line["order"]
            and (line["order"]["id"], line["order_line"], line["product"]["id"]) in ordered
        ]
        by = f"{shown('shipment')}, order"
        yield figure("joined to their order lines", self.delivery_lines, len(joined), by)
        yield from self._invoices(hub)
        yield from self._receivables(hub)
        yield figure("payments", 0, counts["payment"]["count"], STATUS)
        yield figure("dead letters", 0, hub.ask("status")["dead_letters"], STATUS)

    def _documents(self, hub: Hub, document: str) -> list[dict[str, Any]]:
        return list(hub.ask("show", "documents", document)["rows"])

    def _invoices(self, hub: Hub) -> Iterator[Figure]:
        bills = {row["id"]: row for row in self._documents(hub, "invoice")}
        by = shown("invoice")
        kinds = [row["kind"] for row in bills.values()]
        yield figure("invoices", self.invoices, kinds.count("invoice"), by)
        yield figure("cancellations", self.cancellations, kinds.count("cancellation"), by)
        closing = {
            row["cancels"]["id"]
            for row in bills.values()
            if row["kind"] == "cancellation" and bills[row["cancels"]["id"]]["kind"] == "invoice"
        }
        yield figure("each of another invoice", self.cancellations, len(closing), by)
        closed = hub.ask("status")["documents"]["invoice"]["cancelled"]
        yield figure("invoices closed by them", self.cancellations, closed, STATUS)
        marked = [row for row in bills.values() if row["gross_is_net"]]
        yield figure("without a journal row: gross is net", self.gross_is_net, len(marked), by)
        unequal = [row["id"] for row in marked if Decimal(row["gross"]) != Decimal(row["net"])]
        yield figure("of those gross differs from net", [], unequal, by)

    def _receivables(self, hub: Hub) -> Iterator[Figure]:
        open_items = hub.rows(
            "SELECT invoice_id, source || ' ' || invoice_id, open_amount, amount, customer_id::text"
            " FROM reporting.open_items ORDER BY invoice_id"
        )
        yield figure(
            "invoices open", sorted(self.open_invoices), [row[0] for row in open_items], OPEN_ITEMS
        )
        found = {row[0]: f"{row[2]:.2f}" for row in open_items}
        answer = hub.ask("show", "receivables")
        by = "headrace show receivables"
        hub_ids = {
            member["id"]: row["id"]
            for row in hub.ask("show", "customers")["rows"]
            for member in row["members"]
        }
        owed: dict[str, Decimal] = {}
        for invoice, (customer, amount) in sorted(self.open_invoices.items()):
            yield figure(f"{invoice} open", amount, found.get(invoice, "nothing"), OPEN_ITEMS)
            owed[customer] = owed.get(customer, Decimal(0)) + Decimal(amount)
        rows = {row["id"]: row["outstanding"] for row in answer["rows"]}
        for customer, sum_ in sorted(owed.items()):
            outstanding = rows.get(hub_ids.get(customer, ""), "nothing")
            yield figure(f"customer {customer} owes", f"{sum_:.2f}", outstanding, by)
        yield figure("customers that owe", len(owed), len(rows), by)
        total = sum(owed.values(), Decimal(0))
        yield figure("outstanding in all", f"{total:.2f}", answer["total"]["outstanding"], by)
        columns = [answer["total"]["not_due"], answer["total"]["unallocated"]]
        columns += [bucket["amount"] for bucket in answer["total"]["buckets"]]
        yield figure("columns add up to", total, sum(map(Decimal, columns), Decimal(0)), by)


def shown(document: str) -> str:
    """Return the command that shows documents of a type."""
    return f"headrace show documents {document}"


REAL = SapFigures(
    customers=8,
    archived=6,
    products=69,
    orders=100,
    cancelled_orders=(
        *("740584", "740585", "740588", "740589", "740591", "740593", "740594"),
        *("740596", "740597", "740599", "740600", "740602", "740603", "740605"),
    ),
    deliveries=86,
    deliveries_that_left=3,
    delivery_lines=137,
    invoices=83,
    cancellations=80,
    gross_is_net=40,
    open_invoices={
        "90504248": ("320000083", "765.00"),
        "90628265": ("320000082", "870.48"),
        "90628266": ("320000082", "1019.16"),
    },
)
