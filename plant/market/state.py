"""What the market side of the world remembers between the days."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from plant.chance import Weighted
from plant.documents import Company, Payment
from plant.names.companies import Register


@dataclass(slots=True)
class Habits:
    """How a customer buys and pays, beyond what its `Buyer` says."""

    machines_each_year: float
    """Opportunities for machines in a year, on average."""
    usual_machines: float
    """Machines in one opportunity, on average."""
    parts_scale: float
    """What the usual quantities of parts are multiplied with."""
    wallet: float
    """The share of its spend that comes to the plant when all goes well."""
    discount: Decimal
    collective: bool
    """Whether it gets one invoice a month for all that was shipped."""
    pays_on: tuple[int, ...]
    """Days of the month on which it pays; empty: any day."""
    fails_on: date | None
    """The day on which it can pay no more."""
    anger: float = 0.0
    """Its open complaints, month by month, forgiven little by little."""
    has_ordered: bool = False
    last_order: tuple[date, int] | None = None
    """When it ordered last, and the key of that order."""
    first_machines: int = 0
    """How many it had when it first needed parts."""


@dataclass(frozen=True, slots=True)
class Need:
    """How much of a product a customer could really use, and on which day."""

    quantity: Decimal
    needed_on: date


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer asks for of a product, and for when."""

    product: int
    quantity: Decimal
    wanted_on: date
    net: Decimal | None = None
    """The price agreed for all of it, in the customer's currency; None: the list price, less the
    customer's discount."""
    need: Need | None = None
    """Where it really needs something else than it asks for."""


@dataclass(slots=True)
class Progress:
    """How far an order has come: quantities by line, and what is still to be paid."""

    shipped: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    invoiced: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    needs: dict[int, Need] = field(default_factory=dict)
    """By line: what it was ordered for."""
    happened: list[tuple[str, int]] = field(default_factory=list)
    """Shipments that left, invoices, and production that slipped, as (type, key), as they came."""
    invoices: list[int] = field(default_factory=list)
    """All that bill it, in their order, whether paid or not."""
    unpaid: int = 0
    """How many of these are not paid."""


@dataclass(slots=True)
class OpenInvoice:
    """What is still open of an invoice, and why its customer pays as it does."""

    open: dict[int, Decimal]
    """By instalment."""
    orders: tuple[int, ...]
    causes: dict[int, str] = field(default_factory=dict)
    """By instalment: why it will be paid when it will be paid, where that is not in time."""
    wrong_by: Decimal = Decimal(0)
    """What is charged too much, gross."""
    holds: bool | None = None
    """Whether the customer holds the money back while something is not settled; None: it had no
    reason to think of that yet."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What was shipped of an order line, and is to be charged."""

    order: int
    line: int
    quantity: Decimal
    shipment: int


@dataclass(slots=True)
class Market:
    """Salespeople, products on sale, habits of customers and open business."""

    register: Register = field(default_factory=Register)
    parents: dict[int, Company] = field(default_factory=dict)
    """Heads of groups, by their key as customers."""
    everybody: list[int] = field(default_factory=list)
    """Keys of all customers, in the order in which they became known."""
    latest: Company | None = None
    """The company that became known last."""
    habits: dict[int, Habits] = field(default_factory=dict)
    sellers: dict[str, list[int]] = field(default_factory=dict)
    """By team, without its manager."""
    skill: dict[int, float] = field(default_factory=dict)
    """By salesperson: what the usual chances of winning are multiplied with at each stage."""
    optimism: dict[int, float] = field(default_factory=dict)
    """By salesperson: what the true chance of an opportunity is multiplied with when it is told."""
    on_sale: dict[str, Weighted[int]] = field(default_factory=dict)
    """Machines on sale by family, and those of all families under "machine"."""
    parts_for: dict[str, Weighted[int]] = field(default_factory=dict)
    """Parts on sale that fit a family of machines."""
    weight: dict[int, float] = field(default_factory=dict)
    """Of products on sale: how often they are wanted."""
    usual_quantity: dict[int, int] = field(default_factory=dict)
    """Of parts on sale."""
    fits: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Families of machines that a part on sale fits."""
    progress: dict[int, Progress] = field(default_factory=dict)
    """By order, as long as the order is in the world."""
    open_invoices: dict[int, OpenInvoice] = field(default_factory=dict)
    due: dict[tuple[int, date], list[tuple[int, int]]] = field(default_factory=dict)
    """What a customer will pay on a day: (invoice, instalment)."""
    advances: dict[int, dict[int, Decimal]] = field(default_factory=dict)
    """By order: what of a payment is not yet allocated, by payment."""
    advance_payments: dict[int, Payment] = field(default_factory=dict)
    """Those of which something is not yet allocated."""
    to_collect: dict[int, list[Charge]] = field(default_factory=dict)
    """By customer: what stands on the month's collective invoice."""
    told: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """By kind of story: the orders, or the customers, of which one may be told."""
