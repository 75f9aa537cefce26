"""Monthly targets of salespeople, some of which are entered late."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from plant.chance import happens
from plant.documents import Target
from plant.market.seasons import next_month, season, working_days
from plant.world import World

_ENTERED_LATE = 0.1
_USUAL_MARGIN = Decimal("0.24")


def daily(world: World) -> None:
    """Set the targets of a month on its first day."""
    if world.today.day != 1:
        return
    chance = world.chance("targets")
    book: dict[int, Decimal] = defaultdict(Decimal)
    for buyer in world.buyers.values():
        document = buyer.document
        share = Decimal(str(round(world.market.habits[document.key].wallet, 3)))
        book[document.owner] += document.annual_spend * share * world.rates[document.currency]
    first = world.today
    for sellers in world.market.sellers.values():
        for seller in sellers:
            strength = Decimal(str(round(season(first) * chance.uniform(0.9, 1.25) / 12, 4)))
            sales = (book[seller] * strength / 1000).quantize(Decimal(1)) * 1000
            if happens(chance, _ENTERED_LATE):
                day = first + timedelta(days=chance.randrange(8, 26))
                world.later(day, partial(_set, seller, first, sales))
            else:
                _set(seller, first, sales, world)


def _set(seller: int, first: date, sales: Decimal, world: World) -> None:
    target = Target(
        key=world.new_key("target"),
        salesperson=seller,
        first=first,
        last=next_month(first) - timedelta(days=1),
        sales=sales,
        margin=(sales * _USUAL_MARGIN / 1000).quantize(Decimal(1)) * 1000,
        collections=(sales * Decimal("1.05") / 1000).quantize(Decimal(1)) * 1000,
        working_days=working_days(first),
    )
    world.record(target)
