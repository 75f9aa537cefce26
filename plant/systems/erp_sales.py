"""What the ERP writes of orders and of what is shipped for them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from plant.documents import ERP, Order, Shipment
from plant.systems import erp_tables as tables
from plant.systems.erp_parties import CURRENCIES, day, flag, money, terms
from plant.systems.exporting import Delivery
from plant.systems.flaws import CSV_BREAKS, Break, Part, emptied, impossible_day, worded
from plant.systems.numbers import Numbering
from plant.systems.tables import Row
from plant.systems.telling import CANCELLED, DELETED, EXISTS

#: Numbers inside the tables begin here; they are unique in their table alone.
INTERNAL = 1000
#: Entries of a bill, at most.
ENTRIES = 100


def _line_twice(parts: list[Part]) -> list[Part]:
    (table, first), (_, second), *rest = parts
    number = table.columns.index("FEntryID")
    return [
        (table, first),
        (table, [*second[:number], first[number], *second[number + 1 :]]),
        *rest,
    ]


def _pieces_in_words(parts: list[Part]) -> list[Part]:
    (table, first), *rest = parts
    place = table.columns.index("FAuxQty")
    words = f"{first[place].partition('.')[0]}台"
    return [(table, [*first[:place], words, *first[place + 1 :]]), *rest]


def _stands(row: Row, parts: list[Part]) -> bool:
    return bool(row[tables.ORDER.columns.index("FCancellation")] == "0")


def _several(row: Row, parts: list[Part]) -> bool:
    return len(parts) > 1


_ORDER_BREAKS = (
    *CSV_BREAKS,
    emptied("FBillNo", "no_key", "the order has no number"),
    impossible_day("FModifyDate", "not_a_date", "2024-02-30 00:00:00.000"),
    worded(
        "FStatus",
        "unknown_value",
        "the status is one that nobody knows",
        "9",
        lasting=True,
        fits=_stands,
    ),
    worded("FCurrencyID", "unknown_value", "the currency is unknown", "77", lasting=True),
    worded("FDate", "not_an_instant", "a date does not exist", "2024-04-31", lasting=True),
    Break("a line stands twice", "line_number", spoil=_line_twice, lasting=True, fits=_several),
    Break("words stand in a quantity", "not_a_number", spoil=_pieces_in_words, lasting=True),
)
_BILL_BREAKS = (
    *CSV_BREAKS,
    emptied("FBillNo", "no_key", "the bill has no number"),
    impossible_day("FModifyDate", "not_a_date", "2024-13-01 00:00:00.000"),
    worded("FROB", "unknown_value", "it is neither blue nor red", "0", lasting=True),
)


def order_record(
    order: Order, customer: str, item: int, numbering: Numbering, today: date
) -> Delivery:
    """An order with its entries.

    Args:
        order: as it stands.
        customer: the number that it was entered under.
        item: the internal number of that.
        numbering: of all systems.
        today: the day of its change.
    """
    inter = str(INTERNAL + order.key)
    number = numbering.bill("order", order.key)
    seller = numbering.employees[ERP].of(order.salesperson)
    changed = day(today)
    cancelled = order.status == "cancelled"
    opportunity = order.opportunity
    row = [
        inter,
        number,
        "81",
        "0",
        day(order.ordered_on),
        str(item),
        customer,
        CURRENCIES[order.currency],
        f"{order.rate:f}",
        str(seller),
        f"{seller:04d}",
        *terms(order.terms),
        "" if opportunity is None else numbering.crm("opportunity", opportunity),
        "Y" if order.contract_reviewed else "N",
        "3" if order.status == "closed" else "1",
        flag(order.status == "closed"),
        flag(cancelled),
        day(order.cancelled_on),
        flag(order.deleted),
        changed,
    ]
    parts = [
        (
            tables.ORDER_ENTRY,
            [
                str((INTERNAL + order.key) * ENTRIES + line.number // 10),
                inter,
                str(line.number // 10),
                str(numbering.products[ERP].of(line.product)),
                numbering.product(ERP, line.product),
                f"{line.quantity:.4f}",
                f"{line.net / line.quantity:.6f}" if line.quantity else "0",
                money(line.net),
                "0",
                "0",
                f"{(line.gross - line.net) * 100 / line.net:.2f}" if line.net else "0",
                money(line.gross - line.net),
                money(line.gross),
                day(line.wanted_on),
                day(line.promised_on),
                f"{line.unit_cost:f}",
                flag(line.rejected),
                changed,
            ],
        )
        for line in order.lines
    ]
    draft = row.copy()
    draft[17] = "0"
    state = EXISTS | (CANCELLED if cancelled else 0) | (DELETED if order.deleted else 0)
    return Delivery(
        "order",
        order.key,
        number,
        tables.ORDER,
        row,
        _ORDER_BREAKS,
        parts,
        state,
        draft=draft,
        needs_parts=True,
    )


def change_notice(order: Row, key: int) -> Row:
    """A notice that an order was changed: it stands in the same table, and is no order."""
    return [str(900_000_000 + key), f"SOCHG{key:06d}", "1007100", "1", *order[4:]]


def shipment_record(
    shipment: Shipment, customer: str, item: int, numbering: Numbering, today: date
) -> Delivery:
    """A delivery note with its entries; a return is a red one with positive quantities."""
    inter = str(INTERNAL + shipment.key)
    number = numbering.bill("shipment", shipment.key)
    red = any(line.quantity < 0 for line in shipment.lines)
    sign = Decimal(-1) if red else Decimal(1)
    cancelled = shipment.status == "cancelled"
    changed = day(today)
    row = [
        inter,
        number,
        "21",
        "-1" if red else "1",
        day(shipment.dispatched_on or shipment.planned_on),
        str(item),
        customer,
        day(shipment.promised_on),
        day(shipment.planned_on),
        day(shipment.dispatched_on),
        day(shipment.delivered_on),
        shipment.carrier,
        shipment.proof or "",
        "1" if shipment.status in ("dispatched", "delivered") else "0",
        flag(cancelled),
        changed,
    ]
    parts = [
        (
            tables.STOCK_BILL_ENTRY,
            [
                str((INTERNAL + shipment.key) * ENTRIES + line.number // 10),
                inter,
                str(line.number),
                str(numbering.products[ERP].of(line.product)),
                numbering.product(ERP, line.product),
                f"{sign * line.quantity:.4f}",
                numbering.bill("order", line.order),
                str(line.order_line // 10),
                ";".join(line.serial_numbers),
                changed,
            ],
        )
        for line in shipment.lines
    ]
    state = EXISTS | (CANCELLED if cancelled else 0)
    return Delivery(
        "shipment",
        shipment.key,
        number,
        tables.STOCK_BILL,
        row,
        _BILL_BREAKS,
        parts,
        state,
        needs_parts=True,
    )
