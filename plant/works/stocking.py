"""The warehouse and the service depot: what lies there, what is made for them, what is counted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from plant.documents import Product, Production, Stock
from plant.parameters import FIRST_DAY
from plant.works import producing
from plant.works.state import ZERO, Made, Shelf
from plant.world import World

#: The main warehouse and the technicians' depot, by the last digit of the key of their counts.
SITES = ("W1", "S1")

_FIRST_WEEKLY_PARTS = 0.22
_COVER_WEEKS = 6.0
_BATCH_WEEKS = 6.0
_LEARNING = 0.12
_LEAST_BATCH = 3


def shelf_of(world: World, product: Product) -> Shelf:
    """Return the shelf of a product; that of a part is filled before the first day."""
    shelves = world.works.shelves
    shelf = shelves.get(product.key)
    if shelf is None:
        shelf = shelves[product.key] = Shelf()
        if not product.is_machine:
            _fill(world, product, shelf)
    return shelf


def take_to_depot(world: World, product: Product, quantity: Decimal) -> None:
    """Let technicians use some of a product; the depot fetches what it lacks."""
    shelf = shelf_of(world, product)
    shelf.at_depot -= quantity
    shelf.demanded += quantity
    if shelf.at_depot < 0:
        fetched = max(min(shelf.free, 2 * quantity - shelf.at_depot), ZERO)
        shelf.on_hand -= fetched
        shelf.at_depot = max(shelf.at_depot + fetched, ZERO)


def make_part(world: World, product: Product, least: Decimal, made: Made) -> None:
    """Plan a batch of a part, at least so much of it."""
    shelf = shelf_of(world, product)
    batch = max(Decimal(round(shelf.weekly * _BATCH_WEEKS)), least, Decimal(_LEAST_BATCH))
    finish_on = producing.earliest_finish(world, product)
    job = producing.plan(world, product, batch, finish_on, made)
    shelf.coming += batch
    shelf.due_on = max(shelf.due_on or finish_on, job.document.planned_finish_on)


def take_in(world: World, production: Production, quantity: Decimal) -> Shelf:
    """Put on the shelf what was made for it; what was scrapped is no longer coming."""
    shelf = shelf_of(world, world.products[production.product])
    shelf.on_hand += quantity
    shelf.coming = max(shelf.coming - production.planned, ZERO)
    return shelf


def begin_week(world: World, made: Made) -> None:
    """Count what has changed, learn from the week's demand, and order what runs out."""
    for product in list(world.products.values()):
        shelf = shelf_of(world, product)
        _count(world, product, shelf)
        if product.is_machine:
            continue
        shelf.weekly += _LEARNING * (float(shelf.demanded) - shelf.weekly)
        shelf.demanded = ZERO
        cover = shelf.weekly * (_COVER_WEEKS + product.lead_time_days / 14)
        if product.replaced_by is None and float(shelf.free + shelf.coming) < cover:
            make_part(world, product, ZERO, made)


def _fill(world: World, product: Product, shelf: Shelf) -> None:
    chance = world.chance("stocking")
    price = max(float(product.price), 50.0)
    share = 1.0 / sum(1 for each in world.products.values() if not each.is_machine)
    weekly = _FIRST_WEEKLY_PARTS * world.parameters.customers * share * (1500.0 / price) ** 0.5
    shelf.weekly = min(weekly, 6.0 * world.parameters.customers * share)
    if world.today == FIRST_DAY:
        shelf.on_hand = Decimal(1 + round(shelf.weekly * chance.uniform(6.0, 14.0)))


def _count(world: World, product: Product, shelf: Shelf) -> None:
    now = (shelf.on_hand, shelf.at_depot)
    if now == shelf.counted or (shelf.counted is None and now == (ZERO, ZERO)):
        return
    before = shelf.counted or (ZERO, ZERO)
    shelf.counted = now
    counted_on = world.today - timedelta(days=1)
    for place, site in enumerate(SITES):
        if now[place] != before[place]:
            key = product.key * 10 + place + 1
            world.record(Stock(key, product.key, site, now[place], counted_on))
