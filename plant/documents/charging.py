"""What is charged, and what is paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plant.documents.parties import Terms


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What is charged or credited."""

    number: int
    product: int | None
    quantity: Decimal
    net: Decimal
    order: int | None
    order_line: int | None
    shipment: int | None


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of an invoice that falls due."""

    number: int
    due_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """What of a payment or credit note pays which invoice."""

    number: int
    invoice: int
    instalment: int | None
    amount: Decimal
    allocated_on: date


@dataclass(frozen=True, slots=True)
class Dispute:
    """A customer's objection to an invoice."""

    since: date
    until: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice, a credit note, or the cancellation of one of them; all amounts positive."""

    key: int
    customer: int
    kind: str
    """invoice, credit_note or cancellation."""
    invoiced_on: date
    order: int | None
    shipment: int | None
    cancels: int | None
    net: Decimal
    gross: Decimal
    currency: str
    rate: Decimal
    salesperson: int
    terms: Terms
    lines: tuple[InvoiceLine, ...]
    instalments: tuple[Instalment, ...]
    allocations: tuple[Allocation, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    status: str = "posted"
    """posted or cancelled."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came, went back, or is written off."""

    key: int
    customer: int
    kind: str
    """receipt, refund (negative) or write_off."""
    amount: Decimal
    currency: str
    rate: Decimal
    received_on: date
    reference: str
    allocations: tuple[Allocation, ...]
    reversed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of the plant's currency for one of a foreign one, from a day on."""

    key: int
    currency: str
    base: str
    rate: Decimal
    valid_on: date
