"""Leads, opportunities and visits: what salespeople open, for whom, and what they tell of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random

from hub.money import round_half_up
from plant.chance import Weighted, days_after, happens, lognormal, poisson
from plant.documents import CRM, Lead, Opportunity, OpportunityLine, Visit
from plant.market import pursuing
from plant.market.needing import busy_customer, machines_wanted
from plant.market.seasons import is_working, season, working
from plant.names.wording import words
from plant.works.introducing import introduce
from plant.world import World

#: Per known customer and day.
_OPPORTUNITIES, _LEADS, _VISITS = 0.0079, 0.0012, 0.0062
_FROM_LEAD = 0.25
_STRANGERS = 0.3
_OF_ANOTHER_OWNER = 0.06
_WITHOUT_PRODUCT, _WITHOUT_DATE = 0.08, 0.12
_ENTERED_TWICE = 0.006
_CHANNELS = Weighted(
    (
        ("customer", 28),
        ("dealer", 16),
        ("salesperson", 30),
        ("campaign", 9),
        ("call_centre", 8),
        ("web", 9),
    )
)


def daily(world: World) -> None:
    """Open what comes up today."""
    if not is_working(world.today):
        return
    chance = world.chance("selling")
    known = len(world.market.everybody)
    for _ in range(poisson(chance, _OPPORTUNITIES * known * season(world.today) * 1.25)):
        if (customer := busy_customer(world, chance)) is not None:
            if happens(chance, _FROM_LEAD):
                _open_lead(world, chance, customer)
            else:
                open_opportunity(world, customer, world.today, _CHANNELS.draw(chance))
    for _ in range(poisson(chance, _LEADS * known)):
        _hear_of_stranger(world, chance)
    for _ in range(poisson(chance, _VISITS * known * 1.25)):
        if (customer := busy_customer(world, chance)) is not None:
            _visit(world, chance, customer)


def open_opportunity(world: World, customer: int, opened_on: date, channel: str) -> Opportunity:
    """Record a new opportunity for machines and let its owner pursue it."""
    chance = world.chance("opportunities")
    introduce(world, customer, CRM)
    document = world.buyers[customer].document
    owner = document.owner
    if happens(chance, _OF_ANOTHER_OWNER):
        owner = chance.choice(world.market.sellers[world.employees[owner].team])
    expected_close_on = max(
        days_after(chance, opened_on, 80, 0.35), world.today + timedelta(days=7)
    )
    lines = [_line(world, chance, customer, 1, expected_close_on)]
    if happens(chance, 0.15):
        lines.append(_line(world, chance, customer, 2, expected_close_on))
    if happens(chance, _WITHOUT_PRODUCT):
        lines = [replace(line, product=None) for line in lines]
    if happens(chance, _WITHOUT_DATE):
        lines = [replace(line, wanted_on=None) for line in lines]
    opportunity = Opportunity(
        key=world.new_key("opportunity"),
        customer=customer,
        title=f"{document.name.brand} {chance.choice(words('texts')['needs'])}",
        stage="identify",
        outcome=None,
        loss_reason=None,
        amount=sum((line.net for line in lines), start=Decimal(0)),
        currency=document.currency,
        probability=pursuing.told_chance(world, chance, owner, "identify"),
        opened_on=opened_on,
        expected_close_on=expected_close_on,
        closed_on=None,
        owner=owner,
        team=world.employees[owner].team,
        channel=channel,
        lines=tuple(lines),
    )
    world.opportunities[opportunity.key] = opportunity
    world.record(opportunity)
    if happens(chance, _ENTERED_TWICE):
        twice = replace(opportunity, key=world.new_key("opportunity"))
        world.record(twice)
        world.later(world.today + timedelta(days=3), partial(_delete, twice))
    pursuing.plan(world, opportunity.key)
    return opportunity


def _line(
    world: World, chance: Random, customer: int, number: int, closes_on: date
) -> OpportunityLine:
    habits = world.market.habits[customer]
    product = world.products[world.market.on_sale["machine"].draw(chance)]
    quantity = machines_wanted(chance, habits.usual_machines)
    rate = world.rates[world.buyers[customer].document.currency]
    price = product.price * (1 - habits.discount) / rate
    wanted_on = working(closes_on + timedelta(days=chance.randrange(15, 60)))
    return OpportunityLine(
        number,
        product.key,
        quantity,
        round_half_up(round_half_up(price, 2) * quantity, 2),
        wanted_on,
    )


def _delete(twice: Opportunity, world: World) -> None:
    world.record(replace(twice, deleted=True))


def _open_lead(world: World, chance: Random, customer: int) -> None:
    """Record a lead of a known customer, which becomes an opportunity some days later."""
    introduce(world, customer, CRM)
    document = world.buyers[customer].document
    lead = _lead(world, chance, customer, document.name.legal, document.owner)
    world.later(days_after(chance, world.today, 4), partial(_qualify, lead))


def _qualify(lead: Lead, world: World) -> None:
    qualified = replace(lead, status="qualified")
    world.record(qualified)
    world.later(days_after(world.chance("selling"), world.today, 6), partial(_convert, qualified))


def _convert(lead: Lead, world: World) -> None:
    """Make an opportunity of a lead."""
    assert lead.customer is not None
    opportunity = open_opportunity(world, lead.customer, world.today, lead.channel)
    world.record(
        replace(lead, status="converted", closed_on=world.today, opportunity=opportunity.key)
    )


def _hear_of_stranger(world: World, chance: Random) -> None:
    """Record a lead that comes to nothing, of a customer or of somebody nobody knows."""
    customer = None if happens(chance, _STRANGERS) else chance.choice(world.market.everybody)
    if customer is None:
        company = world.market.register.found(chance).name.legal
        owner = world.buyers[chance.choice(world.market.everybody)].document.owner
    else:
        introduce(world, customer, CRM)
        document = world.buyers[customer].document
        company, owner = document.name.legal, document.owner
    lead = _lead(world, chance, customer, company, owner)
    if happens(chance, 0.8):
        world.later(days_after(chance, world.today, 25, 0.8), partial(_drop, lead))


def _lead(world: World, chance: Random, customer: int | None, company: str, owner: int) -> Lead:
    has_budget = happens(chance, 0.5)
    lead = Lead(
        key=world.new_key("lead"),
        customer=customer,
        company=company,
        channel=_CHANNELS.draw(chance),
        need=chance.choice(words("texts")["needs"]),
        product=world.market.on_sale["machine"].draw(chance) if happens(chance, 0.6) else None,
        budget=Decimal(round(lognormal(chance, 900, 0.8)) * 1000) if has_budget else None,
        owner=owner,
        status="open",
        opened_on=world.today,
        closed_on=None,
        opportunity=None,
    )
    world.record(lead)
    return lead


def _drop(lead: Lead, world: World) -> None:
    world.record(replace(lead, status="dropped", closed_on=world.today))


def _visit(world: World, chance: Random, customer: int) -> None:
    introduce(world, customer, CRM)
    known = words("texts")
    expense = Decimal(round(lognormal(chance, 160, 0.8) * 100)) / 100
    visit = Visit(
        key=world.new_key("visit"),
        salesperson=world.buyers[customer].document.owner,
        customer=customer,
        visited_on=world.today,
        purpose=chance.choice(known["visit_purposes"]),
        result=chance.choice(known["visit_results"]),
        expense=expense,
    )
    world.record(visit)
