"""The state of the plant and its clock: what the parts of the world share, and what they tell.

The world is played day by day. Each part (selling, making, paying …) has a ``daily`` function, and
may put off what it knows will happen by `World.later`. All chance comes from the world's own
generators and nothing looks ahead, so that a plant played until an earlier day is the beginning of
the same plant.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Protocol

from plant.documents import (
    Customer,
    Document,
    Employee,
    Equipment,
    Invoice,
    Opportunity,
    Order,
    Product,
    Shipment,
)
from plant.market.state import Market
from plant.parameters import FIRST_DAY, Parameters
from plant.truth import Truth
from plant.works.state import Works

Action = Callable[["World"], None]

#: What the plant keeps its books in.
CURRENCY = "CNY"

_OPENS_AT = timedelta(hours=8)
_DAY_LENGTH_US = 11 * 3600 * 1_000_000


class Listener(Protocol):
    """Takes each document as it is recorded: the systems of the plant, through their habits."""

    def take(self, document: Document, at: datetime) -> None:
        """Take a document as it stands at this moment, local time; moments only grow."""

    def end_day(self, day: date) -> None:
        """Take note that nothing more is recorded on this day."""


@dataclass(slots=True)
class Problem:
    """Why a customer may hold back money for an order: a complaint, a delay, a wrong invoice."""

    cause: str
    """As in DOMAIN.md section 5: quality, delivery, after_sales or sales_management."""
    since: date
    until: date | None
    """When it was settled; None while it is open."""
    evidence: tuple[tuple[str, int], ...]
    """Documents behind it, as (type, key)."""
    complained_on: date | None = None
    """When a case was opened about it."""


@dataclass(slots=True)
class Buyer:
    """A customer with its habits, which no system knows."""

    document: Customer
    size: float
    """Its share of the whole market; they add up to about 1."""
    payer: str
    """prompt, sloppy, disputing or failing."""
    growth: float
    """What its demand is multiplied with from year to year."""
    order_gap_days: float
    """Days between two orders of parts, on average, before seasons and growth."""
    leaving_on: date | None = None
    """The day from which it orders no more; the world decides it, nobody is told."""
    leaving_why: str = ""
    machines: list[int] = field(default_factory=list)
    """Keys of its machines in the field, in the order of installation."""


@dataclass(slots=True)
class World:
    """Everything that is so in the plant today."""

    parameters: Parameters
    listener: Listener
    truth: Truth
    today: date = FIRST_DAY
    employees: dict[int, Employee] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)
    buyers: dict[int, Buyer] = field(default_factory=dict)
    opportunities: dict[int, Opportunity] = field(default_factory=dict)
    """Open ones only: what is over is taken out, so that the world stays small."""
    orders: dict[int, Order] = field(default_factory=dict)
    """Those of which something is still to be shipped, charged or paid."""
    shipments: dict[int, Shipment] = field(default_factory=dict)
    """Those that have not arrived, or are not charged."""
    invoices: dict[int, Invoice] = field(default_factory=dict)
    """Those that are not paid."""
    machines: dict[int, Equipment] = field(default_factory=dict)
    """Machines in the field, by the key of their equipment."""
    problems: dict[int, list[Problem]] = field(default_factory=lambda: defaultdict(list))
    """By order."""
    troubles: dict[int, deque[tuple[date, str, int]]] = field(
        default_factory=lambda: defaultdict(partial(deque, maxlen=5))
    )
    """By customer: its latest cases, and calls that settled nothing, as (day, type, key)."""
    rates: dict[str, Decimal] = field(default_factory=lambda: {CURRENCY: Decimal(1)})
    """Units of the plant's currency for one of each, today."""
    works: Works = field(default_factory=Works)
    """What the works side keeps for itself."""
    market: Market = field(default_factory=Market)
    _keys: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _agenda: dict[date, list[Action]] = field(default_factory=lambda: defaultdict(list))
    _chances: dict[str, Random] = field(default_factory=dict)
    _moment_us: int = 0

    def chance(self, part: str) -> Random:
        """Return the generator of one part of the world, so that no part disturbs another."""
        found = self._chances.get(part)
        if found is None:
            found = self._chances[part] = Random(f"{self.parameters.seed}/{part}")
        return found

    def new_key(self, kind: str) -> int:
        """Return the next key of this type of document: 1, 2 …"""
        self._keys[kind] += 1
        return self._keys[kind]

    def later(self, day: date, action: Action) -> None:
        """Do this on that day, before the daily parts; today or the past means tomorrow."""
        self._agenda[max(day, self.today + timedelta(days=1))].append(action)

    def record(self, document: Document) -> None:
        """Tell the systems how this document stands from this moment on."""
        self.listener.take(document, self._now())

    def play(self, opening: Action, parts: tuple[Action, ...]) -> None:
        """Play from the first day to the last; ``opening`` is what stands on the first morning."""
        opening(self)
        while True:
            for action in self._agenda.pop(self.today, ()):
                action(self)
            for daily in parts:
                daily(self)
            self.listener.end_day(self.today)
            if self.today >= self.parameters.until:
                return
            self.today += timedelta(days=1)
            self._moment_us = 0

    def _now(self) -> datetime:
        """The next moment of today's working hours, spread after the plant's size."""
        gap = _DAY_LENGTH_US // (20 + 2 * self.parameters.customers)
        # The first morning has more to tell than a day is long.
        steps = gap if self._moment_us < _DAY_LENGTH_US else 100
        self._moment_us += 1 + self.chance("moments").randrange(steps)
        opened = datetime.combine(self.today, datetime.min.time()) + _OPENS_AT
        return opened + timedelta(microseconds=self._moment_us)
