"""Orders: placed, promised, changed, cancelled and closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random

from hub.money import round_half_up
from plant.chance import happens
from plant.documents import ERP, Order, OrderLine, Terms
from plant.market import advancing, customers, needing, reporting, wishing
from plant.market.seasons import working
from plant.market.state import Need, Progress, Wanted
from plant.market.terms import beyond_policy
from plant.works import making
from plant.works.introducing import introduce
from plant.world import CURRENCY, World

#: Value added tax on what stays in the country; what leaves it bears none.
VAT = Decimal("0.13")
_CHANGED, _CANCELLED, _REJECTED, _DELETED = 0.11, 0.035, 0.035, 0.006
_FORGETS_OPPORTUNITY = 0.15
#: A customer that puts its order off, or takes it back, may need the goods as before.
_NEEDS_IT_STILL = 0.4
#: Contracts on machines are mostly looked at by somebody, and so are many on long terms.
_REVIEWED, _REVIEWED_MACHINES, _REVIEWED_LONG_TERMS = 0.4, 0.85, 0.65
_THREE_INSTALMENTS = Terms("R3", days=30, instalments=3)


def place(
    world: World,
    customer: int,
    wanted: Sequence[Wanted],
    opportunity: int | None = None,
    ordered_on: date | None = None,
) -> int | None:
    """Record an order for what a customer wants, as far as it orders it, and provide for it.

    Returns:
        The key of the order; None where we take no orders from the customer, or it orders nothing.
    """
    chance = world.chance("ordering")
    buyer = world.buyers[customer]
    if customers.is_gone(world, customer):
        return None
    ordered: list[Wanted] = []
    for each in wanted:
        need, asked_for = wishing.consider(world, customer, each)
        _demand(world, each.product, need)
        if asked_for is not None:
            ordered.append(replace(asked_for, need=need))
    if not ordered:
        return None
    introduce(world, customer, ERP)
    habits = world.market.habits[customer]
    if not habits.has_ordered:
        habits.has_ordered = True
        needing.begin(world, customer)
    document = buyer.document
    has_machines = any(world.products[each.product].is_machine for each in ordered)
    big = has_machines and document.terms.days > 0 and happens(chance, 0.15)
    order = Order(
        key=world.new_key("order"),
        customer=customer,
        ordered_on=ordered_on or world.today,
        currency=document.currency,
        rate=world.rates[document.currency],
        salesperson=document.owner,
        terms=_THREE_INSTALMENTS if big else document.terms,
        opportunity=None if happens(chance, _FORGETS_OPPORTUNITY) else opportunity,
        contract_reviewed=happens(chance, _reviewed(document.terms, has_machines)),
        lines=tuple(
            _line(world, customer, 10 * place, each) for place, each in enumerate(ordered, start=1)
        ),
        status="open",
    )
    if happens(chance, _DELETED):
        twice = replace(order, key=world.new_key("order"))
        world.record(twice)
        world.record(replace(twice, deleted=True))
    world.orders[order.key] = order
    needs = {
        line.number: each.need
        for line, each in zip(order.lines, ordered, strict=True)
        if each.need is not None
    }
    world.market.progress[order.key] = Progress(needs=needs)
    habits.last_order = (order.ordered_on, order.key)
    world.record(order)
    making.take_order(world, order)
    advancing.ask(world, order)
    _plan_changes(world, chance, order.key)
    return order.key


def order_parts(
    world: World, customer: int, parts: Sequence[tuple[int, Decimal]], why: str
) -> int | None:
    """Order parts that are needed at once; ``why`` is what broke.

    Returns:
        The key of the order; None where we take no orders from the customer, or it orders nothing.
    """
    soon = working(world.today + timedelta(days=3))
    return place(world, customer, [Wanted(product, number, soon) for product, number in parts])


def promise(world: World, order_key: int, line_number: int, promised_on: date) -> None:
    """Tell the customer when a line will come."""
    order = world.orders.get(order_key)
    if order is None or order.status != "open":
        return
    line = next(each for each in order.lines if each.number == line_number)
    if line.promised_on != promised_on:
        _change_line(world, order, replace(line, promised_on=promised_on))


def shipped(world: World, order_key: int, line_number: int, quantity: Decimal) -> None:
    """Take note that some of a line has left."""
    progress = world.market.progress.get(order_key)
    if progress is not None:
        progress.shipped[line_number] += quantity
        close_if_done(world, order_key)


def close_if_done(world: World, order_key: int) -> None:
    """Close an order of which all is shipped and charged; forget it when it is paid, too."""
    order, progress = world.orders.get(order_key), world.market.progress.get(order_key)
    if order is None or progress is None:
        return
    if order.status == "open" and all(
        line.rejected
        or min(progress.shipped[line.number], progress.invoiced[line.number]) >= line.quantity
        for line in order.lines
    ):
        order = world.orders[order_key] = replace(order, status="closed")
        world.record(order)
    if order.status != "open" and progress.unpaid == 0:
        reporting.tell_sale(world, order_key)
        advancing.give_back(world, order)
        del world.orders[order_key]
        del world.market.progress[order_key]
        world.problems.pop(order_key, None)


def gross_of(net: Decimal, currency: str) -> Decimal:
    """Return an amount with its tax: abroad there is none."""
    return round_half_up(net * (1 + VAT), 2) if currency == CURRENCY else net


def _reviewed(terms: Terms, has_machines: bool) -> float:
    """Return how likely it is that somebody reviews the contract of an order."""
    if has_machines:
        return _REVIEWED_MACHINES
    return _REVIEWED_LONG_TERMS if beyond_policy(terms) else _REVIEWED


def _line(world: World, customer: int, number: int, wanted: Wanted) -> OrderLine:
    document = world.buyers[customer].document
    product, rate = world.products[wanted.product], world.rates[document.currency]
    price = product.price * (1 - world.market.habits[customer].discount) / rate
    net = wanted.net
    if net is None:
        net = round_half_up(round_half_up(price, 2) * wanted.quantity, 2)
    return OrderLine(
        number=number,
        product=wanted.product,
        quantity=wanted.quantity,
        net=net,
        gross=gross_of(net, document.currency),
        unit_cost=round_half_up(product.cost / rate, 2),
        wanted_on=wanted.wanted_on,
        promised_on=None,
    )


def _plan_changes(world: World, chance: Random, order_key: int) -> None:
    drawn = chance.random()
    day = world.today + timedelta(days=chance.randrange(2, 26))
    if drawn < _CHANGED:
        world.later(day, partial(_change, order_key))
    elif drawn < _CHANGED + _CANCELLED:
        world.later(day, partial(_cancel, order_key))
    elif drawn < _CHANGED + _CANCELLED + _REJECTED:
        world.later(day, partial(_reject, order_key))


def _untouched(world: World, order_key: int) -> tuple[Order, list[OrderLine]] | None:
    """Return an open order and its lines of which nothing has left, if there are any."""
    order, owed = world.orders.get(order_key), world.works.owed.get(order_key)
    if order is None or order.status != "open" or owed is None:
        return None
    lines = [
        line
        for line in order.lines
        if not line.rejected
        and line.number in owed.lines
        and not owed.lines[line.number].dispatched
    ]
    return (order, lines) if lines else None


def _change(order_key: int, world: World) -> None:
    """Let the customer want another quantity or another day."""
    found = _untouched(world, order_key)
    if found is None:
        return
    order, lines = found
    chance = world.chance("ordering")
    line = chance.choice(lines)
    need = world.market.progress[order_key].needs[line.number]
    # What stands in a shipment already will leave on its day.
    is_planned = world.works.owed[order_key].lines[line.number].sent > 0
    if happens(chance, 0.5) and not is_planned:
        wanted_on = working(max(world.today, line.wanted_on) + timedelta(chance.randrange(5, 50)))
        changed = replace(line, wanted_on=wanted_on)
        if line.promised_on is not None and line.promised_on < wanted_on:
            # What was promised holds no more; the works promise anew.
            changed = replace(changed, promised_on=None)
        if not happens(chance, _NEEDS_IT_STILL):
            need = replace(need, needed_on=wanted_on)
    else:
        factor = chance.choice((0.5, 0.75, 1.25, 1.5, 2.0))
        quantity = Decimal(max(1, round(float(line.quantity) * factor)))
        net = round_half_up(line.net * quantity / line.quantity, 2)
        gross = gross_of(net, order.currency)
        changed = replace(line, quantity=quantity, net=net, gross=gross)
        need = replace(need, quantity=quantity)
    if changed == line:
        return
    _forget_need(world, order_key, line)
    _demand(world, line.product, need)
    world.market.progress[order_key].needs[line.number] = need
    making.take_order(world, _change_line(world, order, changed))


def _cancel(order_key: int, world: World) -> None:
    """Cancel an order of which nothing has left."""
    found = _untouched(world, order_key)
    if found is None or len(found[1]) < len(found[0].lines):
        return
    order, lines = found
    if not happens(world.chance("ordering"), _NEEDS_IT_STILL):
        for line in lines:
            _forget_need(world, order_key, line)
    cancelled = replace(order, status="cancelled", cancelled_on=world.today)
    world.orders[order_key] = cancelled
    world.record(cancelled)
    making.take_order(world, cancelled)
    close_if_done(world, order_key)


def _reject(order_key: int, world: World) -> None:
    """Take a line out of an order: the customer wants it no more, or we cannot deliver it."""
    found = _untouched(world, order_key)
    if found is None or len(found[0].lines) < 2:
        return
    order, lines = found
    chance = world.chance("ordering")
    line = chance.choice(lines)
    if not happens(chance, _NEEDS_IT_STILL):
        _forget_need(world, order_key, line)
    making.take_order(world, _change_line(world, order, replace(line, rejected=True)))
    close_if_done(world, order_key)


def _change_line(world: World, order: Order, line: OrderLine) -> Order:
    lines = tuple(line if each.number == line.number else each for each in order.lines)
    changed = world.orders[order.key] = replace(order, lines=lines)
    world.record(changed)
    return changed


def _forget_need(world: World, order_key: int, line: OrderLine) -> None:
    need = world.market.progress[order_key].needs[line.number]
    _demand(world, line.product, replace(need, quantity=-need.quantity))


def _demand(world: World, product: int, need: Need) -> None:
    day = need.needed_on
    world.truth.demanded[product, day.year, day.month] += need.quantity
