"""What is ordered is made or taken from the shelf, and a delivery date is promised."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from plant.chance import happens
from plant.documents import Order, OrderLine, Product, Production
from plant.market import ordering
from plant.works import carrying, lines, producing, shipping, stocking
from plant.works.promising import HANDLING_DAYS, MACHINE_SLACK_DAYS
from plant.works.state import ZERO, OwedLine, OwedOrder
from plant.world import World

_ACCEPTS_PARTS = 0.4
#: What is wanted later than this many days from now is left alone until then.
_POSTPONED_DAYS = 40


def take_order(world: World, order: Order) -> None:
    """Provide for an order as it now stands: new, changed or cancelled."""
    owed = world.works.owed.get(order.key)
    if order.status != "open" or order.deleted:
        if owed is not None:
            for line in owed.lines.values():
                _withdraw(world, line, line.open)
            del world.works.owed[order.key]
        return
    if owed is None:
        accepts = happens(world.chance("making"), _ACCEPTS_PARTS)
        owed = world.works.owed[order.key] = OwedOrder(order.key, order.customer, accepts)
    for wanted in order.lines:
        _take_line(world, owed, wanted)
    shipping.goods_ready(world, owed)
    _confirm_soon(world, order.key)


def daily(world: World) -> None:
    """Plan the week on Mondays; let the lines work."""
    if world.today.weekday() == 0:
        lines.begin_week(world)
        stocking.begin_week(world, _part_made)
        _forget(world)
    producing.work_a_day(world)


def _forget(world: World) -> None:
    """Keep of orders only those that may still be changed."""
    over = [key for key in world.works.owed if key not in world.orders]
    for key in over:
        del world.works.owed[key]


def _take_line(world: World, owed: OwedOrder, wanted: OrderLine) -> None:
    quantity = ZERO if wanted.rejected else wanted.quantity
    line = owed.lines.get(wanted.number)
    if line is None:
        if quantity > 0:
            line = owed.lines[wanted.number] = OwedLine(
                wanted.number, wanted.product, wanted.wanted_on
            )
            _provide(world, owed, line, quantity, wanted.wanted_on)
        return
    more = quantity - line.open - line.sent
    if more > 0:
        _provide(world, owed, line, more, wanted.wanted_on)
    elif more < 0:
        _withdraw(world, line, min(-more, line.open))
    if wanted.wanted_on > line.promised_on:
        line.promised_on, line.is_confirmed = wanted.wanted_on, False


def _provide(
    world: World, owed: OwedOrder, line: OwedLine, quantity: Decimal, wanted_on: date
) -> None:
    """Take it from the shelf, or make it, and promise a day on which it is with the customer."""
    product = world.products[line.product]
    line.is_confirmed = False
    provide_on = wanted_on - timedelta(days=_POSTPONED_DAYS)
    if not product.is_machine and provide_on > world.today:
        line.postponed += quantity
        world.later(provide_on, partial(_provide_postponed, key=owed.key, number=line.number))
        return
    shelf = stocking.shelf_of(world, product)
    customer = world.buyers[owed.customer].document
    on_the_road = timedelta(days=carrying.usual_days(customer, product.is_machine) + 1)
    shelf.demanded += quantity
    if shelf.free >= quantity:
        shelf.reserved += quantity
        line.picked += quantity
        earliest = world.today + timedelta(days=HANDLING_DAYS) + on_the_road
        line.promised_on = max(line.promised_on, earliest)
        pick_on = line.promised_on - on_the_road - timedelta(days=HANDLING_DAYS)
        world.later(pick_on, partial(_pick, key=owed.key, number=line.number, quantity=quantity))
    elif product.is_machine:
        slack = timedelta(days=MACHINE_SLACK_DAYS + HANDLING_DAYS)
        finish_on = max(producing.earliest_finish(world, product), wanted_on - on_the_road - slack)
        line.in_production += quantity
        place = (owed.key, line.number)
        job = producing.plan(world, product, quantity, finish_on, _ordered_made, place)
        line.jobs.append(job.document.key)
        line.promised_on = max(
            line.promised_on, job.document.planned_finish_on + on_the_road + slack
        )
    else:
        _wait_for_part(world, owed, line, product, quantity)
        due_on = shelf.due_on or world.today
        arrives_on = max(due_on, world.today) + on_the_road + timedelta(days=HANDLING_DAYS)
        line.promised_on = max(line.promised_on, arrives_on)


def _provide_postponed(world: World, key: int, number: int) -> None:
    owed = world.works.owed.get(key)
    line = owed.lines.get(number) if owed else None
    if owed is not None and line is not None and line.postponed > 0:
        quantity, line.postponed = line.postponed, ZERO
        _provide(world, owed, line, quantity, line.promised_on)
        _confirm_soon(world, key)


def _wait_for_part(
    world: World, owed: OwedOrder, line: OwedLine, product: Product, quantity: Decimal
) -> None:
    shelf = stocking.shelf_of(world, product)
    line.waiting += quantity
    shelf.waiting.append((owed.key, line.number))
    shelf.short += quantity
    if shelf.coming < shelf.short:
        stocking.make_part(world, product, shelf.short - shelf.coming, _part_made)


def _withdraw(world: World, line: OwedLine, quantity: Decimal) -> None:
    """Take back what the customer no longer wants: first what is not made yet."""
    taken = min(quantity, line.postponed)
    line.postponed -= taken
    quantity -= taken
    shelf = stocking.shelf_of(world, world.products[line.product])
    taken = min(quantity, line.waiting)
    line.waiting -= taken
    shelf.short -= taken
    quantity -= taken
    for key in reversed(line.jobs):
        job = world.works.jobs.get(key)
        if job is not None and job.document.started_on is None and quantity > 0:
            taken = min(quantity, job.document.planned, line.in_production)
            producing.reduce(world, key, taken)
            line.in_production -= taken
            quantity -= taken
    # What is being made already will lie on the shelf.
    taken = min(quantity, line.in_production)
    line.in_production -= taken
    quantity -= taken
    for place in ("picked", "ready"):
        taken = min(quantity, getattr(line, place))
        setattr(line, place, getattr(line, place) - taken)
        shelf.reserved -= taken
        quantity -= taken


def _confirm_soon(world: World, key: int) -> None:
    confirm_on = world.today + timedelta(days=world.chance("making").choice((1, 1, 2)))
    world.later(confirm_on, partial(_confirm, key=key))


def _confirm(world: World, key: int) -> None:
    owed = world.works.owed.get(key)
    order = world.orders.get(key)
    if owed is None or order is None or order.status != "open":
        return
    for line in owed.lines.values():
        if not line.is_confirmed and not line.postponed:
            line.is_confirmed = True
            ordering.promise(world, key, line.number, line.promised_on)


def _pick(world: World, key: int, number: int, quantity: Decimal) -> None:
    owed = world.works.owed.get(key)
    line = owed.lines.get(number) if owed else None
    if owed is not None and line is not None and line.picked > 0:
        picked = min(quantity, line.picked)
        line.picked -= picked
        line.ready += picked
        shipping.goods_ready(world, owed)


def _ordered_made(world: World, production: Production, quantity: Decimal) -> None:
    """Give what was made to the order that it was made for, if that still wants it."""
    shelf = stocking.shelf_of(world, world.products[production.product])
    shelf.on_hand += quantity
    owed = world.works.owed.get(production.order or 0)
    line = owed.lines.get(production.order_line or 0) if owed else None
    if owed is None or line is None:
        return
    if production.finished_on is not None and production.key in line.jobs:
        line.jobs.remove(production.key)
    given = min(quantity, line.in_production)
    if given <= 0:
        return
    line.in_production -= given
    line.ready += given
    shelf.reserved += given
    customer = world.buyers[owed.customer].document
    heavy = world.products[production.product].is_machine
    needed_on = line.promised_on - timedelta(days=carrying.usual_days(customer, heavy))
    if world.today > needed_on:
        _note_slipped(world, owed, production.key)
    shipping.goods_ready(world, owed)


def _part_made(world: World, production: Production, quantity: Decimal) -> None:
    """Serve those who wait for a part, in the order in which they came."""
    shelf = stocking.take_in(world, production, quantity)
    while shelf.waiting and shelf.free > 0:
        key, number = shelf.waiting[0]
        owed = world.works.owed.get(key)
        line = owed.lines.get(number) if owed else None
        if owed is None or line is None or not line.waiting:
            shelf.waiting.popleft()
            continue
        given = min(shelf.free, line.waiting)
        line.waiting -= given
        shelf.short -= given
        line.ready += given
        shelf.reserved += given
        if world.today > line.promised_on:
            _note_slipped(world, owed, production.key)
        if not line.waiting:
            shelf.waiting.popleft()
        shipping.goods_ready(world, owed)


def _note_slipped(world: World, owed: OwedOrder, production: int) -> None:
    if production not in owed.slipped:
        owed.slipped.append(production)
        progress = world.market.progress.get(owed.key)
        if progress is not None:
            progress.happened.append(("production", production))
