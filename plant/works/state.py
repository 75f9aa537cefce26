"""What the works know: production lines, shelves, what is owed to whom, and the service's files."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from plant.documents import Capacity, Case, Production
from plant.parameters import FIRST_DAY

if TYPE_CHECKING:
    from plant.world import World

ZERO = Decimal(0)

Made = Callable[["World", Production, Decimal], None]


@dataclass(slots=True)
class Job:
    """A production order that is not finished."""

    document: Production
    hours: float
    """Hours of its line that it takes."""
    days: int
    """From its start to its finish, where nothing goes wrong."""
    made: Made
    """Called with each quantity that is finished."""
    delayed: bool = False
    """Whether its material has been missing once: it is not missing twice."""


@dataclass(slots=True)
class Line:
    """A production line."""

    name: str
    weekly_hours: float
    """In a week without holidays."""
    waiting: list[tuple[date, int]] = field(default_factory=list)
    """Heap of (planned start, production order) of what is not started."""
    booked: dict[date, float] = field(default_factory=lambda: defaultdict(float))
    """Hours of what is not started, by the Monday of the week in which it is to start."""
    spare_hours: float = 0.0
    """Hours not yet given to a job; below zero while the last one still takes the line's time."""
    stopped_until: date | None = None
    """The last day of a breakdown."""
    weeks: dict[date, Capacity] = field(default_factory=dict)
    """This week and those to come, by their Monday."""


@dataclass(slots=True)
class Shelf:
    """What the warehouse has of a product."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    """Of what is on hand: picked for orders, not yet dispatched."""
    coming: Decimal = ZERO
    """In production for the shelf."""
    due_on: date | None = None
    """When the last of what is coming is planned to be finished."""
    at_depot: Decimal = ZERO
    """What the technicians have of it, at the service depot."""
    weekly: float = 0.0
    """Usual demand of a week, learned from week to week."""
    demanded: Decimal = ZERO
    """Demand of this week so far."""
    waiting: deque[tuple[int, int]] = field(default_factory=deque)
    """(order, line) that wait for it, oldest first."""
    short: Decimal = ZERO
    """How much they wait for."""
    counted: tuple[Decimal, Decimal] | None = None
    """(on hand, at the depot) as last counted."""

    @property
    def free(self) -> Decimal:
        """What may be promised to the next customer."""
        return self.on_hand - self.reserved


@dataclass(slots=True)
class OwedLine:
    """An order line, and where its quantity is."""

    number: int
    product: int
    promised_on: date
    is_confirmed: bool = False
    """Whether the customer has been told the promised date."""
    postponed: Decimal = ZERO
    """Wanted so late that nothing is done about it yet."""
    waiting: Decimal = ZERO
    """For a part that is out of stock."""
    in_production: Decimal = ZERO
    picked: Decimal = ZERO
    """Reserved on the shelf, until its day comes."""
    ready: Decimal = ZERO
    sent: Decimal = ZERO
    """In shipments, planned ones too."""
    dispatched: Decimal = ZERO
    jobs: list[int] = field(default_factory=list)
    """Its production orders that are not finished."""

    @property
    def open(self) -> Decimal:
        """What is in no shipment yet."""
        return self.postponed + self.waiting + self.in_production + self.picked + self.ready


@dataclass(slots=True)
class OwedOrder:
    """An order that is not finished: what has been dispatched of it, and what is owed."""

    key: int
    customer: int
    accepts_parts: bool
    """Whether it may be shipped in parts."""
    lines: dict[int, OwedLine] = field(default_factory=dict)
    slipped: list[int] = field(default_factory=list)
    """Production orders for it that were finished late."""
    shipments: int = 0
    is_watched: bool = False
    """Whether somebody will look after the rest of a part shipment."""


@dataclass(slots=True)
class Life:
    """How a machine in the field is used, which its file does not say."""

    hours_per_day: float
    order: int | None
    """The order that it came with, where it was sold since the first day."""
    has_contract: bool
    """Whether its regular services are booked with us."""


@dataclass(slots=True)
class Works:
    """The state of production, warehouse, shipping, service and call centre."""

    lines: dict[str, Line] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    shelves: dict[int, Shelf] = field(default_factory=lambda: defaultdict(Shelf))
    owed: dict[int, OwedOrder] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """The last serial number given, by series."""
    lives: dict[int, Life] = field(default_factory=dict)
    """By equipment."""
    cases: dict[int, Case] = field(default_factory=dict)
    """Those that are not closed."""
    open_cases: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """How many, by customer."""
    last_order: dict[int, int] = field(default_factory=dict)
    """By customer: the newest of which something was dispatched."""
    complained: set[tuple[int, int]] = field(default_factory=set)
    """(order, place among its problems) of wrong invoices that the service has a case about."""
    technicians: tuple[int, ...] = ()
    partners: tuple[int, ...] = ()
    """Technicians of other firms."""
    majors: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Parts on sale that carry a serial number, by the family of machines that they fit."""
    forged_from: date = FIRST_DAY
    """The day from which a forged part is on its way to one of our machines."""
    agents: tuple[str, ...] = ()
    """Who answers at the call centre."""
    heard_of: int = 0
    """How many customers the call centre reckons with."""
