"""What a decoded document holds, by type; made from avro/ by schemas.event_classes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict


class Reference(TypedDict):
    """Names a document by the system it comes from and its number there."""

    source: str
    id: str


class Terms(TypedDict):
    """Terms of payment: months, then end of month, then days are applied to the invoice
    date, in this order.
    """

    code: str | None
    months: int
    end_of_month: bool
    days: int


class Customer(TypedDict):
    """On party.customer.v1: A customer as one system knows it."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    name: str | None
    other_names: list[str]
    legal_form: str | None
    tax_id: str | None
    phones: list[str]
    emails: list[str]
    web_domain: str | None
    street: str | None
    city: str | None
    region: str | None
    postcode: str | None
    country: str | None
    parent: Reference | None
    owner: Reference | None
    industry: str | None
    annual_spend: Decimal | None
    credit_limit: Decimal | None
    currency: str | None
    credit_rating: str | None
    terms: Terms | None
    blocked: bool
    archived: bool
    same_as: list[Reference]


class Employee(TypedDict):
    """On party.employee.v1: An employee who sells, manages or serves."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    name: str | None
    team: str | None
    business_unit: str | None
    manager: Reference | None
    same_as: list[Reference]


class Product(TypedDict):
    """On supply.product.v1: A product that is sold, made or serviced."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    name: str | None
    family: str | None
    unit: str | None
    lead_time_days: int | None
    production_line: str | None
    service_interval_days: int | None
    service_interval_hours: int | None
    expected_life_days: int | None
    replaced_by: Reference | None
    same_as: list[Reference]


class OpportunityLine(TypedDict):
    """What the customer may buy."""

    number: str
    product: Reference | None
    quantity: Decimal | None
    net_amount: Decimal | None
    wanted_on: date | None


class Opportunity(TypedDict):
    """On sales.opportunity.v1: A sale that may come, from first contact to won or lost."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    customer: Reference | None
    title: str | None
    stage: str
    outcome: str | None
    loss_reason: str | None
    amount: Decimal | None
    currency: str | None
    probability: Decimal | None
    opened_on: date | None
    expected_close_on: date | None
    closed_on: date | None
    owner: Reference | None
    team: str | None
    channel: str | None
    lines: list[OpportunityLine]


class OrderLine(TypedDict):
    """What the customer ordered."""

    number: str
    product: Reference
    quantity: Decimal
    net_amount: Decimal
    gross_amount: Decimal | None
    unit_cost: Decimal | None
    wanted_on: date | None
    promised_on: date | None
    rejected: bool


class Order(TypedDict):
    """On sales.order.v1: What a customer ordered."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    customer: Reference
    ordered_on: date
    currency: str
    rate: Decimal | None
    lines: list[OrderLine]
    salesperson: Reference | None
    terms: Terms | None
    opportunity: Reference | None
    contract_reviewed: bool | None
    status: str
    cancelled_on: date | None


class ShipmentLine(TypedDict):
    """What is shipped."""

    number: str
    order: Reference | None
    order_line: str | None
    product: Reference | None
    quantity: Decimal
    serial_numbers: list[str]


class Shipment(TypedDict):
    """On logistics.shipment.v1: Goods on their way to a customer, or back."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    customer: Reference | None
    lines: list[ShipmentLine]
    promised_on: date | None
    planned_on: date | None
    dispatched_on: date | None
    delivered_on: date | None
    carrier: str | None
    proof_of_delivery: str | None
    status: str
    cancelled_on: date | None


class InvoiceLine(TypedDict):
    """What is billed."""

    number: str
    product: Reference | None
    quantity: Decimal | None
    net_amount: Decimal
    order: Reference | None
    order_line: str | None
    shipment: Reference | None
    shipment_line: str | None


class Instalment(TypedDict):
    """A part of the gross amount with its own due date: one open item."""

    number: int
    due_on: date
    amount: Decimal


class Dispute(TypedDict):
    """A time in which the customer contests the invoice."""

    since: date
    until: date | None
    reason: str | None


class Allocation(TypedDict):
    """What part of the document pays which open item."""

    invoice: Reference
    instalment: int | None
    amount: Decimal
    allocated_on: date | None


class Invoice(TypedDict):
    """On finance.invoice.v1: A claim on a customer, a credit note that reduces claims, or
    the cancellation of another invoice.
    """

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    customer: Reference
    kind: str
    invoiced_on: date
    cancels: Reference | None
    lines: list[InvoiceLine]
    instalments: list[Instalment]
    net: Decimal
    gross: Decimal
    gross_is_net: bool
    currency: str
    rate: Decimal | None
    terms: Terms | None
    salesperson: Reference | None
    disputes: list[Dispute]
    allocations: list[Allocation]
    order: Reference | None
    shipment: Reference | None
    status: str
    cancelled_on: date | None


class Payment(TypedDict):
    """On finance.payment.v1: Money received from a customer or given back, or a claim
    that is given up.
    """

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    customer: Reference
    kind: str
    amount: Decimal
    currency: str
    rate: Decimal | None
    received_on: date
    reference: str | None
    allocations: list[Allocation]
    reversed_on: date | None


class Rate(TypedDict):
    """On finance.rate.v1: An exchange rate on a date."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    currency: str
    base: str
    rate: Decimal
    valid_on: date


