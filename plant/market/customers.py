"""Who buys: the customers with their sizes, habits and groups, and how they come, change and go."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from math import exp
from random import Random

from plant.chance import Weighted, days_after, happens, lognormal, poisson
from plant.documents import CALLS, CRM, ERP, SERVICE, Company, Customer, Terms
from plant.market import contacts, needing, people, reporting
from plant.market.seasons import working
from plant.market.state import Habits
from plant.names.wording import words
from plant.parameters import FIRST_DAY
from plant.truth import LostCustomer
from plant.world import CURRENCY, Buyer, World

#: The share of the customers who are known on the first morning; the others come within two years.
_KNOWN_AT_FIRST = 0.86
_COMING_DAYS = 730
_IN_GROUPS = 0.07
_TWINS = 0.03
#: The spread of sizes, of which the skew of revenue follows.
_SIZE_SPREAD = 1.65
_MEAN_SIZE = exp(_SIZE_SPREAD**2 / 2)
_PARTS_ORDERS_PER_YEAR = 4.1
_MACHINE_CHANCES_PER_YEAR = 2.9
_YEARLY_SALES = 600_000
_LEAVES_PER_MONTH = 0.006
_FORGIVES = 0.7
_FAILED = "out of business"
_CHANGES_PER_MONTH = 0.006
_PAYERS = Weighted((("prompt", 55), ("sloppy", 25), ("disputing", 12), ("failing", 8)))
_RATED_AT = {"prompt": 2.2, "sloppy": 4.0, "disputing": 3.4, "failing": 5.6}
PREPAYMENT = "PRE"
_TERMS = Weighted(
    (
        (Terms("N30", days=30), 30),
        (Terms("N45", days=45), 12),
        (Terms("N60", days=60), 13),
        (Terms("M1E10", months=1, end_of_month=True, days=10), 14),
        (Terms("M1E", months=1, end_of_month=True), 8),
        (Terms("R3", days=30, instalments=3), 7),
        (Terms("N10", days=10), 5),
        (Terms("N90", days=90), 4),
        (Terms("N120", days=120), 1),
        (Terms(PREPAYMENT), 6),
    )
)


def open_files(world: World) -> None:
    """Record the customers of the first morning."""
    count = _known_by(world, FIRST_DAY)
    while len(world.market.everybody) < count:
        _arrive(world, count)


def daily(world: World) -> None:
    """Let new customers come; on the first working day of a month, files change and some leave."""
    while len(world.market.everybody) < (count := _known_by(world, world.today)):
        _arrive(world, count)
    if world.today == working(world.today.replace(day=1)):
        _review(world)


def is_gone(world: World, customer: int) -> bool:
    """Whether a customer orders no more."""
    leaving_on = world.buyers[customer].leaving_on
    return leaving_on is not None and leaving_on <= world.today


def _known_by(world: World, day: date) -> int:
    """How many customers are known by a day: all that were asked for after two years."""
    at_first = max(1, round(_KNOWN_AT_FIRST * world.parameters.customers))
    coming = world.parameters.customers - at_first
    return at_first + coming * (day - FIRST_DAY).days // _COMING_DAYS


def _arrive(world: World, limit: int) -> None:
    """Record a new customer, or a group of them if there is room."""
    chance = world.chance("customers")
    market = world.market
    if market.latest is not None and happens(chance, _TWINS):
        twin = market.register.twin(chance, market.latest)
        if twin is not None:
            _add(world, chance, twin, None)
            return
    if market.parents and world.today > FIRST_DAY and happens(chance, _IN_GROUPS):
        parent = chance.choice(list(market.parents))
        subsidiary = market.register.subsidiary(chance, market.parents[parent])
        _add(world, chance, subsidiary, parent)
        return
    company = market.latest = market.register.found(chance)
    key = _add(world, chance, company, None)
    is_numbered = "第" in company.name.legal
    if world.today == FIRST_DAY and not is_numbered and happens(chance, _IN_GROUPS):
        market.parents[key] = company
        for _ in range(min(1 + poisson(chance, 1.2), limit - len(market.everybody))):
            _add(world, chance, market.register.subsidiary(chance, company), key)


def _add(world: World, chance: Random, company: Company, parent: int | None) -> int:
    """Record a customer with all its habits; those of the first morning mostly bought before."""
    relative = lognormal(chance, 1.0 / _MEAN_SIZE, _SIZE_SPREAD)
    payer = _PAYERS.draw(chance)
    bought_before = world.today == FIRST_DAY and happens(chance, 0.9)
    machines_each_year = _MACHINE_CHANCES_PER_YEAR * _busy(relative)
    orders_each_year = _PARTS_ORDERS_PER_YEAR * _busy(relative)
    habits = Habits(
        machines_each_year=machines_each_year,
        usual_machines=max(1.0, relative**0.65),
        parts_scale=min(9.0, max(0.25, 1.3 * relative**0.5)),
        wallet=chance.betavariate(3.0, 2.2),
        discount=Decimal(round(min(18, max(0, chance.gauss(4, 3) + 3 * relative**0.5)))) / 100,
        collective=happens(chance, 0.06),
        pays_on=chance.choice(((), (), (), (10, 25), (15,), (20,))),
        fails_on=FIRST_DAY + timedelta(days=chance.randrange(60, 2200))
        if payer == "failing"
        else None,
        has_ordered=bought_before,
    )
    key = world.new_key("customer")
    document = _document(world, chance, key, company, parent, payer, relative, habits)
    systems = {CRM} if not bought_before else {ERP}
    if bought_before:
        for system, share in ((CRM, 0.94), (SERVICE, 0.7), (CALLS, 0.5)):
            if happens(chance, share):
                systems.add(system)
    document = replace(document, known_in=frozenset(systems))
    buyer = Buyer(
        document=document,
        size=relative / world.parameters.customers,
        payer=payer,
        growth=min(1.9, max(0.5, lognormal(chance, 1.03, 0.22))),
        order_gap_days=365.0 / orders_each_year,
    )
    world.buyers[key] = buyer
    world.truth.payers[key] = payer
    world.market.habits[key] = habits
    world.market.everybody.append(key)
    world.record(document)
    contacts.meet(world, document)
    if bought_before:
        needing.begin(world, key)
    return key


def _busy(relative: float) -> float:
    """How often a customer of this size buys, 1 on average over all sizes."""
    exponent = 0.6
    mean = exp(-exponent * (1 - exponent) * _SIZE_SPREAD**2 / 2)
    return float(relative**exponent / mean)


def _document(
    world: World,
    chance: Random,
    key: int,
    company: Company,
    parent: int | None,
    payer: str,
    relative: float,
    habits: Habits,
) -> Customer:
    expected = _YEARLY_SALES * relative + 20_000
    rate = world.rates[company.currency]
    spend = Decimal(round(expected / max(0.12, habits.wallet)))
    terms = _TERMS.draw(chance)
    limit: Decimal | None = _hundreds(Decimal(round(expected * chance.uniform(0.15, 0.5))) / rate)
    if terms.code == PREPAYMENT:
        limit = Decimal(0)
    elif happens(chance, 0.12):
        limit = None
    ratings = words("texts")["ratings"]
    place = round(chance.gauss(_RATED_AT[payer], 1.7))
    return Customer(
        key=key,
        **{one.name: getattr(company, one.name) for one in fields(Company)},
        parent=parent,
        owner=people.seller_for(world, chance, company.currency),
        annual_spend=_hundreds(spend / rate),
        credit_limit=limit,
        rating=ratings[min(len(ratings) - 1, max(0, place))],
        terms=terms,
        known_in=frozenset(),
    )


def _hundreds(amount: Decimal) -> Decimal:
    return max(Decimal(100), amount.quantize(Decimal("1E2")).quantize(Decimal(1)))


def _review(world: World) -> None:
    """Go through all files: some change, some customers decide to leave."""
    chance = world.chance("customers")
    market = world.market
    for key in market.everybody:
        buyer, habits = world.buyers[key], market.habits[key]
        if habits.fails_on is not None and world.today >= habits.fails_on:
            if buyer.leaving_on is None:
                _leave(world, buyer, days_after(chance, world.today, 40, 0.3), _FAILED)
                world.later(days_after(chance, world.today, 14, 0.4), partial(_block, key))
            continue
        if buyer.leaving_on is not None:
            continue
        open_cases = world.works.open_cases.get(key, 0)
        habits.anger = _FORGIVES * habits.anger + open_cases
        drawn = chance.random()
        if habits.has_ordered and drawn < _LEAVES_PER_MONTH * (1 + habits.anger):
            known = words("texts")["leaving"]
            why = Weighted((why, weight) for why, weight in known).draw(chance)
            if habits.anger > 1.0 and happens(chance, 0.6):
                why = "unhappy after complaints"
            on = world.today + timedelta(days=chance.randrange(45, 110))
            _leave(world, buyer, on, why)
        elif drawn > 1 - _CHANGES_PER_MONTH:
            _change(world, chance, buyer)


def _leave(world: World, buyer: Buyer, on: date, why: str) -> None:
    """Let a customer decide to leave; nobody is told."""
    buyer.leaving_on, buyer.leaving_why = on, why
    world.later(on, partial(_left, buyer.document.key))


def _left(key: int, world: World) -> None:
    buyer = world.buyers[key]
    if world.market.habits[key].has_ordered:
        lost = world.truth.lost[key] = LostCustomer(key, world.today, buyer.leaving_why)
        reporting.tell_lost_customer(world, lost)


def _block(key: int, world: World) -> None:
    """Take no more orders from a customer that pays no more."""
    buyer = world.buyers[key]
    buyer.document = replace(buyer.document, blocked=True)
    world.record(buyer.document)


def _change(world: World, chance: Random, buyer: Buyer) -> None:
    """Change what somebody keeps of a customer: credit, address or telephone."""
    document = buyer.document
    drawn = chance.random()
    if drawn < 0.5 and document.credit_limit:
        factor = Decimal(str(round(chance.uniform(0.7, 1.6), 2)))
        ratings = words("texts")["ratings"]
        place = ratings.index(document.rating) + chance.choice((-1, 0, 1))
        changed = replace(
            document,
            credit_limit=_hundreds(document.credit_limit * factor),
            rating=ratings[min(len(ratings) - 1, max(0, place))],
        )
    elif drawn < 0.75 and document.currency == CURRENCY:
        streets = words("companies_zh")["streets"]
        moved_to = f"{chance.choice(streets)}{chance.randrange(1, 999)}号"
        changed = replace(document, street=moved_to)
    else:
        last = f"{chance.randrange(10**4):04d}"
        changed = replace(document, second_phone=document.phone, phone=document.phone[:-4] + last)
    buyer.document = changed
    world.record(changed)
