"""What is made, stored and shipped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Product:
    """A machine or a spare part."""

    key: int
    code: str
    name: str
    latin: str
    family: str
    is_machine: bool
    unit: str
    price: Decimal
    """Net list price of one in the plant's currency."""
    cost: Decimal
    lead_time_days: int
    line: str
    service_interval_days: int | None
    service_interval_hours: int | None
    expected_life_days: int | None
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class Production:
    """A production order: one product for one order line, or for stock."""

    key: int
    product: int
    line: str
    planned: Decimal
    finished: Decimal
    scrapped: Decimal
    planned_start_on: date
    planned_finish_on: date
    started_on: date | None
    finished_on: date | None
    order: int | None
    order_line: int | None
    status: str
    """planned, released, started, finished or cancelled."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What lies of a product at a site at the end of a day; its key is product × 10 + site."""

    key: int
    product: int
    site: str
    quantity: Decimal
    counted_on: date


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a production line can do in a week."""

    key: int
    line: str
    first: date
    last: date
    hours: Decimal


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """What is shipped, or comes back (negative)."""

    number: int
    order: int
    order_line: int
    product: int
    quantity: Decimal
    serial_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods on their way to a customer, or back."""

    key: int
    customer: int
    lines: tuple[ShipmentLine, ...]
    promised_on: date | None
    planned_on: date
    dispatched_on: date | None
    delivered_on: date | None
    carrier: str
    proof: str | None
    status: str
    """planned, dispatched, delivered or cancelled."""
