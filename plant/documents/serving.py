"""Who calls, what goes wrong, and the machines in the field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the call centre."""

    key: int
    caller: str
    """E.164."""
    customer: int | None
    """Who called, where the agent found out."""
    queue: str
    agent: str
    started_at: datetime
    """In the plant's local time, without zone."""
    waited_s: int
    talked_s: int
    abandoned: bool
    topic: str
    resolved: bool
    rating: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """A request or complaint."""

    key: int
    customer: int
    category: str
    """quality, delivery, after_sales, billing or request."""
    severity: str
    """low, medium, high or critical."""
    originator: str
    owner: int
    text: str
    opened_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    rating: int | None
    order: int | None
    shipment: int | None
    invoice: int | None
    serial_number: str | None


@dataclass(frozen=True, slots=True)
class UsedPart:
    """A part used in a visit; ``serial_number`` is empty for one that carries none."""

    number: int
    product: int
    serial_number: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class ServiceVisit:
    """A technician's visit to a machine."""

    key: int
    customer: int
    case: int | None
    technician: int
    serial_number: str
    appointment_at: datetime
    arrived_at: datetime | None
    completed_at: datetime | None
    work_done: str
    parts: tuple[UsedPart, ...]
    follow_up_done: bool | None
    cost: Decimal


@dataclass(frozen=True, slots=True)
class BuiltInPart:
    """A part with a serial number inside a machine."""

    number: int
    product: int
    serial_number: str
    installed_on: date


@dataclass(frozen=True, slots=True)
class Equipment:
    """A machine in the field."""

    key: int
    serial_number: str
    product: int
    customer: int
    installed_on: date
    warranty_until: date
    hours: int
    read_on: date
    parts: tuple[BuiltInPart, ...]
    retired: bool = False
