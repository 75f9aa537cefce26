"""What stands on the first morning: people, products, customers, and business under way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hub.money import round_half_up
from plant.chance import happens, lognormal, poisson
from plant.documents import Invoice, InvoiceLine
from plant.market import customers, ordering, paying, people, products, rating, selling, terms
from plant.market.needing import busy_customer, machines_wanted
from plant.market.seasons import working
from plant.market.state import OpenInvoice, Wanted
from plant.works import serving
from plant.world import World

#: For each customer.
_OPEN_OPPORTUNITIES, _OPEN_ORDERS, _OPEN_INVOICES = 0.45, 0.22, 0.75
_INVOICED_BEFORE_DAYS = 85
_OVERDUE_FOR_DAYS = 60


def open_plant(world: World) -> None:
    """Record all that stands on the first morning."""
    rating.post_first(world)
    people.hire_everybody(world)
    products.open_catalogue(world)
    customers.open_files(world)
    serving.install_opening(world)
    chance = world.chance("opening")
    count = len(world.market.everybody)
    for _ in range(round(_OPEN_OPPORTUNITIES * count)):
        if (customer := busy_customer(world, chance)) is not None:
            opened_on = world.today - timedelta(days=chance.randrange(1, 90))
            selling.open_opportunity(world, customer, opened_on, "salesperson")
    for _ in range(round(_OPEN_ORDERS * count)):
        if (customer := busy_customer(world, chance)) is not None:
            _stand_order(world, customer)
    for customer in tuple(world.market.everybody):
        if world.market.habits[customer].has_ordered:
            for _ in range(poisson(chance, _OPEN_INVOICES)):
                _stand_invoice(world, customer)


def _stand_order(world: World, customer: int) -> None:
    """Record an order from before the first day of which nothing has left."""
    chance = world.chance("opening")
    if not world.market.habits[customer].has_ordered:
        return
    wanted_on = working(world.today + timedelta(days=chance.randrange(4, 50)))
    ordered_on = world.today - timedelta(days=chance.randrange(3, 40))
    if happens(chance, 0.3):
        product = world.market.on_sale["machine"].draw(chance)
        quantity = machines_wanted(chance, world.market.habits[customer].usual_machines)
    else:
        product, quantity = _usual_part(world)
    ordering.place(world, customer, [Wanted(product, quantity, wanted_on)], None, ordered_on)


def _usual_part(world: World) -> tuple[int, Decimal]:
    chance = world.chance("opening")
    parts_for = world.market.parts_for
    product = parts_for[chance.choice(list(parts_for))].draw(chance)
    usual = world.market.usual_quantity[product]
    return product, Decimal(max(1, round(lognormal(chance, usual, 0.5))))


def _stand_invoice(world: World, customer: int) -> None:
    """Record an invoice from before the first day, if something of it is still to be paid."""
    chance = world.chance("opening")
    document = world.buyers[customer].document
    product, quantity = _usual_part(world)
    price = world.products[product].price / world.rates[document.currency]
    net = round_half_up(round_half_up(price, 2) * quantity, 2)
    gross = ordering.gross_of(net, document.currency)
    invoiced_on = world.today - timedelta(days=chance.randrange(1, _INVOICED_BEFORE_DAYS))
    instalments = terms.instalments(gross, invoiced_on, document.terms)
    due_on = instalments[0].due_on
    is_prompt = world.buyers[customer].payer == "prompt"
    if due_on < world.today:
        overdue_for = (world.today - due_on).days
        if is_prompt or overdue_for > _OVERDUE_FOR_DAYS or happens(chance, 0.5):
            return
    invoice = Invoice(
        key=world.new_key("invoice"),
        customer=customer,
        kind="invoice",
        invoiced_on=invoiced_on,
        order=None,
        shipment=None,
        cancels=None,
        net=net,
        gross=gross,
        currency=document.currency,
        rate=world.rates[document.currency],
        salesperson=document.owner,
        terms=document.terms,
        lines=(InvoiceLine(1, product, quantity, net, None, None, None),),
        instalments=instalments,
    )
    open_amounts = {each.number: each.amount for each in instalments}
    world.invoices[invoice.key] = invoice
    world.market.open_invoices[invoice.key] = OpenInvoice(open_amounts, ())
    world.record(invoice)
    for instalment in instalments:
        paying.expect(world, invoice, instalment)
