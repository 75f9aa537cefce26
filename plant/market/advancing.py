"""Money that comes before the invoice: asked for with the order, allocated when that is charged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

from hub.money import round_half_up
from plant.chance import happens
from plant.documents import Allocation, Invoice, Order, Payment
from plant.market.seasons import working
from plant.world import World

_BIG_GROSS = 800_000
_ASKED_FOR_BIG = 0.18
_SHARES = (Decimal("0.2"), Decimal("0.3"))


def ask(world: World, order: Order) -> None:
    """Ask for an advance: for all of a customer without credit, for part of a big order."""
    chance = world.chance("advancing")
    gross = sum((line.gross for line in order.lines), start=Decimal(0))
    if world.buyers[order.customer].document.credit_limit == 0:
        # Nothing leaves for them before the money is here.
        _receive(order.key, gross, world)
        return
    if gross * order.rate > _BIG_GROSS and happens(chance, _ASKED_FOR_BIG):
        amount = round_half_up(gross * chance.choice(_SHARES), 2)
        day = working(world.today + timedelta(days=chance.randrange(1, 8)))
        world.later(day, partial(_receive, order.key, amount))


def allocate(world: World, invoice: Invoice, orders: tuple[int, ...]) -> dict[int, Decimal]:
    """Pay an invoice with the advances for its orders.

    Returns:
        What was paid so, by instalment.
    """
    market = world.market
    paid: dict[int, Decimal] = {}
    for order in orders:
        for payment, left in list(market.advances.get(order, {}).items()):
            document = market.advance_payments[payment]
            new = list(document.allocations)
            for instalment in invoice.instalments:
                open_amount = instalment.amount - paid.get(instalment.number, Decimal(0))
                amount = min(open_amount, left)
                if amount > 0:
                    left -= amount
                    paid[instalment.number] = paid.get(instalment.number, Decimal(0)) + amount
                    new.append(
                        Allocation(
                            len(new) + 1, invoice.key, instalment.number, amount, world.today
                        )
                    )
            if len(new) > len(document.allocations):
                document = replace(document, allocations=tuple(new))
                world.record(document)
                _keep(world, order, document, left)
    return paid


def give_back(world: World, order: Order) -> None:
    """Give back what is left of the advances for an order that will not be charged any more."""
    market = world.market
    for payment, left in market.advances.pop(order.key, {}).items():
        document = market.advance_payments.pop(payment)
        refund = replace(
            document,
            key=world.new_key("payment"),
            kind="refund",
            amount=-left,
            rate=world.rates[document.currency],
            received_on=world.today,
            reference=f"退预付款 {order.ordered_on:%Y%m%d}",
            allocations=(),
        )
        world.record(refund)


def _receive(order_key: int, amount: Decimal, world: World) -> None:
    order = world.orders.get(order_key)
    if order is None or order.status != "open" or amount <= 0:
        return
    payment = Payment(
        key=world.new_key("payment"),
        customer=order.customer,
        kind="receipt",
        amount=amount,
        currency=order.currency,
        rate=world.rates[order.currency],
        received_on=world.today,
        reference=f"预付款 {order.ordered_on:%Y%m%d}",
        allocations=(),
    )
    world.record(payment)
    _keep(world, order_key, payment, amount)


def _keep(world: World, order: int, payment: Payment, left: Decimal) -> None:
    market = world.market
    of_order = market.advances.setdefault(order, {})
    if left > 0:
        of_order[payment.key] = left
        market.advance_payments[payment.key] = payment
        return
    of_order.pop(payment.key, None)
    market.advance_payments.pop(payment.key, None)
    if not of_order:
        market.advances.pop(order, None)
