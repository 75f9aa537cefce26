"""What happens in the plant, as documents that name each other by the world's own keys.

A key is a whole number, unique in its type and known to nobody in the plant: each system writes its
own numbers. A document is recorded whole at each of its changes. Amounts are in the document's
currency, `_on` is a business date of the plant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

#: The five systems, by the name that the hub knows them by.
ERP, CRM, MES, CALLS, SERVICE = SYSTEMS = ("erp", "crm", "mes", "calls", "service")


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of payment: months, then end of month, then days; in so many equal instalments.

    With more than one instalment each further one is due another 30 days later.
    """

    code: str
    months: int = 0
    end_of_month: bool = False
    days: int = 0
    instalments: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    """What a company is called; which of it a system writes is that system's habit.

    ``legal`` is the full registered name, region and legal form included, ``brand`` what people
    say, ``latin`` the name in Latin letters (pinyin or English for a Chinese company).
    """

    legal: str
    brand: str
    latin: str
    region: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """A company that buys, or may."""

    key: int
    name: Name
    tax_id: str
    country: str
    region: str
    city: str
    street: str
    postcode: str
    phone: str
    """E.164."""
    second_phone: str | None
    email: str
    domain: str | None
    industry: str
    parent: int | None
    owner: int
    annual_spend: Decimal
    credit_limit: Decimal | None
    currency: str
    rating: str
    terms: Terms
    known_in: frozenset[str]
    """The systems in which it has a record by now."""
    blocked: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at a customer."""

    key: int
    customer: int
    name: str
    latin: str
    role: str
    influence: str
    """decides, recommends, uses or blocks."""
    reports_to: int | None
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody who sells, manages or mends."""

    key: int
    name: str
    latin: str
    team: str
    unit: str
    manager: int | None
    is_technician: bool = False


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


Document = (
    Customer
    | Contact
    | Employee
    | Product
    | Lead
    | Opportunity
    | Visit
    | Target
    | Order
    | Production
    | Stock
    | Capacity
    | Shipment
    | Invoice
    | Payment
    | Rate
    | Call
    | Case
    | ServiceVisit
    | Equipment
)