class Lead(TypedDict):
    """On sales.lead.v1: Somebody who may want something, before it is a sale that may come."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    customer: Reference | None
    organisation: str | None
    channel: str | None
    need: str | None
    product: Reference | None
    budget: Decimal | None
    currency: str | None
    owner: Reference | None
    status: str
    opened_on: date | None
    closed_on: date | None
    opportunity: Reference | None


class Visit(TypedDict):
    """On sales.visit.v1: A visit of a salesperson to a customer that took place."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    salesperson: Reference | None
    customer: Reference | None
    visited_on: date
    purpose: str | None
    result: str | None
    expense: Decimal | None
    currency: str | None


class Target(TypedDict):
    """On sales.target.v1: What a salesperson is to reach in a period."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    salesperson: Reference
    period_from: date
    period_to: date
    sales_target: Decimal | None
    gross_margin_target: Decimal | None
    collections_target: Decimal | None
    currency: str
    working_days: int | None


class Contact(TypedDict):
    """On party.contact.v1: A person at a customer."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    name: str | None
    customer: Reference | None
    role: str | None
    influence: str | None
    reports_to: Reference | None
    phones: list[str]
    emails: list[str]
    same_as: list[Reference]


class Production(TypedDict):
    """On supply.production.v1: A production order: a quantity of a product that is to be
    made, and how far it is.
    """

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    product: Reference
    quantity_planned: Decimal
    quantity_finished: Decimal | None
    quantity_scrapped: Decimal | None
    planned_start_on: date | None
    planned_finish_on: date | None
    started_on: date | None
    finished_on: date | None
    order: Reference | None
    order_line: str | None
    production_line: str | None
    status: str
    cancelled_on: date | None


class Stock(TypedDict):
    """On supply.stock.v1: What lies of a product at a site at a time."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    product: Reference
    site: str | None
    quantity: Decimal
    counted_at: datetime


class Capacity(TypedDict):
    """On supply.capacity.v1: What a production line can do on each day or in each week of
    a time.
    """

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    production_line: str
    period: str
    period_from: date
    period_to: date
    quantity: Decimal | None
    unit: str | None
    hours: Decimal | None


class Call(TypedDict):
    """On contact.call.v1: A call to the call centre."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    caller: str | None
    customer: Reference | None
    queue: str | None
    agent: str | None
    started_at: datetime
    waited_s: int | None
    talked_s: int | None
    abandoned: bool
    topic: str | None
    resolved: bool | None
    rating: int | None


class Case(TypedDict):
    """On service.case.v1: A request or complaint of a customer."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    customer: Reference | None
    category: str
    severity: str | None
    description: str | None
    originator: str | None
    owner: Reference | None
    opened_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    rating: int | None
    order: Reference | None
    shipment: Reference | None
    invoice: Reference | None
    serial_number: str | None


class UsedPart(TypedDict):
    """A part that was used."""

    number: str
    product: Reference | None
    serial_number: str | None
    quantity: Decimal


class ServiceVisit(TypedDict):
    """On service.visit.v1: A visit of a technician to a customer's equipment, from the
    appointment to its end.
    """

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    customer: Reference | None
    case: Reference | None
    appointment_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    technician: Reference | None
    serial_number: str | None
    work_done: str | None
    parts: list[UsedPart]
    follow_up_on: date | None
    follow_up_done: bool | None
    cost: Decimal | None
    currency: str | None
    status: str | None
    cancelled_on: date | None


class BuiltInPart(TypedDict):
    """A part with a serial number that is built in."""

    number: str
    product: Reference | None
    serial_number: str | None
    installed_on: date | None


class Equipment(TypedDict):
    """On service.equipment.v1: A piece of equipment in the field, known by its serial number."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    serial_number: str
    product: Reference | None
    customer: Reference | None
    installed_on: date | None
    warranty_until: date | None
    operating_hours: Decimal | None
    read_on: date | None
    parts: list[BuiltInPart]
    status: str | None


class DecisionSubject(TypedDict):
    """A document that the decision is about."""

    document: str
    reference: Reference


class Decision(TypedDict):
    """On hub.decision.v1: What a person decided in the hub; one that is undone is deleted."""

    version: int
    source: str
    id: str
    company: str | None
    occurred_at: datetime
    deleted: bool
    recorded_at: datetime | None
    kind: str
    subjects: list[DecisionSubject]
    subject_keys: list[str]
    value: str | None
    instalment: int | None
    amount: Decimal | None
    currency: str | None
    quantity: Decimal | None
    until_on: date | None
    assigned_to: Reference | None
    reason: str | None
    actor: str
    decided_at: datetime


class CustomerView(TypedDict):
    """On view.customer.v1: A customer of the hub: who it is, and how much of what is
    known of it. Key: its id.
    """

    version: int
    id: str
    name: str | None
    members: list[Reference]
    orders: int
    shipments: int
    invoices: int
    payments: int
    opportunities: int
    first_order_on: date | None
    last_order_on: date | None


class Balance(TypedDict):
    """What is owed in one currency."""

    currency: str
    outstanding: Decimal
    open_amount: Decimal
    unallocated: Decimal
    items: int


class ReceivableView(TypedDict):
    """On view.receivable.v1: What a customer of the hub owes, after everything that is
    known, whatever its date. Key: the customer's id.
    """

    version: int
    id: str
    name: str | None
    balances: list[Balance]


class DemandView(TypedDict):
    """On view.demand.v1: What production must make of a product in a month, from
    everything that is known. Key: product source|id|YYYY-MM.
    """

    version: int
    product: Reference
    product_name: str | None
    month: str
    orders: Decimal
    pipeline: Decimal
    total: Decimal
