"""Exchange rates: one for each foreign currency and month."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from plant.documents import Rate
from plant.parameters import FIRST_DAY
from plant.world import CURRENCY, World

_AT_FIRST = {"EUR": 7.84, "USD": 7.12}


def post_first(world: World) -> None:
    """Record the rates that hold on the first morning."""
    for currency, rate in _AT_FIRST.items():
        _post(world, currency, rate, world.today)


def daily(world: World) -> None:
    """Record new rates on the first of a month."""
    if world.today.day != 1 or world.today == FIRST_DAY:
        return
    chance = world.chance("rates")
    for currency, usual in _AT_FIRST.items():
        now = float(world.rates[currency])
        _post(
            world, currency, now * (1 + chance.gauss(0, 0.011)) + 0.1 * (usual - now), world.today
        )


def _post(world: World, currency: str, rate: float, valid_on: date) -> None:
    world.rates[currency] = Decimal(str(round(rate, 4)))
    world.record(Rate(world.new_key("rate"), currency, CURRENCY, world.rates[currency], valid_on))
