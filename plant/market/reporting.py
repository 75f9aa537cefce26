"""The stories that the truth tells: of a late payment, of a sale, of a customer that was lost."""

from __future__ import annotations

from datetime import date

from plant.documents import Invoice
from plant.truth import LateInvoice, LostCustomer, Named, Story
from plant.world import World

#: More than are told: documents of some will never leave their systems.
_CANDIDATES = 12
_WORTH_TELLING_DAYS = 10

_WHAT_WENT_WRONG = {
    "delivery": {
        "production": "Production of it finished later than planned.",
        "shipment": "It left too late to arrive when it was promised.",
        "case": "The customer complained, and held the money back.",
    },
    "quality": {
        "shipment": "What came was not as it should be.",
        "case": "The customer complained, and held the money back.",
    },
}


_HAPPENED = {
    "production": "Production finished later than planned.",
    "shipment": "A part of it left.",
    "invoice": "It was charged.",
}


def tell_late_invoice(
    world: World, invoice: Invoice, late: LateInvoice, payment: int | None
) -> None:
    """Keep the story of an invoice that was paid late because of the goods or the delivery."""
    if late.cause not in _WHAT_WENT_WRONG or payment is None or invoice.order is None:
        return
    types = {each for each, _ in late.evidence}
    order = world.orders.get(invoice.order)
    if order is None or late.paid_on is None or not _WHAT_WENT_WRONG[late.cause].keys() <= types:
        return
    days = (late.paid_on - late.due_on).days
    if days < _WORTH_TELLING_DAYS:
        return
    sentences = _WHAT_WENT_WRONG[late.cause]
    told = [(each, sentences[each[0]]) for each in late.evidence if each[0] in sentences]
    charged = (("invoice", invoice.key), f"It was charged{_parts(invoice)}, due on {late.due_on}.")
    behind = [document for document, _ in told]
    told.insert(_place_of(world, invoice, late, behind), charged)
    _tell(
        world,
        "late_payment",
        order.key,
        f"Why {_name(world, invoice.customer)} paid {days} days late: {late.cause}",
        [
            (("order", order.key), f"It ordered; {_promise(order.lines[0].promised_on)}."),
            *told,
            (("payment", payment), "The money came when the complaint was settled."),
        ],
    )


def _place_of(world: World, invoice: Invoice, late: LateInvoice, told: list[Named]) -> int:
    """Return the place of an invoice among what made its customer pay late: when it was charged."""
    happened = world.market.progress[invoice.order or 0].happened
    before = happened[: happened.index(("invoice", invoice.key))]
    problems = world.problems[invoice.order or 0]
    complained_on = next((p.complained_on for p in problems if p.evidence == late.evidence), None)
    for place, document in enumerate(told):
        if document[0] == "case":
            if complained_on is None or complained_on >= invoice.invoiced_on:
                return place
        elif document not in before:
            return place
    return len(told)


def tell_sale(world: World, order_key: int) -> None:
    """Keep the story of an order that was an opportunity first and left in several shipments."""
    progress, order = world.market.progress[order_key], world.orders[order_key]
    shipments = sum(kind == "shipment" for kind, _ in progress.happened)
    if order.opportunity is None or shipments < 2 or not progress.invoices:
        return
    _tell(
        world,
        "sale",
        order_key,
        f"From an opportunity to several shipments: {_name(world, order.customer)}",
        [
            (("opportunity", order.opportunity), "Sales saw that it might buy, and won it."),
            (("order", order_key), f"It ordered; {_promise(order.lines[0].promised_on)}."),
            *((each, _HAPPENED[each[0]]) for each in progress.happened),
        ],
    )


def tell_lost_customer(world: World, lost: LostCustomer) -> None:
    """Keep the story of a customer that had its troubles with us and then ordered no more."""
    last = world.market.habits[lost.customer].last_order
    troubles = world.troubles.get(lost.customer, ())
    if last is None or len(troubles) < 3:
        return
    sentences = {
        "case": "It complained.",
        "call": "It called, and got no solution.",
        "order": f"Its last order. It left: {lost.why}.",
    }
    days = sorted([*troubles, (last[0], "order", last[1])])
    _tell(
        world,
        "lost_customer",
        lost.customer,
        f"Lost on {lost.on}, and nobody knew: {_name(world, lost.customer)}",
        [((kind, key), sentences[kind]) for _, kind, key in days],
    )


def _tell(
    world: World, kind: str, about: int, title: str, telling: list[tuple[Named, str]]
) -> None:
    """Keep a story as a candidate, unless there are enough of its kind, or one about the same."""
    told = world.market.told[kind]
    if len(told) < _CANDIDATES and about not in told:
        told.append(about)
        world.truth.stories.append(Story(kind, title, tuple(telling)))


def _promise(promised_on: date | None) -> str:
    return f"it was promised for {promised_on}" if promised_on else "nothing was promised"


def _parts(invoice: Invoice) -> str:
    number = len(invoice.instalments)
    return f" in {number} instalments, the late one" if number > 1 else " with its tax"


def _name(world: World, customer: int) -> str:
    return world.buyers[customer].document.name.legal
