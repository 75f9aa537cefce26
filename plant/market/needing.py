"""What customers run out of: spare parts for their machines, and machines that nobody announced."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random

from plant.chance import happens, lognormal, poisson
from plant.market import ordering
from plant.market.seasons import PEAK, month_end, next_month, season, working
from plant.market.state import Need, Wanted
from plant.parameters import FIRST_DAY
from plant.world import Buyer, World

#: Machine orders that no salesperson foresaw, for each opportunity that is opened.
_UNANNOUNCED = 0.042
_WAITS_FOR_MONTH_END, _WAITS_FOR_QUARTER_END = 0.2, 0.35
_FRAMEWORK = 0.04
_USES_UNEVENLY = 0.35
_YOUNG_DAYS = 500


def begin(world: World, customer: int) -> None:
    """Let a customer need parts from now on."""
    chance = world.chance("needing")
    buyer = world.buyers[customer]
    wait = chance.expovariate(1.0 / buyer.order_gap_days)
    world.later(world.today + timedelta(days=round(wait)), partial(_need, customer))


def daily(world: World) -> None:
    """Let some customers want machines at once."""
    chance = world.chance("unannounced")
    market = world.market
    expected = 0.0079 * _UNANNOUNCED * len(market.everybody) * season(world.today)
    for _ in range(poisson(chance, expected)):
        customer = busy_customer(world, chance)
        if customer is None or not market.habits[customer].has_ordered:
            continue
        product = market.on_sale["machine"].draw(chance)
        quantity = machines_wanted(chance, market.habits[customer].usual_machines)
        wanted_on = world.today + timedelta(days=chance.randrange(10, 60))
        wanted = [Wanted(product, quantity, working(wanted_on))]
        order = ordering.place(world, customer, wanted)
        if order is not None:
            world.truth.unpiped.append(order)


def busy_customer(world: World, chance: Random) -> int | None:
    """Return a customer that has not left, one that buys much more often than one that does not.

    Returns:
        None where chance found nobody.
    """
    market = world.market
    for _ in range(20):
        customer = chance.choice(market.everybody)
        if happens(chance, market.habits[customer].machines_each_year / 16.0):
            leaving_on = world.buyers[customer].leaving_on
            if leaving_on is None or leaving_on > world.today:
                return customer
    return None


def machines_wanted(chance: Random, usual: float) -> Decimal:
    """Return how many machines of a kind somebody wants who wants ``usual`` on average."""
    return Decimal(1 + poisson(chance, (usual - 1.0) * 0.6 + 0.15))


def _need(customer: int, world: World) -> None:
    """Order parts, if it is the season, and plan the next need."""
    buyer = world.buyers[customer]
    if buyer.leaving_on is not None and buyer.leaving_on <= world.today:
        return
    chance = world.chance("needing")
    gap = buyer.order_gap_days / (PEAK * _growth(world, buyer) * _fleet(world, buyer))
    wait = max(1, round(chance.expovariate(1.0 / gap)))
    world.later(world.today + timedelta(days=wait), partial(_need, customer))
    if not happens(chance, season(world.today) / PEAK):
        return
    day = working(world.today)
    ends_quarter = world.today.month % 3 == 0
    if happens(chance, _WAITS_FOR_QUARTER_END if ends_quarter else _WAITS_FOR_MONTH_END):
        day = max(day, month_end(world.today) - timedelta(days=chance.randrange(4)))
    if day > world.today:
        world.later(day, partial(_order, customer, world.today))
    else:
        _order(customer, world.today, world)


def _order(customer: int, since: date, world: World) -> None:
    """Order what a customer has been in need of since a day."""
    chance = world.chance("needing")
    habits = world.market.habits[customer]
    if habits.parts_scale > 1.2 and happens(chance, _FRAMEWORK):
        ordering.place(world, customer, _framework(world, chance, customer))
        return
    lead = timedelta(days=round(lognormal(chance, 12, 0.6)))
    wanted_on, needed_on = working(world.today + lead), working(since + lead)
    needed: dict[int, Decimal] = {}
    for _ in range(min(8, 1 + poisson(chance, 1.4))):
        product = _part(world, chance, customer)
        needed[product] = _quantity(world, chance, product, habits.parts_scale)
    wanted = [
        Wanted(
            product,
            quantity,
            wanted_on,
            need=Need(quantity, needed_on) if needed_on < wanted_on else None,
        )
        for product, quantity in needed.items()
    ]
    ordering.place(world, customer, wanted)


def _framework(world: World, chance: Random, customer: int) -> list[Wanted]:
    """Some months' need of a part or two, called off evenly, whatever each month really takes."""
    wanted = []
    scale = world.market.habits[customer].parts_scale
    products = {_part(world, chance, customer): None, _part(world, chance, customer): None}
    months = chance.randrange(3, 7)
    for product in products:
        quantity = _quantity(world, chance, product, scale)
        month = world.today.replace(day=1)
        for _ in range(months):
            month = next_month(month)
            day = working(date(month.year, month.month, 10))
            used = Decimal(round(lognormal(chance, float(quantity), _USES_UNEVENLY)))
            wanted.append(Wanted(product, quantity, day, need=Need(used, day)))
    return wanted


def _part(world: World, chance: Random, customer: int) -> int:
    """Return a part for one of the customer's machines; young machines rarely need big ones."""
    machines = world.buyers[customer].machines
    parts_for = world.market.parts_for
    if not machines:
        return parts_for[chance.choice(list(parts_for))].draw(chance)
    machine = world.machines[chance.choice(machines)]
    fitting = parts_for[world.products[machine.product].family]
    part = fitting.draw(chance)
    is_young = (world.today - machine.installed_on).days < _YOUNG_DAYS
    if is_young and world.products[part].expected_life_days is not None:
        part = fitting.draw(chance)
    return part


def _quantity(world: World, chance: Random, product: int, scale: float) -> Decimal:
    usual = world.market.usual_quantity[product]
    return Decimal(max(1, round(lognormal(chance, usual * scale, 0.5))))


def _growth(world: World, buyer: Buyer) -> float:
    years = (world.today - FIRST_DAY).days / 365.0
    return float(buyer.growth ** min(years, 3.0))


def _fleet(world: World, buyer: Buyer) -> float:
    """How much more it needs than at first, for the machines that it has bought since."""
    habits = world.market.habits[buyer.document.key]
    now = max(1, len(buyer.machines))
    if habits.first_machines == 0:
        habits.first_machines = now
    return 0.4 + 0.6 * min(2.5, now / habits.first_machines)
