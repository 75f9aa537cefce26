"""Opportunities on their way from stage to stage until they are won or lost, and ordered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random

from hub.money import round_half_up
from plant.chance import days_after, happens, lognormal
from plant.documents import Opportunity, OpportunityLine
from plant.market import customers, ordering
from plant.market.seasons import working
from plant.market.state import Wanted
from plant.names.wording import words
from plant.world import World

_STAGES = ("identify", "qualify", "develop", "propose", "won")
#: The chance of coming to the next stage, for the usual salesperson.
_COMES_ON = {"identify": 0.62, "qualify": 0.66, "develop": 0.76, "propose": 0.8}
_DAYS_IN_STAGE = {"identify": 14, "qualify": 17, "develop": 22, "propose": 16}
_SLIPS = 0.3
_NEVER_ORDERED = 1 / 12
_AFTERTHOUGHT = 0.25


def told_chance(world: World, chance: Random, owner: int, stage: str) -> Decimal:
    """Return the probability that the owner of an opportunity tells at a stage."""
    skill = world.market.skill[owner]
    true = 1.0
    for each in _STAGES[_STAGES.index(stage) : -1]:
        true *= _COMES_ON[each] * skill
    told = true * world.market.optimism[owner] * chance.uniform(0.92, 1.08)
    return Decimal(round(100 * min(0.97, max(0.02, told)))) / 100


def plan(world: World, key: int) -> None:
    """Plan when the next thing happens to an opportunity."""
    chance = world.chance("opportunities")
    days = _DAYS_IN_STAGE[world.opportunities[key].stage]
    world.later(working(days_after(chance, world.today, days)), partial(_go_on, key))


def _go_on(key: int, world: World) -> None:
    """Take an opportunity to its next stage, lose it, or put it off."""
    chance = world.chance("opportunities")
    opportunity = world.opportunities[key]
    if customers.is_gone(world, opportunity.customer):
        _lose(world, opportunity, "competitor")
    elif happens(chance, _SLIPS):
        _put_off(world, chance, opportunity)
        plan(world, key)
    elif not happens(chance, _COMES_ON[opportunity.stage] * world.market.skill[opportunity.owner]):
        _lose(world, opportunity, chance.choice(words("texts")["loss_reasons"]))
    else:
        _come_on(world, chance, opportunity)


def _come_on(world: World, chance: Random, opportunity: Opportunity) -> None:
    stage = _STAGES[_STAGES.index(opportunity.stage) + 1]
    lines = tuple(_settled(world, chance, opportunity, line, stage) for line in opportunity.lines)
    changed = replace(
        opportunity,
        stage=stage,
        lines=lines,
        amount=sum((line.net for line in lines), start=Decimal(0)),
    )
    if stage == "won":
        world.record(replace(changed, outcome="won", probability=Decimal(1), closed_on=world.today))
        del world.opportunities[opportunity.key]
        if not happens(chance, _NEVER_ORDERED):
            days = round(lognormal(chance, 8, 0.7))
            day = working(world.today + timedelta(days=min(days, 40)))
            world.later(day, partial(_order, changed))
        return
    probability = told_chance(world, chance, opportunity.owner, stage)
    changed = world.opportunities[opportunity.key] = replace(
        changed,
        probability=probability,
        expected_close_on=max(opportunity.expected_close_on, world.today + timedelta(days=10)),
    )
    world.record(changed)
    plan(world, opportunity.key)


def _settled(
    world: World, chance: Random, opportunity: Opportunity, line: OpportunityLine, stage: str
) -> OpportunityLine:
    """Return a line as it is known at a later stage: what was open is found out, some changes."""
    found_out = {"qualify": 0.4, "develop": 0.7, "propose": 0.8, "won": 1.0}[stage]
    if line.product is None and happens(chance, found_out):
        line = replace(line, product=world.market.on_sale["machine"].draw(chance))
    if line.wanted_on is None and happens(chance, found_out):
        wanted_on = opportunity.expected_close_on + timedelta(days=chance.randrange(15, 60))
        line = replace(line, wanted_on=working(wanted_on))
    if happens(chance, _AFTERTHOUGHT):
        quantity = max(Decimal(1), line.quantity + chance.choice((-1, 1)))
        price = line.net / line.quantity * Decimal(chance.choice(("0.95", "0.98", "1")))
        line = replace(line, quantity=quantity, net=round_half_up(price * quantity, 2))
    return line


def _put_off(world: World, chance: Random, opportunity: Opportunity) -> None:
    """Let the decision slip, and the delivery with it."""
    later_by = timedelta(days=chance.randrange(10, 60))
    lines = tuple(
        line
        if line.wanted_on is None
        else replace(line, wanted_on=working(line.wanted_on + later_by))
        for line in opportunity.lines
    )
    closes_on = max(opportunity.expected_close_on, world.today) + later_by
    changed = replace(opportunity, expected_close_on=closes_on, lines=lines)
    world.opportunities[opportunity.key] = changed
    world.record(changed)


def _lose(world: World, opportunity: Opportunity, reason: str) -> None:
    del world.opportunities[opportunity.key]
    world.record(
        replace(
            opportunity,
            stage="lost",
            outcome="lost",
            loss_reason=reason,
            probability=Decimal(0),
            closed_on=world.today,
        )
    )


def _order(opportunity: Opportunity, world: World) -> None:
    """Order what was won, unless the customer is gone."""
    earliest = world.today + timedelta(days=7)
    wanted = [
        Wanted(
            line.product,
            line.quantity,
            working(max(line.wanted_on or earliest, earliest)),
            line.net,
        )
        for line in opportunity.lines
        if line.product is not None
    ]
    order = ordering.place(world, opportunity.customer, wanted, opportunity.key)
    if order is not None:
        world.truth.announced[order] = opportunity.key
