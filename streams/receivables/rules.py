"""Receivables as pure rules: what of an invoice is open, what of a receipt is left, how old it is.

Definitions: DOMAIN §5. The values are named tuples: several are made per event.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from schemas.keys import reference_key

ZERO = Decimal(0)

AllocationId = tuple[str, str, int]


class Instalment(NamedTuple):
    """A part of an invoice with a due date; ``amount`` gross, in the invoice's currency."""

    number: int
    due_on: date
    amount: Decimal


class Invoice(NamedTuple):
    """An invoice as receivables need it; ``key`` and ``customer_key`` are ``source|id``."""

    key: str
    customer_key: str
    currency: str
    rate: Decimal | None
    invoiced_on: date
    gross: Decimal
    instalments: tuple[Instalment, ...]


class Allocation(NamedTuple):
    """A part of a receipt that pays an invoice, or one instalment of it.

    ``amount`` is what the receipt can give; ``allocated_on`` the later of the receipt's and the
    allocation's date; from ``reversed_on`` on it no longer counts.
    """

    document: str
    key: str
    number: int
    invoice_key: str
    instalment: int | None
    amount: Decimal
    allocated_on: date
    reversed_on: date | None

    @property
    def id(self) -> AllocationId:
        """What tells it from every other allocation: its document, key and number."""
        return self[:3]


class Receipt(NamedTuple):
    """A payment or credit note as receivables need it; ``amount`` lowers the outstanding."""

    document: str
    key: str
    customer_key: str
    currency: str
    rate: Decimal | None
    amount: Decimal
    received_on: date
    reversed_on: date | None
    allocations: tuple[Allocation, ...]


class Cancellation(NamedTuple):
    """A document that closes ``invoice_key`` whole from ``cancelled_on``."""

    key: str
    invoice_key: str
    cancelled_on: date


class Settlement(NamedTuple):
    """An invoice's state: what of each instalment is open, and what each allocation paid.

    ``last_change_on`` is the last date on which anything about it changed: from then on the state
    stays as it is.
    """

    open_amounts: tuple[Decimal, ...]
    applied: Mapping[AllocationId, Decimal]
    cancelled_on: date | None
    last_change_on: date

    @property
    def open_amount(self) -> Decimal:
        """What of the whole invoice is open."""
        return sum(self.open_amounts, ZERO)


def invoice_of(key: str, document: Mapping[str, Any]) -> Invoice:
    """Read the receivable of an invoice document of kind ``invoice``."""
    stated = document["instalments"]
    if stated:
        if len(stated) > 1:
            stated = sorted(stated, key=lambda part: (part["due_on"], part["number"]))
        instalments = tuple(
            [Instalment(part["number"], part["due_on"], part["amount"]) for part in stated]
        )
    else:
        due_on = due_by_terms(document["invoiced_on"], document["terms"])
        instalments = (Instalment(1, due_on, document["gross"]),)
    return Invoice(
        key,
        reference_key(document["customer"]),
        document["currency"],
        document["rate"],
        document["invoiced_on"],
        document["gross"],
        instalments,
    )


def due_by_terms(invoiced_on: date, terms: Mapping[str, Any] | None) -> date:
    """Return the due date by terms {months, end of month, days}, in that order, clamped."""
    if terms is None:
        return invoiced_on
    due = invoiced_on
    if terms["months"]:
        years, month = divmod(due.month - 1 + terms["months"], 12)
        year = due.year + years
        last = calendar.monthrange(year, month + 1)[1]
        due = date(year, month + 1, min(due.day, last))
    if terms["end_of_month"]:
        due = due.replace(day=calendar.monthrange(due.year, due.month)[1])
    return due + timedelta(days=terms["days"])


def receipt_of_payment(key: str, document: Mapping[str, Any]) -> Receipt:
    """Read the receipt of a payment document; a refund's negative amount raises the outstanding."""
    return _receipt("payment", key, document, document["amount"], document["received_on"])


def receipt_of_credit_note(key: str, document: Mapping[str, Any]) -> Receipt:
    """Read the receipt of an invoice document of kind ``credit_note``."""
    return _receipt("credit_note", key, document, document["gross"], document["invoiced_on"])


