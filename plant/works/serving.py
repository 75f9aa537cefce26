"""Machines in the field: put to use, serviced by contract, wearing out and retired."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from random import Random

from plant.chance import happens, lognormal, poisson
from plant.documents import ERP, SERVICE, BuiltInPart, Employee, Equipment, Product
from plant.names.persons import person_name
from plant.works import mending
from plant.works.introducing import introduce
from plant.works.serials import has_serial, new_serial
from plant.works.state import Life
from plant.world import World

_PARTNER_TEAM = ("合作服务商", "客户服务事业部")
_PARTNERS = 2
_MACHINES_EACH, _MACHINES_BY_SIZE = 0.4, 1.7
_OLDEST_DAYS = 2600
_MAJOR_PARTS = 3
_WARRANTY_DAYS = (365, 365, 730)
_CONTRACT = 0.22
_COMPLAINS_OF_INVOICE = 0.5


def install_opening(world: World) -> None:
    """Record the machines that customers have from the years before the first day."""
    _hire_partners(world)
    _begin_month(world)
    chance = world.chance("installing")
    world.works.forged_from += timedelta(days=chance.randrange(45, 200))
    count = world.parameters.customers
    for key, buyer in world.buyers.items():
        if ERP not in buyer.document.known_in:
            continue
        mean = _MACHINES_EACH + _MACHINES_BY_SIZE * (buyer.size * count) ** 0.85
        for _ in range(poisson(chance, mean)):
            product = world.products[world.market.on_sale["machine"].draw(chance)]
            age = timedelta(days=1 + chance.randrange(_OLDEST_DAYS))
            serial_number = new_serial(world, product, (world.today - age).year)
            _put_in_field(world, chance, key, product, serial_number, world.today - age, None)


def install(world: World, customer: int, product: int, serial_number: str, order: int) -> None:
    """Put a machine that has arrived to use."""
    chance = world.chance("installing")
    made = world.products[product]
    _put_in_field(world, chance, customer, made, serial_number, world.today, order)


def daily(world: World) -> None:
    """Look at the parts on sale and the technicians monthly, at wrong invoices weekly."""
    if world.today.day == 1:
        _begin_month(world)
    if world.today.weekday() == 0:
        mending.complain_of_invoices(world, _COMPLAINS_OF_INVOICE)


def _put_in_field(
    world: World,
    chance: Random,
    customer: int,
    product: Product,
    serial_number: str,
    installed_on: date,
    order: int | None,
) -> None:
    introduce(world, customer, SERVICE)
    majors = world.works.majors.get(product.family, ())
    built_in = chance.sample(majors, min(_MAJOR_PARTS, len(majors)))
    hours_per_day = min(14.0, lognormal(chance, 4.5, 0.5))
    age = (world.today - installed_on).days
    machine = Equipment(
        key=world.new_key("equipment"),
        serial_number=serial_number,
        product=product.key,
        customer=customer,
        installed_on=installed_on,
        warranty_until=installed_on + timedelta(days=chance.choice(_WARRANTY_DAYS)),
        hours=round(hours_per_day * age) + chance.randrange(12),
        read_on=world.today,
        parts=tuple(
            BuiltInPart(
                place,
                part,
                new_serial(world, world.products[part], installed_on.year),
                installed_on,
            )
            for place, part in enumerate(sorted(built_in), start=1)
        ),
    )
    world.machines[machine.key] = machine
    world.buyers[customer].machines.append(machine.key)
    has_contract = happens(chance, _CONTRACT)
    world.works.lives[machine.key] = Life(hours_per_day, order, has_contract)
    world.record(machine)
    life_days = (product.expected_life_days or 3000) * chance.uniform(0.7, 1.5)
    left = max(life_days - age, 30 + chance.randrange(700))
    world.later(world.today + timedelta(days=round(left)), partial(_retire, key=machine.key))
    mending.begin(world, machine)


def _retire(world: World, key: int) -> None:
    machine = world.machines.pop(key)
    del world.works.lives[key]
    world.buyers[machine.customer].machines.remove(key)
    world.record(replace(machine, retired=True))


def _begin_month(world: World) -> None:
    works, market = world.works, world.market
    majors: dict[str, list[int]] = {}
    for key, families in market.fits.items():
        if has_serial(world.products[key]):
            for family in families:
                majors.setdefault(family, []).append(key)
    works.majors = {family: tuple(keys) for family, keys in majors.items()}
    technicians = [each for each in world.employees.values() if each.is_technician]
    works.technicians = tuple(each.key for each in technicians if each.team != _PARTNER_TEAM[0])
    works.partners = tuple(each.key for each in technicians if each.team == _PARTNER_TEAM[0])


def _hire_partners(world: World) -> None:
    """Record the technicians of other firms who mend our machines where we are far away."""
    chance = world.chance("installing")
    team, unit = _PARTNER_TEAM
    for _ in range(_PARTNERS):
        name, latin = person_name(chance, "zh")
        key = world.new_key("employee")
        world.employees[key] = Employee(key, name, latin, team, unit, None, True)
        world.record(world.employees[key])
