"""What sales does, from the first hint to the order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plant.documents.parties import Terms


@dataclass(frozen=True, slots=True)
class Lead:
    """Somebody who may want something."""

    key: int
    customer: int | None
    company: str
    channel: str
    """customer, dealer, salesperson, campaign, call_centre or web."""
    need: str
    product: int | None
    budget: Decimal | None
    owner: int
    status: str
    """open, qualified, converted or dropped."""
    opened_on: date
    closed_on: date | None
    opportunity: int | None


@dataclass(frozen=True, slots=True)
class OpportunityLine:
    """What the customer may buy."""

    number: int
    product: int | None
    quantity: Decimal
    net: Decimal
    wanted_on: date | None


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A sale that may come."""

    key: int
    customer: int
    title: str
    stage: str
    """identify, qualify, develop, propose, won or lost."""
    outcome: str | None
    loss_reason: str | None
    amount: Decimal
    currency: str
    probability: Decimal
    """The owner's own, from 0 to 1."""
    opened_on: date
    expected_close_on: date
    closed_on: date | None
    owner: int
    team: str
    channel: str
    lines: tuple[OpportunityLine, ...]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """A salesperson's visit to a customer."""

    key: int
    salesperson: int
    customer: int
    visited_on: date
    purpose: str
    result: str
    expense: Decimal


@dataclass(frozen=True, slots=True)
class Target:
    """What a salesperson is to reach in a month."""

    key: int
    salesperson: int
    first: date
    last: date
    sales: Decimal
    margin: Decimal
    collections: Decimal
    working_days: int


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What is ordered."""

    number: int
    """10, 20 …"""
    product: int
    quantity: Decimal
    net: Decimal
    gross: Decimal
    unit_cost: Decimal
    wanted_on: date
    promised_on: date | None
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer ordered."""

    key: int
    customer: int
    ordered_on: date
    currency: str
    rate: Decimal
    """Units of the plant's currency for one of the order's."""
    salesperson: int
    terms: Terms
    opportunity: int | None
    contract_reviewed: bool
    lines: tuple[OrderLine, ...]
    status: str
    """open, closed or cancelled."""
    cancelled_on: date | None = None
    deleted: bool = False
