"""What was shipped is charged: per shipment, sometimes late or together, sometimes wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

from hub.money import round_half_up
from plant.chance import happens, lognormal
from plant.documents import Invoice, InvoiceLine, OrderLine, Shipment
from plant.market import advancing, correcting, ordering, paying, terms
from plant.market.seasons import month_end, working
from plant.market.state import Charge, OpenInvoice
from plant.world import World

_AT_ONCE, _SOON = 0.72, 0.95
_WRONG = 0.07


def delivered(world: World, shipment: Shipment) -> None:
    """Charge a shipment that has left: today, some days later, or at the end of the month."""
    charges = [
        Charge(line.order, line.order_line, line.quantity, shipment.key) for line in shipment.lines
    ]
    for order in dict.fromkeys(charge.order for charge in charges):
        progress = world.market.progress.get(order)
        if progress is not None:
            progress.happened.append(("shipment", shipment.key))
    if world.market.habits[shipment.customer].collective:
        _collect(world, shipment.customer, charges)
        return
    chance = world.chance("billing")
    drawn = chance.random()
    if drawn < _AT_ONCE:
        _charge(charges, world)
    elif drawn < _SOON:
        day = working(world.today + timedelta(days=chance.randrange(1, 6)))
        world.later(day, partial(_charge, charges))
    else:
        day = working(world.today + timedelta(days=chance.randrange(10, 28)))
        world.later(day, partial(_charge, charges))


def returned(world: World, shipment: Shipment) -> None:
    """Credit what came back, some days later."""
    chance = world.chance("billing")
    day = working(world.today + timedelta(days=round(lognormal(chance, 7, 0.5))))
    world.later(day, partial(correcting.credit_return, shipment))


def post(world: World, invoice: Invoice, orders: tuple[int, ...], wrong_by: Decimal) -> None:
    """Record an invoice, pay it from the advances, and wait for the money."""
    market = world.market
    open_amounts = {each.number: each.amount for each in invoice.instalments}
    world.invoices[invoice.key] = invoice
    market.open_invoices[invoice.key] = OpenInvoice(open_amounts, orders, wrong_by=wrong_by)
    for order in orders:
        # A corrected invoice may be of an order that was over before its payment bounced.
        if (progress := market.progress.get(order)) is not None:
            progress.unpaid += 1
            progress.invoices.append(invoice.key)
            progress.happened.append(("invoice", invoice.key))
    world.record(invoice)
    paid = advancing.allocate(world, invoice, orders)
    for instalment in invoice.instalments:
        if open_amounts[instalment.number] > paid.get(instalment.number, Decimal(0)):
            paying.expect(world, invoice, instalment)
    for number, amount in paid.items():
        paying.settle(world, invoice.key, number, amount)
    if wrong_by and invoice.key in world.invoices:
        correcting.expect_objection(world, invoice)


def _collect(world: World, customer: int, charges: list[Charge]) -> None:
    waiting = world.market.to_collect
    if customer not in waiting:
        waiting[customer] = []
        world.later(month_end(world.today), partial(_charge_collected, customer))
    waiting[customer].extend(charges)


def _charge_collected(customer: int, world: World) -> None:
    charges = world.market.to_collect.pop(customer)
    # One invoice has one currency and one set of terms.
    by_terms: dict[str, list[Charge]] = {}
    for charge in charges:
        order = world.orders.get(charge.order)
        if order is not None:
            by_terms.setdefault(order.terms.code, []).append(charge)
    for of_terms in by_terms.values():
        _charge(of_terms, world)


def _charge(charges: Sequence[Charge], world: World) -> None:
    """Record the invoice for what was shipped."""
    market = world.market
    charges = [each for each in charges if each.order in world.orders]
    if not charges:
        return
    chance = world.chance("billing")
    lines = [_line(world, place, charge) for place, charge in enumerate(charges, start=1)]
    right = sum((line.net for line in lines), start=Decimal(0))
    if right <= 0:
        _note_invoiced(world, charges)
        return
    if happens(chance, _WRONG):
        wrong = chance.randrange(len(lines))
        factor = Decimal(chance.choice(("1.05", "1.1", "1.2", "1.3")))
        lines[wrong] = replace(lines[wrong], net=round_half_up(lines[wrong].net * factor, 2))
    net = sum((line.net for line in lines), start=Decimal(0))
    first = world.orders[charges[0].order]
    orders = tuple(dict.fromkeys(charge.order for charge in charges))
    shipments = tuple(dict.fromkeys(charge.shipment for charge in charges))
    gross = ordering.gross_of(net, first.currency)
    invoice = Invoice(
        key=world.new_key("invoice"),
        customer=first.customer,
        kind="invoice",
        invoiced_on=world.today,
        order=orders[0] if len(orders) == 1 else None,
        shipment=shipments[0] if len(shipments) == 1 else None,
        cancels=None,
        net=net,
        gross=gross,
        currency=first.currency,
        rate=world.rates[first.currency],
        salesperson=first.salesperson,
        terms=first.terms,
        lines=tuple(lines),
        instalments=terms.instalments(gross, world.today, first.terms),
    )
    post(world, invoice, orders, gross - ordering.gross_of(right, first.currency))
    _note_invoiced(world, charges)
    for order in orders:
        if order in market.progress:
            ordering.close_if_done(world, order)


def _note_invoiced(world: World, charges: Sequence[Charge]) -> None:
    for charge in charges:
        progress = world.market.progress.get(charge.order)
        if progress is not None:
            progress.invoiced[charge.line] += charge.quantity


def _line(world: World, number: int, charge: Charge) -> InvoiceLine:
    ordered = next(line for line in world.orders[charge.order].lines if line.number == charge.line)
    already = world.market.progress[charge.order].invoiced[charge.line]
    # The parts of a line add up to the whole of it.
    net = _part(ordered, already + charge.quantity) - _part(ordered, already)
    return InvoiceLine(
        number=number,
        product=ordered.product,
        quantity=charge.quantity,
        net=net,
        order=charge.order,
        order_line=charge.line,
        shipment=charge.shipment,
    )


def _part(line: OrderLine, quantity: Decimal) -> Decimal:
    return round_half_up(line.net * quantity / line.quantity, 2)
