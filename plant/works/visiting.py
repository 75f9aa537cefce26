"""Visits of technicians: appointed, made, what was done and used, and one part that was forged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random

from plant.chance import happens, lognormal
from plant.documents import BuiltInPart, Equipment, ServiceVisit, UsedPart
from plant.market.seasons import working
from plant.works import complaining, stocking
from plant.works.moments import at, yesterday
from plant.works.serials import has_serial, new_serial
from plant.world import Problem, World

_BY_PARTNER, _FORGER = 0.08, 0.5
_COMES_LATE = 0.15
_MAJOR_PART = 0.35
_TURNS_UP_AGAIN = 0.12
_AGREED_DAYS = 22.0
_RATE_PER_HOUR, _TRAVEL = 180.0, 320.0
_SERVICE_WORK = ("Regular service", "Oil and filters changed", "Inspection after hours")
_REPAIR_WORK = ("Repaired", "Part replaced", "Adjusted and tested", "Leak sealed")


@dataclass(frozen=True, slots=True)
class Errand:
    """What a technician comes for: a case, or a service by contract."""

    machine: int
    case: int | None
    problem: Problem | None
    """Settled with the case."""
    urgent_part: int | None = None
    """A part that has to be ordered first: the first visit only finds that out."""


def part_for(world: World, machine: Equipment) -> int:
    """Return a part that a machine may need."""
    family = world.products[machine.product].family
    return world.market.parts_for[family].draw(world.chance("visiting"))


def appoint(world: World, errand: Errand, day: date) -> None:
    """Record an appointment, and let the technician keep it."""
    chance = world.chance("visiting")
    machine = world.machines.get(errand.machine)
    if machine is None:
        _close(world, errand)
        return
    by_partner = happens(chance, _FORGER if _forger_waits(world) else _BY_PARTNER)
    technicians = world.works.partners if by_partner else world.works.technicians
    visit = ServiceVisit(
        key=world.new_key("service_visit"),
        customer=machine.customer,
        case=errand.case,
        technician=chance.choice(technicians),
        serial_number=machine.serial_number,
        appointment_at=at(day, chance.choice((8, 8.5, 9, 9.5, 10, 13, 13.5, 14, 15))),
        arrived_at=None,
        completed_at=None,
        work_done="",
        parts=(),
        follow_up_done=None,
        cost=Decimal(0),
    )
    world.record(visit)
    world.later(day + timedelta(days=1), partial(_report, errand=errand, visit=visit))


def _report(world: World, errand: Errand, visit: ServiceVisit) -> None:
    """Write down yesterday's visit."""
    machine = world.machines.get(errand.machine)
    if machine is None:
        _close(world, errand)
        return
    chance = world.chance("visiting")
    delay = lognormal(chance, 75, 0.6) if happens(chance, _COMES_LATE) else chance.uniform(-10, 15)
    arrived_at = visit.appointment_at + timedelta(minutes=round(delay))
    hours = lognormal(chance, 2.5 if errand.case else 1.8, 0.5)
    is_diagnosis = errand.urgent_part is not None
    forges = _forger_waits(world) and visit.technician in world.works.partners
    parts = () if is_diagnosis else _use_parts(world, chance, machine, errand, forges)
    used = sum((world.products[each.product].cost * each.quantity for each in parts), Decimal(0))
    if is_diagnosis:
        work_done = "Diagnosis, part ordered"
    else:
        work_done = chance.choice(_REPAIR_WORK if errand.case else _SERVICE_WORK)
    visit = replace(
        visit,
        arrived_at=arrived_at,
        completed_at=arrived_at + timedelta(minutes=round(60 * hours)),
        work_done=work_done,
        parts=parts,
        follow_up_done=False if is_diagnosis else None,
        cost=Decimal(round(_TRAVEL + _RATE_PER_HOUR * hours)) + used,
    )
    world.record(visit)
    if forges and parts and parts[0].serial_number:
        world.truth.forged.append((machine.key, parts[0].serial_number, visit.key))
    _update_file(world, machine, parts)
    if is_diagnosis:
        again_on = working(world.today + timedelta(days=6 + chance.randrange(10)))
        world.later(again_on, partial(_come_again, errand=errand, visit=visit))
    elif errand.case is not None:
        if happens(chance, _TURNS_UP_AGAIN):
            again_on = working(world.today + timedelta(days=3 + chance.randrange(12)))
            appoint(world, errand, again_on)
        else:
            _close(world, errand)


