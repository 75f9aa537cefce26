"""What the plant sells: machines and spare parts, and how new ones replace old ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from plant.chance import Weighted, happens
from plant.documents import Product
from plant.names.wording import words
from plant.parameters import FIRST_DAY
from plant.world import World

_COST_SHARE = {True: (0.70, 0.80), False: (0.42, 0.62)}
_PART_LINES = ("P1", "P2")
#: Customers from which on a part is made in one size more.
_SIZE_STEPS = (0, 100, 500, 5_000, 50_000)


def open_catalogue(world: World) -> None:
    """Record the products of the first morning, and plan which are replaced or added when."""
    chance = world.chance("products")
    known = words("products")
    for family, each in known["machines"].items():
        for model in each["models"]:
            product = _add_machine(world, chance, family, model)
            _plan_successor(world, product, chance.randrange(150, 1600))
    count = sum(world.parameters.customers >= step for step in _SIZE_STEPS)
    for family, stems in known["parts"].items():
        for stem in stems:
            for size in known["sizes"][:count]:
                product = _add_part(world, chance, family, stem, size)
                if happens(chance, 0.5):
                    _plan_successor(world, product, chance.randrange(100, 2200))
    for day, family, model in known["novelties"]:
        world.later(FIRST_DAY + timedelta(days=day), partial(_launch, family, model))
    _arrange(world)


def _launch(family: str, model: Any, world: World) -> None:
    _add_machine(world, world.chance("products"), family, model)
    _arrange(world)


def _add_machine(world: World, chance: Random, family: str, model: Any) -> Product:
    code, name, latin, price, weight, lead_time = model
    known = words("products")["machines"][family]
    days, hours = known["interval"]
    product = Product(
        key=world.new_key("product"),
        code=code,
        name=name,
        latin=latin,
        family=family,
        is_machine=True,
        unit="台",
        price=Decimal(price),
        cost=_cost(chance, Decimal(price), True),
        lead_time_days=lead_time,
        line=known["line"],
        service_interval_days=days,
        service_interval_hours=hours,
        expected_life_days=known["life_days"],
        replaced_by=None,
    )
    world.market.weight[product.key] = weight
    return _offer(world, product)


def _add_part(world: World, chance: Random, family: str, stem: Any, size: Any) -> Product:
    code, name, latin, unit, price, quantity, weight, lead_time, life, fits = stem
    letter, price_share, size_weight = size
    market = world.market
    key = world.new_key("product")
    list_price = (Decimal(price) * Decimal(str(price_share))).quantize(Decimal(1))
    market.weight[key] = weight * size_weight
    market.usual_quantity[key] = quantity
    market.fits[key] = tuple(fits or words("products")["machines"])
    return _offer(
        world,
        Product(
            key=key,
            code=f"{code}-{chance.randrange(1000, 9999)}-{letter}",
            name=f"{name} {letter} 型",
            latin=f"{latin} {letter}",
            family=family,
            is_machine=False,
            unit=unit,
            price=list_price,
            cost=_cost(chance, list_price, False),
            lead_time_days=lead_time,
            line=chance.choice(_PART_LINES),
            service_interval_days=None,
            service_interval_hours=None,
            expected_life_days=life or None,
            replaced_by=None,
        ),
    )


def _offer(world: World, product: Product) -> Product:
    world.products[product.key] = product
    world.record(product)
    return product


def _plan_successor(world: World, product: Product, days: int) -> None:
    day = world.today + timedelta(days=days)
    world.later(day, partial(_replace, product.key))


def _replace(key: int, world: World) -> None:
    """Put a better product in the place of an old one, which is sold no more."""
    chance = world.chance("products")
    market, old = world.market, world.products[key]
    new_key = world.new_key("product")
    price = (old.price * Decimal(str(round(chance.uniform(1.02, 1.12), 3)))).quantize(Decimal(1))
    successor = replace(
        old,
        key=new_key,
        code=_next_code(old.code),
        name=f"{old.name.removesuffix('（新）')}（新）",
        latin=f"{old.latin.removesuffix(' new')} new",
        price=price,
        cost=_cost(chance, price, old.is_machine),
    )
    market.weight[new_key] = market.weight.pop(key)
    if not old.is_machine:
        market.usual_quantity[new_key] = market.usual_quantity.pop(key)
        market.fits[new_key] = market.fits.pop(key)
    _offer(world, successor)
    _offer(world, replace(old, replaced_by=new_key))
    _plan_successor(world, successor, chance.randrange(700, 1800))
    _arrange(world)


def _next_code(code: str) -> str:
    """Return the code of a successor: XE215, XE215-2, XE215-3 …"""
    stem, _, number = code.rpartition("-")
    if stem and number.isdigit() and len(number) == 1:
        return f"{stem}-{int(number) + 1}"
    return f"{code}-2"


def _arrange(world: World) -> None:
    """Work out anew what can be chosen from."""
    market = world.market
    sold = [world.products[key] for key in market.weight]
    machines = [product for product in sold if product.is_machine]
    families = words("products")["machines"]
    market.on_sale = {"machine": _choice(world, machines)}
    for family in families:
        market.on_sale[family] = _choice(world, [m for m in machines if m.family == family])
        fitting = [p for p in sold if not p.is_machine and family in market.fits[p.key]]
        market.parts_for[family] = _choice(world, fitting)


def _choice(world: World, products: list[Product]) -> Weighted[int]:
    return Weighted((each.key, world.market.weight[each.key]) for each in products)


def _cost(chance: Random, price: Decimal, is_machine: bool) -> Decimal:
    share = Decimal(str(round(chance.uniform(*_COST_SHARE[is_machine]), 4)))
    return (price * share).quantize(Decimal("0.01"))
