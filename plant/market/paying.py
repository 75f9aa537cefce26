"""Customers pay, each in its way; what passes its due date unpaid is told to the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random

from hub.money import round_half_up
from plant.chance import happens, lognormal
from plant.documents import Allocation, Dispute, Instalment, Invoice, Payment
from plant.market import mishaps, ordering, reporting
from plant.market.intending import intend
from plant.market.seasons import working
from plant.market.state import OpenInvoice
from plant.names.wording import words
from plant.truth import LateInvoice, Named
from plant.world import Problem, World

_HOLDS_BACK = {"prompt": 0.8, "sloppy": 0.92, "disputing": 0.95, "failing": 0.9}
_DISPUTES = {"prompt": 0.4, "sloppy": 0.4, "disputing": 0.9, "failing": 0.5}
_DISPUTES_WITHOUT_REASON = 0.5
#: Of the other disputes whoever notes them down learns no reason.
_SAYS_WHY = 0.45
_PAYS_PART = {"prompt": 0.01, "sloppy": 0.12, "disputing": 0.1, "failing": 0.3}
_PATIENCE = timedelta(days=160)
_ASKS_AGAIN = timedelta(days=7)
_REMEMBERS = timedelta(days=10)


def expect(world: World, invoice: Invoice, instalment: Instalment) -> None:
    """Plan when an instalment will be paid, and look at it on the day after it is due."""
    chance = world.chance("paying")
    intention = intend(world, chance, invoice, instalment)
    state = world.market.open_invoices[invoice.key]
    late = intention.paid_on is None or intention.paid_on > instalment.due_on
    if late:
        state.causes[instalment.number] = intention.cause
    if intention.paid_on is None:
        mishaps.expect_write_off(world, invoice.key, instalment)
    else:
        _schedule(world, invoice, instalment.number, intention.paid_on)
    is_quarrelsome = late and world.buyers[invoice.customer].payer == "disputing"
    if is_quarrelsome and happens(chance, _DISPUTES_WITHOUT_REASON):
        day = working(instalment.due_on - timedelta(days=chance.randrange(5)))
        world.later(day, partial(_dispute_without_reason, invoice.key, instalment.number))
    world.later(
        instalment.due_on + timedelta(days=1), partial(_look_at, invoice.key, instalment.number)
    )


def dispute(world: World, key: int, cause: str) -> None:
    """Let the customer contest an invoice from today on, unless it does already."""
    invoice = world.invoices[key]
    if invoice.disputes and invoice.disputes[-1].until is None:
        return
    chance, reasons = world.chance("paying"), words("texts")["dispute_reasons"]
    reason = chance.choice(reasons[cause if happens(chance, _SAYS_WHY) else "unsaid"])
    disputes = (*invoice.disputes, Dispute(world.today, None, reason))
    changed = world.invoices[key] = replace(invoice, disputes=disputes)
    world.record(changed)


def end_dispute(world: World, key: int) -> None:
    """End the dispute of an invoice, if there is one."""
    invoice = world.invoices[key]
    if invoice.disputes and invoice.disputes[-1].until is None:
        ended = replace(invoice.disputes[-1], until=world.today)
        changed = world.invoices[key] = replace(invoice, disputes=(*invoice.disputes[:-1], ended))
        world.record(changed)


def settle(
    world: World, key: int, number: int, amount: Decimal, payment: int | None = None
) -> None:
    """Take note that some of an instalment is paid, credited or written off."""
    # The money may come on the day after, before anybody has looked.
    _look_at(key, number, world)
    state = world.market.open_invoices[key]
    state.open[number] -= amount
    if state.open[number] <= 0 and (late := world.truth.late.get((key, number))) is not None:
        late = world.truth.late[key, number] = replace(late, paid_on=world.today)
        reporting.tell_late_invoice(world, world.invoices[key], late, payment)
    if not any(state.open.values()):
        end_dispute(world, key)
        del world.invoices[key]
        del world.market.open_invoices[key]
        for order in state.orders:
            progress = world.market.progress.get(order)
            if progress is not None:
                progress.unpaid -= 1
                ordering.close_if_done(world, order)


def reopen(
    world: World, invoice: Invoice, state: OpenInvoice, allocations: list[Allocation]
) -> None:
    """Take back what a payment that bounced had paid, and plan to pay it again."""
    if invoice.key not in world.invoices:
        world.invoices[invoice.key] = invoice
        world.market.open_invoices[invoice.key] = state
        for order in state.orders:
            if order in world.market.progress:
                world.market.progress[order].unpaid += 1
    for allocation in allocations:
        number = allocation.instalment or 0
        state.open[number] += allocation.amount
        state.causes[number] = "credit"
        if (late := world.truth.late.get((invoice.key, number))) is not None:
            world.truth.late[invoice.key, number] = replace(late, paid_on=None)
        _look_at(invoice.key, number, world)
        again = working(world.today + timedelta(days=world.chance("mishaps").randrange(6, 35)))
        _schedule(world, invoice, number, again)


def refund(customer: int, amount: Decimal, world: World) -> None:
    """Give a customer money back."""
    document = world.buyers[customer].document
    paid_back = Payment(
        key=world.new_key("payment"),
        customer=customer,
        kind="refund",
        amount=-amount,
        currency=document.currency,
        rate=world.rates[document.currency],
        received_on=world.today,
        reference="退款",
        allocations=(),
    )
    world.record(paid_back)


def _schedule(world: World, invoice: Invoice, number: int, day: date) -> None:
    """Put an instalment among what the customer pays on a day."""
    day = max(day, world.today + timedelta(days=1))
    due, place = world.market.due, (invoice.customer, day)
    if place not in due:
        due[place] = []
        world.later(day, partial(_pay, invoice.customer))
    due[place].append((invoice.key, number))


def _pay(customer: int, world: World) -> None:
    """Pay what is to be paid today and is not held back, all in one."""
    chance = world.chance("paying")
    paid: list[tuple[Invoice, int, Decimal]] = []
    for key, number in dict.fromkeys(world.market.due.pop((customer, world.today))):
        invoice = world.invoices.get(key)
        state = world.market.open_invoices.get(key)
        if invoice is None or state is None or state.open[number] <= 0:
            continue
        if (fails_on := world.market.habits[customer].fails_on) and world.today >= fails_on:
            state.causes[number] = "credit"
            mishaps.expect_write_off(world, key, invoice.instalments[number - 1])
        elif _is_held_back(world, chance, invoice, state, number):
            _schedule(world, invoice, number, working(world.today + _ASKS_AGAIN))
        else:
            if len(state.open) == 1 or sum(1 for each in state.open.values() if each > 0) == 1:
                end_dispute(world, key)
            paid.append(
                (world.invoices[key], number, _amount(world, chance, invoice, state, number))
            )
    if paid:
        mishaps.receive(world, customer, paid)


def _is_held_back(
    world: World, chance: Random, invoice: Invoice, state: OpenInvoice, number: int
) -> bool:
    """Whether something is not settled, and the customer waits for that."""
    problem = _unsettled(world, invoice.key, state, world.today)
    if problem is None or world.today > invoice.instalments[number - 1].due_on + _PATIENCE:
        return False
    if state.holds is None:
        payer = world.buyers[invoice.customer].payer
        state.holds = happens(chance, _HOLDS_BACK[payer])
        if state.holds and happens(chance, _DISPUTES[payer]):
            dispute(world, invoice.key, problem.cause)
    return state.holds or problem.cause == "sales_management"


def _unsettled(world: World, key: int, state: OpenInvoice, since: date) -> Problem | None:
    """Return the first problem with an invoice that was not settled on a day."""
    for order in state.orders:
        for problem in world.problems.get(order, ()):
            if problem.until is not None and problem.until < since:
                continue
            # A wrong invoice is no reason not to pay another one.
            if problem.cause != "sales_management" or ("invoice", key) in problem.evidence:
                return problem
    return None


def _amount(
    world: World, chance: Random, invoice: Invoice, state: OpenInvoice, number: int
) -> Decimal:
    """Return what is paid of an instalment: mostly all; the rest later, or never."""
    left = state.open[number]
    if left > 1000 and happens(chance, _PAYS_PART[world.buyers[invoice.customer].payer]):
        part = round_half_up(left * Decimal(chance.choice(("0.3", "0.5", "0.6", "0.8"))), 0)
        state.causes.setdefault(number, "credit")
        rest_on = working(world.today + timedelta(days=round(lognormal(chance, 22, 0.5))))
        _schedule(world, invoice, number, rest_on)
        return part
    return left - mishaps.short_by(world, chance, invoice, state, number)


def _dispute_without_reason(key: int, number: int, world: World) -> None:
    """Let a customer that is used to it contest an invoice that is in order."""
    state = world.market.open_invoices.get(key)
    if state is not None and state.open[number] > 0:
        dispute(world, key, world.chance("paying").choice(("credit", "other")))


def _look_at(key: int, number: int, world: World) -> None:
    """Tell the truth about an instalment that is overdue, unless it is told."""
    invoice, state = world.invoices.get(key), world.market.open_invoices.get(key)
    if invoice is None or state is None or state.open[number] <= 0:
        return
    due_on = invoice.instalments[number - 1].due_on
    if due_on >= world.today or (key, number) in world.truth.late:
        return
    evidence: tuple[Named, ...] = (("invoice", key),)
    problem = _unsettled(world, key, state, due_on - _REMEMBERS)
    if problem is not None and (state.holds is not False or number in state.causes):
        cause, evidence = problem.cause, problem.evidence
    else:
        cause = state.causes.get(number, "other")
        if cause == "sales_management":
            evidence = tuple(("order", order) for order in state.orders)
        elif cause == "credit":
            evidence = (("invoice", key), ("customer", invoice.customer))
    world.truth.late[key, number] = LateInvoice(
        key, number, invoice.customer, due_on, None, cause, evidence or (("invoice", key),)
    )