def _receipt(
    kind: str, key: str, document: Mapping[str, Any], amount: Decimal, received_on: date
) -> Receipt:
    reversed_on = document.get("reversed_on")
    stated = document["allocations"]
    allocations = []
    for number, part in enumerate(stated, 1):
        allocated_on = part["allocated_on"]
        allocations.append(
            Allocation(
                kind,
                key,
                number,
                reference_key(part["invoice"]),
                part["instalment"],
                part["amount"],
                max(received_on, allocated_on) if allocated_on else received_on,
                reversed_on,
            )
        )
    return Receipt(
        kind,
        key,
        reference_key(document["customer"]),
        document["currency"],
        document["rate"],
        amount,
        received_on,
        reversed_on,
        within(amount, allocations) if allocations else (),
    )


def within(amount: Decimal, allocations: Sequence[Allocation]) -> tuple[Allocation, ...]:
    """Return the allocations as far as the receipt's ``amount`` reaches.

    Those that name an instalment come first, then by date and number: a receipt cannot pay more
    than it brought, so what is unallocated never turns positive. One below zero gives nothing.
    """
    if len(allocations) == 1 and 0 <= allocations[0].amount <= amount:
        return (allocations[0],)
    total, least = ZERO, ZERO
    for one in allocations:
        total += one.amount
        least = min(least, one.amount)
    if total <= amount and least == 0:
        return tuple(allocations)
    left, kept = amount, []
    for one in sorted(
        allocations, key=lambda one: (one.instalment is None, one.allocated_on, one.number)
    ):
        given = max(ZERO, min(one.amount, left))
        left -= given
        kept.append(one._replace(amount=given))
    return tuple(sorted(kept, key=lambda one: one.number))


def settle(
    invoice: Invoice,
    cancellations: Iterable[Cancellation],
    allocations: Iterable[Allocation],
    as_of: date | None = None,
) -> Settlement:
    """Work out what of ``invoice`` is open at ``as_of``, or after everything known where None.

    Allocations that name an instalment come first, then the others, each group by
    (date, ``source|id``), each up to what is still open (DOMAIN §5). A cancellation closes the
    invoice whole from its own date.
    """
    invoiced_on = invoice.invoiced_on
    closings = [max(one.cancelled_on, invoiced_on) for one in cancellations]
    cancelled_on = min(closings, default=None)
    changed_on = invoiced_on if cancelled_on is None else cancelled_on
    effective = []
    for one in allocations:
        on = max(one.allocated_on, invoiced_on)
        changed_on = max(changed_on, on)
        if one.reversed_on is not None:
            changed_on = max(changed_on, one.reversed_on)
            if as_of is None or one.reversed_on <= as_of:
                continue
        if as_of is None or on <= as_of:
            effective.append((one.instalment is None, on, one.key, one.number, one.document, one))
    closed = cancelled_on is not None and (as_of is None or cancelled_on <= as_of)
    if closed or (as_of is not None and invoiced_on > as_of):
        return Settlement(tuple(ZERO for _ in invoice.instalments), {}, cancelled_on, changed_on)
    open_amounts = [instalment.amount for instalment in invoice.instalments]
    applied: dict[AllocationId, Decimal] = {}
    if len(effective) > 1:
        effective.sort(key=lambda row: row[:5])
    for *_, one in effective:
        left = one.amount
        for index, instalment in enumerate(invoice.instalments):
            if one.instalment is not None and instalment.number != one.instalment:
                continue
            taken = min(left, open_amounts[index])
            if taken > 0:
                open_amounts[index] -= taken
                left -= taken
        if left != one.amount:
            applied[one.id] = one.amount - left
    return Settlement(tuple(open_amounts), applied, cancelled_on, changed_on)


class OpenItem(NamedTuple):
    """One instalment as it stands at an as-of date; amounts in the invoice's currency."""

    invoice_key: str
    customer_key: str
    number: int
    due_on: date
    invoiced_on: date
    currency: str
    rate: Decimal | None
    amount: Decimal


def bucket_of(age_days: int, limits: Sequence[int]) -> int | None:
    """Return the index of the ageing bucket, 0 for 1 to the first limit; None where not due."""
    if age_days <= 0:
        return None
    for index, limit in enumerate(limits):
        if age_days <= limit:
            return index
    return len(limits)
