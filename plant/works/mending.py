"""Machines break down or are due for service, and technicians come."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

from plant.chance import Weighted, happens, lognormal
from plant.documents import Equipment
from plant.market import ordering
from plant.market.seasons import working
from plant.works import visiting
from plant.works.complaining import complain
from plant.world import Problem, World

_FAILURES_A_YEAR = 0.15
_LOOKS_AGAIN_DAYS = 180
_INFANT_DAYS = 150
_SEVERITY = Weighted((("low", 25.0), ("medium", 45.0), ("high", 24.0), ("critical", 6.0)))
_VISIT_AFTER_DAYS = {"low": 9.0, "medium": 6.0, "high": 3.0, "critical": 1.5}
_HOLDS_BACK = {"low": 0.3, "medium": 0.6, "high": 0.8, "critical": 0.95}
_LACKS_PART = 0.18
_FAULTS = (
    "Hydraulic leak",
    "Engine does not start",
    "Loss of power",
    "Overheating",
    "Noise in the travel gear",
    "Electrical fault",
    "Brake wears out",
    "Error code on the display",
)


def begin(world: World, machine: Equipment) -> None:
    """Let a machine that was put in the field work, fail and be serviced from now on."""
    _await_failure(world, machine.key)
    if world.works.lives[machine.key].has_contract:
        interval = _interval(world, machine)
        first = 1 + world.chance("mending").randrange(interval)
        world.later(world.today + timedelta(days=first), partial(_service, key=machine.key))


def complain_of_invoices(world: World, share: float) -> None:
    """Open cases about some of the wrong invoices that customers have found since last week."""
    chance = world.chance("complaining")
    works = world.works
    for order in [order for order in world.problems if order not in world.orders]:
        del world.problems[order]
    for order, problems in list(world.problems.items()):
        for place, problem in enumerate(problems):
            if problem.cause != "sales_management" or (order, place) in works.complained:
                continue
            works.complained.add((order, place))
            if problem.until is None and happens(chance, share):
                invoices = [key for kind, key in problem.evidence if kind == "invoice"]
                complain(
                    world,
                    world.orders[order].customer,
                    "billing",
                    chance.choice(("low", "medium")),
                    "Invoice is wrong",
                    order=order,
                    invoice=invoices[0] if invoices else None,
                )
    works.complained = {mark for mark in works.complained if mark[0] in world.problems}


def _await_failure(world: World, key: int) -> None:
    machine = world.machines[key]
    age = (world.today - machine.installed_on).days
    rate = _FAILURES_A_YEAR * (0.7 + 0.12 * age / 365)
    rate *= 0.4 + 0.6 * world.works.lives[key].hours_per_day / 5
    if age < _INFANT_DAYS:
        rate *= 2.2
    days = world.chance("mending").expovariate(rate / 365)
    if days > _LOOKS_AGAIN_DAYS:
        again_on = world.today + timedelta(days=_LOOKS_AGAIN_DAYS)
        world.later(again_on, partial(_look_again, key=key))
    else:
        world.later(world.today + timedelta(days=1 + int(days)), partial(_fail, key=key))


def _look_again(world: World, key: int) -> None:
    if key in world.machines:
        _await_failure(world, key)


def _fail(world: World, key: int) -> None:
    machine = world.machines.get(key)
    if machine is None:
        return
    _await_failure(world, key)
    chance = world.chance("mending")
    severity = _SEVERITY.draw(chance)
    is_new = (world.today - machine.installed_on).days < _INFANT_DAYS
    category = "quality" if is_new else "after_sales"
    life = world.works.lives[key]
    problem = None
    order = life.order if life.order in world.orders else None
    blamed = order or world.works.last_order.get(machine.customer)
    if blamed in world.orders and happens(chance, _HOLDS_BACK[severity]):
        problem = Problem(category, world.today - timedelta(days=1), None, ())
        world.problems[blamed].append(problem)
    case = complain(
        world,
        machine.customer,
        category,
        severity,
        chance.choice(_FAULTS),
        order=blamed if problem is not None else life.order if is_new else None,
        serial_number=machine.serial_number,
        problem=problem,
        is_mended=True,
    )
    days = 1 + round(lognormal(chance, _VISIT_AFTER_DAYS[severity], 0.6))
    visit_on = working(world.today + timedelta(days=days))
    lacks = None
    if severity in ("high", "critical") and happens(chance, _LACKS_PART):
        lacks = visiting.part_for(world, machine)
        ordering.order_parts(world, machine.customer, [(lacks, Decimal(1))], "breakdown")
    visiting.appoint(world, visiting.Errand(key, case, problem, lacks), visit_on)


def _service(world: World, key: int) -> None:
    """Appoint a service of the contract, and think of the next one."""
    machine = world.machines.get(key)
    if machine is None:
        return
    visit_on = working(world.today + timedelta(days=5 + world.chance("mending").randrange(10)))
    visiting.appoint(world, visiting.Errand(key, None, None), visit_on)
    next_on = world.today + timedelta(days=_interval(world, machine))
    world.later(next_on, partial(_service, key=key))


def _interval(world: World, machine: Equipment) -> int:
    """Return the days between two services: by the calendar, or sooner by the hours."""
    product = world.products[machine.product]
    hours_per_day = world.works.lives[machine.key].hours_per_day
    by_hours = (product.service_interval_hours or 500) / hours_per_day
    return max(60, round(min(product.service_interval_days or 180, by_hours)))
