"""Shipments arrive: machines are put to use; what is late, damaged or wrong is complained of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from plant.chance import happens, lognormal
from plant.documents import Shipment
from plant.market import billing
from plant.truth import Named
from plant.works import calling, serving, stocking
from plant.works.complaining import complain
from plant.works.state import OwedOrder
from plant.world import Problem, World

_PROOF_IS_MISSING = 0.07
_DAMAGED = 0.03
_FAULTY_PARTS = 0.05
_SENT_BACK = 0.02
_PATIENT_DAYS = 2
_CAUSES_CASE = 0.55


def arrive(world: World, key: int, why: tuple[Named, ...]) -> None:
    """Deliver a shipment today; ``why`` names what made it late, if it is."""
    chance = world.chance("arriving")
    shipment = world.shipments.pop(key)
    proof = None if happens(chance, _PROOF_IS_MISSING) else f"POD{chance.randrange(10**9):09d}"
    shipment = replace(shipment, delivered_on=world.today, proof=proof, status="delivered")
    world.record(shipment)
    _put_to_use(world, shipment)
    days_late = (world.today - shipment.promised_on).days if shipment.promised_on else 0
    if days_late > _PATIENT_DAYS:
        _object_to_delay(world, shipment, days_late, why)
    if happens(chance, _DAMAGED):
        _find_fault(world, shipment, "Damaged on arrival", chance.randrange(1, 4))
    elif not _has_machine(world, shipment):
        if happens(chance, _FAULTY_PARTS):
            _find_fault(world, shipment, "Parts do not fit or fail", chance.randrange(4, 40))
        elif happens(chance, _SENT_BACK):
            back_on = world.today + timedelta(days=chance.randrange(4, 30))
            world.later(back_on, partial(_send_back, shipment=shipment))


def rest_is_late(world: World, owed: OwedOrder, since: date) -> None:
    """Let a customer object that the rest of a part shipment has not come."""
    chance = world.chance("arriving")
    calling.provoke(world, owed.customer, "order status")
    if happens(chance, _CAUSES_CASE):
        evidence = tuple(("production", each) for each in owed.slipped)
        problem = _problem(world, "delivery", owed.key, since, evidence)
        complain(
            world,
            owed.customer,
            "delivery",
            "medium",
            "Part of the order is missing",
            order=owed.key,
            problem=problem,
        )


def _put_to_use(world: World, shipment: Shipment) -> None:
    chance = world.chance("arriving")
    for line in shipment.lines:
        if world.products[line.product].is_machine:
            for serial_number in line.serial_numbers:
                install_on = world.today + timedelta(days=chance.randrange(1, 10))
                install = partial(
                    serving.install,
                    customer=shipment.customer,
                    product=line.product,
                    serial_number=serial_number,
                    order=line.order,
                )
                world.later(install_on, install)


def _object_to_delay(
    world: World, shipment: Shipment, days_late: int, why: tuple[Named, ...]
) -> None:
    """Call, complain, or hold back the money, the more likely the later it came."""
    chance = world.chance("arriving")
    anger = min(1.0, 0.5 + days_late / 20)
    calling.provoke(world, shipment.customer, "order status")
    if not happens(chance, anger):
        return
    order = shipment.lines[0].order
    evidence = (*why, ("shipment", shipment.key))
    promised_on = shipment.promised_on or world.today
    problem = _problem(world, "delivery", order, promised_on, evidence)
    if happens(chance, _CAUSES_CASE):
        severity = "high" if days_late > 14 else "medium"
        text = f"Delivered {days_late} days late"
        open_case = partial(
            _complain_of, shipment=shipment, category="delivery", severity=severity, text=text,
            problem=problem,
        )  # fmt: skip
        world.later(world.today + timedelta(days=1 + chance.randrange(4)), open_case)
    else:
        settled_on = world.today + timedelta(days=round(lognormal(chance, 30, 0.7)))
        world.later(settled_on, partial(_settle, problem=problem))


def _find_fault(world: World, shipment: Shipment, text: str, days: int) -> None:
    """Complain of the goods some days later, and send part of them back."""
    chance = world.chance("arriving")

    def find(world: World) -> None:
        evidence = (("shipment", shipment.key),)
        problem = _problem(world, "quality", shipment.lines[0].order, world.today, evidence)
        severity = chance.choice(("medium", "medium", "high"))
        _complain_of(world, shipment, "quality", severity, text, problem)

    world.later(world.today + timedelta(days=days), find)
    if not _has_machine(world, shipment) and happens(chance, 0.6):
        back_on = world.today + timedelta(days=days + chance.randrange(4, 20))
        world.later(back_on, partial(_send_back, shipment=shipment))


def _complain_of(
    world: World, shipment: Shipment, category: str, severity: str, text: str, problem: Problem
) -> None:
    complain(
        world,
        shipment.customer,
        category,
        severity,
        text,
        order=shipment.lines[0].order,
        shipment=shipment.key,
        problem=problem,
    )


def _send_back(world: World, shipment: Shipment) -> None:
    """Let one line come back, whole or in part: a shipment of a negative quantity."""
    chance = world.chance("arriving")
    if shipment.lines[0].order not in world.orders:
        return
    line = chance.choice(shipment.lines)
    count = 1 + chance.randrange(int(line.quantity))
    back = replace(
        line,
        number=10,
        quantity=Decimal(-count),
        serial_numbers=line.serial_numbers[:count],
    )
    returned = Shipment(
        key=world.new_key("shipment"),
        customer=shipment.customer,
        lines=(back,),
        promised_on=None,
        planned_on=world.today,
        dispatched_on=world.today,
        delivered_on=None,
        carrier=shipment.carrier,
        proof=None,
        status="dispatched",
    )
    world.record(returned)
    back_on = world.today + timedelta(days=chance.randrange(2, 8))
    world.later(back_on, partial(_take_back, returned=returned))


def _take_back(world: World, returned: Shipment) -> None:
    returned = replace(returned, delivered_on=world.today, status="delivered")
    world.record(returned)
    line = returned.lines[0]
    shelf = stocking.shelf_of(world, world.products[line.product])
    shelf.on_hand -= line.quantity
    billing.returned(world, returned)


def _problem(
    world: World, cause: str, order: int, since: date, evidence: tuple[Named, ...]
) -> Problem:
    problem = Problem(cause, since, None, evidence)
    if order in world.orders:
        world.problems[order].append(problem)
    return problem


def _settle(world: World, problem: Problem) -> None:
    problem.until = world.today


def _has_machine(world: World, shipment: Shipment) -> bool:
    return any(world.products[line.product].is_machine for line in shipment.lines)
