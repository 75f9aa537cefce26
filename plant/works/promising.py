"""When something could be with a customer, if it were ordered today."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from plant.documents import Product
from plant.works import carrying, producing, stocking
from plant.works.state import ZERO
from plant.world import World

HANDLING_DAYS = 2
MACHINE_SLACK_DAYS = 4


def on_shelf(world: World, product: Product) -> Decimal:
    """Return how much of a product nobody else waits for or has been given."""
    return max(stocking.shelf_of(world, product).free, ZERO)


def could_deliver(world: World, customer: int, product: Product, quantity: Decimal) -> date:
    """Return the day on which so much of a product could be with a customer; promises nothing."""
    shelf = stocking.shelf_of(world, product)
    document = world.buyers[customer].document
    on_the_road = timedelta(days=carrying.usual_days(document, product.is_machine) + 1)
    handling = timedelta(days=HANDLING_DAYS)
    if shelf.free >= quantity:
        return world.today + handling + on_the_road
    if product.is_machine:
        slack = timedelta(days=MACHINE_SLACK_DAYS)
        return producing.earliest_finish(world, product) + slack + handling + on_the_road
    if shelf.due_on is not None and shelf.coming >= shelf.short + quantity:
        return max(shelf.due_on, world.today) + handling + on_the_road
    return producing.earliest_finish(world, product) + handling + on_the_road
