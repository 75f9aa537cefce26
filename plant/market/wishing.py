"""What a customer needs, and what it orders for that: all, less, later, earlier or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from plant.chance import happens
from plant.documents import Product
from plant.market.seasons import working
from plant.market.state import Need, Wanted
from plant.works import promising
from plant.world import World

#: Parts are laid in ahead, and time is kept in hand before a machine has to be at work.
_STOCKS_UP = {False: 0.16, True: 0.5}
_STOCKS_UP_DAYS = {False: (8, 35), True: (15, 50)}
_SPENDS_LESS = 0.07
_WITHOUT_MONEY = 0.15
#: Customers wait so many days without a thought: for parts, and for machines.
_PATIENT_DAYS = {False: 2, True: 15}
#: The later it would come, the more often they buy elsewhere: from so much up to so much.
_ELSEWHERE = {False: (0.12, 0.6), True: (0.03, 0.2)}
_UNTIL_ELSEWHERE_DAYS = {False: 60, True: 400}
_TAKES_WHAT_IS_THERE = 0.25
_WAITS_OPENLY = 0.4


def consider(world: World, customer: int, wanted: Wanted) -> tuple[Need, Wanted | None]:
    """Return what a customer really needs, and what it orders for that; None: nothing."""
    chance = world.chance("wishing")
    product = world.products[wanted.product]
    need = wanted.need
    if need is None:
        need = Need(wanted.quantity, wanted.wanted_on)
        if happens(chance, _STOCKS_UP[product.is_machine]):
            days = timedelta(days=chance.randrange(*_STOCKS_UP_DAYS[product.is_machine]))
            need = replace(need, needed_on=working(need.needed_on + days))
    if world.buyers[customer].document.blocked or _has_no_money(world, chance, customer):
        return need, None
    if not product.is_machine and wanted.quantity > 1 and happens(chance, _SPENDS_LESS):
        share = chance.uniform(0.4, 0.85)
        wanted = replace(wanted, quantity=Decimal(max(1, int(float(wanted.quantity) * share))))
    return need, _ask_for(world, chance, customer, product, wanted)


def _has_no_money(world: World, chance: Random, customer: int) -> bool:
    """Whether a customer that has to pay before anything leaves cannot."""
    if world.buyers[customer].document.credit_limit != 0:
        return False
    fails_on = world.market.habits[customer].fails_on
    return (fails_on is not None and world.today >= fails_on) or happens(chance, _WITHOUT_MONEY)


def _ask_for(
    world: World, chance: Random, customer: int, product: Product, wanted: Wanted
) -> Wanted | None:
    """Ask when it could come; where that is too late, buy elsewhere, less, or for a later day."""
    heavy = product.is_machine
    comes_on = promising.could_deliver(world, customer, product, wanted.quantity)
    days_late = (comes_on - wanted.wanted_on).days
    if days_late <= _PATIENT_DAYS[heavy]:
        return wanted
    least, most = _ELSEWHERE[heavy]
    if happens(chance, min(most, least + days_late / _UNTIL_ELSEWHERE_DAYS[heavy])):
        return None
    there = promising.on_shelf(world, product)
    if not heavy and 0 < there < wanted.quantity and happens(chance, _TAKES_WHAT_IS_THERE):
        return replace(wanted, quantity=there)
    if happens(chance, _WAITS_OPENLY):
        return replace(wanted, wanted_on=working(comes_on))
    return wanted
