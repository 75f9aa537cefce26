"""Goods that are ready are shipped, at once or in parts, and arrive, mostly as promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from plant.chance import happens
from plant.documents import Shipment, ShipmentLine
from plant.market import billing, ordering
from plant.market.seasons import working
from plant.works import arriving, stocking
from plant.works.carrying import carrier_for, real_days
from plant.works.serials import new_serials
from plant.works.state import ZERO, OwedLine, OwedOrder
from plant.world import World

_WAITS_FOR_DAYS = 20
_DISPATCHED_LATE = 0.06


def goods_ready(world: World, owed: OwedOrder) -> None:
    """Plan a shipment of what is ready of an order, unless it waits for the rest."""
    ready = [line for line in owed.lines.values() if line.ready > 0]
    if not ready:
        return
    first_promise = min(line.promised_on for line in ready)
    soon = first_promise + timedelta(days=_WAITS_FOR_DAYS)
    waits = any(line.open > line.ready and line.promised_on <= soon for line in owed.lines.values())
    if waits and not owed.accepts_parts:
        return
    chance = world.chance("shipping")
    owed.shipments += 1
    customer = world.buyers[owed.customer].document
    planned_on = working(world.today + timedelta(days=chance.choice((0, 1, 1, 2))))
    shipment = Shipment(
        world.new_key("shipment"),
        owed.customer,
        tuple(_line(world, owed, line) for line in ready),
        promised_on=first_promise,
        planned_on=planned_on,
        dispatched_on=None,
        delivered_on=None,
        carrier=carrier_for(chance, customer),
        proof=None,
        status="planned",
    )
    for line in ready:
        line.sent += line.ready
        line.ready = ZERO
    _record(world, shipment)
    leaves_on = planned_on
    if happens(chance, _DISPATCHED_LATE):
        leaves_on = working(leaves_on + timedelta(days=1 + chance.randrange(6)))
    if leaves_on <= world.today:
        _dispatch(world, shipment.key)
    else:
        world.later(leaves_on, partial(_dispatch, key=shipment.key))


def _line(world: World, owed: OwedOrder, line: OwedLine) -> ShipmentLine:
    product = world.products[line.product]
    return ShipmentLine(
        line.number,
        owed.key,
        line.number,
        line.product,
        line.ready,
        new_serials(world, product, line.ready, world.today.year),
    )


def _dispatch(world: World, key: int) -> None:
    shipment = world.shipments[key]
    order_key = shipment.lines[0].order
    owed = world.works.owed.get(order_key)
    lines = _still_wanted(world, shipment)
    if owed is None or not lines:
        del world.shipments[key]
        world.record(replace(shipment, status="cancelled"))
        return
    shipment = replace(shipment, lines=lines, dispatched_on=world.today, status="dispatched")
    _record(world, shipment)
    world.works.last_order[shipment.customer] = order_key
    for line in lines:
        owed.lines[line.order_line].dispatched += line.quantity
        ordering.shipped(world, order_key, line.order_line, line.quantity)
    billing.delivered(world, shipment)
    chance = world.chance("shipping")
    customer = world.buyers[shipment.customer].document
    heavy = any(world.products[line.product].is_machine for line in lines)
    arrives_on = world.today + timedelta(days=real_days(chance, customer, heavy))
    why = tuple(("production", each) for each in owed.slipped)
    world.later(arrives_on, partial(arriving.arrive, key=key, why=why))
    _watch_rest(world, owed)


def _still_wanted(world: World, shipment: Shipment) -> tuple[ShipmentLine, ...]:
    """Take the goods from the shelf, and leave there what is no longer wanted."""
    order = world.orders.get(shipment.lines[0].order)
    owed = world.works.owed.get(shipment.lines[0].order)
    wanted = {line.number: line for line in order.lines} if order else {}
    kept = []
    for line in shipment.lines:
        quantity = ZERO
        ordered = wanted.get(line.order_line)
        if owed is not None and ordered is not None and not ordered.rejected:
            left = ordered.quantity - owed.lines[line.order_line].dispatched
            quantity = min(line.quantity, max(left, ZERO))
        shelf = stocking.shelf_of(world, world.products[line.product])
        shelf.reserved -= line.quantity
        shelf.on_hand -= quantity
        if owed is not None:
            owed.lines[line.order_line].sent -= line.quantity - quantity
        if quantity > 0:
            serial_numbers = line.serial_numbers[: int(quantity)]
            kept.append(replace(line, quantity=quantity, serial_numbers=serial_numbers))
    return tuple(kept)


def _watch_rest(world: World, owed: OwedOrder) -> None:
    """Look again when the rest of a part shipment should have come."""
    rest = [line.promised_on for line in owed.lines.values() if line.open > 0]
    if rest and not owed.is_watched:
        owed.is_watched = True
        world.later(max(rest) + timedelta(days=3), partial(_look_after, key=owed.key))


def _look_after(world: World, key: int) -> None:
    owed = world.works.owed.get(key)
    if owed is not None and any(
        line.open > 0 and line.promised_on < world.today for line in owed.lines.values()
    ):
        since = min(line.promised_on for line in owed.lines.values() if line.open > 0)
        arriving.rest_is_late(world, owed, since)


def _record(world: World, shipment: Shipment) -> None:
    world.shipments[shipment.key] = shipment
    world.record(shipment)
