"""What the ERP writes of invoices, credit notes and payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from plant.documents import ERP, Allocation, Invoice, Payment
from plant.systems import erp_tables as tables
from plant.systems.erp_parties import CURRENCIES, day, flag, money, terms
from plant.systems.erp_sales import ENTRIES, INTERNAL
from plant.systems.exporting import Delivery
from plant.systems.flaws import CSV_BREAKS, Break, Part, emptied, impossible_day, worded
from plant.systems.numbers import Numbering
from plant.systems.tables import Row
from plant.systems.telling import CANCELLED, EXISTS

_RECEIPT, _WRITE_OFF = "1000005", "1000507"
_CENT = Decimal("0.01")


def _too_much(parts: list[Part]) -> list[Part]:
    return [_with(part, "FAmountFor", "10.00") if _is_plan(part) else part for part in parts]


def _too_fine(parts: list[Part]) -> list[Part]:
    (table, first), *rest = parts
    return [_with((table, first), "FAmount", "0.005"), *rest]


def _with(part: Part, column: str, more: str) -> Part:
    table, row = part
    place = table.columns.index(column)
    amount = f"{Decimal(row[place]) + Decimal(more):f}"
    return table, [*row[:place], amount, *row[place + 1 :]]


def _is_plan(part: Part) -> bool:
    return part[0] is tables.PLAN


def _has_plan(row: Row, parts: list[Part]) -> bool:
    return any(map(_is_plan, parts))


def _is_refund(row: Row, parts: list[Part]) -> bool:
    return bool(row[tables.RECEIVE_BILL.columns.index("FPre")] == "-1")


def _is_money(row: Row, parts: list[Part]) -> bool:
    return bool(row[tables.RECEIVE_BILL.columns.index("FClassTypeID")] == _RECEIPT)


_INVOICE_BREAKS = (
    *CSV_BREAKS,
    emptied("FBillNo", "no_key", "the invoice has no number"),
    impossible_day("FModifyDate", "not_a_date", "2024-02-30 00:00:00.000"),
    worded("FCurrencyID", "unknown_value", "the currency is unknown", "1009", lasting=True),
    Break(
        "the instalments do not add up",
        "instalments",
        spoil=_too_much,
        lasting=True,
        fits=_has_plan,
    ),
    Break("an amount has too many decimals", "digits", spoil=_too_fine, lasting=True),
)
_PAYMENT_BREAKS = (
    *CSV_BREAKS,
    emptied("FNumber", "no_key", "the payment has no number"),
    worded("FDate", "not_an_instant", "a date does not exist", "2024-02-30", lasting=True),
    worded(
        "FPre",
        "unknown_value",
        "its kind is one that nobody knows",
        "5",
        lasting=True,
        fits=_is_money,
    ),
    worded(
        "FReceiveAmountFor",
        "not_a_number",
        "a letter stands in an amount",
        "18O000.00",
        lasting=True,
    ),
    Break(
        "a refund has the wrong sign",
        "refund",
        "FReceiveAmountFor",
        lambda value: value.removeprefix("-"),
        lasting=True,
        fits=_is_refund,
    ),
    Break(
        "an amount has too many decimals",
        "digits",
        "FReceiveAmountFor",
        lambda value: f"{Decimal(value) + Decimal('0.004'):f}",
        lasting=True,
    ),
)


def invoice_record(
    invoice: Invoice, customer: str, item: int, numbering: Numbering, today: date
) -> Delivery:
    """An invoice with its entries, payment plan, disputes and allocations.

    Credit notes and cancellations are red, with the amounts of their entries below zero.
    """
    inter = str(INTERNAL + invoice.key)
    number = numbering.bill("invoice", invoice.key)
    seller = numbering.employees[ERP].of(invoice.salesperson)
    red = invoice.kind != "invoice"
    cancels = invoice.cancels if invoice.kind == "cancellation" else None
    cancelled = invoice.status == "cancelled"
    changed = day(today)
    row = [
        inter,
        number,
        "86" if invoice.gross == invoice.net else "80",
        "-1" if red else "1",
        day(invoice.invoiced_on),
        day(invoice.invoiced_on),
        str(item),
        customer,
        CURRENCIES[invoice.currency],
        f"{invoice.rate:f}",
        str(seller),
        f"{seller:04d}",
        *terms(invoice.terms),
        "" if invoice.order is None else numbering.bill("order", invoice.order),
        "" if invoice.shipment is None else numbering.bill("shipment", invoice.shipment),
        "" if cancels is None else numbering.bill("invoice", cancels),
        _plan_id(invoice),
        "1",
        flag(cancelled),
        changed,
    ]
    parts = _entries(invoice, inter, numbering, changed, red)
    if invoice.kind != "cancellation":
        parts += [
            (
                tables.PLAN,
                [
                    str((INTERNAL + invoice.key) * ENTRIES + each.number),
                    str(2 * (INTERNAL + invoice.key)),
                    inter,
                    str(each.number),
                    day(each.due_on),
                    money(each.amount),
                    changed,
                ],
            )
            for each in invoice.instalments
        ]
    parts += [
        (
            tables.DISPUTE,
            [
                str((INTERNAL + invoice.key) * ENTRIES + place),
                inter,
                day(dispute.since),
                day(dispute.until),
                dispute.reason,
                changed,
            ],
        )
        for place, dispute in enumerate(invoice.disputes)
    ]
    own = 2 * (INTERNAL + invoice.key)
    parts += _checks(invoice.allocations, number, "3", own, numbering, changed)
    return Delivery(
        "invoice",
        invoice.key,
        number,
        tables.SALE,
        row,
        _INVOICE_BREAKS,
        parts,
        EXISTS | (CANCELLED if cancelled else 0),
        closes=cancels,
        needs_parts=True,
    )


def _plan_id(invoice: Invoice) -> str:
    """The number of the first record of the payment plan."""
    if invoice.kind == "cancellation" or not invoice.instalments:
        return ""
    return str((INTERNAL + invoice.key) * ENTRIES + invoice.instalments[0].number)


def _entries(
    invoice: Invoice, inter: str, numbering: Numbering, changed: str, red: bool
) -> list[Part]:
    sign = Decimal(-1) if red else Decimal(1)
    tax = invoice.gross - invoice.net
    share = tax / invoice.net if invoice.net else Decimal(0)
    taxes = [(line.net * share).quantize(_CENT) for line in invoice.lines]
    if taxes:
        taxes[-1] = tax - sum(taxes[:-1], Decimal(0))
    percent = f"{share * 100:.2f}"
    first = (INTERNAL + invoice.key) * ENTRIES
    if not invoice.lines:
        # What stood open on the first morning came over in one sum.
        sums = [money(sign * invoice.net), percent, money(sign * tax), "", "", "", changed]
        return [(tables.SALE_ENTRY, [str(first), inter, "1", "", "", "1.0000", *sums])]
    return [
        (
            tables.SALE_ENTRY,
            [
                str(first + place),
                inter,
                str(line.number),
                "" if line.product is None else str(numbering.products[ERP].of(line.product)),
                "" if line.product is None else numbering.product(ERP, line.product),
                f"{sign * line.quantity:.4f}",
                money(sign * line.net),
                percent,
                money(sign * taxes[place]),
                "" if line.order is None else numbering.bill("order", line.order),
                "" if line.order_line is None else str(line.order_line // 10),
                "" if line.shipment is None else numbering.bill("shipment", line.shipment),
                changed,
            ],
        )
        for place, line in enumerate(invoice.lines)
    ]


def payment_record(
    payment: Payment, customer: str, item: int, numbering: Numbering, today: date
) -> Delivery:
    """A receipt, refund (below zero) or write-off with its allocations."""
    number = numbering.bill("payment", payment.key)
    changed = day(today)
    advance = payment.kind == "receipt" and not payment.allocations
    row = [
        str(INTERNAL + payment.key),
        number,
        day(payment.received_on),
        str(item),
        customer,
        "-1" if payment.kind == "refund" else flag(advance),
        _WRITE_OFF if payment.kind == "write_off" else _RECEIPT,
        CURRENCIES[payment.currency],
        f"{payment.rate:f}",
        money(payment.amount),
        payment.reference,
        day(payment.reversed_on),
        "1",
        changed,
    ]
    own = 2 * (INTERNAL + payment.key) + 1
    parts = _checks(payment.allocations, number, "5", own, numbering, changed)
    return Delivery(
        "payment", payment.key, number, tables.RECEIVE_BILL, row, _PAYMENT_BREAKS, parts
    )


def _checks(
    allocations: Sequence[Allocation],
    number: str,
    kind: str,
    own: int,
    numbering: Numbering,
    changed: str,
) -> list[Part]:
    return [
        (
            tables.CHECK,
            [
                str(own * ENTRIES + place),
                str(own),
                number,
                kind,
                numbering.bill("invoice", each.invoice),
                "" if each.instalment is None else str(each.instalment),
                day(each.allocated_on),
                money(each.amount),
                changed,
            ],
        )
        for place, each in enumerate(allocations)
    ]
