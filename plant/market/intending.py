"""When a customer means to pay an instalment, and what makes that later than it is due."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from plant.chance import happens, lognormal
from plant.documents import Instalment, Invoice
from plant.market.seasons import is_working, working
from plant.market.state import Habits
from plant.market.terms import beyond_policy
from plant.world import World

_LATE = {"prompt": 0.045, "sloppy": 0.14, "disputing": 0.08, "failing": 0.3}
#: Who forgets is reminded within days; who has no money needs weeks.
_DAYS_LATE = {"prompt": 4, "sloppy": 28, "disputing": 28, "failing": 40}
_UNCLEAR_CONTRACT = 0.9


@dataclass(frozen=True, slots=True)
class Intention:
    """When an instalment will be paid, if nothing happens; ``paid_on`` None: never."""

    paid_on: date | None
    cause: str
    """Why not in time; meaningless where it is in time."""


def intend(world: World, chance: Random, invoice: Invoice, instalment: Instalment) -> Intention:
    """Return what the customer of an invoice means to do about one of its instalments."""
    buyer = world.buyers[invoice.customer]
    habits = world.market.habits[invoice.customer]
    due_on = instalment.due_on
    if habits.fails_on is not None and due_on >= habits.fails_on:
        return Intention(None, "credit")
    unclear = beyond_policy(invoice.terms) and not _contract_reviewed(world, invoice)
    if unclear and happens(chance, _UNCLEAR_CONTRACT):
        days = 3 + round(lognormal(chance, 18, 0.5))
        return Intention(working(due_on + timedelta(days=days)), "sales_management")
    if happens(chance, _LATE[buyer.payer]):
        days = 1 + round(lognormal(chance, _DAYS_LATE[buyer.payer], 0.6))
        cause = "other" if buyer.payer == "prompt" else "credit"
        return Intention(_on_its_days(due_on + timedelta(days=days), habits, False), cause)
    paid_on = _on_its_days(due_on - timedelta(days=chance.randrange(6)), habits, True)
    if not is_working(paid_on) and (due_on - paid_on).days < 4:
        # Offices are closed: some pay before, the others when they are open again.
        return Intention(_before(paid_on) if happens(chance, 0.6) else working(paid_on), "other")
    return Intention(working(paid_on), "other")


def _contract_reviewed(world: World, invoice: Invoice) -> bool:
    orders = dict.fromkeys(line.order for line in invoice.lines if line.order is not None)
    known = [world.orders[order] for order in orders if order in world.orders]
    return all(order.contract_reviewed for order in known)


def _on_its_days(day: date, habits: Habits, early: bool) -> date:
    """Move a day to one on which the customer pays: the one before, or the next one."""
    days = [min(each, monthrange(day.year, day.month)[1]) for each in habits.pays_on]
    if not days:
        return day
    if early:
        fitting = [each for each in days if each <= day.day]
        return day.replace(day=fitting[-1]) if fitting else day
    fitting = [each for each in days if each >= day.day]
    return day.replace(day=fitting[0]) if fitting else day


def _before(day: date) -> date:
    while not is_working(day):
        day -= timedelta(days=1)
    return day