def _come_again(world: World, errand: Errand, visit: ServiceVisit) -> None:
    """Appoint the repair after a diagnosis, now that the part has come."""
    world.record(replace(visit, follow_up_done=True))
    appoint(world, replace(errand, urgent_part=None), working(world.today + timedelta(days=1)))


def _close(world: World, errand: Errand) -> None:
    """Close the case; where money is held back, only when it is agreed who pays for the repair."""
    if errand.case is None:
        return
    if errand.problem is None:
        complaining.close(world, errand.case)
        return
    days = lognormal(world.chance("visiting"), _AGREED_DAYS, 0.8)
    close = partial(complaining.close, key=errand.case, problem=errand.problem)
    world.later(world.today + timedelta(days=1 + round(days)), close)


def _use_parts(
    world: World, chance: Random, machine: Equipment, errand: Errand, forges: bool
) -> tuple[UsedPart, ...]:
    """Return what the technician used: a major part sometimes first, then small ones."""
    used: list[tuple[int, str, int]] = []
    if machine.parts and (forges or (errand.case is not None and happens(chance, _MAJOR_PART))):
        product = _sold_today(world, chance.choice(machine.parts).product)
        serial = _forged_serial(world, machine, product) if forges else ""
        made = world.products[product]
        used.append((product, serial or new_serial(world, made, world.today.year), 1))
    for _ in range(chance.randrange(3) if errand.case is not None else 1 + chance.randrange(3)):
        product = part_for(world, machine)
        if not has_serial(world.products[product]):
            used.append((product, "", 1 + chance.randrange(4)))
    for product, _, count in used:
        stocking.take_to_depot(world, world.products[product], Decimal(count))
    return tuple(
        UsedPart(place, product, serial, Decimal(count))
        for place, (product, serial, count) in enumerate(used, start=1)
    )


def _update_file(world: World, machine: Equipment, parts: tuple[UsedPart, ...]) -> None:
    """Read the hours, and write down which major parts are inside now."""
    built_in = list(machine.parts)
    for part in parts:
        if not part.serial_number:
            continue
        for place, old in enumerate(built_in):
            if _sold_today(world, old.product) == part.product:
                built_in[place] = BuiltInPart(
                    old.number, part.product, part.serial_number, yesterday(world)
                )
                break
    hours_per_day = world.works.lives[machine.key].hours_per_day
    days = (yesterday(world) - machine.read_on).days
    machine = replace(
        machine,
        hours=machine.hours + round(hours_per_day * max(days, 0)),
        read_on=max(machine.read_on, yesterday(world)),
        parts=tuple(built_in),
    )
    world.machines[machine.key] = machine
    world.record(machine)


def _sold_today(world: World, product: int) -> int:
    """Return a product, or what has replaced it."""
    while (successor := world.products[product].replaced_by) is not None:
        product = successor
    return product


def _forger_waits(world: World) -> bool:
    return not world.truth.forged and world.today >= world.works.forged_from


def _forged_serial(world: World, machine: Equipment, product: int) -> str:
    """Return the serial number of a part of this kind that is inside somebody else's machine."""
    for other in world.machines.values():
        if other.customer != machine.customer:
            for part in other.parts:
                if part.product == product:
                    return part.serial_number
    return f"{world.products[product].code.replace('-', '')}-{world.today.year % 100}970001"
