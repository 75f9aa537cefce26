"""Wrong invoices and returned goods: objections, cancellations billed anew, and credit notes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

from hub.money import round_half_up
from plant.chance import happens, lognormal
from plant.documents import Allocation, Invoice, InvoiceLine, OrderLine, Shipment
from plant.market import billing, ordering, paying, terms
from plant.market.seasons import working
from plant.world import Problem, World

_CANCELLED_WHOLE = 0.5
_REFUND_DAYS = 20
_PUT_RIGHT_DAYS = 22
#: What goods are credited with whose order is long over.
_OLD_GOODS_SHARE = Decimal("0.85")


def expect_objection(world: World, invoice: Invoice) -> None:
    """Let the customer find out some weeks later that an invoice is wrong."""
    chance = world.chance("correcting")
    day = working(world.today + timedelta(days=chance.randrange(4, 28)))
    world.later(day, partial(_object, invoice.key))


def credit_return(shipment: Shipment, world: World) -> None:
    """Credit goods that came back against the invoice that charged them."""
    document = world.buyers[shipment.customer].document
    lines: list[InvoiceLine] = []
    for line in shipment.lines:
        ordered = _ordered(world, line.order, line.order_line)
        quantity = -line.quantity
        if ordered is not None:
            net = round_half_up(ordered.net * quantity / ordered.quantity, 2)
        else:
            price = world.products[line.product].price * _OLD_GOODS_SHARE
            net = round_half_up(price * quantity / world.rates[document.currency], 2)
        place = len(lines) + 1
        lines.append(
            InvoiceLine(
                place, line.product, quantity, net, line.order, line.order_line, shipment.key
            )
        )
    orders = dict.fromkeys(line.order for line in shipment.lines)
    charged = next(
        (
            invoice
            for order in orders
            if (progress := world.market.progress.get(order)) is not None
            for invoice in progress.invoices
            if invoice in world.invoices
        ),
        None,
    )
    order_key = next(iter(orders)) if len(orders) == 1 else None
    _credit(world, shipment.customer, order_key, shipment.key, tuple(lines), charged)


def _object(key: int, world: World) -> None:
    """Dispute a wrong invoice; it is put right when somebody has looked at it."""
    invoice = world.invoices.get(key)
    if invoice is None:
        return
    chance = world.chance("correcting")
    problem = Problem("sales_management", world.today, None, (("invoice", key),))
    for order in world.market.open_invoices[key].orders:
        world.problems[order].append(problem)
    paying.dispute(world, key, "sales_management")
    day = working(world.today + timedelta(days=round(lognormal(chance, _PUT_RIGHT_DAYS, 0.6))))
    world.later(day, partial(_put_right, key, problem))


def _put_right(key: int, problem: Problem, world: World) -> None:
    problem.until = world.today
    invoice = world.invoices.get(key)
    if invoice is None:
        return
    paying.end_dispute(world, key)
    invoice, state = world.invoices[key], world.market.open_invoices[key]
    untouched = sum(state.open.values()) == invoice.gross
    if untouched and happens(world.chance("correcting"), _CANCELLED_WHOLE):
        _cancel_and_bill_anew(world, invoice)
    else:
        net = state.wrong_by
        if ordering.gross_of(Decimal(1), invoice.currency) > 1:
            net = round_half_up(state.wrong_by / (1 + ordering.VAT), 2)
        line = InvoiceLine(1, None, Decimal(1), net, invoice.order, None, invoice.shipment)
        _credit(
            world,
            invoice.customer,
            invoice.order,
            invoice.shipment,
            (line,),
            key,
            gross=state.wrong_by,
        )


def _cancel_and_bill_anew(world: World, invoice: Invoice) -> None:
    state = world.market.open_invoices[invoice.key]
    cancellation = replace(
        invoice,
        key=world.new_key("invoice"),
        kind="cancellation",
        invoiced_on=world.today,
        cancels=invoice.key,
        instalments=(),
        disputes=(),
    )
    world.record(cancellation)
    world.record(replace(invoice, status="cancelled"))
    lines = tuple(_right_line(world, line) for line in invoice.lines)
    net = sum((line.net for line in lines), start=Decimal(0))
    gross = ordering.gross_of(net, invoice.currency)
    anew = replace(
        invoice,
        key=world.new_key("invoice"),
        invoiced_on=world.today,
        net=net,
        gross=gross,
        rate=world.rates[invoice.currency],
        lines=lines,
        instalments=terms.instalments(gross, world.today, invoice.terms),
        disputes=(),
    )
    billing.post(world, anew, state.orders, Decimal(0))
    for instalment in invoice.instalments:
        paying.settle(world, invoice.key, instalment.number, state.open[instalment.number])


def _right_line(world: World, line: InvoiceLine) -> InvoiceLine:
    ordered = _ordered(world, line.order, line.order_line)
    if ordered is None:
        return line
    return replace(line, net=round_half_up(ordered.net * line.quantity / ordered.quantity, 2))


def _ordered(world: World, order: int | None, number: int | None) -> OrderLine | None:
    """Return a line of an order that is still known."""
    known = world.orders.get(order or 0)
    if known is None:
        return None
    return next((line for line in known.lines if line.number == number), None)


def _credit(
    world: World,
    customer: int,
    order: int | None,
    shipment: int | None,
    lines: tuple[InvoiceLine, ...],
    charged: int | None,
    gross: Decimal | None = None,
) -> None:
    """Record a credit note; what no open invoice takes up is given back."""
    document = world.buyers[customer].document
    net = sum((line.net for line in lines), start=Decimal(0))
    gross = ordering.gross_of(net, document.currency) if gross is None else gross
    if net <= 0:
        return
    allocations: list[Allocation] = []
    left = gross
    if charged is not None:
        # The last instalments first: the next one will be paid as it is.
        for number, amount in sorted(
            world.market.open_invoices[charged].open.items(), reverse=True
        ):
            used = min(amount, left)
            if used > 0:
                left -= used
                place = len(allocations) + 1
                allocations.append(Allocation(place, charged, number, used, world.today))
    credit_note = Invoice(
        key=world.new_key("invoice"),
        customer=customer,
        kind="credit_note",
        invoiced_on=world.today,
        order=order,
        shipment=shipment,
        cancels=None,
        net=net,
        gross=gross,
        currency=document.currency,
        rate=world.rates[document.currency],
        salesperson=document.owner,
        terms=document.terms,
        lines=lines,
        instalments=(),
        allocations=tuple(allocations),
    )
    world.record(credit_note)
    for allocation in allocations:
        paying.settle(world, charged or 0, allocation.instalment or 0, allocation.amount)
    if left > 0:
        day = working(world.today + timedelta(days=_REFUND_DAYS))
        world.later(day, partial(paying.refund, customer, left))
