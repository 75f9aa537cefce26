"""How money really comes: short of cents or charges, misread, bounced, twice, or not at all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random

from hub.money import round_half_up
from plant.chance import happens, lognormal
from plant.documents import Allocation, Instalment, Invoice, Payment
from plant.market import paying
from plant.market.seasons import working
from plant.market.state import OpenInvoice
from plant.world import CURRENCY, World

_MISSING_CENTS = 0.02
_BANK_CHARGES = 0.1
_MISREAD = 0.03
_TWICE = 0.004
_BOUNCES = {"prompt": 0.001, "sloppy": 0.012, "disputing": 0.003, "failing": 0.05}

Paid = list[tuple[Invoice, int, Decimal]]


def short_by(
    world: World, chance: Random, invoice: Invoice, state: OpenInvoice, number: int
) -> Decimal:
    """Return what is missing of a payment: cents, or what a bank kept; it is written off later."""
    short = Decimal(0)
    if invoice.currency != CURRENCY and happens(chance, _BANK_CHARGES):
        short = Decimal(chance.choice(("15.00", "18.50", "25.00", "35.00")))
    elif happens(chance, _MISSING_CENTS):
        short = Decimal(chance.randrange(1, 100)) / 100
    if not 0 < short < state.open[number]:
        return Decimal(0)
    state.causes.setdefault(number, "other")
    day = working(world.today + timedelta(days=chance.randrange(20, 90)))
    world.later(day, partial(_write_off, invoice.key, number))
    return short


def receive(world: World, customer: int, paid: Paid) -> None:
    """Record a payment for all of it; whoever reads its reference may be mistaken."""
    chance = world.chance("mishaps")
    today = world.today
    allocations = tuple(
        Allocation(place, invoice.key, number, amount, today)
        for place, (invoice, number, amount) in enumerate(paid, start=1)
    )
    first = paid[0][0]
    misread = happens(chance, _MISREAD)
    payment = Payment(
        key=world.new_key("payment"),
        customer=customer,
        kind="receipt",
        amount=sum((amount for _, _, amount in paid), start=Decimal(0)),
        currency=first.currency,
        rate=world.rates[first.currency],
        received_on=today,
        reference=_reference(chance, paid, misread),
        allocations=() if misread else allocations,
    )
    world.record(payment)
    if misread:
        day = working(today + timedelta(days=chance.randrange(4, 30)))
        world.later(day, partial(_allocate, payment, allocations))
        return
    if happens(chance, _BOUNCES[world.buyers[customer].payer]):
        states = {inv.key: (inv, world.market.open_invoices[inv.key]) for inv, _, _ in paid}
        day = working(today + timedelta(days=chance.randrange(3, 12)))
        world.later(day, partial(_bounce, payment, states))
    elif happens(chance, _TWICE):
        twice = replace(payment, key=world.new_key("payment"), allocations=())
        day = working(today + timedelta(days=chance.randrange(10, 40)))
        world.record(twice)
        world.later(day, partial(paying.refund, customer, payment.amount))
    for allocation in allocations:
        paying.settle(
            world,
            allocation.invoice,
            allocation.instalment or 0,
            allocation.amount,
            payment.key,
        )


def expect_write_off(world: World, key: int, instalment: Instalment) -> None:
    """Plan to give up an instalment that will never be paid."""
    chance = world.chance("mishaps")
    last = max(instalment.due_on, world.today)
    day = working(last + timedelta(days=round(lognormal(chance, 210, 0.25))))
    world.later(day, partial(_write_off, key, instalment.number))


def _allocate(payment: Payment, wanted: tuple[Allocation, ...], world: World) -> None:
    """Allocate a payment whose reference was misread; what is no longer open is given back."""
    allocations: list[Allocation] = []
    for each in wanted:
        state = world.market.open_invoices.get(each.invoice)
        open_amount = state.open[each.instalment or 0] if state else Decimal(0)
        amount = min(each.amount, open_amount)
        if amount > 0:
            place = len(allocations) + 1
            allocations.append(replace(each, number=place, amount=amount, allocated_on=world.today))
    if allocations:
        world.record(replace(payment, allocations=tuple(allocations)))
    left = payment.amount - sum(each.amount for each in allocations)
    if left > 0:
        paying.refund(payment.customer, left, world)
    for each in allocations:
        paying.settle(world, each.invoice, each.instalment or 0, each.amount, payment.key)


def _bounce(payment: Payment, states: dict[int, tuple[Invoice, OpenInvoice]], world: World) -> None:
    """Let the bank take a payment back."""
    world.record(replace(payment, reversed_on=world.today))
    of_invoice: dict[int, list[Allocation]] = defaultdict(list)
    for allocation in payment.allocations:
        of_invoice[allocation.invoice].append(allocation)
    for key, allocations in of_invoice.items():
        invoice, state = states[key]
        paying.reopen(world, world.invoices.get(key, invoice), state, allocations)


def _write_off(key: int, number: int, world: World) -> None:
    """Give up what is still open of an instalment."""
    invoice, state = world.invoices.get(key), world.market.open_invoices.get(key)
    if invoice is None or state is None or state.open[number] <= 0:
        return
    amount = state.open[number]
    given_up = Payment(
        key=world.new_key("payment"),
        customer=invoice.customer,
        kind="write_off",
        amount=round_half_up(amount, 2),
        currency=invoice.currency,
        rate=invoice.rate,
        received_on=world.today,
        reference="核销",
        allocations=(Allocation(1, key, number, amount, world.today),),
    )
    world.record(given_up)
    paying.settle(world, key, number, amount, given_up.key)


def _reference(chance: Random, paid: Paid, misread: bool) -> str:
    """Return what the customer wrote on its transfer."""
    first = paid[0][0]
    if misread:
        return chance.choice(
            ("货款", "往来款", "材料款", "payment", f"{first.invoiced_on:%m%d}货款")
        )
    if len(paid) > 1:
        return f"货款 {len(paid)} 笔 {first.invoiced_on:%Y-%m}"
    return f"货款 {first.invoiced_on:%Y-%m-%d} {first.gross}"
