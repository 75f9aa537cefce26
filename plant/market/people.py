"""Who sells, manages and mends: teams, the people in them, and how they move."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from plant.chance import happens
from plant.documents import Employee
from plant.market.seasons import working
from plant.names.persons import person_name
from plant.names.wording import words
from plant.world import CURRENCY, World

_CUSTOMERS_EACH = 25
_MACHINES_EACH = 60
_CHANGES_TEAM = 0.02
_LEAVES_CUSTOMER = 0.006


def hire_everybody(world: World) -> None:
    """Record the managers, salespeople and technicians of the first morning."""
    chance = world.chance("people")
    market, teams = world.market, words("texts")["teams"]
    wanted = max(2 * len(teams), world.parameters.customers // _CUSTOMERS_EACH)
    abroad = max(2, round(wanted * 0.11))
    for team, unit, currency in teams:
        manager = _hire(world, chance, team, unit, None)
        count = (wanted - 2 * abroad) // 5 if currency == CURRENCY else abroad
        market.sellers[team] = [
            _hire(world, chance, team, unit, manager.key).key for _ in range(max(2, count))
        ]
        for seller in market.sellers[team]:
            _give_character(world, chance, seller)
    team, unit = words("texts")["service_team"]
    head = _hire(world, chance, team, unit, None)
    for _ in range(max(3, world.parameters.customers // _MACHINES_EACH)):
        _hire(world, chance, team, unit, head.key, technician=True)


def seller_for(world: World, chance: Random, currency: str) -> int:
    """Return a salesperson of one of the teams that sell in this currency."""
    teams = [team for team, _, sold in words("texts")["teams"] if sold == currency]
    return chance.choice(world.market.sellers[chance.choice(teams)])


def daily(world: World) -> None:
    """Let people change their teams, on the first working day of a month."""
    if world.today != working(world.today.replace(day=1)):
        return
    chance = world.chance("people")
    teams = {team: unit for team, unit, sold in words("texts")["teams"] if sold == CURRENCY}
    for team in teams:
        for seller in tuple(world.market.sellers[team]):
            if len(world.market.sellers[team]) > 1 and happens(chance, _CHANGES_TEAM):
                target = chance.choice([each for each in teams if each != team])
                _move(world, seller, team, target, teams[target])
    for customer in world.market.everybody:
        if happens(chance, _LEAVES_CUSTOMER):
            buyer = world.buyers[customer]
            owner = seller_for(world, chance, buyer.document.currency)
            if owner != buyer.document.owner:
                buyer.document = replace(buyer.document, owner=owner)
                world.record(buyer.document)


def _move(world: World, seller: int, team: str, target: str, unit: str) -> None:
    """Move a salesperson to another team; the customers stay where they are for now."""
    market = world.market
    market.sellers[team].remove(seller)
    market.sellers[target].append(seller)
    manager = world.employees[market.sellers[target][0]].manager
    moved = replace(world.employees[seller], team=target, unit=unit, manager=manager)
    world.employees[seller] = moved
    world.record(moved)


def _give_character(world: World, chance: Random, seller: int) -> None:
    """Decide how well somebody sells and how truly somebody tells of it."""
    market = world.market
    if happens(chance, 0.3):
        world.truth.hopeful.add(seller)
        market.optimism[seller] = chance.uniform(1.6, 2.0)
        market.skill[seller] = 0.68
    else:
        market.optimism[seller] = 1.0
        market.skill[seller] = chance.uniform(0.95, 1.05)


def _hire(
    world: World,
    chance: Random,
    team: str,
    unit: str,
    manager: int | None,
    technician: bool = False,
) -> Employee:
    key = world.new_key("employee")
    name, latin = person_name(chance, "zh")
    hired = Employee(key, name, latin, team, unit, manager, technician)
    world.employees[key] = hired
    world.record(hired)
    return hired
